"""What `rnnlm book` gives a script, and what it refuses."""

import os
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.book.dataset import own, ptb, sequence
from rnnlm.cli.main import main
from rnnlm.errors import DataError


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder with a chapter in it; `write(name, text)` puts a file there and returns its path as a string."""
    (tmp_path / "ch06").mkdir()
    (tmp_path / "dataset").mkdir()
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return str(path)

    return write


def test_the_readers_own_files_are_its_own_and_the_books_are_ours(copy, capsys):
    """Its model files and its common/ are not looked at; a file that the book has not is the reader's."""
    copy("common/__init__.py", "")
    copy("common/layers.py", "raise RuntimeError('the reader\\'s')")
    copy("common/mine.py", "from common.layers import MatMul\nfrom rnnlm import Rnnlm\nimport pickle\nanswer = 42\n")
    copy("ch06/rnnlm.py", "raise RuntimeError('the reader\\'s')")
    copy("ch06/better_rnnlm.py", "raise RuntimeError('the reader\\'s')")
    copy("ch06/helper.py", "from better_rnnlm import BetterRnnlm\nimport pickle\n")
    copy("top.py", "there = True\n")
    path = copy(
        "ch06/run.py",
        """
        import sys
        sys.path.append('..')
        import pickle
        from common import mine
        from ch06.helper import BetterRnnlm as from_the_chapter
        from helper import BetterRnnlm
        from rnnlm import Rnnlm
        import rnnlm
        import rnnlm.layers as layers
        from rnnlm import evaluate
        from rnnlm.layers import TimeLSTM
        from top import there
        import helper
        assert Rnnlm is mine.Rnnlm is rnnlm.Rnnlm
        assert Rnnlm.__module__ == 'rnnlm.book.chapters', Rnnlm.__module__
        assert helper.pickle is mine.pickle is pickle and pickle.__name__ == 'rnnlm.book.pickles'
        assert from_the_chapter is BetterRnnlm
        print(__name__, __file__, sys.argv, mine.answer)
        """,
    )
    assert main(["book", path]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out == f"__main__ {path} [{path!r}] 42\n"


def test_a_script_reads_pickles_of_plain_data_only(copy, tmp_path, capsys):
    script = "import pickle\nwith open('weights.pkl', 'rb') as f:\n    print(pickle.load(f))\n"
    path = copy("ch06/read.py", script)

    class Asks:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "gone"),)

    (tmp_path / "ch06" / "weights.pkl").write_bytes(pickle.dumps(Asks()))
    assert main(["book", path]) == 3
    assert "rnnlm: weights.pkl asks for " in capsys.readouterr().err
    assert not (tmp_path / "gone").exists()
    (tmp_path / "ch06" / "weights.pkl").write_bytes(pickle.dumps({"a": np.arange(2)}))
    assert main(["book", path]) == 0
    assert capsys.readouterr().out == "{'a': array([0, 1])}\n"


def test_a_script_that_is_not_there(copy, tmp_path, capsys):
    copy("ch06/train.py", "")
    for name, said in (
        ("ch06/trian.py", "script must be a file of Python, and ch06/trian.py is none; there are train.py"),
        ("ch06", "ch06 is none"),
        ("nowhere/train.py", "nowhere/train.py is none"),
    ):
        assert main(["book", name]) == 2
        assert said in capsys.readouterr().err


def test_a_script_that_fails_leaves_the_process_as_it_was(copy, tmp_path):
    path = copy("ch06/fails.py", "import sys\nsys.path.append('..')\nimport common.layers\n1 / 0\n")
    before = os.getcwd(), [*sys.path], sys.argv, [*sys.meta_path], os.environ.get("MPLBACKEND")
    with pytest.raises(ZeroDivisionError) as caught:  # its own mistakes are shown as Python shows them
        main(["book", path])
    assert caught.traceback[-1].path.name == "fails.py"
    assert (os.getcwd(), sys.path, sys.argv, sys.meta_path, os.environ.get("MPLBACKEND")) == before
    assert "common.layers" not in sys.modules


def test_a_picture_without_matplotlib_says_what_draws(copy, monkeypatch, capsys):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["book", copy("ch06/draw.py", "import matplotlib.pyplot as plt\n")]) == 1
    assert "pip install 'rnnlm[plot]'" in capsys.readouterr().err


# ---------------------------------------------------------------------- processes of their own


def run(arguments, env, folder):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, cwd=folder, check=False)


def test_the_module_runs_scripts_too(copy, tmp_path, clean_env):
    copy("ch06/show.py", "from common.np import np\nfrom common.config import GPU\nprint(np.__name__, GPU)\n")
    result = run(["rnnlm.book", "ch06/show.py"], clean_env, tmp_path)
    assert (result.stdout, result.returncode) == ("numpy False\n", 0), result.stderr
    assert run(["rnnlm.book"], clean_env, tmp_path).returncode == 2


def test_the_switch_of_the_book_chooses_the_backend(copy, tmp_path, clean_env):
    """Where there is no GPU, by the error that says so; what was said from outside wins."""
    copy("ch06/gpu.py", "from common import config\nconfig.GPU = True\nfrom common.np import *\nprint(np.__name__)\n")
    result = run(["rnnlm", "book", "ch06/gpu.py"], clean_env, tmp_path)
    assert result.returncode == 1 or result.stdout == "cupy\n"
    assert result.stdout or "CuPy" in result.stderr
    result = run(["rnnlm", "book", "ch06/gpu.py", "--device", "cpu"], clean_env, tmp_path)
    assert (result.stdout, result.returncode) == ("numpy\n", 0), result.stderr
    copy(
        "ch06/late.py", "from common import config\nfrom common.np import *\nconfig.GPU = True\nimport common.layers\n"
    )
    result = run(["rnnlm", "book", "ch06/late.py"], clean_env, tmp_path)
    assert result.returncode == 1
    assert "config.GPU = True must stand before the first import" in result.stderr
    copy("ch06/cheap.py", "import sys\nfrom dataset import spiral\nprint('rnnlm.backend' in sys.modules)\n")
    assert run(["rnnlm", "book", "ch06/cheap.py"], clean_env, tmp_path).stdout == "False\n"


@pytest.mark.skipif(NAME != "cupy", reason="RNNLM_DEVICE=cuda or --strict-cupy")
def test_on_a_gpu_the_switch_is_on(copy, capsys):
    path = copy("ch06/on.py", "from common import config\nfrom common.np import GPU\nprint(config.GPU, GPU)\n")
    assert main(["book", path]) == 0
    assert capsys.readouterr().out == "True True\n"


# ---------------------------------------------------------------------- data


def test_data_of_the_readers_copy_wins(tmp_path, treebank, monkeypatch):
    """Texts, or the arrays and the numbered words that the book makes of them."""
    ours = ptb.load_data("test")[0]
    monkeypatch.setattr(own, "_folder", tmp_path)
    np.testing.assert_array_equal(ptb.load_data("test")[0], ours)  # nothing lies there
    (tmp_path / "ptb.train.txt").write_text("b a \n c \n")
    (tmp_path / "ptb.test.txt").write_text("a b \n")
    ids, word_to_id, id_to_word = ptb.load_data("test")
    assert [id_to_word[i] for i in ids] == ["a", "b", "<eos>"]
    assert word_to_id == ptb.load_vocab()[0] == {"b": 0, "a": 1, "<eos>": 2, "c": 3}
    numbered = {"a": 0, "b": 1, "c": 2, "<eos>": 3}
    (tmp_path / "ptb.vocab.pkl").write_bytes(pickle.dumps((numbered, {i: w for w, i in numbered.items()})))
    assert ptb.load_data("test")[0].tolist() == [0, 1, 3]
    (tmp_path / "ptb.test.txt").unlink()
    np.save(tmp_path / "ptb.test.npy", np.array([2, 3]))
    assert ptb.load_data("test")[0].tolist() == [2, 3]
    (tmp_path / "ptb.vocab.pkl").write_bytes(pickle.dumps(({"a": 1}, {})))
    with pytest.raises(DataError, match="must number its words from 0 on"):
        ptb.load_vocab()


def test_questions_of_the_readers_copy_win(tmp_path, monkeypatch):
    monkeypatch.setattr(sequence, "char_to_id", {})
    monkeypatch.setattr(sequence, "id_to_char", {})
    (x, t), (x_test, t_test) = sequence.load_data("date.txt")
    assert (x.shape, t.shape, x_test.shape, t_test.shape) == ((45_000, 29), (45_000, 11), (5_000, 29), (5_000, 11))
    with pytest.raises(DataError, match=r"other.txt is not in the folder dataset/ of the book; made are addition.txt"):
        sequence.load_data("other.txt")
    monkeypatch.setattr(own, "_folder", tmp_path)
    (tmp_path / "addition.txt").write_text("".join(f"{n}+1 _{n + 1:<2d}\n" for n in range(10, 20)))
    (x, t), (x_test, t_test) = sequence.load_data("addition.txt", seed=None)
    char_to_id, id_to_char = sequence.get_vocab()
    assert "".join(id_to_char[i] for i in [*x[0], *t[0]]) == "10+1 _11"  # ids go on where those of the dates end
    assert len(char_to_id) == len(id_to_char) > 20
    assert (len(x), len(x_test)) == (9, 1)


def test_the_points_of_the_spiral():
    from rnnlm.book.dataset import spiral

    x, t = spiral.load_data()
    assert x.shape == (300, 2)
    np.testing.assert_array_equal(t.argmax(axis=1), np.arange(300) // 100)
    np.testing.assert_allclose(np.hypot(*x.T), np.tile(np.arange(100) / 100, 3), atol=1e-12)
    assert not np.array_equal(spiral.load_data(seed=1)[0], x)
