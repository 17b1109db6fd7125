"""Files that chance has changed: what is read of them is right, or an error says that it can't be read."""

import os
import signal

import numpy as np
import pytest

from rnnlm.backend import NAME
from tests.hostile.bounded import outcome_of
from tests.hostile.kinds import CHECKED, KINDS

pytestmark = pytest.mark.skipif(NAME != "numpy" or os.name != "posix", reason="files are read alike by all backends")
SECONDS = 10  # for one file of some kilobytes, on a busy machine


def flipped(content, rng):
    """One bit."""
    place = rng.integers(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.integers(8)]) + content[place + 1 :]


def cut(content, rng):
    """Short of its end, or of its beginning."""
    place = rng.integers(len(content))
    return content[:place] if rng.integers(4) else content[place:]


def inserted(content, rng):
    """Some bytes more."""
    place = rng.integers(len(content) + 1)
    more = (
        rng.bytes(rng.integers(1, 9)),
        b"\0",
        b"\n",
        b"9" * 30,
        b"[{",
        b'"',
        b"\xff\xff",
        b"-",
        b"\r",
        b"\xef\xbb\xbf",
    )
    return content[:place] + more[rng.integers(len(more))] + content[place:]


def doubled(content, rng):
    """Some of it twice."""
    begin, end = sorted(rng.integers(0, len(content) + 1, 2))
    return content[:end] + content[begin:]


def spliced(content, rng):
    """Some of it in another place."""
    a, b, c = sorted(rng.integers(0, len(content) + 1, 3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def overwritten(content, rng):
    """Some of it by the largest and the smallest numbers."""
    place = rng.integers(len(content))
    number = (b"\xff", b"\0", b"\x7f")[rng.integers(3)] * int(rng.integers(1, 9))
    return content[:place] + number + content[place + len(number) :]


CHANGES = (flipped, cut, inserted, doubled, spliced, overwritten)


def tried_on(folder, name, times, seed):
    """Change one file so many times; what came of it, by its name."""
    write, read = KINDS[name]
    write(folder)
    right, content = read(folder), (folder / name).read_bytes()
    rng, came = np.random.default_rng(seed), {"the same": 0, "an error": 0, "another": 0}
    before = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process: nothing else is sure to
    for _ in range(times):
        changed = content
        for _ in range(rng.integers(1, 4)):
            changed = CHANGES[rng.integers(len(CHANGES))](changed, rng) if changed else rng.bytes(3)
        write(folder)
        (folder / name).write_bytes(changed)
        signal.alarm(SECONDS)
        found = outcome_of(lambda: read(folder))
        signal.alarm(0)
        assert found["ours"], f"{changed!r}: {found}"
        if found["kind"]:
            came["an error"] += 1
        elif changed == content or found["said"] == repr(right)[:500]:
            came["the same"] += 1
        else:
            came["another"] += 1
            assert name not in CHECKED, f"read as something else: {changed!r}"
    signal.signal(signal.SIGALRM, before)
    return came


@pytest.fixture
def out_of_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.cli.commands.plot.save_perplexity", lambda *_, **__: None)  # a picture takes its time
    monkeypatch.setattr("rnnlm.files.os.fsync", lambda _: None)
    return tmp_path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", KINDS)
def test_a_changed_file_is_read_as_it_was_or_refused(out_of_the_way, name):
    tried_on(out_of_the_way, name, 12, seed=1)


@pytest.mark.fault
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", KINDS)
def test_thousands_of_changed_files(out_of_the_way, name, tried):
    came = tried_on(out_of_the_way, name, 1000, seed=2)
    if name in CHECKED:
        tried("a file with a checksum changed by chance", 1000, "the right content, or an error that says so")
    else:
        tried("a file without a checksum changed by chance", 1000, "an error that says so, or what the file then says")
    assert came["an error"]
