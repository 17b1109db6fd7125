import hashlib
import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from rnnlm.data import Batches, Vocabulary, encoded, load_corpus, open_corpus, read_corpus
from rnnlm.data.corpora.named import load_part
from rnnlm.data.encoded import read_header, verify
from rnnlm.data.encoded_header import WORDS_BEGIN, pack
from rnnlm.data.encoding import write_ids
from rnnlm.data.tokens import Tokens
from rnnlm.errors import DataError
from tests.data.texts import WORDS, of_text, parts_of

words_of_any_script = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda w: w.encode().split() == [w.encode()] and not w.startswith("\ufeff")
)


texts = st.lists(st.lists(st.one_of(st.sampled_from(["a", "b", "<unk>"]), words_of_any_script), max_size=6), min_size=1)


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(3, 12))
def test_a_text_and_the_same_encoded_are_one_corpus(tmp_path_factory, lines, max_words):
    path, out = of_text(
        tmp_path_factory.mktemp("encoded"), "".join(" ".join(line) + "\n" for line in lines), max_words=max_words
    )
    want, got = load_corpus(str(path), max_words=max_words), load_corpus(str(out))
    assert got.vocabulary.words == want.vocabulary.words
    assert parts_of(got) == parts_of(want)
    strange = load_part(str(path), None, want.vocabulary).unknown
    part = load_part(str(out), None, want.vocabulary)
    ids, unknown = part.ids, part.unknown
    assert (np.asarray(ids).tolist(), unknown) == (read_corpus(path, want.vocabulary)[0].tolist(), strange)
    assert verify(out).tokens == len(ids)


@settings(max_examples=50, deadline=None)
@given(texts)
def test_in_words_that_are_given(tmp_path_factory, lines):
    path, out = of_text(
        tmp_path_factory.mktemp("encoded"), "".join(" ".join(line) + "\n" for line in lines), vocabulary=WORDS
    )
    ids, words = open_corpus(out)
    assert words.words == WORDS.words
    assert np.asarray(ids).tolist() == read_corpus(path, WORDS)[0].tolist()
    assert read_header(out).unknown == sum(word not in WORDS for line in lines for word in line)


def test_pieces_make_no_difference(tmp_path, monkeypatch):
    text = "a b\nc d\n\n" * 50
    _, whole = of_text(tmp_path, text)
    content = whole.read_bytes()
    monkeypatch.setattr("rnnlm.data.encoding.BLOCK", 7)
    monkeypatch.setattr("rnnlm.data.encoded.BLOCK", 7)
    _, pieces = of_text(tmp_path, text)
    assert pieces.read_bytes() == content
    seen = []
    assert verify(pieces, seen.append).tokens == 350
    assert (len(seen), sum(seen)) == (50, 700)


@pytest.mark.parametrize(("words", "dtype"), [(65_536, np.uint16), (65_537, np.uint32)])
def test_ids_take_two_bytes_as_long_as_they_can(tmp_path, words, dtype):
    vocabulary = Vocabulary(f"w{i}" for i in range(words))
    ids = np.array([0, words - 1, 1, 65_535])
    write_ids(tmp_path / "ids", vocabulary, [ids[:1], ids[1:]])
    got, read = open_corpus(tmp_path / "ids")
    assert got.dtype == dtype
    assert np.asarray(got).tolist() == ids.tolist()
    assert read.words == vocabulary.words
    xs, ts = Batches(got[:-1], got[1:], 1, 3).window(0)
    assert xs.dtype == ts.dtype == np.int32
    assert (xs.tolist(), ts.tolist()) == ([ids[:-1].tolist()], [ids[1:].tolist()])


def test_the_layout_is_the_one_described(tmp_path):
    """Read with nothing but the table in docs/corpora.md."""
    import zlib

    of_text(tmp_path, "the cat the\n<unk> dog\n", max_words=4)
    data = (tmp_path / "out").read_bytes()
    places = ((8, 12), (12, 16), (32, 40), (40, 48), (48, 56), (56, 64))
    assert data[:8] == b"\x89rnnlm\r\n"
    assert [int.from_bytes(data[a:b], "little") for a, b in places] == [2, 2, 7, 1, 4, 20]
    assert data[16:32] == b"0.2.0" + bytes(11)
    assert data[128:148].decode() == "<unk>\n<eos>\nthe\ncat\n"
    ids, checks = data[192:206], data[206:]
    assert data[148:192] == bytes(44)
    assert np.frombuffer(ids, "<u2").tolist() == [2, 3, 2, 1, 0, 0, 1]
    assert np.frombuffer(checks, "<u4").tolist() == [zlib.crc32(ids)]
    assert data[64:96] == hashlib.sha256(ids).digest()
    assert data[96:128] == hashlib.sha256(data[:96] + data[128:192] + checks).digest()


def test_the_ids_stay_in_the_file(pair):
    ids, _ = open_corpus(pair[1])
    assert isinstance(ids, Tokens)
    assert isinstance(load_corpus(str(pair[1])).train, Tokens)


def first_format(path, words, ids, tokens=None, unknown=0):
    """A file as the first version wrote it, or the beginning of one that has more ids than are given."""
    content, ids = "".join(f"{word}\n" for word in words).encode(), np.array(ids, "<u2").tobytes()
    tokens = len(ids) // 2 if tokens is None else tokens
    numbers = (1, 2, tokens, unknown, len(words), len(content))
    fields = struct.pack("<8sIIQQQQ32s", b"\x89rnnlm\r\n", *numbers, hashlib.sha256(ids).digest())
    rest = content + bytes(-(112 + len(content)) % 64)
    path.write_bytes(fields + hashlib.sha256(fields + rest).digest() + rest + ids)
    os.truncate(path, 112 + len(rest) + 2 * tokens)
    return path


def test_the_first_format_is_read_and_its_ids_are_digested_when_it_is_opened(tmp_path, capsys):
    path = first_format(tmp_path / "first", ["a", "<unk>", "<eos>"], [0, 1, 2, 0], unknown=1)
    ids, words = open_corpus(path)
    assert (np.asarray(ids).tolist(), words.words) == ([0, 1, 2, 0], ["a", "<unk>", "<eos>"])
    header = verify(path)
    assert (header.tokens, header.unknown, header.checks, header.begin) == (4, 1, None, 128)
    assert "format 1" not in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-2] + b"\1\0")
    for read in (open_corpus, verify):
        with pytest.raises(DataError, match="first is damaged or cut short: the SHA-256 of its ids must be"):
            read(path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(DataError, match="with 4 ids it must have 136 bytes, got 137"):
        open_corpus(path)


def test_64_mebibytes_of_the_first_format_are_digested_and_no_more(tmp_path, capsys):
    path = first_format(tmp_path / "large", ["a", "<eos>"], [0, 1], tokens=(1 << 25) + 1)
    assert open_corpus(path)[0][:2].read(0, 2).tolist() == [0, 1]
    assert "large is of format 1, whose ids are checked by `rnnlm data check` alone" in capsys.readouterr().err
    with pytest.raises(DataError, match="the SHA-256 of its ids must be"):
        open_corpus(first_format(tmp_path / "large", ["a", "<eos>"], [0, 1], tokens=1 << 25))


@pytest.mark.parametrize(
    ("version", "reader", "message"),
    [
        (0, b"0.2.0", "out is damaged or cut short: its format must be at least 1, got 0"),
        (
            3,
            b"1.4.0rc1",
            "of format 3, and this rnnlm .* reads formats up to 2: take rnnlm 1.4.0rc1 or a later one, or",
        ),
        (70_000, b"", "of format 70000, .* take a later rnnlm, or encode the text again"),
        (3, b"0.3; rm", "take a later rnnlm, or"),
    ],
)
def test_a_format_that_is_none_or_of_a_later_version(tmp_path, version, reader, message):
    _, out = of_text(tmp_path, "the cat the\n")
    data = out.read_bytes()
    out.write_bytes(data[:8] + version.to_bytes(4, "little") + data[12:16] + reader.ljust(16, b"\0") + data[32:])
    with pytest.raises(DataError, match=message):
        open_corpus(out)
    out.write_bytes(out.read_bytes()[:31])
    with pytest.raises(DataError, match="its header must have 128 bytes, the file has 31"):
        open_corpus(out)


def test_a_text_may_be_unknown_to_its_last_word(tmp_path):
    write_ids(tmp_path / "ids", WORDS, [np.array([-1, -1]), np.array([-1])])
    header = read_header(tmp_path / "ids")
    assert (header.tokens, header.unknown, header.dtype) == (3, 3, np.uint16)
    assert np.asarray(open_corpus(tmp_path / "ids")[0]).tolist() == [WORDS.unk_id] * 3


FIELDS = {"magic": 0, "version": 8, "width": 12, "tokens": 32, "unknown": 40, "words": 48, "length": 56, "ids": 64}


@pytest.mark.parametrize("bit", [1, 128])
@pytest.mark.parametrize("place", [*range(WORDS_BEGIN + 20), "fill"])
def test_a_changed_bit_before_the_ids_is_found(tmp_path, place, bit):
    _, out = of_text(tmp_path, "the cat the\n")
    data = bytearray(out.read_bytes())
    data[WORDS_BEGIN + 40 if place == "fill" else place] ^= bit
    out.write_bytes(data)
    with pytest.raises(DataError, match="out"):
        open_corpus(out)


@pytest.mark.parametrize(
    ("field", "byte", "message"),
    [
        ("magic", 0, r"is not an encoded corpus: it must begin with b'\\x89rnnlm\\r\\n', got"),
        (
            "version",
            3,
            "is an encoded corpus of format 3, and this rnnlm .* reads formats up to 2: take rnnlm 0.2.0 or a later",
        ),
        ("width", 4, "damaged or cut short: ids of 4 words must have 2 bytes, got 4; copy it or encode the text anew"),
        ("tokens", 9, "damaged or cut short: with 9 ids it must have 214 bytes, got 204"),
        ("unknown", 1, "damaged or cut short: the SHA-256 of its header and words is not the one it says"),
        ("words", 5, "the SHA-256 of its header and words"),
        ("words", 3, "the words of .* must have at most 3 words, and has more"),
        ("length", 200, "with 4 ids it must have 396 bytes, got 204"),
        ("ids", 0, "the SHA-256 of its header and words"),
    ],
)
def test_each_field_is_checked(tmp_path, field, byte, message):
    _, out = of_text(tmp_path, "the cat the\n")
    data = bytearray(out.read_bytes())
    data[FIELDS[field]] = byte
    out.write_bytes(data)
    with pytest.raises(DataError, match=message):
        open_corpus(out)


def test_what_is_cut_short_or_too_long_is_found(tmp_path):
    _, out = of_text(tmp_path, "the cat the\n")
    data = out.read_bytes()
    for size in (0, 5, 8, 50, WORDS_BEGIN - 1, WORDS_BEGIN, WORDS_BEGIN + 3, len(data) - 1, len(data) + 1):
        out.write_bytes((data + b"\0")[:size])
        with pytest.raises(
            DataError, match="damaged or cut short|at most" if size >= 8 else "is not an encoded corpus"
        ):
            open_corpus(out)


@pytest.mark.parametrize(
    ("words", "tokens", "unknown", "message"),
    [
        (["a", "b"], 0, 0, "it says 0 ids, 0 unknown"),
        (["a", "b"], 2, 3, "it says 2 ids, 3 unknown"),
        (["a", "b\nc"], 2, 0, "must have at most 2 words, and has more"),
        (["a", "a"], 2, 0, "words of a vocabulary must differ"),
        (["a", ""], 2, 0, "must be a non-empty str"),
    ],
)
def test_a_header_that_is_whole_but_wrong_is_refused(tmp_path, words, tokens, unknown, message):
    class Odd(list):
        def to_bytes(self):
            return "".join(f"{word}\n" for word in self).encode()

    checks = bytes(4 * bool(tokens))
    (tmp_path / "odd").write_bytes(pack(Odd(words), tokens, unknown, bytes(32), checks) + bytes(2 * tokens) + checks)
    with pytest.raises(DataError, match=message):
        open_corpus(tmp_path / "odd")


def test_a_file_that_is_replaced_while_it_is_opened_is_one_or_the_other(tmp_path, monkeypatch):
    """The words and the ids are those of one file."""
    old, new = Vocabulary(["a", "<unk>", "<eos>"]), Vocabulary(["b", "<unk>", "<eos>"])
    write_ids(tmp_path / "ids", old, [np.zeros(9, int)])
    right = encoded.header_of

    def replaced_meanwhile(path, file):
        header = right(path, file)
        write_ids(path, new, [np.full(9, 2)])
        return header

    monkeypatch.setattr(encoded, "header_of", replaced_meanwhile)
    ids, words = open_corpus(tmp_path / "ids")
    assert words.words == old.words
    assert not np.asarray(ids).any()


def test_damaged_ids_are_found_where_they_are_read(tmp_path):
    """In a block that was read before they are not, nor in one that is not read."""
    write_ids(tmp_path / "ids", Vocabulary(list("abcd")), [np.arange(100_000) % 4])
    ids, _ = open_corpus(tmp_path / "ids")
    np.asarray(ids[:10])
    data = bytearray((tmp_path / "ids").read_bytes())
    data[ids.offset + 2 * 40_000] ^= 1
    (tmp_path / "ids").write_bytes(data)
    np.asarray(ids[:32_768])
    for use in (lambda: ids[32_768], lambda: np.asarray(ids), lambda: ids[:-1].window(30_000, 5_000, (3, 2))):
        with pytest.raises(
            DataError, match=r"ids is damaged: its bytes 65,728 to 131,263 are not those that were written"
        ):
            use()
    assert ids[-1] == 99_999 % 4


def test_damaged_ids_are_found_by_a_check(tmp_path):
    _, out = of_text(tmp_path, "the cat the\n")
    data = out.read_bytes()
    out.write_bytes(data[:-6] + b"\3\0" + data[-4:])  # another word
    open_corpus(out)
    with pytest.raises(DataError, match="the SHA-256 of its ids must be"):
        verify(out)
    for wrong in (4, 255):  # none
        out.write_bytes(data[:-6] + bytes([wrong, 0]) + data[-4:])
        with pytest.raises(DataError, match=rf"ids must be in \[0, 4\), got {wrong}"):
            verify(out)
    out.write_bytes(data[:-4] + b"abcd")
    with pytest.raises(DataError, match="the SHA-256 of its header and words"):
        verify(out)


@pytest.mark.parametrize(("name", "message"), [("none", "does not exist"), ("", "is not a file")])
def test_a_file_that_is_none(tmp_path, name, message):
    for read in (open_corpus, verify):
        with pytest.raises(DataError, match=message):
            read(tmp_path / name)
