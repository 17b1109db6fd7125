"""Scripts in the book's manner, one for each chapter, run as they are: `manner/` has them.

They are run in a copy, each in its folder; one that reads another's weight files is run after that.
"""

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnlm import book
from rnnlm.backend import NAME
from rnnlm.cli.main import main
from tests.conftest import TEXT

MANNER = Path(__file__).parent / "manner"
SCRIPTS = sorted(MANNER.glob("ch*/*.py"))
SAID = {
    "learn_spiral": ["picture: learn_spiral-1.png", "picture: learn_spiral-2.png", f"GPU {NAME == 'cupy'}"],
    "count_words": [
        "[0 1 2 3 4 1 5 6] you",
        "you and i: 0.7071",
        " goodbye: 0.70",
        "nobody is not found",
        "ppmi 1.807",
    ],
    "small_vectors": ["MyCBOW 1.9", "SimpleCBOW 1.9", "SimpleSkipGram 3.8"],
    "vectors": ["[query] cat", "[analogy] the:a = cat:?", "==>dog:", "lion is not found"],
    "small_lm": ["picture: small_lm-1.png", "picture: small_lm-2.png"],
    "lm": ["picture: lm-1.png", "mine "],
    "answers": ["(180, 5) (180, 4) (20, 5) _", "MySeq2seq", "the cat sat"[:0], "sat "],
    "attend": ["picture: attend-1.png", "Q "],
}
WEIGHTS = {"answers": "ch06/lm.py"}  # of which script it reads them


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the book, as a reader has it, with texts of their own in dataset/."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(MANNER, folder, dirs_exist_ok=True)
    (folder / "dataset").mkdir(exist_ok=True)
    for part in ("train", "valid", "test"):
        (folder / "dataset" / f"ptb.{part}.txt").write_text(TEXT)
    rng = np.random.default_rng(0)
    sums = [(int(a), int(b)) for a, b in rng.integers(0, 100, (200, 2))]
    (folder / "dataset" / "addition.txt").write_text("".join(f"{f'{a}+{b}':5s}_{a + b:<3d}\n" for a, b in sums))
    return folder


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_a_script_in_the_books_manner_runs(copy, script, capsys, monkeypatch):
    pytest.importorskip("matplotlib", reason="needs the extra 'plot'")
    monkeypatch.delenv("DISPLAY", raising=False)
    path, here = copy / script.relative_to(MANNER), Path.cwd()
    if script.stem in WEIGHTS and not (copy / WEIGHTS[script.stem]).with_name("Rnnlm.pkl").exists():
        assert main(["book", str(copy / WEIGHTS[script.stem])]) == 0
        capsys.readouterr()
    from rnnlm.book import pictures

    monkeypatch.setattr(pictures, "_numbers", {})  # as in a process of its own
    before = {*sys.modules}, [*sys.path], sys.argv
    assert main(["book", str(path)]) == 0
    shown = capsys.readouterr().out
    assert not [words for words in SAID[script.stem] if words not in shown], shown
    for picture in re.findall(r"picture: (.*)", shown):
        assert (path.parent / picture).read_bytes().startswith(b"\x89PNG")
    left = {name for name in {*sys.modules} - before[0] if not name.startswith(("rnnlm", "matplotlib", "mpl_toolkits"))}
    assert not {name.partition(".")[0] for name in left} & {"common", "dataset", "ch01", "ch06", "cbow", "seq2seq"}
    assert (Path.cwd(), sys.path, sys.argv) == (here, *before[1:])


def test_every_name_of_the_book_is_used():
    """Every file is imported, by one name or the other, and every name stands in a script."""
    text = "\n".join(path.read_text() for path in SCRIPTS)
    for file, names in book.FILES.items():
        bare = file.partition(".")[2] if file.startswith("ch") else file
        assert re.search(rf"^from ({re.escape(file)}|{bare}) import", text, re.M), file
        assert not [name for name in names if not re.search(rf"\b{name}\b", text)], file


def test_the_names_are_in_the_package():
    for names in book.FILES.values():
        for name in names:
            assert getattr(book, name) is not None
    assert {"np", "ptb", "sequence", "spiral", "config"} <= set(dir(book))
    with pytest.raises(AttributeError):
        book.Nothing  # noqa: B018
