"""What holds for all predictors, tried on random ones: their probabilities, and what is made of them."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from rnnlm import Sentences, evaluate, generate, generate_batch, score, token_nats
from rnnlm.inference.other_words import log_softmax
from rnnlm.inference.predictor import start_of
from rnnlm.inference.sampling import Sampler, Sampling
from tests.gradcheck import host
from tests.inference.plain import EOS, networks, predictors

ids_below = st.lists(st.integers(0, 5), min_size=1, max_size=9)
CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # float64 through a few products


def within(ids, V):
    return [i % V for i in ids]


def probs(model, xs):
    """p(next word) after the ids xs (N, T), (N, V)."""
    return np.exp(log_softmax(model.next_scores(np.array(xs))))


# ---------------------------------------------------------------- probabilities


@given(predictors(), ids_below)
def test_the_next_words_probabilities_are_the_plain_ones_and_sum_to_1(plain, ids):
    ids = within(ids, plain.V)
    plain.model.reset_state()
    found = probs(plain.model, [ids])
    np.testing.assert_allclose(found.sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(found[0], plain.after(ids)[-1], **CLOSE)


@given(predictors(), st.lists(ids_below, min_size=1, max_size=3), st.data())
def test_losses_are_those_of_the_plain_probabilities_wherever_windows_are_cut_and_rows_stand(plain, rows, data):
    T = min(map(len, rows))
    rows = np.array([within(row[:T], plain.V) for row in rows])
    targets = np.array([[data.draw(st.integers(-1, plain.V - 1)) for _ in range(T)] for _ in rows])
    plain.model.reset_state()
    cut = data.draw(st.integers(0, T))
    parts = [slice(0, cut), slice(cut, T)]
    found = [host(plain.model.losses(rows[:, part], targets[:, part])) for part in parts if part.start < part.stop]
    with np.errstate(divide="ignore"):
        want = np.stack([-np.log(plain.after(row)) for row in rows.tolist()])
    want = np.take_along_axis(want, np.maximum(targets, 0)[:, :, None], axis=2)[:, :, 0]
    np.testing.assert_allclose(np.concatenate(found, axis=1), np.where(targets < 0, 0, want), **CLOSE)


@given(predictors(), ids_below, ids_below, ids_below)
def test_a_state_that_is_taken_and_given_back_is_as_if_nothing_had_been_read_between(plain, first, second, third):
    first, second, third = (within(ids, plain.V) for ids in (first, second, third))
    model = plain.model
    model.reset_state()
    model.next_scores([first])
    state = model.get_state()
    model.next_scores([second])
    model.set_state(state)
    found = probs(model, [third])
    np.testing.assert_allclose(found[0], plain.after([*first, *third])[-1], **CLOSE)
    model.set_state(state)  # which reading has not changed
    np.testing.assert_array_equal(probs(model, [third]), found)


# ---------------------------------------------------------------- evaluating


@given(predictors(), st.lists(st.integers(0, 5), min_size=2, max_size=20), st.integers(1, 7), st.integers(1, 4))
def test_an_evaluation_is_the_plain_sum_for_any_window_and_each_lane_begins_anew(plain, ids, window, lanes):
    ids = within(ids, plain.V)
    start = start_of(plain.model)
    stream = ids if start is None else [start, *ids]
    lanes = min(lanes, len(stream) - 1)
    parts = np.array_split(np.arange(len(stream) - 1), lanes)
    want = np.concatenate(
        [plain.nats([stream[i + 1] for i in part], before=[stream[part[0]]]) for part in parts if len(part)]
    )
    plain.model.reset_state()
    plain.model.next_scores([ids[:1]])
    before = probs(plain.model, [ids[:2]])
    np.testing.assert_allclose(token_nats(plain.model, ids, lanes, window), want, **CLOSE)
    result = evaluate(plain.model, ids, lanes, window)
    assert result.tokens == len(want)
    np.testing.assert_allclose(result.nats, want.mean(), **CLOSE)
    plain.model.reset_state()
    plain.model.next_scores([ids[:1]])
    np.testing.assert_array_equal(probs(plain.model, [ids[:2]]), before)  # the state is the model's own again


@given(predictors(), st.lists(st.integers(0, 5), min_size=2, max_size=12), st.integers(0, 5))
def test_known_words_are_those_that_are_not_unk(plain, ids, unk):
    ids, unk = within(ids, plain.V), unk % plain.V
    nats = token_nats(plain.model, ids)
    kept = np.array(ids)[len(ids) - len(nats) :] != unk
    result = evaluate(plain.model, ids, unk_id=unk)
    assert result.unks == (~kept).sum()
    np.testing.assert_allclose(result.known_nats, nats[kept].mean() if kept.any() else np.nan, **CLOSE)


# ---------------------------------------------------------------- scoring

sentences = st.lists(st.lists(st.integers(1, 5), max_size=6), min_size=1, max_size=6)


@given(predictors(), sentences, st.integers(1, 30), st.randoms(use_true_random=False))
def test_a_sentence_is_scored_alone_with_any_others_in_any_order(plain, lines, tokens, random):
    lines = [[1 + i % (plain.V - 1) for i in line] for line in lines]
    want = [plain.nats([*line, EOS], before=[EOS]) for line in lines]
    order = list(range(len(lines)))
    random.shuffle(order)
    found = score(plain.model, [lines[i] for i in order], EOS, tokens)
    for i, one in zip(order, found):
        np.testing.assert_allclose(-one.tokens, want[i], **CLOSE)
        np.testing.assert_allclose(one.logprob, -want[i].sum(), **CLOSE)
    if any(lines):  # blank lines are no sentences
        nats = token_nats(plain.model, Sentences.of([line for line in lines if line], EOS))
        np.testing.assert_allclose(nats, np.concatenate([w for line, w in zip(lines, want) if line]), **CLOSE)


# ---------------------------------------------------------------- sampling


def kept_plainly(p, skip=(), temperature=1.0, top_k=None, top_p=None):
    """The probabilities that a word is drawn with, by sorting the words."""
    p = np.array([0.0 if i in skip else x for i, x in enumerate(p)])
    p = np.array([x ** (1 / temperature) if x else 0.0 for x in p / p.max()])
    p /= p.sum()
    order = sorted(range(len(p)), key=lambda i: (-p[i], i))[:top_k]
    if top_p is not None:
        share = np.cumsum([p[i] for i in order])
        order = order[: int((share < top_p * share[-1]).sum()) + 1]
    p[[i for i in range(len(p)) if i not in order]] = 0
    return p / p.sum()


hows = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0.25, 0.5, 1.0, 2.0]),
        "top_k": st.integers(1, 9),
        "top_p": st.sampled_from([0.05, 0.3, 0.5, 0.77, 0.9, 0.999]),
    },
)
weights_of = st.lists(st.integers(1, 1000), min_size=2, max_size=9, unique=True)  # no two words are alike


@given(weights_of, hows, st.sets(st.integers(0, 8)))
def test_what_is_kept_is_what_sorting_keeps(weights, how, skip):
    p = np.array(weights) / sum(weights)
    skip = {i for i in skip if i < len(p)}
    if len(skip) == len(p):
        skip = set()
    want = kept_plainly(p, skip, **how)
    found = Sampler(len(p), skip, Sampling(**how)).weights(np.log(p)[None])[0]
    np.testing.assert_allclose(found / found.sum(), want, rtol=1e-9)


@given(weights_of, hows, st.integers(0, 2**64 - 1))
def test_words_are_drawn_as_often_as_is_probable(weights, how, seed):
    """Chi-square of 4,000 draws: beyond mean + 6 standard deviations of it once in a million tries, or less."""
    p = kept_plainly(np.array(weights) / sum(weights), **how)
    scores = np.tile(np.log(np.array(weights, float)), (4000, 1))
    drawn = Sampler(len(p), None, Sampling(seed=seed, **how))(scores, step=0)
    counts = np.bincount(drawn, minlength=len(p))
    assert not counts[p == 0].any()
    likely = p * 4000 >= 5  # the rest are put together, as the chi-square distribution needs it
    expected = [*(p[likely] * 4000), p[~likely].sum() * 4000]
    seen = [*counts[likely], counts[~likely].sum()]
    cells = [(s, e) for s, e in zip(seen, expected) if e >= 5]
    df = max(1, len(cells) - 1)
    assert sum((s - e) ** 2 / e for s, e in cells) < df + 6 * np.sqrt(2 * df) + 10


# ---------------------------------------------------------------- generating


@given(predictors(3), ids_below, st.integers(1, 10), st.sets(st.integers(0, 5), max_size=2), st.integers(0, 5))
def test_greedy_text_is_the_most_likely_word_again_and_again(plain, prompt, size, skip, stop):
    prompt, skip, stop = within(prompt, plain.V), {i % plain.V for i in skip}, stop % plain.V
    want = list(prompt)
    while len(want) < len(prompt) + size:
        p = plain.after(want)[-1]
        p[list(skip)] = -1
        if np.sort(p)[-1] - np.sort(p)[-2] < 1e-9:
            return  # two words are the most likely, but for rounding
        want.append(int(p.argmax()))
        if want[-1] == stop:
            break
    found = generate(plain.model, prompt, skip, len(prompt) + size, stop_id=stop, greedy=True)
    assert found == want


@given(predictors(3), st.lists(ids_below, min_size=1, max_size=3), hows, st.integers(0, 2**64 - 1), st.data())
def test_a_seed_gives_one_text_and_row_0_of_many_is_the_text_alone(plain, prompts, how, seed, data):
    P = min(map(len, prompts))
    prompts = [within(prompt[:P], plain.V) for prompt in prompts]
    skip = data.draw(st.sets(st.integers(0, plain.V - 1), max_size=plain.V - 1))
    stop = data.draw(st.none() | st.integers(0, plain.V - 1))
    options = {"skip_ids": skip, "stop_id": stop, "seed": seed, **how}
    size = P + 6
    alone = generate(plain.model, prompts[0], sample_size=size, **options)
    assert generate(plain.model, prompts[0], sample_size=size, **options) == alone
    assert alone[:P] == prompts[0]
    assert not skip & set(alone[P:])
    assert len(alone) == size or alone[-1] == stop
    assert stop not in alone[P:-1]
    rows = generate_batch(plain.model, prompts, size, **options)
    assert rows[0, : len(alone)].tolist() == alone
    assert (rows[0, len(alone) :] == stop).all()
    for row in rows[:, P:].tolist():
        if stop is not None and stop in row:
            assert set(row[row.index(stop) :]) == {stop}


@given(predictors(3), ids_below, st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_going_on_is_writing_in_one_go(plain, prompt, first, second, seed):
    """With greedy words, as draws are numbered anew in each call."""
    prompt = within(prompt, plain.V)
    plain.model.reset_state()
    whole = generate(plain.model, prompt, sample_size=len(prompt) + first + second, greedy=True)
    begun = generate(plain.model, prompt, sample_size=len(prompt) + first, greedy=True, go_on=True)
    rest = generate(plain.model, begun[-1], sample_size=1 + second, greedy=True, go_on=True)
    assert begun + rest[1:] == whole


@given(networks(5), ids_below)
def test_a_copy_and_a_pickle_go_on_as_the_model_does(plain, ids):
    ids = within(ids, plain.V)
    plain.model.reset_state()
    plain.model.next_scores([ids])
    others = [copy.deepcopy(plain.model), pickle.loads(pickle.dumps(plain.model))]
    want = probs(plain.model, [ids])
    for other in others:
        np.testing.assert_array_equal(probs(other, [ids]), want)


def test_these_checks_see_a_fault():
    """A predictor that forgets a word is found out."""
    from rnnlm import ModelConfig
    from tests.inference.plain import Plain, network

    plain = network(ModelConfig(vocab_size=4, cell="lstm", dtype="float64", init="uniform", init_range=1.5))
    faulty = Plain(plain.model, lambda ids: plain.after([*ids[:-1], ids[-2 % len(ids)]]))
    with pytest.raises(AssertionError):
        test_the_next_words_probabilities_are_the_plain_ones_and_sum_to_1.hypothesis.inner_test(faulty, [1, 2, 3])
