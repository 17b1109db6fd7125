from fractions import Fraction

import numpy as np
import pytest

from rnnlm.errors import InputError
from rnnlm.inference.generation import generate, generate_batch
from rnnlm.inference.scoring import score
from rnnlm.models import SimpleRnnlm
from rnnlm.ngrams.smoothing import kneser_ney
from rnnlm.randomness import stream
from tests.gradcheck import dev, host

V = 9


@pytest.fixture
def model():
    return SimpleRnnlm(V, 4, 6, bias_range=1.0, dtype="float64", seed=4)


def test_the_result_begins_with_the_prompt_and_has_the_length_asked_for(model):
    assert len(generate(model, 3)) == 100
    assert generate(model, [3, 1, 4], sample_size=10, seed=0)[:3] == [3, 1, 4]
    assert generate(model, [3, 1, 4], sample_size=3) == [3, 1, 4]
    assert all(type(i) is int for i in generate(model, np.int32(3), sample_size=5))


def test_a_seed_gives_its_words(model):
    assert generate(model, 0, seed=7) == generate(model, 0, seed=7)
    assert generate(model, 0, seed=7) != generate(model, 0, seed=8)
    assert generate(model, 0) != generate(model, 0)


def test_the_words_of_a_seed_are_those_after_the_prompt_however_long_it_is(model):
    """The first sampled word takes the first random number; here every word is as likely after any other."""
    model.next_scores = lambda xs: dev(np.zeros((len(xs), V)))
    assert generate(model, [3, 1, 4, 1], sample_size=24, seed=7)[4:] == generate(model, 0, sample_size=21, seed=7)[1:]
    first = int(V * stream(7, "sampled words", 0).random(1)[0])
    assert generate(model, [3, 1, 4, 1], sample_size=5, seed=7) == [3, 1, 4, 1, first]


def test_each_word_is_sampled_after_all_before_it(model):
    """Greedy words are the arg max of scores computed over the whole text at once."""
    words = generate(model, [2, 5], sample_size=30, greedy=True)
    model.reset_state()
    best = host(model.predict([words]))[0].argmax(axis=1)
    assert words[2:] == best[1:-1].tolist()


def test_skipped_words_never_appear_and_never_reach_the_state(model):
    seen = []
    next_scores = model.next_scores
    model.next_scores = lambda xs: seen.extend(xs[0]) or next_scores(xs)
    words = generate(model, 0, skip_ids=np.array([1, 2, 3, 4, 5]), sample_size=200, seed=1)
    assert set(words[1:]) == {0, 6, 7, 8}
    assert seen == words[:-1]
    assert 0 not in generate(model, 1, skip_ids=np.array([0]), sample_size=200, seed=1)


def test_it_stops_at_a_word(model):
    words = generate(model, 8, seed=3, stop_id=8)
    assert words[-1] == 8
    assert 8 not in words[1:-1]
    assert len(words) < 100


def test_texts_side_by_side(model):
    """The first is that of `generate`; greedy ones are all those of `generate`, prompts of a few words too."""
    assert generate_batch(model, [3, 3, 5], sample_size=30, seed=2)[0].tolist() == generate(
        model, 3, sample_size=30, seed=2
    )
    many = generate_batch(model, [3] * 20, sample_size=30, seed=2)
    assert len({tuple(words) for words in many.tolist()}) == 20
    prompts = [[1, 2], [7, 7], [0, 8]]
    for prompt, words in zip(prompts, generate_batch(model, prompts, sample_size=12, greedy=True)):
        assert words.tolist() == generate(model, prompt, sample_size=12, greedy=True)
    assert generate_batch(model, dev([4, 5]), sample_size=1).tolist() == [[4], [5]]


def test_texts_side_by_side_stop_each_at_its_end(model):
    texts = generate_batch(model, [0] * 5, 1000, seed=3, stop_id=8).tolist()
    assert len(texts[0]) < 1000  # all have stopped
    ends = [text.index(8) for text in texts]
    assert max(ends) == len(texts[0]) - 1
    assert min(ends) < max(ends)
    for text, end in zip(texts, ends):
        assert set(text[end:]) == {8}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_ids": [[1, 2], [3]]}, r"start_ids must be ids \(N,\) or prompts \(N, P\) of one length, got"),
        ({"start_ids": []}, r"start_ids must be ids \(N,\) or prompts \(N, P\) of one length, got"),
        ({"start_ids": 3}, r"start_ids must be ids \(N,\) or prompts \(N, P\) of one length, got 3"),
        ({"start_ids": [3, 9]}, r"start_ids must hold ids in \[0, 9\), got 9"),
        ({"start_ids": [3.5]}, r"start_ids must be ids \(N,\) or prompts \(N, P\) of one length, got float64"),
        ({"sample_size": 0}, r"sample_size \(which counts the prompts\) must be a whole number of at least 1, got 0"),
        ({"stop_id": 9}, r"stop_id must be a whole number in \[0, 9\), got 9"),
    ],
)
def test_bad_arguments_of_texts_side_by_side_are_refused(model, arguments, message):
    with pytest.raises(InputError, match=message):
        generate_batch(model, **({"start_ids": [0, 1]} | arguments))


def test_the_models_own_state_is_put_back(model):
    model.predict(np.arange(6).reshape(3, 2))
    before = host(model.get_state()[0][0])
    generate(model, 0, sample_size=5)
    np.testing.assert_array_equal(host(model.get_state()[0][0]), before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_id": 9}, r"start_id must hold ids in \[0, 9\), got 9"),
        ({"start_id": -1}, r"start_id must hold ids in \[0, 9\), got -1"),
        ({"start_id": []}, "start_id must be an id or a list of at least one, got"),
        ({"start_id": "the"}, "start_id must be an id or a list of at least one, got 'the'"),
        ({"skip_ids": [9]}, r"an id of skip_ids must be a whole number in \[0, 9\), got 9"),
        ({"skip_ids": [1.7]}, r"an id of skip_ids must be a whole number in \[0, 9\), got 1.7"),
        ({"skip_ids": "ab"}, "skip_ids must be a list of ids, got 'ab'"),
        ({"stop_id": "<eos>"}, r"stop_id must be a whole number in \[0, 9\), got '<eos>'"),
        ({"top_k": 2.5}, "top_k must be a whole number of at least 1, got 2.5"),
        ({"skip_ids": range(9)}, "skip_ids must leave a word to sample, got all 9"),
        ({"sample_size": 0}, r"sample_size \(which counts the prompt\) must be a whole number of at least 1, got 0"),
        ({"temperature": 0}, r"temperature \(for the limit 0 use greedy\) must be positive and finite, got 0"),
        (
            {"temperature": float("nan")},
            r"temperature \(for the limit 0 use greedy\) must be positive and finite, got nan",
        ),
        ({"top_k": 0}, "top_k must be a whole number of at least 1, got 0"),
        ({"top_p": 0}, r"top_p must be in \(0, 1\], got 0"),
        ({"top_p": 1.1}, r"top_p must be in \(0, 1\], got 1.1"),
        ({"seed": -1}, r"seed must be a whole number in \[0, 2\*\*64\), got -1"),
        ({"stop_id": 9}, r"stop_id must be a whole number in \[0, 9\), got 9"),
    ],
)
def test_bad_arguments_are_refused(model, arguments, message):
    with pytest.raises(InputError, match=message):
        generate(model, **({"start_id": 0} | arguments))


def test_weights_that_are_not_finite_are_reported(model):
    model.flat_params[...] = np.nan
    with pytest.raises(InputError, match="the model's best score is nan: its weights are not finite"):
        generate(model, 0)


def test_a_prompt_as_long_as_the_result_is_read_where_the_text_goes_on():
    model = SimpleRnnlm(9, 5, 6, seed=1)
    assert generate(model, [1, 2, 3], sample_size=3, go_on=True) == [1, 2, 3]
    more = generate(model, 3, sample_size=4, go_on=True, seed=1)
    model.reset_state()
    assert generate(model, [1, 2, 3], sample_size=6, seed=1)[2:] == more


def test_a_model_of_lines_begins_one():
    """As it does where it scores."""
    ids = np.array([0, 1, 2, 0, 1, 2, 0, 3, 1, 4] * 20)
    ngram = kneser_ney(ids, 5, 0, 3)
    first = [generate(ngram, 1, sample_size=2, seed=seed)[1] for seed in range(300)]
    after = np.exp(score(ngram, [[1, 2, 0]])[0].tokens[1])
    assert np.mean(np.array(first) == 2) == pytest.approx(after, abs=0.05)
    assert generate(ngram, [0, 1], sample_size=5, seed=3)[1:] == generate(ngram, [1], sample_size=4, seed=3)
    ngram.reset_state()
    ngram.next_scores(np.array([[0, 1]]))
    going = [generate(ngram, 2, sample_size=2, go_on=True, seed=seed)[1] for seed in range(20)]
    assert going[0] == 0  # after "1 2", of which a line began anew would not know
    rows = generate_batch(ngram, [1, 1], 4, seed=3)
    assert rows[0].tolist() == generate(ngram, 1, sample_size=4, seed=3)


def test_a_temperature_may_be_a_fraction():
    model = SimpleRnnlm(9, 5, 6, seed=1)
    assert generate(model, 1, sample_size=9, temperature=Fraction(1, 2), seed=1) == generate(
        model, 1, sample_size=9, temperature=0.5, seed=1
    )
