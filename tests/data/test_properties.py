"""Texts, words and ids against plain lists: whatever a text has in it, wherever its ids lie, however they are read."""

import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rnnlm import Batches, Sentences, TextOptions, Tokenizer, Vocabulary, encode_corpus, open_corpus, read_corpus
from rnnlm.data.batches import RandomBatches
from rnnlm.data.encoding import write_ids
from rnnlm.data.padding import next_word_samples, pad_sequences
from rnnlm.data.reading import Reading
from rnnlm.data.sentence_batches import SentenceBatches
from rnnlm.data.sources import tokens_of
from rnnlm.data.text import frequent_words
from rnnlm.data.translated import in_words_of
from rnnlm.errors import DataError
from tests.gradcheck import host

BLANKS = "\t\n\v\f\r "  # what separates words
letters = st.one_of(
    st.sampled_from("abc \n\r\t\v\f\0\x1b\x1c\x85\xa0\u2028\u2029\u3000\ufeff▁ĠéßÀ<>"),
    st.characters(exclude_categories=["Cs"]),
)
texts = st.text(letters, max_size=40)


def words_of(line):
    """The words of a line, by splitting at blanks one after another."""
    return [word for word in re.split(f"[{BLANKS}]", line) if word]


def lines_of(text):
    """The lines of a file with this text, `<eos>` after each."""
    text = text.removeprefix("\ufeff")
    lines = text.split("\n")
    return [[*words_of(line), "<eos>"] for line in (lines if lines[-1] else lines[:-1])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("texts")


# ---------------------------------------------------------------- texts


@given(texts)
def test_a_text_is_its_words_and_the_ends_of_its_lines(folder, text):
    path = folder / "text"
    path.write_bytes(text.encode())
    lines = lines_of(text)
    if not lines:
        with pytest.raises(DataError, match="is empty"):
            read_corpus(path)
        return
    ids, words = read_corpus(path)
    assert words.decode(ids.tolist()) == [word for line in lines for word in line]
    assert words.words == list(dict.fromkeys(word for line in lines for word in line))
    again, same = read_corpus(path, words)
    assert (again.tolist(), same) == (ids.tolist(), words)
    most = 1 + len(ids) // 2
    assert read_corpus(path, words, most)[0].tolist() == ids.tolist()[:most]


@given(texts, st.integers(3, 8))
def test_an_encoded_text_is_the_text_read_at_once(folder, text, max_words):
    path, out = folder / "text", folder / "text.ids"
    path.write_bytes(text.encode())
    lines = lines_of(text)
    if not lines:
        with pytest.raises(DataError, match="is empty"):
            encode_corpus(path, out, overwrite=True)
        return
    header = encode_corpus(path, out, max_words=max_words, overwrite=True)
    ids, words = open_corpus(out)
    counts = Counter(word for line in lines for word in line if word not in ("<eos>", "<unk>"))
    assert words.words == ["<unk>", "<eos>", *(word for word, _ in counts.most_common(max_words - 2))]
    assert words.words == frequent_words(path, max_words).words
    assert np.asarray(ids).tolist() == read_corpus(path, words)[0].tolist()
    assert header.unknown == sum(word not in words for line in lines for word in line)


@given(texts)
def test_characters_give_the_line_back(text):
    lines = text.split("\n")
    reading = Reading.of(TextOptions(units="char"))
    cut = [reading.units.cut(line) for line in lines]
    words = Vocabulary(["<eos>", *dict.fromkeys(unit for line in cut for unit in line)], reading)
    for line in lines:
        ids = words.encode(line)
        assert len(ids) == len(line)
        assert words.text(ids.tolist()) == line
    whole = [i for line in lines for i in (*words.encode(line).tolist(), words.eos_id)]
    assert words.text(whole).split("\n")[: len(lines)] == lines


@given(texts, st.booleans(), st.booleans(), st.booleans())
def test_cleaning_twice_is_cleaning_once(text, lower, strip, ascii_only):
    options = TextOptions(lower=lower, strip_punctuation=strip, ascii_only=ascii_only)
    line = text.replace("\n", " ")
    cleaned = options.clean(line)
    assert options.clean(cleaned) == cleaned
    if ascii_only:
        assert cleaned.isascii()


# ---------------------------------------------------------------- vocabularies

word = st.text(letters.filter(lambda c: c not in BLANKS), min_size=1, max_size=4)


class Words(RuleBasedStateMachine):
    """A vocabulary beside a plain list of its words."""

    def __init__(self):
        super().__init__()
        self.list, self.words = ["<eos>"], Vocabulary(["<eos>"])
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self):
        self.folder.cleanup()

    @rule(more=st.lists(st.one_of(word, st.just("<unk>")), unique=True, max_size=5))
    def made_longer(self, more):
        self.list += [one for one in more if one not in self.list]
        self.words = Vocabulary(self.list, self.words.reading)

    @rule()
    def written_and_read(self):
        path = Path(self.folder.name) / "vocab.txt"
        self.words.save(path)
        assert path.read_bytes().decode().split("\n") == [*self.list, ""]
        self.words = Vocabulary.load(path)

    @rule()
    def encoded_and_opened(self):
        path = Path(self.folder.name) / "ids"
        ids = np.arange(len(self.list))[::-1]
        write_ids(path, self.words, [ids])
        tokens, self.words = open_corpus(path)
        assert np.asarray(tokens).tolist() == ids.tolist()

    @rule(options=st.builds(TextOptions, lower=st.booleans(), sentences=st.booleans()))
    def read_otherwise(self, options):
        self.words = self.words.read_by(options)
        assert self.words.reading.options == options

    @rule(data=st.data())
    def there_and_back(self, data):
        chosen = data.draw(st.lists(st.sampled_from(self.list), max_size=6))
        ids = self.words.encode(chosen)
        assert ids.tolist() == [self.list.index(one) for one in chosen]
        assert self.words.decode(ids) == chosen

    @rule(strange=word)
    def a_strange_word(self, strange):
        if strange in self.list:
            return
        assert strange not in self.words
        if "<unk>" in self.list:
            assert self.words.encode([strange]).tolist() == [self.list.index("<unk>")]
        else:
            with pytest.raises(DataError, match="is not among"):
                self.words.encode([strange])

    @rule(far=st.integers(0, 3))
    def an_id_of_no_word(self, far):
        for wrong in (len(self.list) + far, -1 - far):
            with pytest.raises(DataError, match="ids of this vocabulary"):
                self.words.decode([0, wrong])

    @invariant()
    def is_the_list(self):
        assert self.words.words == self.list
        assert len(self.words) == len(self.list)
        assert self.words.id_to_word == dict(enumerate(self.list))
        assert self.words.word_to_id == {one: i for i, one in enumerate(self.list)}
        assert self.words.eos_id == 0
        assert self.words.unk_id == (self.list.index("<unk>") if "<unk>" in self.list else None)


TestWords = Words.TestCase


class Learned(RuleBasedStateMachine):
    """A tokenizer beside plain counts."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.tokenizer, self.oov, self.most = Tokenizer(), None, None

    @precondition(lambda self: not self.seen)
    @rule(oov=st.sampled_from([None, "<oov>", "a"]), most=st.none() | st.integers(2, 5))
    def made(self, oov, most):
        self.oov, self.most = oov, most
        self.tokenizer = Tokenizer(num_words=most, oov_token=oov)

    @rule(texts=st.lists(st.lists(st.sampled_from(["a", "B", "b", "c", "É"]), min_size=1), min_size=1, max_size=3))
    def learn(self, texts):
        self.tokenizer.fit_on_texts([" ".join(text) for text in texts])
        self.seen += [one.lower() for text in texts for one in text]

    @precondition(lambda self: self.seen)
    @rule(text=st.lists(st.sampled_from(["a", "B", "c", "É", "strange"])))
    def read(self, text):
        index = self.plain()
        size = min(self.most or 99, len(index) + 1)
        want = []
        for one in text:
            i = index.get(one.lower())
            if i is not None and i < size:
                want.append(i)
            elif self.oov is not None:
                want.append(1)
        assert self.tokenizer.texts_to_sequences([" ".join(text), text]) == [want, want]
        assert self.tokenizer.size == size
        back = {i: one for one, i in index.items()}
        assert self.tokenizer.sequences_to_texts([[0, *want]]) == [" ".join(back[i] for i in want)]

    def plain(self):
        """Ids by counting: the most frequent first, of equals the one that was there first."""
        first = list(dict.fromkeys(self.seen))
        order = sorted(first, key=lambda one: (-self.seen.count(one), first.index(one)))
        order = [one for one in order if one != self.oov]
        return {one: i for i, one in enumerate(order if self.oov is None else [self.oov, *order], 1)}


TestLearned = Learned.TestCase


# ---------------------------------------------------------------- rows

rows_of_numbers = st.lists(st.lists(st.integers(-9, 9), max_size=6), min_size=1, max_size=5)
side = st.sampled_from(["pre", "post"])


@given(rows_of_numbers, st.none() | st.integers(1, 7), side, side, st.integers(-3, 3))
def test_padded_rows_are_plain_lists(rows, maxlen, padding, truncating, value):
    length = maxlen or max(map(len, rows))
    if length == 0:
        return
    found = pad_sequences(rows, maxlen, padding, truncating, value)
    for row, got in zip(rows, found.tolist()):
        kept = row if len(row) <= length else (row[len(row) - length :] if truncating == "pre" else row[:length])
        pads = [value] * (length - len(kept))
        assert got == (pads + kept if padding == "pre" else kept + pads)


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=4), st.none() | st.integers(2, 5))
def test_next_word_samples_are_all_prefixes(rows, maxlen):
    want = [row[:end] for row in rows for end in range(2, len(row) + 1)]
    if not want:
        return
    length = maxlen or max(map(len, want))
    x, y = next_word_samples(rows, maxlen)
    assert y.tolist() == [prefix[-1] for prefix in want]
    cut = [prefix[-length:-1] for prefix in want]
    assert x.tolist() == [[0] * (length - 1 - len(row)) + row for row in cut]


# ---------------------------------------------------------------- ids, wherever they lie

some_ids = st.lists(st.integers(0, 6), min_size=1, max_size=30)
WORDS = Vocabulary(["<unk>", "<eos>", *"abcde"])


def everywhere(folder, ids):
    """The same ids in memory, of two dtypes, in a file, in a memory map, and translated into other words."""
    path, mapped = folder / "some.ids", folder / "some.raw"
    write_ids(path, WORDS, [np.array(ids)])
    np.array(ids, np.int64).tofile(mapped)
    reversed_words = Vocabulary(WORDS.words[::-1])
    write_ids(folder / "reversed.ids", reversed_words, [len(WORDS) - 1 - np.array(ids)])
    return [
        tokens_of("ids", ids),
        tokens_of("ids", np.array(ids, np.uint8)),
        open_corpus(path)[0],
        tokens_of("ids", np.memmap(mapped, np.int64, "r")),
        in_words_of(folder / "reversed.ids", WORDS)[0],
    ]


bounds = st.none() | st.integers(-40, 40)


@given(some_ids, bounds, bounds, bounds, bounds, st.integers(-40, 40))
def test_ids_are_a_list_wherever_they_lie(folder, ids, a, b, c, d, place):
    for tokens in everywhere(folder, ids):
        assert len(tokens) == tokens.shape[0] == len(ids)
        assert np.asarray(tokens).tolist() == ids
        part, want = tokens[a:b][c:d], ids[a:b][c:d]
        assert np.asarray(part).tolist() == want
        if -len(ids) <= place < len(ids):
            assert tokens[place] == ids[place]
        else:
            with pytest.raises(IndexError):
                tokens[place]
        assert tokens.digest() == tokens_of("ids", ids).digest()


@given(some_ids, st.integers(0, 30), st.integers(0, 30), st.integers(1, 5), st.integers(1, 9))
def test_a_window_is_what_index_arithmetic_says_wherever_ids_lie(folder, ids, jump, begin, N, T):
    want = [[ids[(i * jump + begin + t) % len(ids)] for i in range(N)] for t in range(T)]
    if len(ids) < T:
        return  # a window may wrap once
    for tokens in everywhere(folder, ids):
        assert host(tokens.window(jump, begin, (T, N))).tolist() == want


@given(st.integers(20, 60), st.integers(1, 2), st.integers(0, 2**64 - 1), st.integers(0, 3))
def test_random_windows_go_on_where_the_one_before_ended(size, N, seed, number):
    xs, ts = np.arange(size), np.arange(size) + 100
    batches, begin = RandomBatches(xs, ts, N, 10, seed), 0
    for k in range(number + 1):
        found, targets = (host(a) for a in batches.window(k))
        want = [[(i * (size // N) + begin + t) % size for t in range(found.shape[1])] for i in range(N)]
        assert found.tolist() == want
        assert targets.tolist() == (found + 100).tolist()
        begin += found.shape[1]


@given(st.lists(st.lists(st.integers(2, 6), max_size=9), min_size=1, max_size=9), st.integers(1, 4), st.integers(1, 6))
def test_an_epoch_of_sentences_has_each_line_once(lines, N, T):
    if not any(lines):
        return
    sentences = Sentences.of([line for line in lines if line], eos_id=1)
    batches = SentenceBatches(sentences, N, T, seed=3)
    for epoch in range(2):
        read, rows = [], {}
        for k in range(epoch * len(batches), (epoch + 1) * len(batches)):
            xs, ts = batches.window(k)
            if batches.fresh(k):
                read += rows.values()
                rows = {n: [] for n in range(len(xs))}
            assert set(rows) == set(range(len(xs)))
            for n in range(len(xs)):
                rows[n] += [(x, t) for x, t in zip(xs[n].tolist(), ts[n].tolist()) if t >= 0]
        read += rows.values()
        assert sorted([t for _, t in row] for row in read) == sorted([*line, 1] for line in lines if line)
        for row in read:
            assert [x for x, _ in row] == [1, *(t for _, t in row)][:-1]


@given(some_ids, st.integers(1, 4), st.integers(1, 6), st.integers(0, 9))
def test_windows_of_a_file_are_those_of_memory(folder, ids, N, T, number):
    if len(ids) < 2:
        return
    if len(ids) - 1 < N * T:
        with pytest.raises(DataError, match="too short"):
            Batches(ids[:-1], ids[1:], N, T)
        return
    want = [a.tolist() for a in map(host, Batches(ids[:-1], ids[1:], N, T).window(number))]
    for tokens in everywhere(folder, ids):
        batches = Batches(tokens[:-1], tokens[1:], N, T)
        assert [a.tolist() for a in map(host, batches.window(number))] == want
