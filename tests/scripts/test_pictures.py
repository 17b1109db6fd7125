from pathlib import Path

import pytest

from rnnlm.cli.main import main
from rnnlm.errors import InputError
from tests.cli.runs import SMALL, script


def test_the_pictures_of_the_scripts(models, treebank, tmp_path, monkeypatch, capsys):
    gradients = script("draw_gradients")
    gradients.main(tmp_path / "gradients.png", steps=30, hidden_size=20)
    assert (tmp_path / "gradients.png").read_bytes().startswith(b"\x89PNG")
    small, large = gradients.rnn(30, 20, 0, 0.5), gradients.rnn(30, 20, 0, 3.0)
    assert small[-1] < 1e-6 < 1 < large[-1]  # it vanishes, it explodes
    assert gradients.lstm(30, 20, 0, 3.0)[-1] > 100 * gradients.lstm(30, 20, 0, 0.0)[-1]

    assert main(["train", *SMALL, "--cell", "lstm", "--no-evaluate", "--out", "lstm"]) == 0
    gates = script("draw_gates")
    gates.main(Path("lstm"), "the cat sat on the x", tmp_path / "gates.png")
    assert (tmp_path / "gates.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="layer must be the number of an LSTM among TimeGRU, got 1"):
        gates.main(models / "trained", "the cat", tmp_path / "gates.png")
    with pytest.raises(InputError, match="layer must be the number of an LSTM among TimeLSTM, got 2"):
        gates.main(Path("lstm"), "the cat", tmp_path / "gates.png", layer=2)
