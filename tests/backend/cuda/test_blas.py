"""Products by cuBLAS itself: by which pointers, distances and transpositions it is told where matrices lie."""

import numpy as np
import pytest

from benchmarks.precision import rounded
from rnnlm.backend import NAME, ops, xp
from tests.gradcheck import dev, host

pytestmark = [
    pytest.mark.skipif(NAME == "numpy", reason="cuBLAS is CUDA's: --strict-cupy, or a GPU"),
    pytest.mark.usefixtures("recording"),
]
STRICT = "strict" in getattr(xp, "__version__", "")
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


@pytest.mark.parametrize(("precision", "bits"), [("fp32", 23), ("tf32", 10), ("bf16", 7)])
def test_a_lower_precision_takes_factors_of_fewer_bits(rng, monkeypatch, precision, bits):
    monkeypatch.setattr(ops, "_precision", precision)
    a, b = (rng.standard_normal(shape).astype("float32") for shape in ((64, 96), (96, 32)))
    exact, out = a.astype("float64") @ b, dev(np.zeros((64, 32), "float32"))
    ops.matmul(dev(a), dev(b), out=out)
    assert abs(host(out) - exact).max() <= (2.0**-bits + 2.0**-20) * (abs(a) @ abs(b)).max()
    if STRICT:  # a GPU may take more bits than it has to
        assert abs(host(out) - exact).max() >= 2.0 ** -(bits + 5)
    few = rounded(a, bits), rounded(b, bits)
    ops.matmul(*map(dev, few), out=out)
    np.testing.assert_allclose(host(out), few[0].astype("float64") @ few[1], rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not STRICT, reason="CuPy does not say what it was told")
@pytest.mark.parametrize(("precision", "kind"), [("fp32", None), ("tf32", 7), ("bf16", None)])
def test_cupys_own_products_are_told_the_precision(monkeypatch, precision, kind):
    """It has none of bfloat16 for float32 arrays."""
    from cupy._core import _routines_linalg as products

    monkeypatch.delenv("CUPY_TF32", raising=False)
    monkeypatch.setattr(ops, "_precision", "fp32")
    monkeypatch.setattr(products, "compute_types", {})
    ops._set_precision(precision)
    assert products.compute_types.get("f") == kind
    assert ops.describe().endswith(precision)
