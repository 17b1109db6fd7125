import errno
import os
import resource
import signal
import subprocess
import sys
import time
import tracemalloc
from functools import partial

import numpy as np
import pytest

from rnnlm.data import Vocabulary, encode_corpus
from rnnlm.data.encoded_header import pack
from rnnlm.data.encoding import write_ids
from rnnlm.errors import DataError, InputError
from tests.data.texts import WORDS


def test_an_existing_file_is_replaced_if_that_is_asked_for(tmp_path):
    (tmp_path / "text").write_text("a b\n")
    (tmp_path / "out").write_text("precious")
    with pytest.raises(InputError, match=r"out must be a new file, and .*out exists: name another, or overwrite it"):
        encode_corpus(tmp_path / "text", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "precious"
    assert encode_corpus(tmp_path / "text", tmp_path / "out", overwrite=True).tokens == 3
    with pytest.raises(InputError, match="out must not be the text itself"):
        encode_corpus(tmp_path / "text", tmp_path / "text", overwrite=True)
    with pytest.raises(InputError, match="out must be a new file"):
        encode_corpus(tmp_path / "text", tmp_path, overwrite=True)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", {}, "text is empty: a corpus needs at least one line"),
        (b"", {"vocabulary": WORDS}, "text is empty"),
        (b"a\nb\xff\n", {}, r"text is not UTF-8: line 2, byte 3 of the file \(0xff\)"),
        (b"a\nb\xff\n", {"vocabulary": WORDS}, "text is not UTF-8: line 2"),
        (b"a\nb z\n", {"vocabulary": Vocabulary(["a", "b", "<eos>"])}, "text, line 2: 'z' is not among the 3 words"),
        (b"a\n", {"vocabulary": Vocabulary(["a"])}, "line 1: '<eos>' is not among"),
        (pack(WORDS, 1, 0, bytes(32), b""), {}, "text is an encoded corpus, and here a text is needed"),
    ],
)
def test_a_text_that_is_none_leaves_nothing(tmp_path, content, options, message):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(DataError, match=message):
        encode_corpus(tmp_path / "text", tmp_path / "out", **options)
    assert os.listdir(tmp_path) == ["text"]


def test_arguments_of_another_kind_are_refused_before_anything_is_written(tmp_path):
    (tmp_path / "text").write_text("a\n")
    for options, message in (
        ({"vocabulary": ["a", "<eos>"]}, "vocabulary must be a Vocabulary, got"),
        ({"advance": 3}, "advance must be"),
        ({"max_words": 2}, "max_words must be a whole number of at least 3, got 2"),
        ({"overwrite": 1}, "overwrite must be True or False, got 1"),
    ):
        with pytest.raises(InputError, match=message):
            encode_corpus(tmp_path / "text", tmp_path / "out", **options)
    assert os.listdir(tmp_path) == ["text"]


def test_ten_thousand_words_are_kept_unless_another_number_is_said(tmp_path):
    (tmp_path / "text").write_text(" ".join(f"w{i}" for i in range(10_100)) + "\n")
    header = encode_corpus(tmp_path / "text", tmp_path / "out")
    assert (len(header.vocabulary), header.unknown, header.tokens) == (10_000, 102, 10_101)  # <unk> and <eos> are two


def test_a_pipe_is_read_once_if_the_words_are_known(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="is no file that can be read twice: save it as one, or name a vocabulary"):
        encode_corpus(tmp_path / "pipe", tmp_path / "out")
    command = ["sh", "-c", f"echo a b > {tmp_path / 'pipe'}"]
    with subprocess.Popen(command):
        assert encode_corpus(tmp_path / "pipe", tmp_path / "out", WORDS).tokens == 3


def test_ids_that_are_no_words_are_not_written(tmp_path):
    for ids, message in (
        ([[5]], r"ids must be in \[0, 5\), got 5 to 5"),
        ([[1], [-2, 1]], r"ids must be in \[0, 5\), got -2 to 1"),
        ([], "must have at least one id"),
    ):
        with pytest.raises(InputError, match=message):
            write_ids(tmp_path / "out", WORDS, map(np.array, ids))
    with pytest.raises(InputError, match=r"got -1 to 0"):
        write_ids(tmp_path / "out", Vocabulary(["a"]), [np.array([0, -1])])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch, error):
    (tmp_path / "text").write_text("a b\n" * 10)
    seen = []

    def advance(count):
        seen.append(count)
        if len(seen) == 15:  # in the second reading
            raise error

    with pytest.raises(type(error)):
        encode_corpus(tmp_path / "text", tmp_path / "out", advance=advance)
    assert os.listdir(tmp_path) == ["text"]


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(tmp_path, clean_env, sign, code):
    words = WORDS.save(tmp_path / "vocab") or "vocab"
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "rnnlm", "data", "encode", "pipe", "--vocab", words, "--out", "out"]
    heed = partial(signal.signal, sign, signal.SIG_DFL)
    with (
        subprocess.Popen(command, env=clean_env, cwd=tmp_path, preexec_fn=heed, stderr=subprocess.PIPE, text=True) as p,
        open(tmp_path / "pipe", "wb", buffering=0) as pipe,
    ):  # opens when the other end does
        pipe.write(b"a b c\n")
        while len(os.listdir(tmp_path)) < 3:
            time.sleep(0.01)
        p.send_signal(sign)
        _, errors = p.communicate(timeout=60)
    assert p.returncode == code, errors
    assert "Traceback" not in errors
    assert sorted(os.listdir(tmp_path)) == ["pipe", "vocab"]


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    """As on a disk with room for a kilobyte."""
    (tmp_path / "text").write_text("a b\n" * 1000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        with pytest.raises(OSError, match=f"File too large: '{tmp_path / 'out'}'"):
            encode_corpus(tmp_path / "text", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(os.listdir(tmp_path)) == ["text"]


def test_encoding_does_not_grow_with_the_text(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.data.encoding.BLOCK", 1000)
    peaks = []
    for lines in (2_000, 100_000):
        (tmp_path / "text").write_text("a b c\n" * lines)
        tracemalloc.start()
        encode_corpus(tmp_path / "text", tmp_path / "out", overwrite=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000  # its ids alone take 1.6 MB; other tests' leavings some tenths of one
