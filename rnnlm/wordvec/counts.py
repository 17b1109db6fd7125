"""Word vectors from counts: co-occurrence, pointwise mutual information, singular value decomposition."""

from math import inf, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.checks import array_of, flag, not_negative, positive, size as length, whole_number
from rnnlm.data.ids import expect_words
from rnnlm.data.sources import tokens_of
from rnnlm.errors import InputError, MissingExtra
from rnnlm.randomness import old_generator
from rnnlm.wordvec.text import expect_window

__all__ = ["create_co_matrix", "pmi", "ppmi", "svd_vectors"]

DENSE = 5_000  # words up to which a dense matrix is the default: 100 MB of int32


def create_co_matrix(corpus: Any, vocab_size: int, window_size: int = 1, sparse: bool | None = None) -> Any:
    """Count how often each word occurs at most `window_size` words from each other word.

    Args:
        corpus: ids (tokens,).
        vocab_size: V.
        window_size: number of words on each side.
        sparse: True for a scipy sparse matrix (extra `vectors`), False for an array (default: an array up to 5,000
            words).

    Returns:
        C: (V, V) int32, symmetric.

    Raises:
        InputError: a window of 0 or longer than the text, or ids outside the vocabulary.
    """
    ids = np.asarray(tokens_of("corpus", corpus)).astype(np.int64)
    V, sparse = length("vocab_size", vocab_size), sparse if sparse is None else flag("sparse", sparse)
    expect_words("corpus", ids, V)
    window_size = length("window_size", window_size)
    if window_size >= len(ids):
        expect_window(window_size, len(ids))
    if sparse or (sparse is None and V > DENSE):
        return _sparse_counts(ids, V, window_size)
    C = np.zeros((V, V), np.int32)
    for k in range(1, window_size + 1):
        np.add.at(C, (ids[:-k], ids[k:]), 1)
    return C + C.T


def _sparse_counts(ids: NDArray[np.int64], V: int, window_size: int) -> Any:
    sp = scipy_sparse("a sparse co-occurrence matrix")
    C = sp.csr_array((V, V), dtype=np.int32)
    for k in range(1, window_size + 1):
        pairs, counts = np.unique(ids[:-k] * V + ids[k:], return_counts=True)
        C = C + sp.coo_array((counts.astype(np.int32), (pairs // V, pairs % V)), (V, V)).tocsr()
    return (C + C.T).tocsr()


def pmi(count_xy: float, count_x: float, count_y: float, total: float) -> float:
    """Return pointwise mutual information in bits, log2 (P(x, y) / (P(x) P(y))), from counts; -inf if count_xy is 0.

    Source: Church and Hanks, Word association norms, mutual information, and lexicography, ACL 1989.
    """
    x, y, of_all = positive("count_x", count_x), positive("count_y", count_y), positive("total", total)
    together = not_negative("count_xy", count_xy)
    return log2(together) - log2(x) - log2(y) + log2(of_all) if together else -inf


def ppmi(C: Any) -> Any:
    """Return the positive pointwise mutual information in bits of all pairs: max(0, PMI), and 0 where the count is 0.

        PPMI[x, y] = max(0, log2 (C[x, y] N / (C[x] C[y])))        C[x] = sum of column x, N = sum of all

    Source: Bullinaria and Levy, Extracting semantic representations from word co-occurrence statistics, Behavior
    Research Methods 39 (2007).

    Args:
        C: (V, V) counts: an array, or a scipy sparse matrix, which stays sparse.

    Returns:
        M: (V, V) float32, dense or sparse like C.

    Raises:
        InputError: a matrix that is not square, or has negative entries.
    """
    C = matrix("C", C)
    if C.shape[0] != C.shape[1]:
        raise InputError(f"C must be a square matrix (V, V), got shape {C.shape}")
    if (least := float(C.min() if isinstance(C, np.ndarray) else C.data.min(initial=0))) < 0:
        raise InputError(f"C must hold counts, got {least}")
    total, of_word = float(C.sum()), np.asarray(C.sum(axis=0), np.float64).reshape(-1)
    if isinstance(C, np.ndarray):
        rows, columns = np.nonzero(C)
        M = np.zeros(C.shape, np.float32)
        M[rows, columns] = _positive(C[rows, columns], of_word[rows], of_word[columns], total)
        return M
    found = C.tocoo()
    values = _positive(found.data, of_word[found.row], of_word[found.col], total)
    M = type(found)((values, (found.row, found.col)), C.shape).tocsr()
    M.eliminate_zeros()
    return M


def _positive(pairs: NDArray[Any], x: NDArray[Any], y: NDArray[Any], total: float) -> NDArray[np.float32]:
    """Return max(0, PMI) of pairs that occur."""
    return np.maximum(np.log2(pairs * (total / x) / y), 0).astype(np.float32)


def svd_vectors(M: Any, size: int = 100, seed: int = 0) -> NDArray[np.float32]:
    """Return word vectors (V, size): the columns of U in M = U S Vᵀ with the largest singular values.

    Exact for an array of at most 500 rows; for larger or sparse matrices scikit-learn's randomized method (extra
    `vectors`).

    Source: Halko, Martinsson and Tropp, Finding structure with randomness, SIAM Review 53 (2011).

    Args:
        M: (V, V), an array or a sparse matrix of scipy.
        size: length of the vectors.
        seed: seed of the randomized method.

    Raises:
        InputError: `size` is larger than V, or M is not a matrix of finite numbers.
        MissingExtra: a large or sparse matrix without scikit-learn.
    """
    M = matrix("M", M)
    whole_number("size", size, 1, min(M.shape) + 1)
    whole_number("seed", seed, 0, 2**64)
    if isinstance(M, np.ndarray) and len(M) <= 500:
        M = M if M.dtype in (np.float32, np.float64) else M.astype(np.float64)
        return np.linalg.svd(M)[0][:, :size].astype(np.float32)
    try:
        from sklearn.utils.extmath import randomized_svd
    except ImportError as error:
        raise MissingExtra("the SVD of a large matrix", "vectors") from error
    U, _, _ = randomized_svd(M, n_components=size, n_iter=5, random_state=old_generator(seed))
    return U.astype(np.float32)


def matrix(name: str, M: Any) -> Any:
    """Return a matrix of finite numbers as an array, or a scipy sparse matrix unchanged.

    Raises:
        InputError: M is not such a matrix.
    """
    sparse = hasattr(M, "tocoo")
    numbers = array_of(name, M.data if sparse else M)
    if not np.isfinite(numbers).all():
        raise InputError(f"{name} must be finite, got NaN or infinity")
    if (M.ndim if sparse else numbers.ndim) != 2 or 0 in M.shape if sparse else numbers.ndim != 2 or not numbers.size:
        raise InputError(f"{name} must be a matrix, got shape {M.shape if sparse else numbers.shape}")
    return M if sparse else numbers


def scipy_sparse(purpose: str) -> Any:
    """Return `scipy.sparse`; raises MissingExtra without it."""
    try:
        import scipy.sparse as sp
    except ImportError as error:
        raise MissingExtra(purpose, "vectors") from error
    return sp
