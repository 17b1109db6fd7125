"""What layers say of arrays that they can't take: the rule, what was given, and nothing of what may be."""

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.errors import InputError
from rnnlm.layers.expected import expect, expect_dtype, expect_ids, expect_one_hot, expect_within
from tests.gradcheck import dev

on_the_host = pytest.mark.skipif(NAME != "numpy", reason="on a device a look at numbers would wait for it")
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def test_shapes_of_numbers_and_of_letters():
    for shape, array in (((3,), np.ones(3)), (("N", 4), np.ones((1, 4))), (("N", "T", 2), np.ones((5, 1, 2)))):
        expect("a", dev(array), shape)
    expect("a", dev(np.ones((0, 3))), (0, "D"))  # a number may be 0, a letter may not
    for shape, array, said in (
        (("N",), np.ones(0), r"\(N,\), got \(0,\)"),
        ((3,), np.ones(2), r"\(3,\), got \(2,\)"),
        (("N", 4), np.ones((2, 5)), r"\(N, 4\), got \(2, 5\)"),
        (("N", 4), np.ones((0, 4)), r"\(N, 4\), got \(0, 4\)"),
        (("N", 4), np.ones(4), r"\(N, 4\), got \(4,\)"),
        (("N", "T", 4), np.ones((2, 4)), r"\(N, T, 4\), got \(2, 4\)"),
    ):
        with pytest.raises(InputError, match=rf"^a must have shape {said}$"):
            expect("a", dev(array), shape)


def test_dtypes():
    for dtype in (np.float16, np.float32, np.float64):
        expect("a", dev(np.ones(2), dtype), (2,))
        expect("a", dev(np.ones(2), dtype), (2,), dtype)
    expect("a", dev(np.ones(2), np.int32), (2,), np.int32)
    for dtype in (np.int64, np.bool_, np.complex128):
        with pytest.raises(InputError, match="^a must be of a floating-point dtype, got "):
            expect("a", dev(np.ones(2), dtype), (2,))
    with pytest.raises(InputError, match="^a must have the layer's dtype float32, got float64: use astype$"):
        expect("a", dev(np.ones(2)), (2,), np.dtype(np.float32))


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ([1.0], "builtins.list"),
        (None, "builtins.NoneType"),
        (np.float64(1), "numpy.float64"),
        (np.ma.masked_array([1.0], [True]), "numpy.ma.MaskedArray"),
        (np.ones((1, 1)).view(np.matrix), "numpy.matrix"),
    ],
)
def test_what_is_no_array_of_the_backend_is_refused_by_its_type(wrong, kind):
    with pytest.raises(InputError, match="^a must be an array of [a-z_]+, got "):
        expect("a", wrong, ("N",))
    if NAME == "numpy":
        with pytest.raises(InputError, match=f"got {kind}$".replace("ma.", r"ma\.([a-z]+\.)?")):
            expect("a", wrong, ("N",))


def test_ids_are_integers_of_a_shape():
    for dtype in INTEGERS:
        expect_ids("ids", dev([[0, 1]], dtype), words=2)
    for dtype in (np.float32, np.bool_):
        with pytest.raises(InputError, match="^ids must hold integer ids, got dtype (float32|bool)$"):
            expect_ids("ids", dev([[0, 1]], dtype))
    with pytest.raises(InputError, match=r"^ids must have shape \(N, T\), got \(2,\)$"):
        expect_ids("ids", dev([0, 1]))
    with pytest.raises(InputError, match="^ids must be an array of [a-z_]+, got builtins.list$"):
        expect_ids("ids", [[0, 1]])


@on_the_host
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_words_of_a_vocabulary_are_ids_and_no_others(dtype, order):
    """Of every integer type, in either order of its bytes."""
    dtype, words, ignored = np.dtype(dtype).newbyteorder(order), 100, 127
    ids = np.array([[0, 99], [5, 0]], dtype)
    expect_ids("ids", ids, words=words)
    expect_ids("ids", ids, words=words, ignored=0)
    for wrong in (100, 126, -1, -128)[: 4 if dtype.kind == "i" else 2]:
        ids[1, 0] = wrong
        expect_ids("ids", ids)  # of which nobody has said how many there are
        with pytest.raises(InputError, match=rf"^ids must hold ids in \[0, 100\), got {wrong}$"):
            expect_ids("ids", ids, words=words)
        with pytest.raises(InputError, match=rf"in \[0, 100\), or 127, which does not count, got {wrong}$"):
            expect_ids("ids", ids, words=words, ignored=ignored)
        expect_ids("ids", ids, words=words, ignored=wrong)
    ids[1, 0] = ignored
    expect_ids("ids", ids, words=words, ignored=ignored)


def test_one_hot_rows():
    """Of any type of number."""
    for dtype in (*INTEGERS, np.float32, np.float64, np.bool_):
        expect_one_hot("ts", dev(np.eye(3), dtype), ("N", 3))
    with pytest.raises(InputError, match=r"^one-hot ts must have shape \(N, 4\), got \(3, 3\)$"):
        expect_one_hot("ts", dev(np.eye(3)), ("N", 4))
    with pytest.raises(InputError, match="^one-hot ts must be an array of [a-z_]+, got builtins.list$"):
        expect_one_hot("ts", [[1, 0]], ("N", 2))
    with pytest.raises(InputError, match="^one-hot ts must be of a floating-point dtype, got complex128$"):
        expect_one_hot("ts", dev(np.eye(3), np.complex128), ("N", 3))


@on_the_host
@pytest.mark.parametrize("row", [[0, 0, 0], [1, 0, 1], [-1, 1, 0]])
def test_one_hot_rows_have_one_entry_each(row):
    with pytest.raises(InputError, match="^one-hot ts must have one entry in each row that is not 0$"):
        expect_one_hot("ts", np.array([[0, 1, 0], row]), ("N", 3))
    expect_one_hot("ts", np.array([[0, 5, 0], [-1, 0, 0]]), ("N", 3))


@on_the_host
def test_numbers_within_bounds():
    """The bounds are in; what is told is the lowest of those too low, or else the highest."""
    for fine in ([0.0, 1.0], [0.5, np.nan], [np.nan]):
        expect_within("t", np.array(fine), 0, 1)
    for wrong, told in (([-0.5, 0.5], -0.5), ([0.5, 1.5, 2.5], 2.5), ([-1.0, -3.0, 7.0], -3.0)):
        with pytest.raises(InputError, match=rf"^t must be in \[0, 1\], got {told}$"):
            expect_within("t", np.array(wrong), 0, 1)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_dtypes_of_weights(kind):
    for given in (kind, np.dtype(kind), np.dtype(kind).name):
        assert expect_dtype("dtype", given) == kind


@pytest.mark.parametrize("wrong", ["int32", np.complex64, "floating", 7, bool])
def test_dtypes_that_are_none_of_weights_are_refused(wrong):
    with pytest.raises(InputError, match="^dtype must be .*, got "):
        expect_dtype("dtype", wrong)
