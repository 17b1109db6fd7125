"""An n-gram model as a folder."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from rnnlm import Vocabulary, kneser_ney, load_model, load_ngram, save_ngram, token_nats
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.reading import Reading
from rnnlm.data.units import Characters
from rnnlm.errors import InputError, ModelFileError
from rnnlm.saving.ngram_files import TABLES, expect_new, expect_reading, expect_words, is_ngram

WORDS = Vocabulary(["a", "b", "<eos>", "c"])


@pytest.fixture
def ids(rng):
    return rng.integers(0, 4, 300)


@pytest.fixture
def folder(tmp_path, ids):
    save_ngram(tmp_path / "lm", kneser_ney(ids, 4, 2, 3), WORDS)
    return tmp_path / "lm"


def without_manifest(folder):
    """The folder, whose files are then not checked, so that what is wrong with them is seen."""
    (folder / "manifest.json").unlink()
    return folder


def test_it_gives_back_the_same_bits(folder, ids):
    model, words = load_ngram(folder)
    again = kneser_ney(ids, 4, 2, 3)
    assert words.words == WORDS.words
    assert model.discounts == again.discounts
    for ours, theirs in zip(model.tables, again.tables):
        for name, array in vars(theirs).items():
            np.testing.assert_array_equal(getattr(ours, name), array)
    np.testing.assert_array_equal(token_nats(model, ids), token_nats(again, ids))
    assert isinstance(model.tables[2].keys, np.memmap)  # and none of it is read before it is asked for


def test_others_read_its_tables(folder):
    model, _ = load_ngram(folder)
    arrays = load_file(folder / "ngrams.safetensors")
    assert set(arrays) == {f"{n}.{name}" for n in (1, 2, 3) for name in ("keys", "logprobs", "backoffs")}
    np.testing.assert_array_equal(arrays["3.logprobs"], model.tables[2].logprobs)


def test_how_a_text_is_read_is_kept(tmp_path):
    words = Vocabulary(["<eos>", "a", "b"], Reading(TextOptions(units="char"), Characters()))
    save_ngram(tmp_path / "lm", kneser_ney([1, 2, 0], 3, 0, 2), words)
    assert load_ngram(tmp_path / "lm")[1].encode("ab").tolist() == [1, 2]


def test_a_vocabulary_that_does_not_fit_is_refused(tmp_path, ids):
    model = kneser_ney(ids, 4, 2, 3)
    for words in (Vocabulary(["a", "b", "<eos>"]), Vocabulary(["a", "b", "c", "<eos>"])):
        with pytest.raises(InputError, match="the model has 4 words and <eos> as 2, the vocabulary"):
            save_ngram(tmp_path / "other", model, words)
    assert not (tmp_path / "other").exists()


def test_a_network_is_not_expected_there(folder):
    with pytest.raises(ModelFileError, match="config.json is of an n-gram model: load_ngram reads it"):
        load_model(folder)


def change(folder, **fields):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | fields))


def one_word_less(folder):
    change(folder, vocab_size=3)
    (folder / "vocab.txt").write_text("a\nb\n<eos>\n")


@pytest.mark.parametrize("name", ["config.json", "vocab.txt", "text.json", "manifest.json"])
def test_a_changed_file_is_seen(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace(b"a", b"b", 1))
    with pytest.raises(ModelFileError, match="damaged|configuration"):
        load_ngram(folder)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "config.json is not an n-gram model's configuration"),
        (lambda f: (f / "config.json").write_text("{"), "config.json is not an n-gram model's configuration"),
        (lambda f: change(f, model="LanguageModel"), "it is of another model"),
        (lambda f: change(f, order="3"), "it is of another model"),
        (lambda f: change(f, format=2), "has format 2, and this rnnlm .* reads format 1: take rnnlm"),
        (lambda f: change(f, order=4), "lacks the tables of an n-gram model: KeyError"),
        (lambda f: change(f, order=2), "the arrays of order 2 must be of one size"),
        (lambda f: change(f, vocab_size=5), "vocab.txt must have the 5 words that config.json says, got 4"),
        (lambda f: (f / "vocab.txt").write_text("a\nb\n<eos>\n"), "vocab.txt must have the 4 words"),
        (lambda f: change(f, order=0), "order 1 must have 5 entries"),
        (one_word_less, "order 1 must have 4 entries"),
        (lambda f: change(f, discounts=5), "lacks the tables of an n-gram model: TypeError"),
        (lambda f: change(f, discounts=[[0.5, 1, 1.5]]), "there must be discounts for 3 orders, got 1"),
        (lambda f: (f / "vocab.txt").unlink(), "vocab.txt does not exist"),
        (lambda f: (f / "ngrams.safetensors").unlink(), "lacks the tables of an n-gram model: FileNotFoundError"),
        (lambda f: (f / "ngrams.safetensors").write_bytes(b""), "lacks the tables"),
        (lambda f: (f / "ngrams.safetensors").write_bytes(b"\xff" * 100), "lacks the tables"),
        (
            lambda f: (f / "ngrams.safetensors").write_bytes((f / "ngrams.safetensors").read_bytes()[:-8]),
            "its arrays end at byte .*, and it has .* bytes: it was cut short",
        ),
    ],
)
def test_a_damaged_folder_is_refused(folder, spoil, said):
    spoil(without_manifest(folder))
    with pytest.raises(ModelFileError, match=said):
        load_ngram(folder)


def test_a_gibibyte_of_tables_is_checked_and_no_more(folder, capsys):
    """Holes, which have no size that was saved: it would be seen at once."""
    os.truncate(folder / TABLES, 1 << 30)
    with pytest.raises(ModelFileError, match="is damaged: it has 1,073,741,824 bytes"):
        load_ngram(folder)
    assert "not checked" not in capsys.readouterr().err
    os.truncate(folder / TABLES, (1 << 30) + 1)
    with pytest.raises(ModelFileError, match="lacks the tables of an n-gram model"):
        load_ngram(folder)
    assert f"{TABLES} is large and was not checked: rnnlm info checks it" in capsys.readouterr().err


def test_where_a_model_may_be_written(folder, tmp_path):
    expect_new(tmp_path / "new", False)
    expect_new(tmp_path / "new.arpa", True)
    expect_new(folder, True)
    (tmp_path / "old.arpa").write_text("")
    (tmp_path / "file").write_text("")
    expect_new(tmp_path / "old.arpa", True)
    for out, overwrite, message in (
        (
            folder,
            False,
            "out must be new, or the folder of an n-gram model, and .*lm exists: name another, or overwrite",
        ),
        (
            tmp_path / "old.arpa",
            False,
            "out must be new, or an ARPA file, and .* exists: name another, or overwrite it",
        ),
        (tmp_path, True, "out must be new, or the folder of an n-gram model, and .* exists: name another$"),
        (tmp_path / "file", True, "exists: name another$"),
        (tmp_path / "no" / "lm", False, "out must be in a folder that exists, got"),
    ):
        with pytest.raises(InputError, match=message):
            expect_new(out, overwrite)
    assert [is_ngram(path) for path in (folder, tmp_path / "file", tmp_path, tmp_path / "no")] == [
        True,
        True,
        False,
        False,
    ]


def test_what_arpa_can_not_say(tmp_path, capsys):
    with pytest.raises(InputError, match="there is no <eos> among the words"):
        expect_words(tmp_path / "lm", Vocabulary(["a"]))
    expect_words(tmp_path / "lm", Vocabulary(["<s>", "<eos>"]))
    for path in ("lm.arpa", "lm.arpa.gz"):
        with pytest.raises(InputError, match="<s>"):
            expect_words(tmp_path / path, Vocabulary(["<s>", "<eos>"]))
    expect_words(tmp_path / "lm.arpa", WORDS)
    by_line = Reading.of(TextOptions(sentences=True))
    expect_reading(tmp_path / "lm", Reading.of(TextOptions(units="char")))
    expect_reading(tmp_path / "lm", by_line)
    expect_reading(tmp_path / "lm.arpa", Reading())
    assert not capsys.readouterr().err
    expect_reading(tmp_path / "lm.arpa", by_line)
    assert "an ARPA file can't say how a text is read, and this model reads words; sentences" in capsys.readouterr().err
    with pytest.raises(InputError, match="ARPA"):
        expect_reading(tmp_path / "lm.arpa", Reading.of(TextOptions(units="char")))
