"""ONNX Runtime's contestants: a graph written by hand from our weights, in float32 and with its weights as int8.

They score and generate with the language model of one LSTM layer that the cases have. The blocks of gates stand in
another order in ONNX than in rnnlm, f g i o there i o f g, matrices are transposed, and there are two biases that are
summed. Ids are time first, (T, N).

The int8 weights are made by `quantize_dynamic`, in the process that is measured: its peak of memory has that, too.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.cases import PROVED_WORDS, groups, padded
from benchmarks.our_contestants import Hands
from benchmarks.plain import softmax

OPSET, IR_VERSION = 17, 9  # those of ONNX 1.14, which later versions of either library read
I_O_F_G = [2, 3, 0, 1]  # which of our blocks
STATE = ("h", "c")
QUIET = 3  # severity from which the runtime logs: errors


def constants(weights):
    """Our weights by the names that the graph has for them."""

    def theirs(w):
        blocks = np.split(w.T, len(I_O_F_G))
        return np.concatenate([blocks[k] for k in I_O_F_G])[None]  # one direction

    b = theirs(weights["lstm.b"])
    arrays = {
        "embedding": weights["embed.W"],
        "Wx": theirs(weights["lstm.Wx"]),
        "Wh": theirs(weights["lstm.Wh"]),
        "b": np.concatenate([b, np.zeros_like(b)], axis=1),
        "affine": weights["affine.W"],
        "affine_b": weights["affine.b"],
        "direction": np.array([1]),
    }
    return [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in arrays.items()]


def scores(H):
    """From `ids` (T, N) and a state to `scores` (T, N, V) and the state after them."""
    return [
        helper.make_node("Gather", ["embedding", "ids"], ["xs"]),
        helper.make_node(
            "LSTM", ["xs", "Wx", "Wh", "b", "", "h", "c"], ["hs_by_direction", "next_h", "next_c"], hidden_size=H
        ),
        helper.make_node("Squeeze", ["hs_by_direction", "direction"], ["hs"]),
        helper.make_node("MatMul", ["hs", "affine"], ["products"]),
        helper.make_node("Add", ["products", "affine_b"], ["scores"]),
    ]


def log_probabilities_of():
    """From scores and `targets` (T, N, 1) to `nats` of the same shape, the logarithms of their probabilities."""
    return [
        helper.make_node("LogSoftmax", ["scores"], ["all_nats"], axis=-1),
        helper.make_node("GatherElements", ["all_nats", "targets"], ["nats"], axis=-1),
    ]


def model(sizes, weights, task):
    """The model of a task as ONNX has it."""
    state_shape = [1, "N", sizes.H]
    state = [helper.make_tensor_value_info(name, TensorProto.FLOAT, state_shape) for name in STATE]
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["T", "N"]), *state]
    nodes = scores(sizes.H)
    if task == "scoring":
        nodes += log_probabilities_of()
        inputs.append(helper.make_tensor_value_info("targets", TensorProto.INT64, ["T", "N", 1]))
        outputs = [helper.make_tensor_value_info("nats", TensorProto.FLOAT, ["T", "N", 1])]
    else:
        outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["T", "N", sizes.V])]
        outputs += [helper.make_tensor_value_info(f"next_{name}", TensorProto.FLOAT, state_shape) for name in STATE]
    graph = helper.make_graph(nodes, task, inputs, outputs, constants(weights))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(made, full_check=True)
    return made


def as_int8(made):
    """The same model, whose products take int8: weights now, activations as they come.

    Weights of 7 bits (`reduce_range`): the instruction that processors without VNNI have adds pairs of 8-bit products
    in 16 bits, which overflow, and scores were off by a third of the largest.
    """
    from onnxruntime.quantization import quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(made, before)
        quantize_dynamic(before, after, reduce_range=True)
        return onnx.load(after)


class Onnx(Hands):
    """A session, and how it is asked."""

    int8 = False

    def __init__(self, case, weights):
        self.case, made = case, model(case.sizes, weights, case.task)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = QUIET
        made = (as_int8(made) if self.int8 else made).SerializeToString()
        self.session = onnxruntime.InferenceSession(made, options, providers=["CPUExecutionProvider"])

    def zeros(self, N):
        """A state of zeros, by the names of the graph's inputs."""
        return {name: np.zeros((1, N, self.case.sizes.H), np.float32) for name in STATE}


class OnnxScoring(Onnx):
    """Sentences of like length side by side."""

    def step(self, sentences):
        sums = np.empty(len(sentences))
        for numbers in groups([len(sentence) for sentence in sentences]):
            xs, ts = padded([sentences[number] for number in numbers])
            inputs = {"ids": xs.T, "targets": ts.T[..., None], **self.zeros(len(xs))}
            (nats,) = self.session.run(None, inputs)
            sums[numbers] = np.where(ts >= 0, nats[..., 0].T, 0).sum(axis=1)  # -1 is taken for the last word before
        return sums

    def log_probabilities(self, sentences):
        each = self.step(sentences)
        return each.sum(), {"sentences": each}


class OnnxGenerating(Onnx):
    """One word after another, drawn from its probabilities."""

    def read(self, ids, state):
        """Scores (N, V) after one more id in each sequence, and the state then."""
        found, *state = self.session.run(None, {"ids": ids[None].astype(np.int64), **state})
        return found[0], dict(zip(STATE, state))

    def step(self, start_ids, seed):
        rng, state, words = np.random.default_rng(seed), self.zeros(len(start_ids)), [start_ids]
        for _ in range(self.case.words):
            found, state = self.read(words[-1], state)
            sums = softmax(found).cumsum(axis=1)
            words.append((sums < rng.random((len(sums), 1)) * sums[:, -1:]).sum(axis=1))
        return np.stack(words, axis=1)

    def first_words(self, start_ids, seed):
        first, state = self.read(start_ids, self.zeros(len(start_ids)))
        words, found = [start_ids], first
        for _ in range(PROVED_WORDS - 1):
            words.append(found.argmax(axis=1))
            found, state = self.read(words[-1], state)
        return 0.0, {"scores": first, "words": np.stack(words, axis=1)}


def int8(cls):
    """The same class, with int8."""
    return type(f"{cls.__name__}, int8", (cls,), {"int8": True, "__doc__": cls.__doc__})


TASKS = {"scoring": OnnxScoring, "generating": OnnxGenerating}
CLASSES = {("onnx", task): cls for task, cls in TASKS.items()}
CLASSES |= {("onnx-int8", task): int8(cls) for task, cls in TASKS.items()}
