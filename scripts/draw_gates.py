"""The gates of an LSTM over a sentence.

    python scripts/draw_gates.py runs/cells-0/lstm "alice came into the room <eos> the visitor said hello to her"

A column is a word, a row a hidden unit, in the order of how much it remembers: at the top are the units whose forget
gate f stays open.
"""

import sys
from pathlib import Path

import tyro

from rnnlm.backend import ops
from rnnlm.cli import process
from rnnlm.cli.folders import open_model
from rnnlm.drawing import expect_picture_name
from rnnlm.errors import InputError
from rnnlm.layers import TimeLSTM
from rnnlm.plotting import save_gates


def main(
    model: tyro.conf.Positional[Path], text: tyro.conf.Positional[str], out: Path = Path("gates.png"), layer: int = 1
) -> None:
    """Draw the gates of an LSTM while it reads a text.

    Args:
        model: folder of a model or of a run.
        text: words of the model's vocabulary.
        out: the picture; its ending says in which format.
        layer: number of the recurrent layer, from 1.
    """
    expect_picture_name(out)
    net, words = open_model(model)
    layers = net.recurrent_layers
    if not 1 <= layer <= len(layers) or not isinstance(layers[layer - 1], TimeLSTM):
        kinds = ", ".join(type(one).__name__ for one in layers)
        raise InputError(f"layer must be the number of an LSTM among {kinds}, got {layer}")
    ids = words.encode(text)
    if not len(ids):
        raise InputError("text must have a word")
    net.reset_state()
    net.predict([ids])
    values = {name: ops.asnumpy(gate)[0] for name, gate in layers[layer - 1].gate_values.items()}
    titles = {"f": "f, forget gate", "i": "i, input gate", "o": "o, output gate", "g": "g, candidate"}
    save_gates(out, words.decode(ids), {title: values[name] for name, title in titles.items()})
    print(out)


if __name__ == "__main__":
    sys.exit(process.handled(lambda: tyro.cli(main)))
