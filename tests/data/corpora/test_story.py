import hashlib
from itertools import islice
from math import log

import numpy as np
import pytest

from rnnlm.data import TextOptions, Vocabulary, load_corpus, story
from rnnlm.data.corpora.grammar import Grammar
from rnnlm.data.corpora.named import load_part
from rnnlm.errors import InputError
from rnnlm.inference.evaluation import evaluate
from rnnlm.models import SimpleRnnlm
from rnnlm.optim import Adam
from rnnlm.training.rnnlm_trainer import RnnlmTrainer

# ---------------------------------------------------------------- grammars solved by hand

COIN = Grammar({"S": [(3, ["a"]), (1, ["b"])]}, "S")
UNTIL = Grammar({"S": [(1, ["a", "S"]), (1, ["b"])]}, "S")  # on average one a, then b: two choices and two words
NESTED = Grammar({"S": [(1, ["x", "N"]), (1, ["v"])], "N": [(1, ["y"]), (1, ["z", "w"])]}, "S")
TWICE = Grammar({"S": [(1, ["a"]), (1, ["a"])]}, "S")  # two ways to write the same


@pytest.mark.parametrize(
    ("grammar", "rate"),
    [
        (COIN, -(0.75 * log(0.75) + 0.25 * log(0.25))),
        (UNTIL, log(2)),
        (NESTED, 1.5 * log(2) / 1.75),  # S chooses always, N half the time; v, or x and 1.5 words after it
    ],
)
def test_the_closed_form(grammar, rate):
    assert abs(grammar.entropy_rate() - rate) < 1e-12


def test_the_forward_algorithm():
    np.testing.assert_allclose(COIN.log_probs("aba"), [log(0.75), log(0.25), log(0.75)])
    np.testing.assert_allclose(NESTED.log_probs("xyvxzw"), [log(0.5)] * 5 + [0], atol=1e-12)
    assert COIN.log_probs("ac") == [log(0.75), -np.inf]


def test_two_ways_to_write_the_same_show():
    """The closed form counts choices, the forward algorithm words: they differ where a choice leaves no trace."""
    assert abs(TWICE.entropy_rate() - log(2)) < 1e-12
    assert TWICE.log_probs("aaa") == [0, 0, 0]


def test_probabilities_add_up_to_one():
    words, text = story.vocabulary().words, list(islice(story.GRAMMAR.words(9), 300))
    for length in range(0, 300, 23):
        total = sum(np.exp(story.GRAMMAR.log_probs([*text[:length], word])[-1]) for word in words)
        assert abs(total - 1) < 1e-9


def test_words_come_as_often_as_their_weights_say():
    words = list(islice(COIN.words(5), 40_000))
    assert abs(words.count("a") - 30_000) < 5 * (40_000 * 0.75 * 0.25) ** 0.5


def test_acceptance():
    assert NESTED.accepts(["x", "z", "w", "x"])
    assert not NESTED.accepts(["x", "w"])
    assert UNTIL.stacks_after("a") == {("S",)}


# ---------------------------------------------------------------- the built-in corpus

SHA256 = {
    "train": "7cc09df34e60660c79b7de316bc444a10ea1e0a94eeaffe0a758f326d65e3d57",
    "valid": "0f1071159da7b7d79c0606b9d95a9446cf3fc9f8a006f84dc04fc29ef834aec7",
    "test": "4cad2ccf79238ad66d05588229f6ace8f8a0282b1fbd49e3cfce974f9593631a",
}


@pytest.mark.parametrize(("part", "tokens"), [("train", 1_000_000), ("valid", 100_000), ("test", 170_000)])
def test_the_corpus_is_the_same_everywhere(part, tokens):
    corpus, word_to_id, id_to_word = story.load_data(part)
    assert (len(corpus), len(word_to_id)) == (tokens, 102)
    text = " ".join(id_to_word[i] for i in corpus.tolist())
    assert hashlib.sha256(text.encode()).hexdigest() == SHA256[part]


def test_every_word_is_in_the_training_part():
    train = set(story.load_data("train")[0].tolist())
    for part in ("valid", "test"):
        assert set(story.load_data(part)[0].tolist()) <= train == set(story.load_vocab()[1])


def test_closed_form_and_forward_algorithm_agree():
    """Means of blocks of 1,000 words are nearly independent; a million words bring the error to 0.0015 nats."""
    nats = -np.array(story.GRAMMAR.log_probs(story._words("train")))
    blocks = nats.reshape(1000, 1000).mean(axis=1)
    error = blocks.std(ddof=1) / 1000**0.5
    assert error < 0.0015
    assert abs(blocks.mean() - story.entropy_rate()) < 4 * error


def test_floors_by_class():
    """Who is meant is certain once the names were read, so a pronoun costs nothing."""
    floors = story.floors("test")
    assert floors["all"] == pytest.approx(story.floor("test"), abs=1e-12)  # which is in a table
    assert story.floors("valid")["all"] == pytest.approx(story.floor("valid"), abs=1e-12)
    assert story.floor("train") < story.floor("valid") < story.floor("test")
    assert abs(floors["host's pronoun"]) < 1e-9
    assert abs(floors["visitor's pronoun"]) < 1e-9
    assert abs(floors["verb outside"] - log(6)) < 0.5  # six verbs, and sometimes "near" and the like instead
    assert set(floors) == {"all", "other", *story.CLASSES}


def test_classes_of_tokens():
    """Whose a pronoun is shows in its gender: in 1,000 stories it is always that of the same name."""
    words, classes = story._words("test"), story.token_classes("test")
    assert {w for w, c in zip(words, classes) if c.endswith("pronoun")} == {"he", "she", "him", "her", "his"}
    assert {c for w, c in zip(words, classes) if w in ("he", "she", "him", "his", "her")} == {
        "host's pronoun", "visitor's pronoun"
    }  # fmt: skip
    gender = {name: g for g, names in story.NAMES.items() for name in names} | {"he": "m", "him": "m", "his": "m", "she": "f", "her": "f"}  # fmt: skip
    people, checked = [], 0
    for word, kind in list(zip(words, classes))[:20_000]:
        if kind == "name":
            people = [*people, gender[word]] if len(people) == 1 else [gender[word]]
        elif kind.endswith("pronoun"):
            assert gender[word] == people[kind == "visitor's pronoun"]
            checked += 1
    assert checked > 1000


@pytest.mark.long
def test_an_honest_model_stays_above_the_floor_and_one_that_memorised_falls_below():
    corpus, train = story.load_data("test")[0][:400], story.load_data("train")[0][:20_000]
    floor = -np.mean(story.GRAMMAR.log_probs(story._words("test")[:400])[1:])
    model = SimpleRnnlm(102, 32, 64, seed=1)
    trainer = RnnlmTrainer(model, Adam(0.01))
    trainer.fit(train[:-1], train[1:], 5, 10, 20, 1.0, None)
    assert evaluate(model, corpus).nats > floor
    model.reset_state()
    trainer.fit(corpus[:-1], corpus[1:], 150, 4, 10, 1.0, None)
    assert evaluate(model, corpus).nats < floor


@pytest.mark.parametrize(
    ("sentence", "right"),
    [
        ("the dogs near the tree wait", True),
        ("the dogs near the tree wait <eos>", True),
        ("the dogs near the tree waits", False),
        ("the dog near the trees waits behind the old school", True),
        ("the host gave her key to him", True),
        ("the host gave her key to he", False),
        ("the visitor put his ring beside her map", True),
        ("clara came into the room", True),
        ("then", False),
        ("", False),
        ("the host thanked him <eos> the host thanked her", False),
    ],
)
def test_sentences(sentence, right):
    assert story.accepts(sentence) is right
    assert story.accepts(sentence.split()) is right


def test_its_own_sentences_are_accepted():
    words = story.vocabulary().words
    text = " ".join(words[i] for i in story.load_data("valid")[0][:20_000])
    assert all(story.accepts(sentence) for sentence in text.split(" <eos> ")[:-1])


def test_unknown_parts_are_refused():
    with pytest.raises(InputError, match="data_type must be 'train', 'valid'"):
        story.load_data("dev")


# ---------------------------------------------------------------- as a corpus


def lengths(corpus):
    return [len(part) for part in (corpus.train, corpus.valid, corpus.test)]


def test_the_stories_are_a_corpus():
    corpus = load_corpus("story")
    assert lengths(corpus) == [1_000_000, 100_000, 170_000]
    assert corpus.floors == {part: np.exp(story.floor(part)) for part in ("train", "valid", "test")}
    found = load_part("story", "valid", corpus.vocabulary)
    np.testing.assert_array_equal(found.ids, corpus.valid)
    assert found.unknown == 0
    ends = np.flatnonzero(corpus.valid == corpus.vocabulary.eos_id)
    assert (found.size.words, found.size.lines) == (ends[-1] + 1, len(ends))  # the last line is cut short
    with pytest.raises(InputError, match="story is words already: units, column and what cleans a text are for text"):
        load_corpus("story", options=TextOptions(units="char"))


def test_the_stories_in_other_words_and_in_characters(tmp_path):
    few = load_part("story", "valid", Vocabulary(["the", "<eos>", "<unk>"]))
    words = [story.vocabulary().words[i] for i in story.load_data("valid")[0].tolist()]
    assert few.unknown == sum(word not in ("the", "<eos>") for word in words)
    (tmp_path / "letters").write_text("abcdefghijklmnopqrstuvwxyz \n")
    by_letter = load_corpus(str(tmp_path / "letters"), options=TextOptions(units="char")).vocabulary
    found = load_part("story", "valid", by_letter)
    text = " ".join(words).replace(" <eos> ", "\n").replace(" <eos>", "\n")
    assert by_letter.text(found.ids) == text
    assert found.size.characters == len(text[: text.rindex("\n") + 1])
