"""Training: its settings, its trainers, and pictures of how it went."""

import os
from unittest.mock import patch

import numpy as np

from rnnlm import SGD, Callback, Constant, Dense, MeanSquaredError, RnnlmTrainer, Sequential, TensorBoard, Trainer
from rnnlm.data.batches import Batches
from rnnlm.experiments.settings import TrainConfig
from rnnlm.plotting import save_gates, save_norms, save_perplexity, save_surprise, show_curve
from rnnlm.training.run import Run
from rnnlm.training.save_every import SaveEvery
from tests.odd_arguments import entry
from tests.odd_arguments.of_data import LISTS
from tests.odd_arguments.subjects import ids, in_scratch, model

NONE = (type(None),)
STREAM = {"xs": LISTS, "ts": LISTS}
TOO_SHORT = dict.fromkeys(("xs", "ts", "batch_size", "time_size"), ("corpus",))


def trained(model=None, optimizer=None, **given):
    trainer = RnnlmTrainer(model, optimizer)
    trainer.fit(**given)
    return trainer.ppl_list, trainer.model.params if hasattr(trainer.model, "params") else []


FIT = {
    "xs": ids()[:-1], "ts": ids()[1:], "max_epoch": 2, "batch_size": 2, "time_size": 3, "max_grad": 1.0, "eval_interval": 2,
    "on_report": None, "rate": Constant(0.1), "random_bptt": False, "seed": 0, "save_to": None, "save_every": "10m",
    "valid": ids(), "callbacks": [Callback()], "patience": 2, "verbose": 0, "valid_lanes": 2,
}  # fmt: skip
entry(
    "RnnlmTrainer.fit", in_scratch(trained), lambda: {"model": model(), "optimizer": SGD(0.1), **FIT},
    takes={**STREAM, "max_grad": (int, type(None)), "eval_interval": NONE, "patience": NONE, "rate": (type(None), type), "on_report": (object,), "valid": (*LISTS, type(None))},
    also={**TOO_SHORT, "valid": ("valid", "patience")}, errors=(OSError,),
)  # fmt: skip
entry("SaveEvery", lambda given: SaveEvery(given).steps, lambda: {"given": "20"}, also={"given": ("save_every",)})


entry(
    "TensorBoard",
    in_scratch(lambda folder: TensorBoard(folder).folder),
    lambda: {"folder": "log"},
    takes={"folder": (os.PathLike,)},
)


def run(**given):
    one = Run(**given)
    one.step()
    return one.state_dict()["model"]["weights"]


entry(
    "Run", run,
    lambda: {"model": model(), "optimizer": SGD(0.1), "batches": Batches(ids()[:-1], ids()[1:], 2, 3), "max_grad": 1.0, "rate": Constant(0.1)},
    takes={"rate": NONE, "max_grad": (int,)},
)  # fmt: skip


def kept(folder, also=None):
    trainer = RnnlmTrainer(model(), SGD(0.1))
    trainer.fit(ids()[:-1], ids()[1:], 1, 2, 3)
    trainer.save(folder)
    return trainer.resume(folder)


entry(
    "RnnlmTrainer.save",
    in_scratch(kept),
    lambda: {"folder": "here"},
    takes={"folder": (os.PathLike,)},
    errors=(OSError,),
)
entry(
    "RnnlmTrainer.resume", lambda folder: RnnlmTrainer(model(), SGD(0.1)).resume(folder), lambda: {"folder": "nowhere"},
    takes={"folder": (os.PathLike,)}, errors=(OSError,),
)  # fmt: skip


def network():
    return Sequential([Dense(2, 1)], head=MeanSquaredError(), seed=0)


def fitted(model=None, optimizer=None, **given):
    trainer = Trainer(model, optimizer)
    trainer.fit(**given)
    return trainer.loss_list, trainer.val_loss_list


SAMPLES = {"x": np.ones((6, 2), np.float32), "t": np.ones((6, 1), np.float32)}
entry(
    "Trainer.fit", fitted,
    lambda: {
        "model": network(), "optimizer": SGD(0.1), **SAMPLES, "max_epoch": 2, "batch_size": 2, "max_grad": 1.0, "eval_interval": 1,
        "validation_split": 0.5, "validation_data": None, "accuracy": False, "patience": 2, "verbose": 0, "seed": 0,
        "callbacks": [Callback()],
    },
    takes={"x": LISTS, "t": LISTS, "max_grad": (int, type(None)), "eval_interval": NONE, "patience": NONE, "validation_split": (int,)},
    also={"x": ("sample", "dense1"), "t": ("sample", "ts"), "validation_data": ("validation",), "validation_split": ("patience",)},
)  # fmt: skip
entry(
    "Trainer.evaluate", lambda **given: Trainer(network(), SGD()).evaluate(**given), lambda: {**SAMPLES, "accuracy": False},
    takes={"x": LISTS, "t": LISTS}, also={"x": ("sample", "dense1"), "t": ("sample", "ts")},
)  # fmt: skip

SETTINGS = {
    "corpus": "story", "save_every": "10m", "max_words": 100, "max_tokens": 50, "optimizer": "sgd", "lr": 0.1, "weight_decay": 0.1,
    "lr_rule": "step", "lr_decay": 2.0, "lr_epochs": 1, "warmup": 0, "batch_size": 2, "time_size": 10, "random_bptt": True,
    "max_epoch": 1, "patience": 1, "max_grad": 1.0, "evaluate": True, "recipe": "story", "out": None, "data_dir": None,
}  # fmt: skip
entry(
    "TrainConfig", lambda **given: TrainConfig(**given).check(), lambda: dict(SETTINGS),
    takes={"max_tokens": NONE, "patience": NONE, "weight_decay": (type(None), int), "lr_decay": (type(None), int), "lr": (int,), "max_grad": (int,)},
    errors=(OSError,),
)  # fmt: skip
entry("TrainConfig.from_recipe", lambda name: str(TrainConfig.from_recipe(name).batch_size), lambda: {"name": "story"}, also={"name": ("recipe",)}, errors=(OSError,))  # fmt: skip

# ---------------------------------------------------------------- pictures


def drawn(save, **given):
    with patch("rnnlm.plotting.write_figure"):  # which takes a second
        save(**given)


PICTURE = {"errors": (OSError,), "also": {"path": ("picture",)}}
PATH = {"path": (os.PathLike,)}
for save, arguments in (
    (save_perplexity, {"curves": {"train": ([1, 2], [9.0, 3.0])}, "xlabel": "epoch", "title": "a", "levels": {"floor": 2.0}}),
    (save_surprise, {"words": ["a", "b"], "probabilities": [0.5, 0.1]}),
    (save_norms, {"norms": {"a": [1.0, 0.5]}, "title": "a"}),
    (save_gates, {"words": ["a", "b"], "gates": {"f": np.array([[0.5, 0.1], [0.2, 0.3]])}}),
):  # fmt: skip
    entry(
        save.__name__, in_scratch(lambda save=save, **given: drawn(save, **given)),
        lambda arguments=arguments: {"path": "a.svg", **arguments},
        takes={**PATH, "levels": NONE, "words": LISTS, "probabilities": LISTS}, **PICTURE,
    )  # fmt: skip


def curve(**given):
    from matplotlib import pyplot

    show_curve(**given)
    pyplot.close("all")


entry(
    "show_curve", curve,
    lambda: {"values": [3.0, 2.0], "xlabel": "epoch", "ylabel": "perplexity", "ylim": (1, 5)},
    takes={"values": LISTS, "ylim": (*LISTS, type(None))},
)  # fmt: skip
