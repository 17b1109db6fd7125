import copy

import numpy as np
import pytest

from rnnlm.backend import xp
from rnnlm.errors import InputError
from rnnlm.optim import (
    ASGD,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    Constant,
    Cosine,
    DivideOnPlateau,
    Halving,
    Momentum,
    Nesterov,
    RMSprop,
    StepDecay,
    clip_grads,
)
from rnnlm.optim.base import Optimizer
from tests.gradcheck import dev, host


def test_sgd_is_its_equation(rng):
    p, g = rng.standard_normal((2, 50_000))
    params, grads = [dev(p), dev(p[:3])], [dev(g), dev(g[:3])]
    SGD(0.3).update(params, grads)
    for got, i in zip(params, (slice(None), slice(3))):
        np.testing.assert_allclose(
            host(got), p[i] - 0.3 * g[i], rtol=1e-14, atol=1e-15
        )  # a GPU rounds once where this does twice
    np.testing.assert_array_equal(host(grads[0]), g)


def test_adam_is_its_equations(rng):
    """The unsimplified form of the paper: bias-corrected averages."""
    p, (g1, g2) = rng.standard_normal(50_000), rng.standard_normal((2, 50_000))
    params, optimizer = [dev(p)], Adam(0.01)
    m = v = 0
    want = p
    for t, g in ((1, g1), (2, g2)):
        optimizer.update(params, [dev(g)])
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        want = want - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-7 / np.sqrt(1 - 0.999**t))
    np.testing.assert_allclose(host(params[0]), want, rtol=1e-10)


@pytest.mark.parametrize(
    "optimizer", [cls(0.1) for cls in (SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam, AdamW, ASGD)]
)
def test_a_flat_buffer_is_updated_as_its_parts(optimizer, rng):
    p, g = rng.standard_normal((2, 30))
    flat, parts = dev(p), [dev(p[:11]), dev(p[11:].reshape(19, 1))]
    other = type(optimizer)(0.1)
    for _ in range(3):
        optimizer.update([flat], [dev(g)])
        other.update(parts, [dev(g[:11]), dev(g[11:].reshape(19, 1))])
    np.testing.assert_array_equal(host(flat), np.concatenate([host(part).ravel() for part in parts]))


def test_gradients_of_another_dtype_are_refused():
    p, g = xp.zeros(3, xp.float32), xp.zeros(3, xp.float64)
    with pytest.raises(
        InputError, match=r"grads\[0\] must have the dtype of params\[0\] float32, got float64: use astype"
    ):
        SGD(0.1).update([p], [g])


@pytest.mark.parametrize("factor", [0.5, np.float32(0.5), np.float64(0.5)])
def test_a_factor_is_any_number(factor):
    p = xp.ones(3, xp.float32)
    SGD(0.5, weight_decay=np.float32(0)).update([p], [xp.ones(3, xp.float32)], factor)
    np.testing.assert_array_equal(host(p), np.full(3, 0.75, np.float32))


@pytest.mark.parametrize("optimizer", [Momentum(0.1), Adam(0.1), ASGD(0.1), RMSprop(0.1)])
def test_what_was_not_finite_can_be_forgotten(optimizer):
    p, g = xp.ones(3), dev([1.0, 2.0, 3.0])
    with np.errstate(invalid="ignore"):
        optimizer.update([p], [dev([np.nan, np.inf, 1.0])])
    optimizer.forget()
    p[...] = 1
    if isinstance(optimizer, ASGD):
        optimizer.start_averaging()
    optimizer.update([p], [g])
    fresh, other = xp.ones(3), type(optimizer)(0.1)
    other.update([fresh], [g])
    np.testing.assert_array_equal(host(p), host(fresh))
    if isinstance(optimizer, ASGD):
        with optimizer.averaged([p]):
            assert np.isfinite(host(p)).all()


@pytest.mark.parametrize("optimizer", [cls(0.1) for cls in (SGD, Momentum, Nesterov, RMSprop, Adam, ASGD)])
def test_parameters_may_have_gaps_in_memory(optimizer, rng):
    p, g = rng.standard_normal((2, 6, 8))
    apart, whole = dev(p), dev(p[:, ::2])
    for _ in range(2):
        optimizer.update([apart[:, ::2]], [dev(g)[:, ::2]])
    again = type(optimizer)(0.1)
    for _ in range(2):
        again.update([whole], [dev(g[:, ::2])])
    np.testing.assert_allclose(host(apart)[:, ::2], host(whole), rtol=1e-14)
    np.testing.assert_array_equal(host(apart)[:, 1::2], p[:, 1::2])
    np.testing.assert_allclose(float(clip_grads([dev(g)[:, ::2]], 1.0)), np.linalg.norm(g[:, ::2]))


def test_the_learning_rate_may_be_changed():
    optimizer, p = SGD(1.0), [dev(np.zeros(1))]
    optimizer.lr /= 4
    optimizer.update(p, [dev(np.ones(1))])
    assert host(p[0]) == -0.25


@pytest.mark.parametrize("lr", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("cls", [SGD, Adam])
def test_a_learning_rate_must_be_positive(cls, lr):
    with pytest.raises(InputError, match="lr must be positive and finite, got"):
        cls(lr)
    optimizer = cls(1.0)
    with pytest.raises(InputError, match="lr must be positive and finite, got"):
        optimizer.lr = lr
    assert optimizer.lr == 1


@pytest.mark.parametrize(
    ("cls", "defaults"),
    [
        (SGD, {"lr": 0.01}),
        (Momentum, {"lr": 0.01, "momentum": 0.9}),
        (Nesterov, {"lr": 0.01, "momentum": 0.9}),
        (AdaGrad, {"lr": 0.01, "epsilon": 1e-7}),
        (RMSprop, {"lr": 0.01, "decay_rate": 0.99, "epsilon": 1e-7}),
        (Adam, {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}),
        (AdamW, {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, "weight_decay": 0.01}),
        (ASGD, {"lr": 0.01, "nonmono": 5}),
    ],
)
def test_what_the_book_and_the_papers_take_unless_something_else_is_said(cls, defaults):
    optimizer = cls()
    assert {name: getattr(optimizer, name) for name in defaults} == defaults


@pytest.mark.parametrize(
    ("params", "grads", "message"),
    [
        (np.zeros(2), [np.zeros(2)], "params must be a list of arrays, got "),
        ([np.zeros(2)], np.zeros(2), "grads must be a list of arrays, got "),
        ([[0.0, 0.0]], [np.zeros(2)], r"params\[0\] must be a floating-point array of .*, got \[0.0, 0.0\]"),
        ([np.zeros(2, int)], [np.zeros(2, int)], r"params\[0\] must be a floating-point array of .*, got "),
        ([np.zeros(2)] * 2, [np.zeros(2), None], r"grads\[1\] must be a floating-point array of .*, got None"),
    ],
)
def test_what_is_no_list_of_arrays_is_refused(params, grads, message):
    """Arrays in them are those of the backend."""

    def moved(given):
        return dev(given) if isinstance(given, np.ndarray) else given

    given = [[moved(a) for a in arrays] if isinstance(arrays, list) else moved(arrays) for arrays in (params, grads)]
    optimizer = SGD(1.0)
    with pytest.raises(InputError, match=message):
        optimizer.update(*given)
    assert optimizer.iter == 0


@pytest.mark.parametrize("wrong", [np.ma.masked_array([1.0, 2.0], [True, False]), np.ones((1, 2)).view(np.matrix)])
def test_arrays_whose_numbers_do_not_all_count_or_that_multiply_otherwise_are_refused(wrong):
    with pytest.raises(InputError, match=r"params\[0\] must be a floating-point array of"):
        SGD(1.0).update([wrong], [wrong])


def test_lists_that_do_not_match_are_refused():
    with pytest.raises(InputError, match="lists of one length, got 1 and 0"):
        SGD(1.0).update([xp.zeros(2)], [])
    with pytest.raises(InputError, match=r"grads\[0\] must have the shape of params\[0\] \(2,\), got \(3,\)"):
        Adam(1.0).update([xp.zeros(2)], [xp.zeros(3)])
    with pytest.raises(InputError, match=r"beta1 must be in \[0, 1\), got 1"):
        Adam(beta1=1)
    adam = Adam()
    adam.update([xp.zeros(2)], [xp.zeros(2)])
    with pytest.raises(InputError, match="shape of params"):
        adam.update([xp.zeros(3)], [xp.zeros(3)])


G = [np.array([1.0, -2.0, 0.0]), np.array([0.5, 1.0, 3.0]), np.array([-1.0, 0.25, 1.0])]


P = np.array([1.0, -2.0, 3.0])


def run(optimizer):
    p = [dev(P)]
    for g in G:
        optimizer.update(p, [dev(g)])
    return host(p[0])


def test_momentum_is_its_equation():
    p, v = P, 0
    for g in G:
        v = 0.9 * v - 0.1 * g
        p = p + v
    np.testing.assert_allclose(run(Momentum(0.1)), p, rtol=1e-14)
    np.testing.assert_allclose(run(Momentum(0.1, 0.0)), run(SGD(0.1)), rtol=1e-14)


def test_nesterov_is_the_gradient_at_the_point_ahead():
    """The original form: theta moves by v, the gradient is taken at theta + momentum v, which is what is stored."""
    theta, v = P, np.zeros(3)
    for g in G:
        v = 0.9 * v - 0.1 * g
        theta = theta + v
    np.testing.assert_allclose(run(Nesterov(0.1)), theta + 0.9 * v, rtol=1e-14)


def test_adagrad_and_rmsprop_are_their_equations():
    p, h = P, 0
    for g in G:
        h = h + g**2
        p = p - 0.1 * g / (np.sqrt(h) + 1e-7)
    np.testing.assert_allclose(run(AdaGrad(0.1)), p, rtol=1e-14)
    p, h = P, 0
    for g in G:
        h = 0.99 * h + 0.01 * g**2
        p = p - 0.1 * g / (np.sqrt(h) + 1e-7)
    np.testing.assert_allclose(run(RMSprop(0.1)), p, rtol=1e-12)


def test_adamw_decays_apart_from_the_averages():
    decayed, plain = AdamW(0.1, weight_decay=0.3), Adam(0.1)
    p, q = [dev(P)], [dev(P)]
    for g in G:
        q[0] *= 1 - 0.1 * 0.3
        plain.update(q, [dev(g)])
        decayed.update(p, [dev(g)])
    np.testing.assert_allclose(host(p[0]), host(q[0]), rtol=1e-14)


@pytest.mark.parametrize("cls", [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam, ASGD])
def test_weight_decay_is_a_term_of_the_gradient(cls):
    p, q = [dev(P)], [dev(P)]
    one, other = cls(0.1, weight_decay=0.2), cls(0.1)
    for g in G:
        other.update(q, [dev(g + 0.2 * host(q[0]))])
        one.update(p, [dev(g)])
    np.testing.assert_allclose(host(p[0]), host(q[0]), rtol=1e-12)


def test_asgd_averages_from_the_trigger_on():
    optimizer, p, seen = ASGD(0.1), [dev(P)], []
    for k, g in enumerate(G * 2):
        if k == 2:
            optimizer.start_averaging()
            with optimizer.averaged(p):
                np.testing.assert_array_equal(host(p[0]), seen[-1])  # nothing to average yet
        optimizer.update(p, [dev(g)])
        seen.append(host(p[0]))
    with optimizer.averaged(p):
        np.testing.assert_allclose(host(p[0]), np.mean(seen[2:], axis=0), rtol=1e-14)
    np.testing.assert_array_equal(host(p[0]), seen[-1])
    with pytest.raises(InputError, match="the shape of params"), optimizer.averaged([dev(np.zeros(2))]):
        pass
    with pytest.raises(RuntimeError), optimizer.averaged(p):
        raise RuntimeError
    np.testing.assert_array_equal(host(p[0]), seen[-1])


@pytest.mark.parametrize("cls", [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam, ASGD])
def test_nothing_decays_unless_that_is_asked_for(cls):
    p = dev([1.0, 2.0])
    optimizer = cls(0.1)
    optimizer.update([p], [dev([0.0, 0.0])])
    assert optimizer.weight_decay == Optimizer(0.1).weight_decay == 0
    np.testing.assert_array_equal(host(p), [1, 2])


def test_the_first_average_is_the_parameter_whatever_was_averaged_before():
    optimizer, p = ASGD(0.1), dev([1.0, 2.0])
    optimizer.start_averaging()
    optimizer.update([p], [dev([1.0, 1.0])])
    optimizer.average[0][...] = float("nan")
    optimizer.start_averaging()
    optimizer.update([p], [dev([1.0, 1.0])])
    np.testing.assert_array_equal(host(optimizer.average[0]), host(p))


@pytest.mark.parametrize(
    "make", [lambda: SGD(0.1), lambda: Momentum(0.1), lambda: Adam(0.1), lambda: ASGD(0.1, nonmono=1)]
)
def test_an_optimiser_goes_on_from_what_it_remembers(rng, make):
    """Of a copy on the host, whatever happens to its own arrays."""
    gradients = [rng.standard_normal(5) for _ in range(6)]

    def run(optimizer, p, gradients):
        for g in gradients:
            optimizer.update([p], [dev(g)])
            optimizer.end_epoch(len(optimizer.state_dict()) + optimizer.iter)
        return host(p)

    whole, first, second, p = make(), make(), make(), dev(np.zeros(5))
    want = run(whole, dev(np.zeros(5)), gradients)
    run(first, p, gradients[:3])
    first.lr = 0.1
    state, kept = first.state_dict(), p.copy()
    run(first, p, gradients[:2])
    second.load_state_dict(state)
    assert (second.iter, second.lr) == (3, 0.1)
    np.testing.assert_allclose(run(second, kept, gradients[3:]), want, rtol=1e-12)
    assert set(state) == {"lr", "iter", *second.slots, *second.noted}
    with second.averaged([kept]):
        averaged = host(kept)
    assert np.array_equal(averaged, want) == (not isinstance(second, ASGD))
    second.forget()
    assert second.iter == 0


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"v": 1.0}, r"state\['v'\] must be a list of arrays"),
        ({"v": [[1.0]]}, r"state\['v'\]\[0\] must be a floating-point array of numpy, got \[1.0\]"),
        ({"v": [np.ones(2), np.ones(2, int)]}, r"state\['v'\]\[1\] must be a floating-point array of numpy, got array"),
        ({"v": [np.ma.masked_array([1.0], [True])]}, r"state\['v'\]\[0\] must be a floating-point array of numpy"),
        ({"iter": -1}, r"state\['iter'\] must be a whole number in \[0, 9223372036854775808\), got -1"),
        ({"lr": 0}, "lr must be positive and finite, got 0"),
        ({"h": []}, "state must be what state_dict gave, with lr, iter, v, got "),
    ],
    ids=["number", "list", "int", "masked", "iter", "lr", "other"],
)
def test_a_state_that_can_not_be_leaves_the_optimiser_as_it_was(entry, message):
    optimizer, p = Momentum(0.1), dev(np.zeros(2))
    optimizer.update([p], [dev([1.0, 2.0])])
    before = optimizer.state_dict()
    wrong = {"v": [np.full(2, 9.0)], "iter": 7, "lr": 0.7} | entry
    with pytest.raises(InputError, match=message):
        optimizer.load_state_dict(wrong)
    after = optimizer.state_dict()
    assert (after["iter"], after["lr"]) == (before["iter"], before["lr"]) == (1, 0.1)
    np.testing.assert_array_equal(after["v"], before["v"])


def test_without_a_trigger_asgd_is_sgd():
    np.testing.assert_array_equal(run(ASGD(0.1)), run(SGD(0.1)))


def test_the_trigger_is_the_non_monotonic_one():
    """As the paper's: worse than the best of all but the last n, and more than n of them."""
    losses = [9, 8, 7, 6, 5, 5.5, 5.4, 5.3, 5.2, 5.1]
    optimizer = ASGD(0.1, nonmono=3)
    when = []
    for loss in losses:
        optimizer.end_epoch(loss)
        when.append(optimizer.averaging)
    want = [len(losses[:k]) > 3 and losses[k] > min(losses[: k - 3]) for k in range(len(losses))]
    assert when.index(True) == want.index(True) == 8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0), "lr must be positive and finite, got 0"),
        (lambda: DivideOnPlateau(1, 0.5), r"decay \(lr_decay\) must be at least 1, got 0.5"),
        (lambda: StepDecay(1, 2, -1), "full_epochs must be a whole number of at least 0, got -1"),
        (lambda: Cosine(1, 10, 10), "warmup must be shorter than the 10 steps of the training, got 10"),
        (lambda: Halving(1, ratio=0), "ratio must be positive and finite, got 0"),
        (lambda: Momentum(0.1, 1.0), r"momentum must be in \[0, 1\), got 1.0"),
        (lambda: RMSprop(0.1, -1), r"decay_rate must be in \[0, 1\), got -1"),
        (lambda: SGD(0.1, weight_decay=-1), "weight_decay must be at least 0 and finite, got -1"),
        (lambda: ASGD(0.1, nonmono=0), "nonmono must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("kind", [AdaGrad, RMSprop, Adam, AdamW])
def test_epsilon_is_what_the_root_of_the_squares_is_kept_from_zero_by(kind):
    """Of a gradient much smaller than it, the first step is lr g / epsilon, but for the averages' own factors."""
    p = [xp.ones(3)]
    kind(lr=0.01, epsilon=1e3, **({"weight_decay": 0.0} if kind is AdamW else {})).update(p, [xp.full(3, 2.0)])
    moved = {
        AdaGrad: 0.01 * 2,
        RMSprop: 0.01 * 2,
        Adam: 0.01 * (0.001**0.5 / 0.1) * 0.2,
        AdamW: 0.01 * (0.001**0.5 / 0.1) * 0.2,
    }
    np.testing.assert_allclose(1 - host(p[0]), moved[kind] / 1e3, rtol=1e-2)
    with pytest.raises(InputError, match="epsilon must be positive and finite, got 0"):
        kind(epsilon=0)


def test_the_optimisers_as_keras_has_them():
    """Two steps of SGD with momentum, Adagrad, RMSprop and Adam with its defaults, by their equations."""
    g = 0.5
    for optimizer, want in (
        (Momentum(0.01, 0.9), 1 - 0.01 * g - 0.01 * (1 + 0.9) * g),
        (AdaGrad(0.01, epsilon=1e-6), 1 - 0.01 * g * (1 / (g + 1e-6) + 1 / ((2 * g * g) ** 0.5 + 1e-6))),
        (
            RMSprop(0.001, 0.9, epsilon=1e-6),
            1 - 0.001 * g * (1 / ((0.1 * g * g) ** 0.5 + 1e-6) + 1 / ((0.19 * g * g) ** 0.5 + 1e-6)),
        ),
        (Adam(0.001, 0.9, 0.999), 1 - 2 * 0.001),
    ):
        p = [xp.ones(1)]
        for _ in range(2):
            optimizer.update(p, [xp.full(1, g)])
        np.testing.assert_allclose(host(p[0]), want, rtol=1e-6)


def test_a_copy_remembers_for_itself(rng):
    p, g = (dev(a) for a in rng.standard_normal((2, 5)))
    first = Adam(0.1)
    first.update([p], [g])
    twin = copy.copy(first)
    before = host(first.m[0]).copy()
    twin.update([p], [g])
    np.testing.assert_array_equal(host(first.m[0]), before)
    assert (first.iter, twin.iter) == (1, 2)
