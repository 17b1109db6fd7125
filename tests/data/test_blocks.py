"""Blocks of a file, each checked once; and reading it from any place."""

import sys
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pytest

from rnnlm.data import blocks
from rnnlm.data.blocks import Blocks, Checks, OpenFile
from rnnlm.errors import DataError

CONTENT = bytes(range(1, 31))  # of a file with 3 bytes in front of them
WANT = [crc32(CONTENT[begin : begin + 8]) for begin in range(0, 30, 8)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 8)


@pytest.mark.parametrize("sizes", [[30], [1] * 30, [5, 25], [7, 1, 8, 0, 9, 5], [8, 8, 8, 6], [16, 14]])
def test_the_checks_are_those_of_whole_blocks_and_of_what_is_left(sizes):
    checks, begin = Checks(), 0
    assert checks.array().tolist() == []
    for size in sizes:
        checks.add(CONTENT[begin : begin + size])
        begin += size
    assert checks.array().tolist() == WANT
    assert checks.array().dtype == np.dtype("<u4")
    whole = Checks()
    whole.add(CONTENT[:16])
    assert whole.array().tolist() == WANT[:2]


@pytest.mark.parametrize("wrong", range(30))
def test_a_changed_byte_is_found_by_all_that_read_of_its_block(wrong):
    spoiled = bytearray(b"abc" + CONTENT)
    spoiled[3 + wrong] ^= 4
    damaged = range(3 + wrong // 8 * 8, min(3 + wrong // 8 * 8 + 8, 33))
    for begin in range(3, 33):
        for end in range(begin + 1, 34):
            seen = Blocks(3, 33, np.array(WANT))
            found = seen.damaged(begin, bytes(spoiled[begin:end]), lambda place, n: bytes(spoiled[place : place + n]))
            touched = begin < damaged.stop and damaged.start < end
            assert found == (damaged if touched else None)


def test_a_block_is_read_and_checked_once():
    asked, file = [], b"abc" + CONTENT

    def read(place, length):
        asked.append((place, length))
        return file[place : place + length]

    seen = Blocks(3, 33, np.array(WANT))
    for begin, end in ((5, 7), (5, 7), (3, 11), (10, 20), (19, 33), (28, 30)):
        assert seen.damaged(begin, file[begin:end], read) is None
    assert asked == [(3, 8), (19, 8)]  # the others were there as a whole
    assert Blocks(3, 33, np.array(WANT)).damaged(3, CONTENT, read) is None
    assert len(asked) == 2


@pytest.mark.parametrize("system", [sys.platform, "win32"])
def test_a_file_is_read_from_any_place(tmp_path, monkeypatch, system):
    monkeypatch.setattr(blocks, "sys", SimpleNamespace(platform=system))
    (tmp_path / "file").write_bytes(CONTENT)
    with open(tmp_path / "file", "rb") as file:
        opened = OpenFile("the file", file)
    for place, length in ((7, 9), (0, 3), (20, 10), (0, 30), (5, 0), (7, 9)):
        assert opened.read(place, length) == CONTENT[place : place + length]
    with pytest.raises(DataError, match="the file must have at least 31 bytes, got 30: it was cut short after"):
        opened.read(28, 3)
    opened.expect_whole(0, b"anything")  # of a file without checks
    opened.blocks = Blocks(0, 30, np.array([*WANT[:2], 0, WANT[3]]))
    opened.expect_whole(0, CONTENT[:16])
    with pytest.raises(DataError, match="the file is damaged: its bytes 16 to 23 are not those that were written"):
        opened.expect_whole(20, CONTENT[20:22])
