from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm.cli.main import main
from rnnlm.data import ptb
from rnnlm.errors import InputError
from rnnlm.experiments import final, stories
from rnnlm.experiments.experiment import run
from rnnlm.experiments.settings import TrainConfig
from rnnlm.saving.model_folder import load_model
from rnnlm.training import valid as held_out
from rnnlm.training.run import Run
from tests.cli.runs import SMALL, rows
from tests.gradcheck import host


def test_the_best_model_by_valid_is_kept_and_the_rate_lowered(treebank, monkeypatch):
    """Valid perplexities 9, 5, 7: the second model stays, and the third epoch is followed by a lower rate."""
    from rnnlm.inference.evaluation import Evaluation

    saved, real = [], held_out.evaluate
    answers = iter([9.0, 5.0, 7.0, 6.0])

    def fake(model, ids, lanes=1):
        if lanes == 1:
            return real(model, ids)
        saved.append(host(model.flat_params))
        return Evaluation(float(np.log(next(answers))), 9, 0.1, lanes)

    monkeypatch.setattr(held_out, "evaluate", fake)
    assert (
        main(
            ["train", *SMALL, "--max-epoch", "4", "--optimizer", "sgd", "--lr", "1", "--lr-decay", "4", "--out", "out"]
        )
        == 0
    )
    model = load_model("out/model")[0]
    np.testing.assert_array_equal(host(model.flat_params), saved[1])
    best, *parts = rows("out/metrics.jsonl")[4:]
    assert best == {"best_epoch": 2, "best_valid_perplexity": pytest.approx(5)}
    final = {r["part"]: r for r in parts}
    assert final["test"]["nats"] == real(model, ptb.load_data("test")[0]).nats
    assert [r["lr"] for r in rows("out/metrics.jsonl")[:4]] == [1, 1, 1, 0.25]


def test_reruns_write_the_same_bytes(treebank, capsys):
    shown = []
    for name in ("a", "b"):
        assert main(["train", *SMALL, "--out", name]) == 0
        shown.append(capsys.readouterr().out.replace(f"in {name}", ""))
    assert shown[0] == shown[1]
    sentence = shown[0].partition("it writes: ")[2]
    assert sentence.strip()
    assert not set(final.UNWANTED) & set(sentence.split())
    for file in ("metrics.jsonl", "model/model.safetensors", "model/config.json", "model/vocab.txt"):
        assert Path("a", file).read_bytes() == Path("b", file).read_bytes()
    assert main(["train", *SMALL, "--seed", "1", "--out", "c"]) == 0
    assert Path("a/model/model.safetensors").read_bytes() != Path("c/model/model.safetensors").read_bytes()


@pytest.mark.long
def test_the_seed_experiment(ptb_dir, tmp_path, capsys):
    """First of three seeds to fall out of the published run's neighbourhood fails; the median too."""
    first, last = [], []
    for seed in range(3):
        out = tmp_path / str(seed)
        assert (
            main(["train", "--recipe", "seed-1000", "--data-dir", ptb_dir, "--seed", str(seed), "--out", str(out)]) == 0
        )
        assert "vocabulary 418, 104,118 parameters" in capsys.readouterr().out
        perplexities = [r["train_perplexity"] for r in rows(out / "metrics.jsonl")]
        first.append(perplexities[0])
        last.append(perplexities[99])
    assert all(330 <= p <= 425 for p in first)
    assert 375 <= np.median(first) <= 410
    assert np.median(last) <= 6.3


def test_a_run_that_diverges_keeps_the_last_good_model(treebank, capsys):
    assert main(["train", *SMALL, "--lr", "1e30", "--optimizer", "sgd", "--no-evaluate", "--out", "out"]) == 1
    assert "NaN or infinite at step 2 (epoch 1, window 2 of" in capsys.readouterr().err
    assert held_out.evaluate(load_model("out/model")[0], ptb.load_data("test")[0]).perplexity < 20
    assert rows("out/metrics.jsonl") == [{"diverged": 2}]


def test_unknown_settings_are_refused():
    with pytest.raises(InputError, match="recipe must be one of"):
        run(TrainConfig(recipe="../evil"))
    with pytest.raises(InputError, match="max_epoch must be a whole number of at least 1, got 1.5"):
        run(TrainConfig(max_epoch=1.5))
    with pytest.raises(
        InputError,
        match="optimizer must be one of sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, asgd, got 'lion'",
    ):
        run(TrainConfig(optimizer="lion"))


def test_a_run_returns_its_folder(treebank):
    small = {"hidden_size": 8, "wordvec_size": 6, "batch_size": 4, "time_size": 5, "max_epoch": 1, "evaluate": False}
    assert run(TrainConfig.from_recipe("book-rnn", **small)) == Path("runs/book-rnn-001")


def test_the_default_run_reaches_the_floor(tmp_path, capsys, request):
    """The README's first command: within 0.1 nats of the floor, at least 80 percent of 1,000 sentences right."""
    if request.config.getoption("--strict-cupy"):
        pytest.skip("takes minutes on the stand-in, whose single steps are tested: runs without --strict-cupy")
    assert main(["train", "--out", str(tmp_path / "out")]) == 0
    final = {r.get("part"): r for r in rows(tmp_path / "out" / "metrics.jsonl")}
    from rnnlm.data import story

    for part in ("valid", "test"):
        assert 0 < final[part]["nats"] - story.floor(part) < 0.1
        assert final[part]["floor"] == np.exp(story.floor(part))
    assert final[None]["sentences"] == 1000
    assert final[None]["accepted"] >= 800


@pytest.mark.parametrize("evaluate", [[], ["--no-evaluate"]])
def test_weights_that_explode_in_the_last_step_are_not_kept(treebank, capsys, monkeypatch, evaluate):
    """The loss of the last step is fine; what its update makes of the weights is seen by the evaluation alone."""
    right = Run.step

    def step(self):
        right(self)
        if self.steps == len(self.batches):
            self.model.params[0][...] = float("inf")

    monkeypatch.setattr(Run, "step", step)
    assert main(["train", *SMALL, "--max-epoch", "1", *evaluate, "--out", "out"]) == 1
    assert "the model has the weights of step" in capsys.readouterr().err
    model, _ = load_model("out/model")
    assert np.isfinite(host(model.flat_params)).all()


def test_a_worse_model_is_never_kept_for_a_loss_that_is_no_number(treebank, monkeypatch):
    right, losses = Run.note_valid, iter([2.0, float("nan"), 3.0])
    kept = []
    monkeypatch.setattr(Run, "note_valid", lambda self, loss: kept.append(right(self, next(losses))) or kept[-1])
    assert main(["train", *SMALL, "--out", "out"]) == 0
    assert kept == [True, False, False]


def test_a_rate_that_falls_to_nothing_ends_the_training(treebank):
    falling = ["--lr-rule", "step", "--lr-decay", "2000", "--lr", "0.1", "--max-epoch", "500", "--optimizer", "sgd"]
    assert main(["train", *SMALL, *falling, "--out", "out"]) == 0
    found = rows("out/metrics.jsonl")
    assert len([row for row in found if "epoch" in row]) == 3
    assert [row["part"] for row in found if "part" in row] == ["valid", "test"]


def test_infinite_weights_are_not_saved(treebank, capsys):
    assert main(["train", *SMALL, "--cell", "lstm", "--forget-bias", "1e300", "--out", "out"]) == 2
    assert "forget_bias must be in [-100, 100], got 1e+300" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_first_step_that_explodes_leaves_no_model(treebank, capsys, monkeypatch):
    right = Run.step

    def step(self):
        self.model.params[0][...] = float("nan")
        right(self)

    monkeypatch.setattr(Run, "step", step)
    assert main(["train", *SMALL, "--out", "out"]) == 1
    assert "no model is kept: its weights are not finite, in embed.W" in capsys.readouterr().err
    assert not Path("out/model").exists()


@pytest.mark.long
def test_a_model_that_ends_no_sentence_is_not_waited_for(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(stories, "LONGEST", 2)
    options = ["--max-tokens", "3000", "--max-epoch", "1", "--lr", "1e-9", "--bias-range", "100", "--no-evaluate"]
    assert main(["train", *options, "--seed", str(2**64 - 1), "--out", str(tmp_path / "out")]) == 0


def test_the_gradients_norm_is_written_down(treebank):
    assert main(["train", *SMALL, "--out", "out"]) == 0
    assert all(row["grad_norm"] > 0 for row in rows("out/metrics.jsonl") if "epoch" in row)


@pytest.fixture
def scripted(monkeypatch):
    """Valid perplexities that a test lays down, in place of real ones; the exact ones in the end are real."""
    real = held_out.evaluate

    def give(values):
        it = iter(values)

        def fake(model, ids, lanes=1):
            return real(model, ids) if lanes == 1 else rnnlm.Evaluation(float(np.log(next(it))), 9, 0.1)

        monkeypatch.setattr(held_out, "evaluate", fake)

    return give


@pytest.mark.parametrize(
    ("options", "valid", "rates"),
    [
        (["--lr-rule", "constant"], [9, 8, 9], [1, 1, 1]),
        (["--lr-rule", "plateau"], [9, 9, 8], [1, 1, 0.25]),
        (["--lr-rule", "step", "--lr-epochs", "2"], [9, 8, 7], [1, 1, 0.5]),
        (["--lr-rule", "step", "--lr-epochs", "1", "--lr-decay", "4"], [9, 8, 7], [1, 0.25, 0.0625]),
        (["--lr-rule", "halving", "--max-epoch", "9"], [9, 8, 8, 7, 7], [1, 1, 1, 0.5, 0.25]),
        (["--lr-rule", "plateau", "--patience", "2", "--max-epoch", "9"], [9, 8, 8, 9, 7], [1, 1, 1, 0.25]),
    ],
)
def test_rates_and_stopping(treebank, scripted, options, valid, rates):
    scripted(valid)
    assert main(["train", *SMALL, "--optimizer", "sgd", "--lr", "1", *options, "--out", "out"]) == 0
    assert [row["lr"] for row in rows("out/metrics.jsonl") if "epoch" in row] == rates


def test_a_cosine_ends_near_zero(treebank):
    assert main(["train", *SMALL, "--lr-rule", "cosine", "--warmup", "3", "--out", "out"]) == 0
    lrs = [row["lr"] for row in rows("out/metrics.jsonl") if "epoch" in row]
    assert lrs[0] > lrs[1] > lrs[2] > 0
    assert lrs[2] < 0.01 * lrs[0]


def test_averaged_weights_are_evaluated_and_kept(treebank, monkeypatch):
    """The non-monotonic trigger is pulled by the eighth valid figure; the model kept is the average of epoch nine."""
    from rnnlm.optim import ASGD
    from rnnlm.optim.named import OPTIMIZERS

    losses, seen, made, real = [9, 8, 7, 6, 5, 4, 3, 9.5, 1], [], [], held_out.evaluate

    def fake(model, ids, lanes=1):
        if lanes == 1:
            return real(model, ids)
        seen.append(host(model.flat_params))
        return rnnlm.Evaluation(losses[len(seen) - 1], 9, 0.1, lanes)

    class Watched(ASGD):
        def __init__(self, **options):
            super().__init__(**options)
            made.append(self)

        def update(self, params, grads):
            super().update(params, grads)
            self.last = host(params[0])

    monkeypatch.setattr(held_out, "evaluate", fake)
    monkeypatch.setitem(OPTIMIZERS, "asgd", Watched)
    options = ["--optimizer", "asgd", "--lr", "2", "--max-epoch", "9", "--lr-rule", "constant"]
    assert main(["train", *SMALL, *options, "--out", "out"]) == 0
    optimizer = made[-1]  # the first one was made for the check of the settings
    average = host(optimizer.average[0])
    np.testing.assert_array_equal(seen[8], average)
    assert not np.array_equal(average, optimizer.last)
    np.testing.assert_array_equal(host(load_model("out/model")[0].flat_params), average)
    assert optimizer.losses == losses[:8]


def test_a_cosine_over_random_windows_ends_near_zero_too(treebank):
    options = ["--time-size", "10", "--random-bptt", "--lr-rule", "cosine", "--max-epoch", "12"]
    assert main(["train", *SMALL, *options, "--out", "out"]) == 0
    lrs = [row["lr"] for row in rows("out/metrics.jsonl") if "epoch" in row]
    assert lrs == sorted(lrs, reverse=True)
    assert lrs[-1] < 1e-3 * lrs[0]
