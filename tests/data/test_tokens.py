import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rnnlm.book.util import eval_perplexity
from rnnlm.data import Batches, Vocabulary, load_corpus, open_corpus
from rnnlm.data.blocks import Checks
from rnnlm.data.corpora.named import load_part
from rnnlm.data.encoded_header import pack
from rnnlm.data.encoding import write_ids
from rnnlm.data.sources import tokens_of
from rnnlm.data.translated import Translated
from rnnlm.errors import DataError
from rnnlm.inference.evaluation import evaluate, token_nats
from rnnlm.models import SimpleRnnlm
from rnnlm.optim import SGD
from rnnlm.training.rnnlm_trainer import RnnlmTrainer
from tests.data.texts import WORDS, of_text, parts_of
from tests.gradcheck import host


def test_damaged_ids_are_never_trained_on_or_scored(tmp_path, rng):
    """Nobody checks all ids of a file; the window that has a wrong one says so."""
    checks, wrong = Checks(), rng.integers(0, 10, 400).astype("<u2")
    wrong[-40] = 10
    checks.add(wrong.tobytes())
    told = checks.array().tobytes()  # which are right: someone has meant to write this
    header = pack(Vocabulary([*map(str, range(9)), "<eos>"]), 400, 0, bytes(32), told)
    (tmp_path / "out").write_bytes(header + wrong.tobytes() + told)
    ids, words = open_corpus(tmp_path / "out")
    model = SimpleRnnlm(len(words), 4, 6)
    message = r"out must hold ids in \[-?[01], 10\), got 10: it is damaged, or of another vocabulary; look by: rnnlm data check .*out$"
    for use in (
        lambda: RnnlmTrainer(model, SGD(0.1)).fit(ids[:-1], ids[1:], 1, 2, 20),
        lambda: evaluate(model, ids),
        lambda: token_nats(model, ids, 3),
        lambda: eval_perplexity(model, ids, 2, 20),
        lambda: load_part(str(tmp_path / "out"), None, Vocabulary([*map(str, range(9)), "<eos>", "more"])),
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
            load_part(str(pair[1]), None, words)
        return
    parts = [load_part(str(path), None, words) for path in pair]
    (want, unknown), (got, same) = ((part.ids, part.unknown) for part in parts)
    assert isinstance(got, Translated)
    assert np.asarray(got).tolist() == want.tolist()
    assert unknown == same
    model = SimpleRnnlm(len(words), 5, 6, seed=1)
    assert evaluate(model, got) == evaluate(model, want)


def test_unknown_words_that_a_model_may_know_are_not_guessed(tmp_path):
    """Encoded in six words: two of the text's are <unk>."""
    text, encoded = of_text(tmp_path, "a a a b b b c c c d\ne e f\n" * 9, max_words=6)
    with pytest.raises(
        DataError, match="has other words than the model, and 18 of its tokens are <unk> that the model"
    ):
        load_part(str(encoded), None, Vocabulary(["<unk>", "<eos>", "f"]))
    fewer = Vocabulary(["b", "<unk>", "a"])  # all of them among the file's: what the file does not know, nor does it
    parts = [load_part(str(path), None, fewer) for path in (text, encoded)]
    (want, unknown), (got, same) = ((part.ids, part.unknown) for part in parts)
    assert (np.asarray(got).tolist(), same) == (want.tolist(), unknown)


def test_a_corpus_without_ends_of_lines_is_cut_anywhere(tmp_path):
    write_ids(tmp_path / "out", Vocabulary(["a", "b"]), [np.arange(100) % 2])
    assert [len(part) for part in parts_of(load_corpus(str(tmp_path / "out")))] == [90, 5, 5]
    write_ids(tmp_path / "out", WORDS, [np.full(100, 2)])  # none where one is looked for
    assert [len(part) for part in parts_of(load_corpus(str(tmp_path / "out")))] == [90, 5, 5]


def memory(kind):
    """Of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


@pytest.fixture
def huge(tmp_path):
    """100 million ids, most of them in a hole of the file."""
    words = Vocabulary(["a", "<eos>"])
    path, tokens = tmp_path / "huge", 100_000_000
    with open(path, "wb") as file:
        file.truncate(2 * tokens)
        for position in (90_000_010, 95_000_020):
            file.seek(2 * position)
            file.write(b"\1\0")
    checks = Checks()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            checks.add(piece)
    header = pack(words, tokens, 0, bytes(32), checks.array().tobytes())
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(len(header) + 2 * tokens)
        for position in (90_000_010, 95_000_020):
            file.seek(len(header) + 2 * position)
            file.write(b"\1\0")
        file.seek(0, 2)
        file.write(checks.array().tobytes())
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


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize("mapped", [False, True])
def test_what_was_read_is_let_go(huge, mapped):
    """Windows all over the file: with what the system maps around each, they would be most of its 190 MiB."""
    ids, _ = open_corpus(huge)
    if mapped:
        ids = tokens_of("ids", np.memmap(huge, ids.dtype, "r", ids.offset, ids.shape))
    before = memory("RssFile")
    batches, model = Batches(ids[:-1], ids[1:], 500, 35), SimpleRnnlm(2, 5, 6)
    for number in range(0, len(batches), len(batches) // 64):
        batches.window(number // 16 * 16)
    assert len(list(ids.pieces())) == 96
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


@pytest.mark.long
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
