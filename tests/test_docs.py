"""Every block of README.md and of docs/: run in an empty folder, what it shows compared with what the page says.

What takes long is run on less, and what can't be run is left out: each is in a table here, with the reason.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from rnnlm.backend import NAME
from rnnlm.cli.main import main
from rnnlm.data.corpora import story
from tests.pages import Reader, blocks, inline_code

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
STORIES = {"train": 20_000, "valid": 5_000, "test": 5_000}  # words of each part, in place of a million and more
FILES = {  # what a reader has
    "README.md": (ROOT / "README.md").read_text(encoding="utf-8"),
    "book.txt": "it was the best of times , it was the worst of times\n" * 200,
    "poem.txt": "the cat sat\non the mat\nand that was that\n" * 40,
}
INSTALLS = "installs, which CI does by the same command or by pyproject.toml"
GPU = "needs a GPU"

# What is run on less, by page: what stands there, what is run, why.
SHORTER = {
    "README.md": [("max_epoch=100", "max_epoch=60", "seconds")],
    "docs/from-counts-to-lstm.md": [
        ("tokens, epochs = 1_000_000, 8", "tokens, epochs = 20_000, 1", "eight minutes on a million words"),
        ("--recipe nnlm", "--recipe nnlm --max-epoch 1", "the same four times"),
    ],
    "docs/rescoring.md": [
        ('sentences("valid", 500)', 'sentences("valid", 50)', "seconds"),
        ('sentences("test", 500)', 'sentences("test", 50)', "seconds"),
    ],
    "docs/sentences.md": [("count, epochs = 20_000, 6", "count, epochs = 1_000, 2", "twenty seconds")],
    "docs/your-own-loop.md": [("tokens, epochs = 100_000, 3", "tokens, epochs = 10_000, 3", "seconds")],
}

# What is not run, by page: a line of commands without its comment, or the first line of another block, and why.
LEFT_OUT = {
    "README.md": [
        ("python3 -m venv .venv && . .venv/bin/activate && pip install -e '.[plot]'", INSTALLS),
        ("pip install -e '.[dev]' && python -m pytest", "runs this test"),
    ],
    "docs/answers.md": [("Seq2seq            h = LSTM(E x) at the question's end        s = LSTM(E' y) from h, through an affine layer", "equations")],
    "docs/book.md": [
        ("git clone https://github.com/oreilly-japan/deep-learning-from-scratch-2 book", "downloads"),
        ("rnnlm book book/ch05/train.py", "a script of someone else; tests/book has others in its manner"),
        ("rnnlm book book/ch06/train_rnnlm.py", "the same"),
        ("rnnlm book book/ch07/generate_text.py", "the same"),
        ("rnnlm book book/ch08/visualize_attention.py --device cuda", "the same"),
    ],
    "docs/corpora.md": [("pip install -e '.[data]' && rnnlm data --fetch ptb", "downloads")],
    "docs/gpu.md": [
        ("pip install -e '.[cuda13]'", INSTALLS),
        ("rnnlm train --device cuda", GPU),
        ("RNNLM_DEVICE=cuda python your_script.py", GPU),
    ],
    "docs/measured.md": [
        ("            test  above floor  accepted     host's pronoun  visitor's pronoun       verb outside ...", "of a script, two minutes; tests/scripts has it"),
    ],
    "docs/models.md": [("p(w) = p_0(w)                    of the shortlist               p_0 = softmax(h W_0 + b_0)", "equations")],
    "docs/pytorch.md": [("import torch", "needs PyTorch; tests/test_torch.py has it")],
    "docs/trust.md": [
        ("python -m pytest -m fault", "the better part of an hour, as root"),
        ("LAZYFS=.../lazyfs python -m pytest -m fault", "needs LazyFS"),
    ],
}  # fmt: skip

# What a page shows to the last letter and digit, which a comparison without numbers would not see.
SAID = {
    "docs/answers.md": ["right: 0.", "-> ", "(4, 1, 7)"],
    "docs/networks.md": ["XOR [0. 1. 1. 0.]", "accuracy 1.0", "dense1.b [0.3]", "0.0239719", "0.0232363", "valid accuracy 0.9"],
    "docs/ngrams.md": ["story-lm: 102 words", '"perplexity": ', "tokens compared", "mixed: 0.9000 runs/rnn, 0.1000 story-lm", "\tthe"],
    "docs/sentences.md": [
        "\nschool board ", "reset before each of", "bits per byte", "accuracy 1.0", "경마장에 있는 말이 뛰고 있다\n",
        "1,892", "3 lines, each from a reset state", "best possible 1.0", "lines compared",
    ],
    "docs/word-vectors.md": ["('goodbye', 0.7", "102 of 102 words begin with vectors of story.vec"],
}  # fmt: skip

# What else must have come of a page.
CHECKED = {
    "README.md": lambda names: names["trainer"].ppl_list[-1] < names["trainer"].ppl_list[0] / 4,
    "docs/word-vectors.md": lambda names: Path("words.png").stat().st_size > 5_000,
}


def text_of(page):
    """A page as it is written."""
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, treebank, monkeypatch):
    """The folder that a reader is in: the stories are short, Penn Treebank is a small text."""
    whole = story._words
    monkeypatch.setattr(story, "_words", lambda part: whole(part)[: STORIES[part]])
    monkeypatch.setattr(story, "_floors", cache(story._floors.__wrapped__))  # of these, and not for other tests
    monkeypatch.delenv("COLUMNS", raising=False)  # to which a progress bar would be cut
    monkeypatch.setattr("rnnlm.experiments.stories.SENTENCES", 20)
    for name, content in FILES.items():
        Path(name).write_text(content, encoding="utf-8")
    return tmp_path


ON_NUMPY = pytest.mark.skipif(
    NAME != "numpy", reason="gives arrays of NumPy to layers, and takes minutes on the stand-in"
)
ONCE = [pytest.param("README.md", marks=pytest.mark.long), *(pytest.param(page, marks=ON_NUMPY) for page in PAGES[1:])]


@pytest.mark.parametrize("page", ONCE)
def test_a_page_does_what_it_says(page, folder):
    for extra in ("matplotlib", "sklearn", "tokenizers"):
        pytest.importorskip(extra, reason="needs the extra 'dev'")
    shorter = {long: short for long, short, _ in SHORTER.get(page, ())}
    left_out = {line for line, _ in LEFT_OUT.get(page, ())}
    reader = Reader(shorter, left_out)
    reader.follow(text_of(page))
    assert reader.used == {*shorter, *left_out}, "a table has what is no more on the page"
    assert not [words for words in SAID.get(page, ()) if words not in reader.written]
    assert CHECKED.get(page, bool)(reader.names or True)


@ON_NUMPY
def test_a_training_that_is_kept_goes_on(folder, capsys):
    """The program of docs/trust.md, begun twice: what is done is not done again."""
    (code,) = [block.content for block in blocks(text_of("docs/trust.md")) if block.kind == "python"]
    exec(code, first := {})
    assert "going on" not in capsys.readouterr().out
    exec(code, second := {})
    assert f"going on after {len(first['trainer'].ppl_list)} reports" in capsys.readouterr().out
    assert second["trainer"].ppl_list == first["trainer"].ppl_list


def test_tables_name_pages_that_are_there():
    assert {*SHORTER, *LEFT_OUT, *SAID, *CHECKED} <= set(PAGES)


# ---------------------------------------------------------------- commands within sentences and tables


def named_options():
    """Options by the command that a page names them with, as in `rnnlm eval RUN --corpus ptb`."""
    found = {}
    for page in PAGES:
        for code in inline_code(text_of(page)):
            words = code.split()
            if words[:1] == ["rnnlm"] and re.fullmatch("[a-z]+", " ".join(words[1:2])):
                inner = words[2:3] if words[1] in ("ngram", "vectors") else []
                command = (words[1], *(word for word in inner if word.isalpha()))
                found.setdefault(command, set()).update(re.findall(r"(?<=\s)--[a-z][a-z-]*", code))
    return found


def test_commands_within_sentences_have_these_options(capsys):
    named = named_options()
    assert len(named) > 8
    for command, options in named.items():
        assert main([*command, "--help"]) == 0, command
        shown = set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out))
        assert options <= shown, f"rnnlm {' '.join(command)} has no {options - shown}"
