"""Models and optimisers of someone else, as a training sees them."""

import numpy as np
import pytest

from rnnlm.backend.host import on_host
from rnnlm.errors import InputError
from rnnlm.layers import Dense, MeanSquaredError
from rnnlm.models import Sequential, SimpleRnnlm
from rnnlm.optim import ASGD, SGD, Constant, StepDecay
from rnnlm.training.foreign import ForeignModel, StackModel, as_model, expect_own, forget_of, update_of
from tests.gradcheck import dev, host


class Theirs:
    """Steps by what it is given."""

    def update(self, params, grads):
        for p, g in zip(params, grads):
            p -= g


class Own(SGD):
    """A subclass that updates in its own way, and knows no factor."""

    def update(self, params, grads):
        super().update(params, grads)


@pytest.mark.parametrize(("optimizer", "scaled"), [(SGD(1.0), False), (Own(1.0), True), (Theirs(), True)])
def test_clippings_factor_is_taken_along_or_put_to_the_gradients_before(optimizer, scaled):
    p, g = dev(np.full(3, 5.0)), dev(np.array([1.0, 2.0, 4.0]))
    update_of(optimizer)([p], [g], dev(0.5))
    np.testing.assert_array_equal(host(p), [4.5, 4, 3])
    np.testing.assert_array_equal(host(g), np.array([1, 2, 4]) * (0.5 if scaled else 1))


def test_what_an_optimiser_remembers_is_given_up_where_it_can_be():
    optimizer = ASGD(0.1)
    optimizer.start_averaging()
    forget_of(optimizer)()
    assert not optimizer.averaging
    assert forget_of(Theirs())() is None


def test_models_as_a_training_sees_them():
    class Model:
        params, grads = [dev(np.ones(2))], [dev(np.zeros(2))]

        def forward(self, xs, ts):
            return 1.5

        def backward(self):
            return None

    own, stack = SimpleRnnlm(5, 4, 3), Sequential([Dense(2, 1)], MeanSquaredError())
    assert as_model(own) is own
    seen = as_model(stack)
    assert isinstance(seen, StackModel)
    assert seen.weights()[0] is stack.weights()[0]
    assert seen.gradients()[0] is stack.gradients()[0]
    weights = host(stack.weights()[0])
    kept = on_host(seen.progress())
    other = as_model(Sequential([Dense(2, 1)], MeanSquaredError()))
    other.load_progress(kept)
    np.testing.assert_array_equal(host(other.weights()[0]), weights)
    foreign = as_model(Model())
    assert isinstance(foreign, ForeignModel)
    assert (foreign.forward(None, None), foreign.reset_state(), foreign.vocab_size) == (1.5, None, None)
    for use in (foreign.progress, lambda: foreign.load_progress({})):
        with pytest.raises(InputError, match="model must be one of rnnlm.models to be saved in checkpoints, got"):
            use()


def test_what_can_be_written_down():
    rule = StepDecay(0.5)
    assert expect_own(SGD(0.1), rule) is rule
    assert isinstance(expect_own(SGD(0.1), None), Constant)
    for optimizer, rate, message in (
        (Theirs(), None, "optimizer .* got Theirs"),
        (SGD(0.1), abs, "rate .* got builtin"),
    ):
        with pytest.raises(InputError, match=message):
            expect_own(optimizer, rate)


def test_a_network_without_a_head_has_nothing_to_train():
    with pytest.raises(InputError, match="these layers have none"):
        as_model(Sequential([Dense(2, 1)]))
