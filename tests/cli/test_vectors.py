"""`rnnlm vectors`, and a training that begins with such vectors."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnnlm.cli.main import main
from rnnlm.saving.model_folder import load_model
from rnnlm.wordvec import load_vectors, save_vectors
from tests.cli.runs import SMALL

TEXT = "the cat sat on the mat\nthe dog sat on the mat\na cat and a dog\n" * 40
FAST = ["--size", "8", "--window", "2", "--epochs", "2"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT)
    return tmp_path


@pytest.mark.parametrize("method", ["skip-gram", "cbow", "svd"])
def test_vectors_of_a_text(folder, capsys, method):
    """Of all of it, the last words too; the same bits again."""
    options = ["--size", "8"] if method == "svd" else FAST
    for out in ("one.vec", "two.vec"):
        assert main(["vectors", "train", "--corpus", "text.txt", "--method", method, "--out", out, *options]) == 0
    assert "one.vec: 10 words, vectors of 8 numbers, from 800 tokens" in capsys.readouterr().out
    words, vectors = load_vectors("one.vec")
    assert {"cat", "dog", "<eos>"} <= set(words.words)
    assert vectors.shape == (10, 8)
    assert Path("one.vec").read_bytes() == Path("two.vec").read_bytes()


def test_looking_at_them(folder, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra 'plot'")
    main(["vectors", "train", "--corpus", "text.txt", "--out", "v.txt", *FAST])
    capsys.readouterr()
    assert main(["vectors", "similar", "v.txt", "cat", "mat", "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["cat", "mat"]
    assert all(line.count(",") == 1 for line in lines)
    assert main(["vectors", "analogy", "v.txt", "cat", "dog", "mat"]) == 0
    assert capsys.readouterr().out.startswith("cat : dog = mat : ?: ")
    for words in ([], ["cat", "dog", "mat"]):
        assert main(["vectors", "plot", "v.txt", *words, "--out", "v.png", "--overwrite"]) == 0
    assert capsys.readouterr().out.splitlines() == ["v.png: 10 words", "v.png: 3 words"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["train", "--corpus", "text.txt", "--size", "0"], 2, "size must be a whole number of at least 1, got 0"),
        (
            ["train", "--corpus", "text.txt", "--out", "no/v.txt"],
            2,
            "out must be in a folder that exists, got no/v.txt",
        ),
        (["train", "--corpus", "text.txt", "--out", "text.txt"], 2, "out must be a new file, and text.txt exists"),
        (
            ["train", "--corpus", "text.txt", "--window", "900"],
            2,
            "window_size must be less than half the 800 words of the corpus",
        ),
        (
            ["train", "--corpus", "text.txt", "--method", "svd", "--size", "11"],
            2,
            r"size must be a whole number in [1, 11), got 11",
        ),
        (["train", "--corpus", "storry"], 3, "did you mean story?"),
        (["similar", "none.txt", "cat"], 3, "none.txt can't be read: No such file or directory"),
        (["similar", "text.txt", "cat"], 3, "must begin with two numbers"),
        (
            ["similar", "v.txt", "cta"],
            2,
            "word must be one of the 10 words that have a vector, got 'cta'; did you mean cat",
        ),
        (["similar", "v.txt", "cat", "--top", "0"], 2, "top must be a whole number of at least 1, got 0"),
        (
            ["plot", "v.txt", "cat", "--out", "v.png"],
            2,
            "vectors must be at least two of at least two numbers, for a plane",
        ),
        (["plot", "v.txt", "--out", "v.gif"], 2, "a picture's name must end with one of"),
    ],
)
def test_mistakes_are_one_sentence(folder, capsys, arguments, code, message):
    main(["vectors", "train", "--corpus", "text.txt", "--out", "v.txt", *FAST])
    capsys.readouterr()
    assert main(["vectors", *arguments]) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_training_begins_with_them(folder, capsys):
    """Words are matched by name; those without a vector begin as ever."""
    main(["vectors", "train", "--corpus", "text.txt", "--out", "all.vec", *FAST])
    words, vectors = load_vectors("all.vec")
    kept = [i for i, word in enumerate(words.words) if word != "cat"]
    save_vectors(
        "some.vec", type(words)([words.words[i] for i in kept] + ["unheard"]), np.vstack([vectors[kept], np.ones(8)])
    )
    still = [*SMALL[2:], "--corpus", "text.txt", "--no-evaluate", "--wordvec-size", "8", "--lr", "1e-30"]
    assert main(["train", *still, "--out", "plain"]) == 0
    assert main(["train", *still, "--out", "begun", "--init-embedding", "some.vec"]) == 0
    assert "9 of 10 words begin with vectors of some.vec" in capsys.readouterr().out
    assert json.loads(Path("begun/settings.json").read_text())["init_embedding"] == "some.vec"
    (plain, own), (begun, _) = load_model("plain/model"), load_model("begun/model")
    got, before = begun.state_dict()["embed.W"], plain.state_dict()["embed.W"]
    for i, word in enumerate(own.words):
        want = before[i] if word == "cat" else vectors[words.word_to_id[word]]
        np.testing.assert_allclose(got[i], want, rtol=1e-6)


@pytest.mark.parametrize(
    ("size", "content", "message"),
    [
        ("9", None, "init_embedding must have vectors of wordvec_size 9, got 8 in v.txt: set wordvec_size"),
        ("8", "1 8\nunheard 1 2 3 4 5 6 7 8\n", "init_embedding must have vectors of words of the corpus"),
        ("8", "2 8\ncat 1 2 3 4 5 6 7 8\ndog 1 2 3 4 5 6 7\n", "line 3: 'dog' must have 8 numbers, got 7"),
    ],
)
def test_vectors_that_do_not_fit_are_refused_before_anything_is_written(folder, capsys, size, content, message):
    main(["vectors", "train", "--corpus", "text.txt", "--out", "v.txt", *FAST])
    if content:
        Path("v.txt").write_text(content)
    options = [
        "--corpus",
        "text.txt",
        "--no-evaluate",
        "--wordvec-size",
        size,
        "--init-embedding",
        "v.txt",
        "--out",
        "run",
    ]
    assert main(["train", *SMALL[2:], *options]) in (2, 3)
    assert message in capsys.readouterr().err
    assert not Path("run").exists()


def test_vectors_do_not_replace_their_text(folder, capsys):
    Path("text").write_text("a b c\n" * 9)
    assert main(["vectors", "train", "--corpus", "text", "--out", "text", "--overwrite"]) == 2
    assert "out must not be the text itself, got text" in capsys.readouterr().err
    assert Path("text").read_text() == "a b c\n" * 9


def test_a_folder_that_can_not_be_written_to_is_told_before_the_work(folder, capsys, monkeypatch):
    Path("text").write_text("a b c\n" * 9)
    monkeypatch.setattr("os.access", lambda *_: False)
    for command in (["vectors", "train", "--out", "v.txt"], ["ngram", "train", "--out", "n.arpa"]):
        assert main([*command, "--corpus", "text"]) == 2
        assert "out must be in a folder that can be written to" in capsys.readouterr().err
