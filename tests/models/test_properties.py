"""A model used in any order is a model freshly run over the words that it has read since it was last reset."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rnnlm import InputError, build_model, evaluate, generate, score
from rnnlm.backend import xp
from rnnlm.models.build import config_for
from rnnlm.models.config import ModelOptions
from tests.gradcheck import host

V, N = 5, 2
WHICH = [
    {"cell": "rnn", "activation": "relu"},
    {"cell": "lstm", "layers": 2},
    {"cell": "gru"},
    {"cell": "gru", "reset_after": True, "tied": True, "wordvec_size": 3},
    {"model": "nnlm", "context": 3},
    {"model": "cbow-lm", "context": 2},
]
words = st.integers(0, V - 1)
windows = st.integers(1, 4).flatmap(lambda T: st.lists(st.lists(words, min_size=T, max_size=T), min_size=N, max_size=N))


def config_of(options, seed):
    options = {"wordvec_size": 2, "hidden_size": 3, "dtype": "float64", "init": "uniform", "init_range": 1.0, **options}
    if options.get("model") == "cbow-lm":
        del options["hidden_size"]
    return config_for(ModelOptions(**options, seed=seed), V)


def close(found, want):
    np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-12)


class Used(RuleBasedStateMachine):
    """A model, and the words (N, any) that it has read since its state was reset."""

    @initialize(options=st.sampled_from(WHICH), seed=st.integers(0, 99))
    def made(self, options, seed):
        self.config = config_of(options, seed)
        self.model, self.read = build_model(self.config), np.zeros((N, 0), int)
        self.kept = None

    def fresh(self):
        """A new model with the same weights, which has read nothing."""
        other = build_model(self.config)
        other.load_state_dict(self.model.state_dict())
        return other

    def scores(self, xs):
        """(N, T, V) what the model should say after each of xs, by reading all from the beginning."""
        before = self.read.shape[1]
        return host(self.fresh().predict(np.concatenate([self.read, xs], axis=1)))[:, before:]

    def nats(self, xs, ts):
        scores = self.scores(xs)
        scores = scores - scores.max(axis=2, keepdims=True)  # those of a relu grow without an end
        logs = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
        return -np.take_along_axis(logs, ts[:, :, None], axis=2)[:, :, 0]

    def has_read(self, xs):
        self.read = np.concatenate([self.read, xs], axis=1)

    # ---------------------------------------------------------------- what reads

    @rule(xs=windows)
    def predict(self, xs):
        xs = np.array(xs)
        close(host(self.model.predict(xs)), self.scores(xs))
        self.has_read(xs)

    @rule(xs=windows)
    def next_scores(self, xs):
        xs = np.array(xs)
        found = self.model.next_scores(xs)
        close(host(found), self.scores(xs)[:, -1])
        found[...] = 0  # it is the caller's
        self.has_read(xs)

    @rule(xs=windows, shift=st.integers(0, V))
    def losses(self, xs, shift):
        xs = np.array(xs)
        ts = (xs + shift) % V
        close(host(self.model.losses(xs, ts)), self.nats(xs, ts))
        self.has_read(xs)

    @rule(xs=windows, back=st.booleans())
    def forward(self, xs, back):
        """Without dropout training reads as all else does, and backward changes no weight and no state."""
        xs = np.array(xs)
        close(float(self.model.forward(xs, xs)), self.nats(xs, xs).mean())
        if back:
            self.model.backward()
            with pytest.raises(InputError):
                self.model.backward()  # once for each forward
        self.has_read(xs)

    # ---------------------------------------------------------------- what leaves the state alone

    @rule(ids=st.lists(words, min_size=2, max_size=6))
    def evaluated(self, ids):
        want = self.fresh()
        close(evaluate(self.model, ids).nats, host(want.losses([ids[:-1]], [ids[1:]])).mean())

    @rule(ids=st.lists(st.integers(1, V - 1), max_size=4))
    def scored(self, ids):
        line = [*ids, 0]
        close(score(self.model, [ids], 0)[0].tokens, -host(self.fresh().losses([[0, *ids]], [line]))[0])

    @rule(start=words)
    def writes(self, start):
        options = {"sample_size": 4, "seed": 3}
        assert generate(self.model, start, **options) == generate(self.fresh(), start, **options)

    @rule(wrong=st.sampled_from([[[V, 0], [0, 0]], [[-1], [0]], [[0]], [[0.5], [1]], [0, 1], None, [[True], [False]]]))
    def wrong_words_change_nothing(self, wrong):
        if wrong == [[0]] and not self.read.shape[1]:
            return  # another number of texts is right after a reset
        with pytest.raises(InputError):
            self.model.predict(wrong)

    @rule(wrong=st.sampled_from([None, 1, "state", [], [None] * 9, [(np.zeros((7, 9)),)]]))
    def wrong_states_change_nothing(self, wrong):
        with pytest.raises(InputError):
            self.model.set_state(wrong)

    # ---------------------------------------------------------------- copies, states, weights

    @rule(way=st.sampled_from([copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]))
    def copied(self, way):
        before = self.model
        self.model = way(before)
        before.next_scores(np.zeros((N, 3), int))  # which the copy does not see
        before.flat_params[...] = 0

    @rule()
    def reset(self):
        self.model.reset_state()
        self.read = np.zeros((N, 0), int)

    @rule()
    def keep(self):
        self.kept = self.model.get_state(), self.read

    @precondition(lambda self: self.kept is not None)
    @rule()
    def go_back(self):
        state, self.read = self.kept
        self.model.set_state(state)

    @rule(seed=st.integers(100, 199))
    def other_weights(self, seed):
        """The state is that of the old weights: it is reset, and what was kept is forgotten."""
        weights = build_model(replace(self.config, seed=seed)).state_dict()
        self.model.load_state_dict(weights)
        self.kept = None
        self.reset()

    @rule()
    def wrong_weights_change_nothing(self):
        weights = self.model.state_dict()
        name = next(iter(weights))
        for wrong in ({}, {**weights, name: weights[name][:-1]}, {**weights, name: weights[name].astype("float32")}):
            with pytest.raises(InputError):
                self.model.load_state_dict(wrong)

    @invariant()
    def is_whole(self):
        """The lists are views into the buffers, whatever was done."""
        for p, g in zip(self.model.params, self.model.grads):
            assert xp.may_share_memory(p, self.model.flat_params)
            assert p.shape == g.shape


TestUsed = Used.TestCase


def test_this_sees_a_fault():
    """A model that forgets its state when it is evaluated is found out."""
    used = Used()
    used.made({"cell": "lstm"}, 1)
    used.predict([[1, 2], [3, 4]])
    used.model.reset_state()
    with pytest.raises(AssertionError):
        used.predict([[1], [2]])
