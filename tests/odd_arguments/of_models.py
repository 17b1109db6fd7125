"""Language models, networks, answers to questions; and where they are written to."""

import os

import numpy as np

from rnnlm import (
    NNLM,
    AttentionSeq2seq,
    AwdLstm,
    BetterRnnlm,
    CbowLm,
    Dense,
    LanguageModel,
    MeanSquaredError,
    ModelConfig,
    PeekySeq2seq,
    Rnnlm,
    Seq2seq,
    Sequential,
    SimpleRnnlm,
    Tanh,
    build_model,
    from_torch,
    load_model,
    load_ngram,
    quantize,
    save_model,
    save_ngram,
    sentence_generation,
    to_torch,
)
from rnnlm.models.build import config_for
from rnnlm.models.config import ModelOptions
from tests.odd_arguments import entry, method
from tests.odd_arguments.of_data import LISTS, MISSING
from tests.odd_arguments.subjects import FOLDER, V, in_scratch, model, ngram, words

IDS = np.array([[2, 3, 4], [0, 1, 2]])
XS = {"xs": LISTS, "ts": LISTS}
SIZES = {"vocab_size": 5, "wordvec_size": 3, "hidden_size": 3}
OPTIONS = {"bias_range": 0.0, "seed": 1, "dtype": "float64", "init": "uniform", "init_range": 0.1, "forget_bias": 0.5}

# ---------------------------------------------------------------- made

CONFIG = {
    **SIZES, **OPTIONS, "model": "LanguageModel", "context": 4, "cell": "lstm", "layers": 2, "last_hidden_size": 2,
    "activation": "tanh", "reset_after": False, "tied": False, "dropout_ratio": 0.1, "input_dropout": 0.1,
    "hidden_dropout": 0.1, "output_dropout": 0.1, "variational": True, "embed_dropout": 0.1, "weight_drop": 0.1,
    "recurrent_dropout": 0.1, "ar": 0.1, "tar": 0.1, "cutoffs": (2, 4), "div_value": 1.0,
}  # fmt: skip
NONE = (type(None),)
MAYBE = dict.fromkeys(("last_hidden_size", "input_dropout", "hidden_dropout", "output_dropout"), NONE)
OF = {
    **MAYBE,
    "init_range": (int,),
    "forget_bias": (int,),
    "bias_range": (int,),
    "cutoffs": (list,),
    "div_value": (int,),
}
entry("ModelConfig", lambda **given: build_model(ModelConfig(**given)), lambda: dict(CONFIG), takes=OF)
entry("build_model", build_model, lambda: {"config": ModelConfig(vocab_size=5, wordvec_size=2, hidden_size=2)})
entry("quantize", quantize, lambda: {"model": build_model(ModelConfig(vocab_size=5)), "to": "int8"})
entry("config_for", config_for, lambda: {"options": ModelOptions(), "vocab_size": 5})
entry("LanguageModel", LanguageModel, lambda: {"config": ModelConfig(vocab_size=5, wordvec_size=2, hidden_size=2)})
for cls, more in (
    (SimpleRnnlm, {}), (Rnnlm, {}), (BetterRnnlm, {"dropout_ratio": 0.5}), (AwdLstm, {"layers": 2}), (Seq2seq, {"bidirectional": False}),
    (PeekySeq2seq, {}), (AttentionSeq2seq, {}),
):  # fmt: skip
    given = {name: value for name, value in OPTIONS.items() if name != "forget_bias" or cls is not SimpleRnnlm}
    entry(cls.__name__, cls, lambda more=more, given=given: {**SIZES, **given, **more}, takes=OF)
given = {name: value for name, value in OPTIONS.items() if name != "forget_bias"}
entry("NNLM", NNLM, lambda: {**SIZES, **given, "context": 2, "tied": True, "dropout_ratio": 0.1}, takes=OF)
entry("CbowLm", CbowLm, lambda: {"vocab_size": 5, "wordvec_size": 3, **given, "context": 2}, takes=OF)

# ---------------------------------------------------------------- used

KINDS = {
    "model": model,
    "NNLM": lambda: NNLM(V, 2, 3, 2, dtype="float64"),
    "QuantizedModel": lambda: quantize(model()),
    "NGram": ngram,
}
for kind, make in KINDS.items():
    method(f"{kind}.losses", make, "losses", lambda: {"xs": IDS, "ts": IDS}, takes=XS)
    method(f"{kind}.next_scores", make, "next_scores", lambda: {"xs": IDS}, takes=XS)
    if kind != "NGram":
        method(f"{kind}.predict", make, "predict", lambda: {"xs": IDS, "train_flg": False}, takes=XS)
        trains = kind != "QuantizedModel"
        method(
            f"{kind}.forward", make, "forward",
            lambda trains=trains: {"xs": IDS, "ts": IDS, "train_flg": trains, "keep": False}, takes=XS,
        )  # fmt: skip

STATES = {"takes": {"state": (list, tuple, type(None), np.matrix)}}


def read(make):
    """A model that has read something."""

    def made():
        one = make()
        one.next_scores(IDS)
        return one

    return made


def after(make, state):
    """What a model says that goes on from a state."""
    one = make()
    one.set_state(state)
    return one.next_scores(IDS)


for kind, make in KINDS.items():
    entry(
        f"{kind}.set_state",
        lambda state, make=make: after(make, state),
        lambda make=make: {"state": read(make)().get_state()},
        **STATES,
    )
entry("state of an LSTM", lambda h: after(lambda: model(cell="lstm"), [(h, h)]), lambda: {"h": np.ones((2, 3))})
entry("state of an NNLM", lambda ids: after(KINDS["NNLM"], [(ids,)]), lambda: {"ids": np.array([[1], [2]])})


def loaded(weights):
    one = model()
    one.load_state_dict(weights)
    return one.params


entry(
    "model.load_state_dict", loaded, lambda: {"weights": model(seed=3).state_dict()}, also={"weights": ("parameters",)}
)


TORCH = to_torch(model(cell="lstm"))
entry("from_torch", lambda state: from_torch(state).params, lambda: {"state": dict(TORCH)})
entry(
    "from_torch of an array", lambda array: from_torch({**TORCH, "encoder.weight": array}).params,
    lambda: {"array": TORCH["encoder.weight"]}, takes={"array": LISTS}, also={"array": ("weight",)},
)  # fmt: skip
entry("to_torch", lambda model: list(to_torch(model).values()), lambda: {"model": model(cell="lstm")})


def with_weight(array):
    return loaded({**model().state_dict(), "embed.W": array})


entry(
    "model.load_state_dict of an array", with_weight, lambda: {"array": model(seed=3).state_dict()["embed.W"]},
    takes={"array": (list, np.matrix)}, also={"array": ("embed.W",)},
)  # fmt: skip
entry(
    "model.save_params", in_scratch(lambda file_name: model().save_params(file_name)), lambda: {"file_name": "params.safetensors"},
    takes={"file_name": (type(None), os.PathLike)}, errors=(OSError,),
)  # fmt: skip
model().save_params(FOLDER / "params.safetensors")
entry(
    "model.load_params", lambda file_name: model(seed=4).load_params(file_name), lambda: {"file_name": str(FOLDER / "params.safetensors")},
    takes={"file_name": (type(None), os.PathLike)}, errors=(OSError,), also={"file_name": MISSING},
)  # fmt: skip

# ---------------------------------------------------------------- networks


def network():
    return Sequential([Dense(2, 3), Tanh(), Dense(3, 1)], head=MeanSquaredError(), seed=0)


entry(
    "Sequential",
    Sequential,
    lambda: {"layers": [Dense(2, 3), Tanh(), Dense(3, 1)], "head": MeanSquaredError(), "dtype": "float64", "seed": 1, "mask_zero": False},
    takes={"layers": (dict,), "head": NONE, "dtype": (np.dtype, type)}, also={"layers": ("layer",)},
)  # fmt: skip
method("Sequential.predict", network, "predict", lambda: {"xs": np.ones((4, 2), np.float32)}, takes={"xs": LISTS})
method("Model.summary", model, "summary", lambda: {"input_shape": (2,)}, takes={"input_shape": NONE})
method("Sequential.summary", network, "summary", lambda: {"input_shape": (2,)}, takes={"input_shape": NONE})

# ---------------------------------------------------------------- answers


def answering():
    return AttentionSeq2seq(V, 2, 4, dtype="float64", seed=1)


method(
    "Seq2seq.forward", answering, "forward", lambda: {"xs": IDS, "ts": IDS, "train_flg": True, "keep": False}, takes=XS
)
method(
    "Seq2seq.answers", answering, "answers",
    lambda: {"xs": IDS, "start_id": 1, "sample_size": 2, "beams": 2, "stop_id": 3},
    takes={**XS, "stop_id": NONE},
)  # fmt: skip
method("Seq2seq.generate", answering, "generate", lambda: {"xs": IDS[:1], "start_id": 1, "sample_size": 2}, takes=XS)
method(
    "Seq2seq.accuracy",
    answering,
    "accuracy",
    lambda: {"xs": IDS, "ts": np.array([[1, 2], [1, 3]]), "beams": 1},
    takes=XS,
)
method(
    "Seq2seq of lengths", answering, "answers", lambda: {"xs": (IDS, np.array([2, 3])), "start_id": 1, "sample_size": 2},
    takes={"xs": (object,)}, also={"xs": ("lengths",)},
)  # fmt: skip


def writing(**options):
    from rnnlm import Affine, MeanOverTime, SoftmaxWithLoss, TimeEmbedding, Tokenizer

    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["a b c"])
    net = Sequential([TimeEmbedding(np.ones((4, 2), np.float32)), MeanOverTime(), Affine(np.ones((2, 4), np.float32), np.zeros(4, np.float32))], SoftmaxWithLoss())  # fmt: skip
    return sentence_generation(**{"model": net, "tokenizer": tokenizer, **options})


entry("sentence_generation", writing, lambda: {"current_word": "a", "n": 2, "maxlen": 3}, takes={"maxlen": NONE})

# ---------------------------------------------------------------- written and read

entry(
    "save_model", in_scratch(save_model), lambda: {"folder": "here", "model": model(), "vocabulary": words()},
    takes={"folder": (os.PathLike,)}, errors=(OSError,), also={"folder": ("folder",)},
)  # fmt: skip
entry(
    "save_ngram", in_scratch(save_ngram), lambda: {"path": "here.arpa", "model": ngram(), "vocabulary": words()},
    takes={"path": (os.PathLike,)}, errors=(OSError,), also={"path": ("folder",)},
)  # fmt: skip
READ = {"errors": (OSError,), "also": {"folder": (*MISSING, "is not a folder"), "path": (*MISSING, "is not a folder")}}
entry(
    "load_model",
    lambda folder, model_class: load_model(folder, model_class)[0],
    lambda: {"folder": str(FOLDER / "model"), "model_class": LanguageModel},
    takes={"folder": (os.PathLike,), "model_class": NONE},
    **READ,
)
entry(
    "load_ngram",
    lambda path: load_ngram(path)[0].order,
    lambda: {"path": str(FOLDER / "ngram")},
    takes={"path": (os.PathLike,)},
    **READ,
)
