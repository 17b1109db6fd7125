"""Products by cuBLAS itself: by which pointers, distances and transpositions it is told where matrices lie."""

import numpy as np
import pytest

from rnnlm.backend import NAME, ops
from tests.gradcheck import dev, host

pytestmark = [
    pytest.mark.skipif(NAME == "numpy", reason="cuBLAS is CUDA's: --strict-cupy, or a GPU"),
    pytest.mark.usefixtures("recording"),
]
LAYOUTS = {
    "rows": lambda a: dev(a),
    "transposed": lambda a: dev(np.ascontiguousarray(a.T)).T,
    "rows apart": lambda a: dev(np.tile(a, 2))[:, : a.shape[1]],
    "columns apart": lambda a: dev(np.ascontiguousarray(np.tile(a.T, 2)))[:, : a.shape[0]].T,
    "neither": lambda a: dev(np.repeat(np.repeat(a, 2, axis=0), 2, axis=1))[::2, ::2],
}


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 7, 4), (6, 1, 3), (5, 3, 1), (1, 1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("add", [False, True])
def test_products_are_numpys_wherever_matrices_lie(rng, shape, dtype, add):
    M, K, N = shape
    a, b, before = (rng.standard_normal(s).astype(dtype) for s in ((M, K), (K, N), (M, N)))
    want = a @ b + (before if add else 0)
    for left in LAYOUTS.values():
        for right in LAYOUTS.values():
            for name in ("rows", "transposed", "rows apart"):
                out = LAYOUTS[name](before)
                ops.matmul(left(a), right(b), out=out, add=add)
                np.testing.assert_allclose(host(out), want, rtol=1e-5, atol=1e-5)
