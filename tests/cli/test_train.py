import json
import sys
from pathlib import Path

import pytest

from rnnlm import NNLM, CbowLm
from rnnlm.cli.main import main
from rnnlm.data import ptb
from rnnlm.saving.model_folder import load_model
from tests.cli.runs import SMALL, rows


def test_train_leaves_a_folder(treebank, capsys):
    assert main(["train", *SMALL, "--out", "out", "--optimizer", "adam", "--lr", "0.05", "--max-grad", "1"]) == 0
    shown = capsys.readouterr().out
    model, words = load_model("out/model")
    assert f"vocabulary {len(words)}, {sum(p.size for p in model.params):,} parameters" in shown
    assert [r["epoch"] for r in rows("out/metrics.jsonl")[:3]] == [1, 2, 3]
    final = {r["part"]: r for r in rows("out/metrics.jsonl")[4:]}
    assert set(final) == {"valid", "test"}
    assert final["test"]["tokens"] == len(ptb.load_data("test")[0]) - 1
    assert f"test perplexity {final['test']['perplexity']:.2f}" in shown
    assert "it writes: " in shown
    assert json.loads(Path("out/settings.json").read_text())["lr"] == 0.05
    assert len(rows("out/timing.jsonl")) == 3
    assert Path("out/perplexity.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_run_goes_on_and_says_what_draws(treebank, monkeypatch, capsys):
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["train", *SMALL, "--out", "out"]) == 0
    assert "no picture: a picture needs the extra 'plot': pip install 'rnnlm[plot]'" in capsys.readouterr().err
    assert not Path("out/perplexity.png").exists()
    load_model("out/model")


def test_models_without_recurrence(treebank, capsys):
    """Trained, evaluated, scored; what only recurrent models have is refused before anything is written."""
    for name, kind in (("nnlm", NNLM), ("cbow-lm", CbowLm)):
        sizes = SMALL if name == "nnlm" else [w for w in SMALL if w not in ("--hidden-size", "8")]
        assert (
            main(
                [
                    "train",
                    *sizes,
                    "--model",
                    name,
                    "--context",
                    "2",
                    "--tied" if name != "nnlm" else "--no-tied",
                    "--out",
                    name,
                ]
            )
            == 0
        )
        model, _ = load_model(f"{name}/model")
        assert isinstance(model, kind)
        assert model.context == 2
        capsys.readouterr()
        assert main(["eval", name, "--corpus", "ptb", "--part", "test"]) == 0
        assert f"{rows(f'{name}/metrics.jsonl')[-1]['perplexity']:.2f}" in capsys.readouterr().out
        assert main(["info", name]) == 0
        assert "TimeContextEmbedding" in capsys.readouterr().out
    for options, said in (
        (["--model", "nnlm", "--cell", "lstm"], "cell is not an option of NNLM"),
        (["--model", "nnml"], "model must be one of recurrent, nnlm, cbow-lm, got 'nnml'; did you mean nnlm?"),
        (["--context", "7"], "context is for models nnlm and cbow-lm"),
    ):
        assert main(["train", *SMALL, *options, "--out", "none"]) == 2
        assert said in capsys.readouterr().err
    assert not Path("none").exists()


def test_folders_count_up_unless_named(treebank):
    for number in (1, 2):
        assert main(["train", *SMALL, "--max-epoch", "1", "--no-evaluate"]) == 0
        assert Path(f"runs/book-rnn-{number:03d}/model").is_dir()


def test_runs_that_can_not_be_made_are_an_error(treebank, capsys):
    Path("runs").symlink_to("/nowhere/at/all")
    assert main(["train", *SMALL]) == 1
    assert "runs" in capsys.readouterr().err


def test_max_tokens_without_evaluation_has_the_words_it_reads(treebank, capsys):
    assert main(["train", *SMALL, "--recipe", "seed-1000", "--max-tokens", "30", "--out", "out"]) == 0
    first = ptb.load_data("train")[0][:30]
    assert f"30 tokens, vocabulary {first.max() + 1}, " in capsys.readouterr().out
    assert all("valid_perplexity" not in r for r in rows("out/metrics.jsonl"))


def test_max_tokens_with_evaluation_has_all_words(treebank, capsys):
    assert main(["train", *SMALL, "--max-tokens", "30", "--out", "out"]) == 0
    assert f"30 tokens, vocabulary {len(ptb.load_vocab()[0])}, " in capsys.readouterr().out


def test_a_text_without_ends_of_lines_among_its_words(tmp_path, capsys):
    options = ["--max-tokens", "5", "--batch-size", "1", "--time-size", "2", "--max-epoch", "1", "--no-evaluate"]
    assert main(["train", *options, "--out", str(tmp_path / "out")]) == 0


def test_a_text_of_any_script(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("글.txt").write_text("나는 학교 에 간다\n너는 집 에 온다\n" * 60, encoding="utf-8")
    assert main(["train", *SMALL, "--corpus", "글.txt", "--out", "out"]) == 0
    assert set(capsys.readouterr().out.partition("it writes: ")[2].split()) <= {
        "나는",
        "너는",
        "학교",
        "집",
        "에",
        "간다",
        "온다",
    }


def test_every_stack_is_trained_saved_and_read_again(treebank, capsys):
    """Depth, tying, dropouts, regularisation and averaging from the command line; the model in the folder is whole."""
    deep = [
        "--layers",
        "3",
        "--hidden-size",
        "9",
        "--last-hidden-size",
        "6",
        "--tied",
        "--dropout-ratio",
        "0.2",
        "--variational",
    ]
    more = [
        "--embed-dropout",
        "0.1",
        "--weight-drop",
        "0.3",
        "--ar",
        "2",
        "--tar",
        "1",
        "--init",
        "torch",
        "--optimizer",
        "asgd",
    ]
    assert main(["train", *SMALL, "--cell", "gru", "--reset-after", *deep, *more, "--lr", "1", "--out", "deep"]) == 0
    assert "model.safetensors" in {path.name for path in Path("deep/model").iterdir()}
    model, words = load_model("deep/model")
    assert (model.config.cell, model.config.layers, model.config.reset_after, model.config.tied) == (
        "gru",
        3,
        True,
        True,
    )
    capsys.readouterr()
    assert main(["info", "deep"]) == 0
    shown = capsys.readouterr().out
    assert "gru1             TimeGRU, weight_drop 0.3, reset_after" in shown
    assert "input_dropout    TimeDropout, dropout_ratio 0.2, variational" in shown
    assert "ar               TimeActivationRegularization, ar 2" in shown
    assert f"W (6, {len(words)}) tied" in shown
    assert f"{model.config.parameters:,}" in shown.splitlines()[-1]
    assert main(["eval", "deep", "--corpus", "ptb"]) == 0
    assert main(["generate", "deep", "--prompt", "the cat", "--seed", "1"]) == 0


def test_random_windows_are_taken_if_asked_for(treebank, capfd):
    """Their mean length is not 10 steps, so an epoch has another number of windows than with equal ones."""
    shown = []
    for option in ("--random-bptt", "--no-random-bptt"):
        options = ["--time-size", "10", "--max-epoch", "1", option, "--out", option.strip("-")]
        assert main(["train", *SMALL, *options]) == 0
        shown.append(int(capfd.readouterr().err.split(" windows")[0].split("/")[-1]))
    assert shown[0] != shown[1] > 10


@pytest.mark.long
def test_adamw_decays_unless_told_not_to(treebank):
    for name, options in {"w": [], "w0": ["--weight-decay", "0"]}.items():
        assert main(["train", *SMALL, "--optimizer", "adamw", *options, "--out", name]) == 0
    assert main(["train", *SMALL, "--optimizer", "adam", "--out", "adam"]) == 0
    last = {name: rows(f"{name}/metrics.jsonl")[2]["train_perplexity"] for name in ("w", "w0", "adam")}
    assert last["w0"] == last["adam"] != last["w"]
