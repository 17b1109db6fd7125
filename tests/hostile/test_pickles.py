"""Pickles: in the place of any file nothing of them is run, and the one reader that they have has bounds."""

import os
import pickle

import pytest

from rnnlm.backend import NAME
from rnnlm.book import pickles
from tests.hostile.bounded import bounded, outcome_of
from tests.hostile.kinds import KINDS

pytestmark = pytest.mark.skipif(NAME != "numpy" or os.name != "posix", reason="files are read alike by all backends")


class Runs:
    def __reduce__(self):
        return os.mkdir, ("run",)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_nothing_is_run_by_any_file(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    for number, (name, (write, read)) in enumerate(KINDS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder)
        (folder / name).write_bytes(pickle.dumps(Runs(), protocol))
        found = outcome_of(lambda read=read, folder=folder: read(folder))
        assert found["ours"], (name, found)
        assert not os.path.exists("run"), name


BOMBS = {
    "remembered far away": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "a long number": b"\x80\x02\x8b\xff\xff\xff\x7f1.",
    "long bytes": b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b"x.",
    "a long bytearray": b"\x80\x05\x96" + (1 << 33).to_bytes(8, "little") + b"x.",
    "a long frame": b"\x80\x04\x95" + (1 << 62).to_bytes(8, "little") + b"N.",
    "a number of many digits": b"L" + b"9" * 100_000 + b"L\n.",
    "nested": b"\x80\x02N" + b"\x85" * 200_000 + b".",
    "a key that takes for ever": b"\x80\x02}N" + b"q\x00h\x00\x86" * 60 + b"Ns.",
    "a member that takes for ever": b"\x80\x04\x8f(N" + b"q\x00h\x00\x86" * 60 + b"\x90.",
    "a frozen one": b"\x80\x04(N" + b"q\x00h\x00\x86" * 60 + b"\x91.",
    "a list of itself": b"\x80\x02]q\x00h\x00a.",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_few_bytes_take_little(tmp_path, bomb):
    (tmp_path / "x.pkl").write_bytes(BOMBS[bomb])
    found = bounded(lambda: pickles.load_file(tmp_path / "x.pkl"), megabytes=300, seconds=5)
    assert found.kind in ("", "ModelFileError"), found  # None that is remembered is None


def test_the_same_bytes_do_not_become_many_arrays(tmp_path):
    many = b"".join((b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R",) * 3000)
    letters = b"\x80\x02X\x00\x00\x10\x00" + b"x" * (1 << 20) + b"q\x00](" + many + b"e\x86."
    (tmp_path / "x.pkl").write_bytes(letters)
    found = bounded(lambda: pickles.load_file(tmp_path / "x.pkl"), megabytes=60, seconds=10)
    assert (found.kind, "must not be larger than the pickle" in found.said) == ("ModelFileError", True)
