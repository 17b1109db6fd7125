"""Words, texts, ids and windows of them."""

import os

import numpy as np

from rnnlm import (
    Pairs,
    Sentences,
    TextOptions,
    Tokenizer,
    Vocabulary,
    additions,
    dates,
    encode_corpus,
    load_corpus,
    next_word_samples,
    open_corpus,
    pad_sequences,
    read_corpus,
    read_pairs,
    who_is_meant,
)
from rnnlm.data.batches import Batches, RandomBatches, make_batches
from rnnlm.data.encoded import verify
from rnnlm.data.samples import Samples
from rnnlm.data.sentence_batches import SentenceBatches
from rnnlm.data.tokens import Tokens
from tests.odd_arguments import Call, Entry, entries, entry, method
from tests.odd_arguments.subjects import FOLDER, WORDS, ids, in_scratch, words

MISSING = ("does not exist", "is not a file")  # said of the name that was given
FILE = {"errors": (OSError,), "takes": {"path": (str, os.PathLike)}, "also": {"path": MISSING}}
LISTS = (list, tuple, np.ndarray, range)


def tokens() -> Tokens:
    return open_corpus(FOLDER / "text.ids")[0]


# ---------------------------------------------------------------- words

entry("Vocabulary", Vocabulary, lambda: {"words": list(WORDS)}, takes={"words": (object,)}, also={"words": ("word",)})
method("Vocabulary.encode", words, "encode", lambda: {"words": ["a", "b"]}, takes={"words": (str, *LISTS)})
method("Vocabulary.encode of a text", words, "encode", lambda: {"words": "a b"}, takes={"words": LISTS})
method("Vocabulary.decode", words, "decode", lambda: {"ids": [0, 2]}, takes={"ids": (object,)}, also={"ids": ("id",)})
method("Vocabulary.text", words, "text", lambda: {"ids": [0, 2]}, takes={"ids": (object,)}, also={"ids": ("id",)})
method("Vocabulary.__contains__", words, "__contains__", lambda: {"word": "a"}, takes={"word": (object,)})
method("Vocabulary.__getitem__", words, "__getitem__", lambda: {"key": 1}, takes={"key": (str,)}, also={"key": ("vocabulary",)})  # fmt: skip
method("Vocabulary.read_by", words, "read_by", lambda: {"options": TextOptions()})
method(
    "Vocabulary.for_file",
    words,
    "for_file",
    lambda: {"path": "a.csv", "column": "text"},
    takes={"column": (type(None),)},
)
entry("Vocabulary.save", in_scratch(lambda path: words().save(path)), lambda: {"path": "vocab.txt"}, **FILE)
entry("Vocabulary.load", lambda path: Vocabulary.load(path), lambda: {"path": str(FOLDER / "vocab.txt")}, **FILE)

entry(
    "TextOptions",
    lambda **options: TextOptions(**options).check(),
    lambda: {"sentences": False, "units": "word", "column": "text", "leave_out": ("x",), "lower": True, "strip_punctuation": False, "ascii_only": False},
    takes={"column": (type(None),)},
)  # fmt: skip

# ---------------------------------------------------------------- texts

entry(
    "read_corpus",
    lambda **options: read_corpus(**options)[0],
    lambda: {"path": str(FOLDER / "text"), "vocabulary": words(), "max_tokens": 9},
    takes={"path": (os.PathLike,), "vocabulary": (type(None),), "max_tokens": (type(None),)},
    also={"path": MISSING},
    errors=(OSError,),
)
entry(
    "encode_corpus",
    in_scratch(lambda **options: encode_corpus(**options).tokens),
    lambda: {"text": str(FOLDER / "text"), "out": "out", "vocabulary": words(), "max_words": 5, "overwrite": True, "advance": print},
    takes={"text": (os.PathLike,), "out": (os.PathLike,), "vocabulary": (type(None),), "advance": (type(None), type)},
    also={"text": MISSING},
    errors=(OSError,),
)  # fmt: skip
entry("open_corpus", lambda path: open_corpus(path)[1].words, lambda: {"path": str(FOLDER / "text.ids")}, **FILE)
entry("verify", lambda path: verify(path).tokens, lambda: {"path": str(FOLDER / "text.ids")}, **FILE)
entry(
    "load_corpus",
    lambda **options: np.asarray(load_corpus(**options).train),
    lambda: {"name": str(FOLDER / "text"), "data_dir": None, "max_words": 5, "options": TextOptions()},
    takes={"name": (os.PathLike,), "options": (type(None),)},
    also={"name": ("corpus",)},
    errors=(OSError,),
)
entry("read_pairs", lambda path: read_pairs(path).questions, lambda: {"path": str(FOLDER / "pairs")}, **FILE)
entry(
    "Pairs.of", lambda lines, name: Pairs.of(lines, name).questions, lambda: {"lines": ["1_2", "2_3"], "name": "pairs"},
    also={"lines": ("pairs", "line", "PAIRSX")},
)  # fmt: skip


def pairs() -> Pairs:
    return Pairs.of(["1_2", "2_3", "3_4"])


method("Pairs.text", pairs, "text", lambda: {"ids": [0, 1]}, takes={"ids": LISTS}, also={"ids": ("id",)})
entry(
    "Pairs.split", lambda seed, held_out: pairs().split(seed, held_out)[0].questions, lambda: {"seed": 1, "held_out": 0.4},
    takes={"seed": (type(None),), "held_out": (int,)},
)  # fmt: skip
entry("additions", lambda count, seed: additions(count, seed).questions, lambda: {"count": 3, "seed": 1})
entry("dates", lambda count, seed: dates(count, seed).questions, lambda: {"count": 3, "seed": 1})
entry("who_is_meant", lambda count, seed: who_is_meant(count, seed).answers, lambda: {"count": 2, "seed": 1})

# ---------------------------------------------------------------- ids

method(
    "Tokens.__getitem__",
    tokens,
    "__getitem__",
    lambda: {"place": 2},
    errors=(IndexError, TypeError),
    takes={"place": (np.ndarray,)},
)
entry(
    "Sentences", lambda **given: Sentences(**given).lengths, lambda: {"ids": ids(), "eos_id": 0}, takes={"ids": LISTS}
)
entry(
    "Sentences.of", lambda **given: Sentences.of(**given).lengths, lambda: {"rows": [[1, 2], [3]], "eos_id": 0},
    takes={"rows": LISTS}, also={"rows": ("sentence", "ids"), "eos_id": ("sentence 0",)},
)  # fmt: skip
SIZES = {"batch_size": 2, "time_size": 3}
STREAM = {"xs": LISTS, "ts": LISTS}
TOO_SHORT = {"xs": ("corpus",), "ts": ("corpus",), "batch_size": ("corpus",), "time_size": ("corpus",)}


def windows(batches):
    """Some windows, and their lengths."""
    return [batches.window(k) for k in range(3)], len(batches), batches.size


entry(
    "Batches",
    lambda **given: windows(Batches(**given)),
    lambda: {"xs": ids()[:-1], "ts": ids()[1:], **SIZES},
    takes=STREAM,
)
method("Batches.epoch", lambda: Batches(ids()[:-1], ids()[1:], **SIZES), "epoch", lambda: {"number": 1})
entry(
    "RandomBatches",
    lambda **given: windows(RandomBatches(**given)),
    lambda: {"xs": np.arange(99), "ts": np.arange(99), "batch_size": 2, "time_size": 10, "seed": 1, "lap": 2},
    takes=STREAM,
)
entry(
    "make_batches",
    lambda **given: windows(make_batches(**given)),
    lambda: {"xs": np.arange(99), "ts": np.arange(99), "batch_size": 2, "time_size": 10, "random_bptt": True, "seed": 1, "lap": 2},
    takes={**STREAM, "xs": (*LISTS, Sentences)},
)  # fmt: skip
entry(
    "SentenceBatches",
    lambda **given: windows(SentenceBatches(**given)),
    lambda: {"sentences": Sentences(ids(), 0), **SIZES, "seed": 1, "lap": 0},
)
entry(
    "Samples",
    lambda **given: windows(Samples(**given)),
    lambda: {"x": np.ones((4, 2)), "t": np.ones((4, 1)), "batch_size": 2, "seed": 1, "dtype": "float32", "lap": 0},
    takes={"x": (*LISTS, int), "t": LISTS, "dtype": (type(None), type, np.dtype, str)},
)

# ---------------------------------------------------------------- rows


def learned() -> Tokenizer:
    tokenizer = Tokenizer(oov_token="<oov>")
    tokenizer.fit_on_texts(["a b c", "a b"])
    return tokenizer


def with_tokenizer(**options):
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(["a b c", "a B"])
    return tokenizer.texts_to_sequences(["b c"])


entry(
    "Tokenizer", with_tokenizer, lambda: {"num_words": 4, "filters": "!", "lower": True, "oov_token": "x"},
    takes={"num_words": (type(None),), "oov_token": (type(None),)},
)  # fmt: skip
TEXTS = {"takes": {"texts": (object,)}, "also": {"texts": ("text",)}}
entries.append(Entry("Tokenizer.fit_on_texts", lambda: Call(learned().fit_on_texts, {"texts": ["a b"]}), **TEXTS))
method("Tokenizer.texts_to_sequences", learned, "texts_to_sequences", lambda: {"texts": ["a b"]}, **TEXTS)
method(
    "Tokenizer.sequences_to_texts", learned, "sequences_to_texts", lambda: {"sequences": [[1, 2]]},
    takes={"sequences": LISTS}, also={"sequences": ("id", "sequence")},
)  # fmt: skip
entry(
    "pad_sequences",
    pad_sequences,
    lambda: {"sequences": [[1, 2], [3]], "maxlen": 2, "padding": "pre", "truncating": "post", "value": 0, "dtype": "int64"},
    takes={"sequences": LISTS, "maxlen": (type(None),), "dtype": (type, np.dtype, str), "value": (float, np.ndarray)},
    also={"sequences": ("sequence",)},
)  # fmt: skip
entry(
    "next_word_samples", next_word_samples, lambda: {"sequences": [[1, 2], [3]], "maxlen": 2},
    takes={"sequences": LISTS, "maxlen": (type(None),)}, also={"sequences": ("sequence",)},
)  # fmt: skip
