"""Models that list a weight more than once."""

import numpy as np

from rnnlm.optim import SGD
from rnnlm.training.foreign import as_model
from rnnlm.training.shared import remove_duplicate
from tests.gradcheck import dev, host


def test_a_weight_is_listed_once_and_its_gradients_are_added(rng):
    W, U, b = (dev(rng.standard_normal(shape)) for shape in ((4, 3), (4, 3), (3,)))
    grads = [dev(rng.standard_normal(shape)) for shape in ((4, 3), (3,), (4, 3), (3, 4), (4, 3))]
    before = [host(g) for g in grads]
    params, sums = remove_duplicate([W, b, W, W.T, U], grads)
    assert [p is q for p, q in zip(params, (W, b, U))] == [True] * 3
    np.testing.assert_allclose(host(sums[0]), before[0] + before[2] + before[3].T, rtol=1e-12)
    np.testing.assert_array_equal(host(sums[2]), before[4])
    for g, was in zip(grads, before):
        np.testing.assert_array_equal(host(g), was)  # those of the layers are left as they are


def test_equal_values_are_not_one_weight():
    W = dev(np.ones((3, 3)))
    params, _ = remove_duplicate([W, W.copy(), W.T.copy()], [W, W, W])
    assert len(params) == 3


def test_a_step_moves_a_shared_weight_once_by_the_sum(rng):
    class Twice:
        def __init__(self):
            self.W = dev(np.zeros(2))
            self.params, self.grads = [self.W, self.W], [dev([1.0, 2.0]), dev([10.0, 20.0])]

        def forward(self, xs, ts):
            return 0.0

        def backward(self):
            pass

    model = Twice()
    seen = as_model(model)
    SGD(0.1).update(seen.weights(), seen.gradients())
    np.testing.assert_allclose(host(model.W), [-1.1, -2.2])


def test_parts_of_one_array_are_weights_of_their_own():
    """Halves of a matrix lie between each other; a view of all of it is the matrix, not its transpose."""
    W = dev(np.arange(32.0).reshape(4, 8))
    halves = [W[:, :4], W[:, 4:]]
    grads = [dev(np.ones((4, 4))), dev(np.full((4, 4), 2.0))]
    assert len(remove_duplicate(halves, grads)[0]) == 2
    square, rising = dev(np.eye(3)), dev(np.arange(9.0).reshape(3, 3))
    for again, sum_of in ((square[:], rising + rising), (square.T, rising + rising.T)):
        params, sums = remove_duplicate([square, again], [rising, rising])
        assert len(params) == 1
        np.testing.assert_array_equal(host(sums[0]), host(sum_of))
