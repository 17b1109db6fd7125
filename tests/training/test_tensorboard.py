"""The log for TensorBoard, read back by tensorboardX's own protocol buffers."""

import struct
import sys

import numpy as np
import pytest

from rnnlm import (
    SGD,
    Dense,
    InputError,
    MeanSquaredError,
    MissingExtra,
    RnnlmTrainer,
    Sequential,
    SimpleRnnlm,
    TensorBoard,
    Trainer,
)
from rnnlm.cli.main import main
from rnnlm.experiments.experiment import run
from rnnlm.experiments.fitting import Fitting
from rnnlm.experiments.results import Results
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models.config import ModelOptions
from tests.conftest import TEXT

event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2", reason="needs the extra 'tensorboard'")
V = 9
CORPUS = np.random.default_rng(0).integers(0, V, 121)


def events(folder):
    """All events, file after file as TensorBoard reads them."""
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: (path.name.split(".")[3], path.stat().st_mtime_ns)):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(event_pb2.Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return found


def points(folder):
    """What TensorBoard shows: steps and values by name, without what a later session has purged."""
    shown = {}
    for event in events(folder):
        if event.session_log.status == event_pb2.SessionLog.START:
            shown = {name: [p for p in steps if p[0] < event.step] for name, steps in shown.items()}
        for value in event.summary.value:
            shown.setdefault(value.tag, []).append((event.step, value.simple_value))
    return shown


def test_figures_of_a_trainer(tmp_path):
    trainer = RnnlmTrainer(SimpleRnnlm(V, 4, 5), SGD(0.5))
    trainer.fit(
        CORPUS[:-1], CORPUS[1:], 2, 3, 5, eval_interval=4, valid=CORPUS, callbacks=[TensorBoard(tmp_path / "log")]
    )
    shown = points(tmp_path / "log")
    assert set(shown) == {
        "perplexity/train", "perplexity/valid", "perplexity/within_epoch", "lr", "grad_norm", "tokens_per_second", "epoch",
    }  # fmt: skip
    assert [step for step, _ in shown["perplexity/within_epoch"]] == [1, 5, 9, 13]
    np.testing.assert_allclose([value for _, value in shown["perplexity/within_epoch"]], trainer.ppl_list, rtol=1e-6)
    assert [step for step, _ in shown["perplexity/valid"]] == [8, 16]
    np.testing.assert_allclose([value for _, value in shown["perplexity/valid"]], trainer.valid_ppl_list, rtol=1e-6)
    assert shown["epoch"] == [(8, 1), (16, 2)]
    assert shown["lr"] == [(8, 0.5), (16, 0.5)]


def test_a_network_on_samples_has_losses(tmp_path):
    trainer = Trainer(Sequential([Dense(2, 1)], head=MeanSquaredError()), SGD(0.1))
    trainer.fit(np.ones((4, 2)), np.ones((4, 1)), 1, verbose=0, callbacks=[TensorBoard(str(tmp_path))])
    assert {"loss/train", "samples_per_second"} <= set(points(tmp_path))


def test_without_the_extra_it_is_refused_before_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtra, match=r"pip install 'rnnlm\[tensorboard\]'"):
        TensorBoard(tmp_path)
    assert main(["train", "--tensorboard", "--out", str(tmp_path / "run")]) == 1
    assert "pip install 'rnnlm[tensorboard]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


# ---------------------------------------------------------------- of a run


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setattr(Fitting, "draw", lambda self: None)  # which takes a second
    (tmp_path / "text").write_text(TEXT)
    return TrainConfig(
        corpus=str(tmp_path / "text"), model=ModelOptions(hidden_size=5, wordvec_size=4), batch_size=2, time_size=5,
        max_epoch=2, lr_rule="constant", tensorboard=True,
    )  # fmt: skip


def with_changes(config, **changes):
    return TrainConfig(**{**vars(config), **changes})


@pytest.mark.long
def test_a_run_has_a_log_and_is_otherwise_the_same(config, tmp_path):
    logged = run(with_changes(config, out=tmp_path / "logged"))
    plain = run(with_changes(config, out=tmp_path / "plain", tensorboard=False))
    for name in ("metrics.jsonl", "model/model.safetensors"):
        assert (logged / name).read_bytes() == (plain / name).read_bytes()
    assert not (plain / "tensorboard").exists()
    shown = points(logged / "tensorboard")
    assert [value for _, value in shown["epoch"]] == [1, 2]
    assert 20 <= len(shown["perplexity/within_epoch"]) / 2 <= 40


@pytest.mark.long
def test_one_that_goes_on_draws_no_point_twice(config, tmp_path, monkeypatch):
    whole = points(run(with_changes(config, out=tmp_path / "whole")) / "tensorboard")
    out, told = tmp_path / "broken", TensorBoard.report

    def dies(self, report):
        told(self, report)
        if report.epoch == 1 and report.window > 20:
            raise OSError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(TensorBoard, "report", dies)
        with pytest.raises(OSError, match="gone"):
            run(with_changes(config, out=out, save_every="7"))
    assert run(with_changes(config, resume=out, save_every="7")) == out
    shown = points(out / "tensorboard")
    for name in set(whole) - {"tokens_per_second"}:
        assert shown[name] == whole[name], name


def test_a_log_is_no_link(tmp_path):
    """By which a stranger's run would have one write to another place."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "tensorboard").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="run/tensorboard must not be a link"):
        Results(tmp_path / "run")
