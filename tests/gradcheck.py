"""Is a backward pass the derivative of its forward pass? Finite differences along one random direction, in float64."""

import numpy as np

from rnnlm.backend import ops


def dev(a, dtype=None):
    """A copy of a host array as one of the backend."""
    return ops.asarray(np.array(a), dtype)


def host(a):
    """A copy of an array of the backend as a NumPy array."""
    return np.array(ops.asnumpy(a))


def assert_gradients(loss, arrays, grads, rng, eps=1e-6, rtol=1e-7):
    """`loss()` reads `arrays` (float64, on the backend), which are nudged in place; `grads` are backward's answers.

    The central difference errs by eps² times a third derivative, about 1e-12, and by rounding, about 1e-16 / eps = 1e-10
    of the loss: rtol leaves room for a loss of a few hundred.
    """
    for name, array in arrays.items():
        v = dev(rng.standard_normal(array.shape))
        before = array.copy()
        array += eps * v
        plus = float(loss())
        array[...] = before - eps * v
        minus = float(loss())
        array[...] = before
        numeric, exact = (plus - minus) / (2 * eps), float((grads[name] * v).sum())
        assert abs(numeric - exact) <= rtol * max(1, abs(exact)), (
            f"gradient of {name}: backward says {exact:.10g}, finite differences say {numeric:.10g}"
        )
