"""A text that comes in pieces is the same lines, with the same size and the same errors."""

import io
from dataclasses import replace
from itertools import combinations, product

import pytest

from rnnlm.data import lines, read_corpus, vocabulary
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.lines import raw_lines
from rnnlm.data.reading import Reading, TextSize
from rnnlm.data.units import Characters, Words
from rnnlm.data.vocabulary import Vocabulary, read_words
from rnnlm.errors import DataError

TEXT = "\nab c\r\n\n" + "the cat é 🙂 " * 5 + "\r\r\r\n" + "it\tsat\vthere\fand\rwent on " * 3 + "\r\nlast"


@pytest.fixture
def few_at_once(monkeypatch):
    """Eight bytes of a text are read at once, where it is some thousand."""
    monkeypatch.setattr(lines, "READ", 8)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("units", [Words(), Characters(), None])
def test_pieces_put_together_are_the_lines(tmp_path, few_at_once, units, end, mark):
    (tmp_path / "text").write_bytes(mark + TEXT.encode() + end)
    want = list(enumerate(TEXT.encode().split(b"\n"), 1))
    got, told, parts = [], [], 0
    for number, piece, ends in raw_lines(tmp_path / "text", told.append, units and units.end_of_piece):
        piece.decode()
        if len(got) < number:
            got.append((number, b""))
        got[-1] = (number, got[-1][1] + piece)
        parts += not ends
        if not ends and isinstance(units, Words):
            assert piece.endswith((b" ", b"\t", b"\v", b"\f", b"\r"))
        elif not ends:
            assert not piece.endswith(b"\r")  # which may be part of an end of line
    assert got == want
    assert (parts > 9) == (units is not None)
    assert sum(told) == len(TEXT.encode() + end)


@pytest.mark.parametrize("units", [Words(), Characters(), None])
def test_a_byte_that_is_no_text_is_placed_wherever_it_is(tmp_path, few_at_once, units):
    content = b"ab c\n\nde f " + b"gh i " * 4 + b"\nj\n"
    for mark in (b"", b"\xef\xbb\xbf"):
        for place in range(0, len(content), 2):
            spoiled = mark + content[:place] + b"\xff" + content[place:]
            (tmp_path / "text").write_bytes(spoiled)
            number, byte = content[:place].count(b"\n") + 1, len(mark) + place
            with pytest.raises(DataError, match=rf"line {number}, byte {byte} of the file \(0xff\): invalid start"):
                list(raw_lines(tmp_path / "text", None, units and units.end_of_piece))


def test_a_line_or_a_word_that_is_too_long_is_told_by_its_line(tmp_path, few_at_once, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    monkeypatch.setattr(lines, "LONGEST_WORD", 64)
    for begin, end in product(("", "\n", "a\n\nb\n", "\n" * 30), ("", "\n", "\nb\n")):
        (tmp_path / "text").write_text(begin + "a" * 1000 + end)
        number = begin.count("\n") + 1
        for end_of_piece, what in ((None, "line must have at most 100"), (Words().end_of_piece, "word must .* 64")):
            with pytest.raises(DataError, match=f"text, line {number}: a {what} bytes?.*Break it into lines or words"):
                list(raw_lines(tmp_path / "text", None, end_of_piece))
    (tmp_path / "text").write_text("a" * 64 + " b")
    assert b"".join(piece for _, piece, _ in raw_lines(tmp_path / "text", None, Words().end_of_piece))[64:] == b" b"
    monkeypatch.setattr(lines, "LONGEST_WORD", 63)
    with pytest.raises(DataError, match="a word must have at most 63 bytes"):
        list(raw_lines(tmp_path / "text", None, Words().end_of_piece))


def test_a_device_that_has_nothing_is_an_empty_text():
    with pytest.raises(DataError, match="/dev/null is empty"):
        read_corpus("/dev/null")


def test_where_a_line_may_be_cut():
    for blank in (b" ", b"\t", b"\r", b"\v", b"\f"):
        assert Words().end_of_piece(b"ab" + blank + b"cd") == 3
    assert Words().end_of_piece(b"a b\tcd e") == 7
    assert Words().end_of_piece("a\u00a0b".encode()) == Words().end_of_piece(b"") == 0
    for last in ("b", "é", "경", "🙂"):
        assert Characters().end_of_piece(f"xyz{last}".encode()) == 3
        assert Characters().end_of_piece(f"xyz\r\r{last}".encode()) == 3
        assert Characters().end_of_piece(last.encode()) == 0
    assert Characters().end_of_piece(b"ab\r") == 2
    assert Characters().end_of_piece(b"a" + b"\x80" * 9) == 0  # no text: the error is another's


@pytest.mark.parametrize(
    ("options", "may"),
    [
        ({}, True), ({"lower": True}, True), ({"units": "char"}, True), ({"units": "char", "lower": True}, False),
        ({"column": "a"}, False), ({"units": "char", "column": "a"}, False),
    ],
)  # fmt: skip
def test_which_lines_may_come_in_pieces(options, may):
    reading = Reading.of(TextOptions(**options))
    assert reading.end_of_piece == (reading.units.end_of_piece if may else None)
    assert Reading(TextOptions(units="bpe")).end_of_piece is None


@pytest.mark.parametrize("units", ["word", "char"])
@pytest.mark.parametrize("line", ["ab  c é d", " x", "y ", "", "경마 장"])
def test_a_line_has_the_size_of_its_pieces(units, line):
    """Cut at any two places, be it within a word."""
    reading, want = Reading.of(TextOptions(units=units)), TextSize()
    for text in (line, "the next"):
        want.add(text, reading)
    data = f"{line}\nthe next\n".encode()
    assert (want.lines, want.words, want.characters, want.bytes) == (
        2, len(data.split()) + 2, len(data.decode()), len(data),
    )  # fmt: skip
    for one, two in combinations(range(1, len(line)), 2):
        size = TextSize()
        size.add(line[:one], reading, ends=False)
        size.add(line[one:two], reading, begins=False, ends=False)
        size.add(line[two:], reading, begins=False)
        size.add("the next", reading)
        assert replace(size, first=want.first) == want, (one, two)


def test_words_are_read_some_at_a_time(monkeypatch):
    """And no further than they can be right."""
    monkeypatch.setattr(vocabulary, "LONGEST_WORD", 4)  # so that 8 bytes are read at once

    def read(content, most, length=None):
        file = io.BytesIO(content)
        try:
            return bytes(read_words(file, len(content) if length is None else length, most, "words")), file.tell()
        except DataError as error:
            return str(error), file.tell()

    assert read(b"abcd\nefgh\nij\n", 3) == (b"abcd\nefgh\nij\n", 13)
    assert read(b"abcd\nefgh\nij\n", 3, 10) == (b"abcd\nefgh\n", 10)
    assert read(b"ab", 1) == (b"ab", 2)  # without an end
    assert read(b"a\n" * 100, 7) == ("words must have at most 7 words, and has more", 16)
    assert read(b"abcdefgh" * 9, 9) == ("words: a word must have at most 4 bytes, and word 0 has more", 8)
    assert read(b"a\nb\ncdefgh" + b"i" * 90, 9) == ("words: a word must have at most 4 bytes, and word 2 has more", 16)


def test_a_vocabulary_of_more_than_is_read_at_once(tmp_path):
    words = [letter * (1 << 20) for letter in "abc"]  # as long as they may be
    Vocabulary(words).save(tmp_path / "vocab.txt")
    assert Vocabulary.load(tmp_path / "vocab.txt").words == words
    (tmp_path / "vocab.txt").write_text("one")
    assert Vocabulary.load(tmp_path / "vocab.txt").words == ["one"]
