"""Weights of PyTorch's own layers, to and from models of this library; PyTorch itself is not needed.

A language model there is `nn.Embedding`, `nn.RNN`, `nn.LSTM` or `nn.GRU`, and `nn.Linear`. Its matrices are
transposed, and the blocks of the gates stand in another order: i f g o for f g i o, and r z g for z r g, where its z is
1 - ours. An LSTM and an RNN have two biases there, which are added up.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import ops
from rnnlm.checks import instance_of, shown
from rnnlm.errors import InputError
from rnnlm.models.better import BetterRnnlm
from rnnlm.models.config import ModelConfig
from rnnlm.models.general import AwdLstm, LanguageModel
from rnnlm.models.rnnlm import Rnnlm
from rnnlm.models.simple import SimpleRnnlm

__all__ = ["from_torch", "to_torch"]

BLOCKS = {"rnn": [0], "lstm": [2, 0, 1, 3], "gru": [1, 0, 2]}  # which of our blocks theirs are, in their order
CELLS = {len(blocks): cell for cell, blocks in BLOCKS.items()}
RECURRENT = re.compile(r"(.*)(weight_ih|weight_hh|bias_ih|bias_hh)_l(\d+)$")
SOURCES = (LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm, AwdLstm)
Weights = dict[str, NDArray[Any]]


def to_torch(model: Any) -> Weights:
    """Return a language model's weights as the state dict of PyTorch's layers: arrays, for `torch.from_numpy`.

    Names are those of PyTorch's word language model example: `encoder` is an `nn.Embedding(V, D)`, `rnn` an
    `nn.LSTM(D, H, layers)`, or RNN or GRU, and `decoder` an `nn.Linear(H, V)`. Layers of different sizes are `rnns.0`,
    `rnns.1` and so on, of one layer each. Tied weights are there twice.

    Raises:
        InputError: a model that PyTorch has no layers for: a GRU without `reset_after`, adaptive softmax, a fixed
            context, quantised weights.
    """
    if not isinstance(model, SOURCES):
        raise InputError(f"model must be a recurrent language model with float weights, got {shown(type(model))}")
    c = model.config
    if c.cutoffs:
        raise InputError("model must have one softmax over all words: PyTorch orders an adaptive one otherwise")
    if c.cell == "gru" and not c.reset_after:
        raise InputError("model must be a GRU with reset_after, the only kind that PyTorch has")
    given = {name: ops.asnumpy(array) for name, array in zip(model.names, model.params)}
    found: Weights = {"encoder.weight": given["embed.W"].copy()}
    for number in range(c.layers):
        name = c.cell if c.layers == 1 else f"{c.cell}{number + 1}"
        prefix, k = ("rnn.", number) if len({*c.hidden_sizes}) == 1 else (f"rnns.{number}.", 0)
        Wx, Wh, b = (_theirs(c.cell, given[f"{name}.{own}"]) for own in ("Wx", "Wh", "b"))
        bx, bh = b.T.copy() if b.ndim == 2 else (b, np.zeros_like(b))
        found |= {f"{prefix}weight_ih_l{k}": Wx, f"{prefix}weight_hh_l{k}": Wh}
        found |= {f"{prefix}bias_ih_l{k}": bx, f"{prefix}bias_hh_l{k}": bh}
    found["decoder.weight"] = given["embed.W"].copy() if c.tied else given["affine.W"].T.copy()
    found["decoder.bias"] = given["affine.b"].copy()
    return found


def from_torch(state: Mapping[str, Any], **options: Any) -> LanguageModel:
    """Return a language model with the weights of PyTorch's layers.

    The recurrent layers are found by the names that PyTorch gives their weights, in the order of the state dict. The
    first other matrix is the embedding, the second the output layer's; if it is equal to the first, or missing, the
    weights are tied. Missing biases are zeros.

    Args:
        state: the state dict of a module, of tensors on the CPU or of arrays.
        options: more fields of `ModelConfig`: dropouts, or `activation="relu"` for an `nn.RNN` with that.

    Raises:
        InputError: weights that are not those of a language model, or of layers that this library lacks.
    """
    arrays = {name: _array(name, value) for name, value in instance_of("state", state, Mapping).items()}
    if len(kinds := {str(array.dtype) for array in arrays.values()}) > 1:
        raise InputError(f"all weights of state must have one dtype, got {' and '.join(sorted(kinds))}")
    layers: dict[tuple[str, int], Weights] = {}
    rest: Weights = {}
    for name, array in arrays.items():
        parts = RECURRENT.match(name)
        if parts:
            layers.setdefault((parts[1], int(parts[3])), {})[parts[2]] = array
        else:
            rest[name] = array
    sizes, cell = _sizes(layers)
    (E, W), bias = _outer(rest, sizes)
    config: dict[str, Any] = {
        "vocab_size": len(E), "wordvec_size": sizes[0], "hidden_size": sizes[1], "layers": len(layers), "cell": cell,
        "dtype": str(E.dtype), "tied": W is None,
    }  # fmt: skip
    if sizes[-1] != sizes[1]:
        config["last_hidden_size"] = sizes[-1]
    if cell == "gru":
        config["reset_after"] = True
    model = LanguageModel(ModelConfig(**{**config, **options}))
    weights: Weights = {"embed.W": E, "affine.b": np.zeros(len(E), E.dtype) if bias is None else bias}
    if W is not None:
        weights["affine.W"] = np.ascontiguousarray(W.T)
    for number, layer in enumerate(layers.values(), 1):
        own = cell if len(layers) == 1 else f"{cell}{number}"
        weights |= {f"{own}.Wx": _ours(cell, layer["weight_ih"]), f"{own}.Wh": _ours(cell, layer["weight_hh"])}
        none = np.zeros(len(layer["weight_ih"]), E.dtype)
        bx, bh = (_ours(cell, layer.get(name, none)) for name in ("bias_ih", "bias_hh"))
        weights[f"{own}.b"] = np.stack([bx, bh]) if cell == "gru" else bx + bh
    model.load_state_dict({name: weights[name] for name in model.state_dict()})
    return model


def _array(name: str, value: Any) -> NDArray[Any]:
    """Return a tensor of the CPU, or an array, as an array of float32 or float64."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} of state must be a tensor on the CPU, of float32: {error}") from error
    if array.dtype not in (np.float32, np.float64):
        raise InputError(f"{name} of state must be float32 or float64, got {array.dtype}: module.float() converts it")
    return array


def _sizes(layers: Mapping[tuple[str, int], Weights]) -> tuple[list[int], str]:
    """Check the recurrent layers; return the sizes of the word vectors and of each layer, and the cell."""
    if not layers:
        raise InputError("state must have weights of a recurrent layer, names that end with weight_ih_l0 and so on")
    sizes, blocks = [], set()
    for (prefix, number), layer in layers.items():
        if not {"weight_ih", "weight_hh"} <= layer.keys() or layer["weight_hh"].ndim != 2:
            raise InputError(f"state must have weight_ih and weight_hh of layer {number} of {prefix or 'its module'}")
        rows, hidden = layer["weight_hh"].shape
        sizes += [layer["weight_ih"].shape[-1], hidden]
        blocks.add(rows / max(hidden, 1))
        for name, array in layer.items():
            if array.shape[:1] != (rows,):
                raise InputError(f"{prefix}{name}_l{number} of state must have {rows} rows, got shape {array.shape}")
    if len(blocks) > 1 or next(iter(blocks)) not in CELLS:
        raise InputError("recurrent layers of state must all be nn.RNN, all nn.LSTM or all nn.GRU, without proj_size")
    inputs, hidden_sizes = sizes[::2], sizes[1::2]
    if inputs[1:] != hidden_sizes[:-1] or len({*hidden_sizes[:-1]}) > 1:
        raise InputError(
            "recurrent layers of state must follow each other, all of one size but for the last, in one direction: got "
            f"inputs of {inputs} and {hidden_sizes} hidden units"
        )
    return [inputs[0], *hidden_sizes], CELLS[next(iter(blocks))]


def _outer(rest: Weights, sizes: list[int]) -> tuple[tuple[NDArray[Any], NDArray[Any] | None], NDArray[Any] | None]:
    """Return the embedding (V, D), the output weights (V, H), None if tied, and the output bias, None for none."""
    matrices = {name: array for name, array in rest.items() if array.ndim == 2}
    vectors = {name: array for name, array in rest.items() if array.ndim == 1}
    if not 1 <= len(matrices) <= 2 or len(vectors) > 1 or len(matrices) + len(vectors) < len(rest):
        raise InputError(
            "state must have an embedding and an output layer beside the recurrent ones, got "
            f"{', '.join(f'{name} {array.shape}' for name, array in rest.items()) or 'nothing'}"
        )
    (first, E), *others = matrices.items()
    W = others[0][1] if others else None
    for name, array, width in ((first, E, sizes[0]), *((name, array, sizes[-1]) for name, array in others)):
        if array.shape != (len(E), width):
            raise InputError(f"{name} of state must have shape {(len(E), width)}, got {array.shape}")
    for name, array in vectors.items():
        if array.shape != (len(E),):
            raise InputError(f"{name} of state must have shape {(len(E),)}, a bias for each word, got {array.shape}")
    tied = W is None or (W.shape == E.shape and np.array_equal(W, E))
    return (E, None if tied else W), next(iter(vectors.values()), None)


def _theirs(cell: str, a: NDArray[Any]) -> NDArray[Any]:
    """Return an array of ours, (..., gH), as one of theirs, (gH, ...)."""
    blocks = np.split(a.T, len(BLOCKS[cell]))
    found = [blocks[k] for k in BLOCKS[cell]]
    if cell == "gru":
        found[1] = -found[1]
    return np.concatenate(found)


def _ours(cell: str, a: NDArray[Any]) -> NDArray[Any]:
    """Return an array of theirs, (gH, ...), as one of ours, (..., gH)."""
    blocks = np.split(a, len(BLOCKS[cell]))
    found = [blocks[BLOCKS[cell].index(k)] for k in range(len(blocks))]
    if cell == "gru":
        found[0] = -found[0]
    return np.ascontiguousarray(np.concatenate(found).T)
