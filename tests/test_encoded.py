import errno
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlm.data import Batches, Vocabulary, encode_corpus, load_corpus, open_corpus, read_corpus
from rnnlm.data.corpora.named import load_part
from rnnlm.data.encoded import WORDS_BEGIN, pack, read_header, verify
from rnnlm.data.encoding import write_ids
from rnnlm.data.tokens import Translated, pieces
from rnnlm.errors import DataError, InputError
from rnnlm.inference.evaluation import eval_perplexity, evaluate, token_nats
from rnnlm.models import SimpleRnnlm
from rnnlm.optim import SGD
from rnnlm.training.trainer import RnnlmTrainer
from tests.gradcheck import host

WORDS = Vocabulary(["<unk>", "<eos>", "a", "b", "c"])


def of_text(folder, text, **options):
    """Paths of a text and of what it was encoded to."""
    path, out = folder / "text", folder / "out"
    path.write_text(text, encoding="utf-8")
    encode_corpus(path, out, overwrite=True, **options)
    return path, out


def parts_of(corpus):
    return [part.tolist() for part in (corpus.train, corpus.valid, corpus.test)]


@pytest.fixture
def pair(tmp_path, rng):
    """A text of 400 lines and the same encoded."""
    lines = [" ".join(rng.choice(list("abcdefgh"), rng.integers(0, 9))) for _ in range(400)]
    return of_text(tmp_path, "\n".join(lines))


# ---------------------------------------------------------------- round trip

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
    strange = load_part(str(path), "test", want.vocabulary)[1]
    ids, unknown = load_part(str(out), "test", want.vocabulary)
    assert (ids.tolist(), unknown) == (read_corpus(path, want.vocabulary)[0].tolist(), strange)
    assert verify(out).tokens == len(ids)


@settings(max_examples=50, deadline=None)
@given(texts)
def test_in_words_that_are_given(tmp_path_factory, lines):
    path, out = of_text(
        tmp_path_factory.mktemp("encoded"), "".join(" ".join(line) + "\n" for line in lines), vocabulary=WORDS
    )
    ids, words = open_corpus(out)
    assert words.words == WORDS.words
    assert ids.tolist() == read_corpus(path, WORDS)[0].tolist()
    assert read_header(out).unknown == sum(word not in WORDS for line in lines for word in line)


def test_pieces_make_no_difference(tmp_path, monkeypatch):
    text = "a b\nc d\n\n" * 50
    _, whole = of_text(tmp_path, text)
    content = whole.read_bytes()
    monkeypatch.setattr("rnnlm.data.encoding.CHUNK", 7)
    monkeypatch.setattr("rnnlm.data.encoded.CHUNK", 7)
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
    assert got.tolist() == ids.tolist()
    assert read.words == vocabulary.words
    xs, ts = Batches(got[:-1], got[1:], 1, 3).window(0)
    assert xs.dtype == ts.dtype == np.int32
    assert (xs.tolist(), ts.tolist()) == ([ids[:-1].tolist()], [ids[1:].tolist()])


def test_the_layout_is_the_one_described(tmp_path):
    """Read with nothing but the table in docs/corpora.md."""
    import hashlib

    of_text(tmp_path, "the cat the\n<unk> dog\n", max_words=4)
    data = (tmp_path / "out").read_bytes()
    numbers = [
        int.from_bytes(data[a:b], "little") for a, b in ((8, 12), (12, 16), (16, 24), (24, 32), (32, 40), (40, 48))
    ]
    assert data[:8] == b"\x89rnnlm\r\n"
    assert numbers == [1, 2, 7, 1, 4, 20]
    assert data[112:132].decode() == "<unk>\n<eos>\nthe\ncat\n"
    ids = data[192:]
    assert data[132:192] == bytes(60)
    assert np.frombuffer(ids, "<u2").tolist() == [2, 3, 2, 1, 0, 0, 1]
    assert data[48:80] == hashlib.sha256(ids).digest()
    assert data[80:112] == hashlib.sha256(data[:80] + data[112:192]).digest()


def test_the_ids_are_read_only_and_stay_in_the_file(pair):
    ids, _ = open_corpus(pair[1])
    assert isinstance(ids, np.memmap)
    assert isinstance(load_corpus(str(pair[1])).train, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        ids[0] = 1


# ---------------------------------------------------------------- damage

FIELDS = {"magic": 0, "version": 8, "width": 12, "tokens": 16, "unknown": 24, "words": 32, "length": 40, "ids": 48}


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
        ("version", 2, "must be an encoded corpus of version 1, got version 2: encode the text again, or take"),
        ("width", 4, "damaged or cut short: ids of 4 words must have 2 bytes, got 4; copy it or encode the text anew"),
        ("tokens", 9, "damaged or cut short: with 9 ids it must have 210 bytes, got 200"),
        ("unknown", 1, "damaged or cut short: the SHA-256 of its header and words is not the one it says"),
        ("words", 5, "the SHA-256 of its header and words"),
        ("length", 200, "with 4 ids it must have 328 bytes, got 200"),
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
        with pytest.raises(DataError, match="damaged or cut short" if size >= 8 else "is not an encoded corpus"):
            open_corpus(out)


@pytest.mark.parametrize(
    ("words", "tokens", "unknown", "message"),
    [
        (["a", "b"], 0, 0, "it says 0 ids, 0 unknown"),
        (["a", "b"], 2, 3, "it says 2 ids, 3 unknown"),
        (["a", "b\nc"], 2, 0, "of 2 words; 3 are there"),
        (["a", "a"], 2, 0, "words of a vocabulary must differ"),
        (["a", ""], 2, 0, "must be a non-empty str"),
    ],
)
def test_a_header_that_is_whole_but_wrong_is_refused(tmp_path, words, tokens, unknown, message):
    class Odd(list):
        def to_bytes(self):
            return "".join(f"{word}\n" for word in self).encode()

    (tmp_path / "odd").write_bytes(pack(Odd(words), tokens, unknown, bytes(32)) + bytes(2 * tokens))
    with pytest.raises(DataError, match=message):
        open_corpus(tmp_path / "odd")


def test_damaged_ids_are_found_by_a_check(tmp_path):
    _, out = of_text(tmp_path, "the cat the\n")
    data = out.read_bytes()
    out.write_bytes(data[:-2] + b"\3\0")  # another word
    open_corpus(out)
    with pytest.raises(DataError, match="the SHA-256 of its ids must be"):
        verify(out)
    out.write_bytes(data[:-2] + b"\xff\0")  # none
    with pytest.raises(DataError, match=r"ids must be in \[0, 4\), got 255"):
        verify(out)


@pytest.mark.parametrize(("name", "message"), [("none", "does not exist"), ("", "is not a file")])
def test_a_file_that_is_none(tmp_path, name, message):
    for read in (open_corpus, verify):
        with pytest.raises(DataError, match=message):
            read(tmp_path / name)


def test_damaged_ids_are_never_trained_on_or_scored(tmp_path, rng):
    """Nobody checks all ids of a file; the window that has a wrong one says so."""
    write_ids(tmp_path / "out", Vocabulary([*map(str, range(9)), "<eos>"]), [rng.integers(0, 10, 400)])
    data = bytearray((tmp_path / "out").read_bytes())
    data[-80:-78] = b"\x0a\0"  # 10
    (tmp_path / "out").write_bytes(data)
    ids, words = open_corpus(tmp_path / "out")
    model = SimpleRnnlm(len(words), 4, 6)
    message = r"out must hold ids in \[-?[01], 10\), got 10: it is damaged, or of another vocabulary; look by: rnnlm data check .*out$"
    for use in (
        lambda: RnnlmTrainer(model, SGD(0.1)).fit(ids[:-1], ids[1:], 1, 2, 20),
        lambda: evaluate(model, ids),
        lambda: token_nats(model, ids, 3),
        lambda: eval_perplexity(model, ids, 2, 20),
        lambda: load_part(str(tmp_path / "out"), "test", Vocabulary([*map(str, range(9)), "<eos>", "more"])),
    ):
        with pytest.raises(DataError, match=message):
            use()
    assert evaluate(model, ids[:360]).tokens == 359


@pytest.mark.parametrize("wrong", [2**31, 2**32 - 1])
def test_ids_too_large_for_int32_do_not_wrap_round(tmp_path, wrong):
    """-1 would be a target that does not count."""
    ids = np.memmap(tmp_path / "raw", np.uint32, "w+", shape=(50,))
    ids[30] = wrong
    batches = Batches(ids[:-1], ids[1:], 1, 20)
    batches.window(0)
    with pytest.raises(DataError, match=rf"raw must hold ids in \[-1, 2147483648\), got {wrong}"):
        batches.window(1)
    with pytest.raises(DataError, match=rf"raw must hold ids in \[0, 5\), got {wrong}"):
        evaluate(SimpleRnnlm(5, 4, 6), ids)


# ---------------------------------------------------------------- writing


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
        (pack(WORDS, 1, 0, bytes(32)), {}, "text is an encoded corpus, and here a text is needed"),
    ],
)
def test_a_text_that_is_none_leaves_nothing(tmp_path, content, options, message):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(DataError, match=message):
        encode_corpus(tmp_path / "text", tmp_path / "out", **options)
    assert os.listdir(tmp_path) == ["text"]


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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_the_system(tmp_path, monkeypatch):
    """The temporary file is one on a disk without room."""
    (tmp_path / "text").write_text("a b\n")
    (tmp_path / "beside").symlink_to("/dev/full")
    monkeypatch.setattr(
        "rnnlm.files.tempfile.mkstemp",
        lambda **_: (os.open(tmp_path / "beside", os.O_WRONLY), str(tmp_path / "beside")),
    )
    with pytest.raises(OSError, match="No space left on device"):
        encode_corpus(tmp_path / "text", tmp_path / "out")
    assert os.listdir(tmp_path) == ["text"]


# ---------------------------------------------------------------- training and evaluation


def test_training_is_bit_for_bit_that_on_the_text(pair):
    weights = []
    for path in pair:
        corpus = load_corpus(str(path))
        model = SimpleRnnlm(len(corpus.vocabulary), 5, 6, seed=1)
        for random_bptt in (False, True):
            trainer = RnnlmTrainer(model, SGD(0.5))
            trainer.fit(corpus.train[:-1], corpus.train[1:], 2, 4, 10, 0.25, random_bptt=random_bptt)
        weights.append((host(model.flat_params), trainer.ppl_list))
    np.testing.assert_array_equal(weights[0][0], weights[1][0])
    assert weights[0][1] == weights[1][1]


@pytest.mark.parametrize("lanes", [1, 3])
def test_evaluation_is_that_of_the_text(pair, lanes):
    corpora = [load_corpus(str(path)) for path in pair]
    model = SimpleRnnlm(len(corpora[0].vocabulary), 5, 6, seed=1)
    for use in (partial(evaluate, lanes=lanes), partial(eval_perplexity, batch_size=3, time_size=5)):
        assert use(model, corpora[0].train) == use(model, corpora[1].train)
    nats = [token_nats(model, corpus.train, lanes) for corpus in corpora]
    np.testing.assert_array_equal(nats[0], nats[1])


OTHER = [
    (["<unk>", "<eos>", "h", "a", "c"], None),  # fewer words, in another order: what is missing is <unk>
    (["<eos>", "<unk>", *"hgfedcba", "more"], None),  # all of them, and one more
    (["<eos>", *"abcdefgh", "more"], None),  # no <unk>, and no need of it
    (["<eos>", *"abcdefg"], "'h' is not among the 8 words of the model, which has no <unk>"),
]


@pytest.mark.parametrize(("words", "message"), OTHER)
def test_a_model_with_other_words_reads_it_in_its_own(pair, words, message):
    words = Vocabulary(words)
    if message:
        with pytest.raises(DataError, match=message):
            load_part(str(pair[1]), "test", words)
        return
    (want, unknown), (got, same) = (load_part(str(path), "test", words) for path in pair)
    assert isinstance(got, Translated)
    assert got[:].tolist() == want.tolist()
    assert unknown == same
    model = SimpleRnnlm(len(words), 5, 6, seed=1)
    assert evaluate(model, got) == evaluate(model, want)


def test_unknown_words_that_a_model_may_know_are_not_guessed(tmp_path):
    """Encoded in six words: two of the text's are <unk>."""
    text, encoded = of_text(tmp_path, "a a a b b b c c c d\ne e f\n" * 9, max_words=6)
    with pytest.raises(
        DataError, match="has other words than the model, and 18 of its tokens are <unk> that the model"
    ):
        load_part(str(encoded), "test", Vocabulary(["<unk>", "<eos>", "f"]))
    fewer = Vocabulary(["b", "<unk>", "a"])  # all of them among the file's: what the file does not know, nor does it
    (want, unknown), (got, same) = (load_part(str(path), "test", fewer) for path in (text, encoded))
    assert (got[:].tolist(), same) == (want.tolist(), unknown)


def test_a_corpus_without_ends_of_lines_is_cut_anywhere(tmp_path):
    write_ids(tmp_path / "out", Vocabulary(["a", "b"]), [np.arange(100) % 2])
    assert [len(part) for part in parts_of(load_corpus(str(tmp_path / "out")))] == [90, 5, 5]
    write_ids(tmp_path / "out", WORDS, [np.full(100, 2)])  # none where one is looked for
    assert [len(part) for part in parts_of(load_corpus(str(tmp_path / "out")))] == [100, 0, 0]


# ---------------------------------------------------------------- memory


def memory(kind):
    """Of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


@pytest.fixture
def huge(tmp_path):
    """100 million ids, most of them in a hole of the file."""
    words = Vocabulary(["a", "<eos>"])
    path, tokens = tmp_path / "huge", 100_000_000
    header = pack(words, tokens, 0, bytes(32))
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(len(header) + 2 * tokens)
        for position in (90_000_010, 95_000_020):
            file.seek(len(header) + 2 * position)
            file.write(b"\1\0")
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_huge_corpus_is_never_loaded(huge):
    model, before = SimpleRnnlm(2, 5, 6), {kind: memory(kind) for kind in ("RssAnon", "RssFile")}
    tracemalloc.start()
    corpus = load_corpus(str(huge))
    assert [len(part) for part in (corpus.train, corpus.valid)] == [90_000_011, 5_000_010]
    steps = iter(range(5))
    RnnlmTrainer(model, SGD(0.1)).fit(
        corpus.train[:-1], corpus.train[1:], 1, 20, 35, eval_interval=1, on_report=lambda *_: next(steps) == 4
    )
    assert evaluate(model, corpus.train[40_000_000:40_001_000], 3).tokens == 999
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert next(steps, None) is None
    assert peak < 10 << 20  # the ids alone would be 200 MiB
    assert memory("RssAnon") - before["RssAnon"] < 20
    assert memory("RssFile") - before["RssFile"] < 20  # pages of the file that were touched


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_pages_that_were_read_are_let_go(huge):
    """Windows all over the file: with what the system maps around each, they would be most of its 190 MiB."""
    ids, _ = open_corpus(huge)
    before = memory("RssFile")
    batches, model = Batches(ids[:-1], ids[1:], 500, 35), SimpleRnnlm(2, 5, 6)
    for number in range(0, len(batches), len(batches) // 64):
        batches.window(number // 16 * 16)
    assert len(list(pieces(ids))) == 96
    evaluate(model, ids[:200_000], 200, 100)
    assert memory("RssFile") - before < 60


def test_changes_to_a_map_are_not_let_go(tmp_path):
    """Of a map whose changes are nowhere else."""
    np.zeros(5000, np.int32).tofile(tmp_path / "raw")
    ids = np.memmap(tmp_path / "raw", np.int32, "c")
    ids[7] = 3
    batches = Batches(ids[:-1], ids[1:], 1, 10)
    for _ in range(2):
        assert batches.window(0)[0][0, 7] == 3


def test_evaluation_does_not_grow_with_the_corpus(tmp_path, rng):
    write_ids(tmp_path / "out", WORDS, [rng.integers(0, 5, 200_000)])
    ids, _ = open_corpus(tmp_path / "out")
    model, peaks = SimpleRnnlm(5, 5, 6), []
    evaluate(model, ids[:10_000], 100, 50)  # buffers are made
    for size in (20_000, 200_000):
        tracemalloc.start()
        evaluate(model, ids[:size], 100, 50)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 1e6  # 200,000 float64 are 1.6 MB, three arrays of them would be more


def test_encoding_does_not_grow_with_the_text(tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlm.data.encoding.CHUNK", 1000)
    peaks = []
    for lines in (2_000, 20_000):
        (tmp_path / "text").write_text("a b c\n" * lines)
        tracemalloc.start()
        encode_corpus(tmp_path / "text", tmp_path / "out", overwrite=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
