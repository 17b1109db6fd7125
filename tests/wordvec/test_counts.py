"""Words, contexts, counts, PPMI, SVD and neighbours: the worked examples of the notes, and real sizes."""

import numpy as np
import pytest

from rnnlm.book.util import analogy as books_analogy
from rnnlm.data.corpora import story
from rnnlm.errors import DataError, InputError, MissingExtra
from rnnlm.wordvec import (
    analogy,
    convert_one_hot,
    cos_similarity,
    create_co_matrix,
    create_contexts_target,
    most_similar,
    normalize,
    pmi,
    ppmi,
    preprocess,
    svd_vectors,
)

TEXT = "You say goodbye and I say hello."
CORPUS, WORD_TO_ID, ID_TO_WORD = preprocess(TEXT)
COUNTS = ["0100000", "1010110", "0101000", "0010100", "0101000", "0100001", "0000010"]


def test_a_text_becomes_ids_by_first_appearance():
    assert CORPUS.tolist() == [0, 1, 2, 3, 4, 1, 5, 6]
    assert WORD_TO_ID == {"you": 0, "say": 1, "goodbye": 2, "and": 3, "i": 4, "hello": 5, ".": 6}
    assert {i: word for word, i in WORD_TO_ID.items()} == ID_TO_WORD
    with pytest.raises(DataError, match="text must have at least one word"):
        preprocess(" \n")


@pytest.mark.parametrize("sparse", [False, True])
def test_co_occurrence(sparse):
    C = create_co_matrix(CORPUS, 7, sparse=sparse)
    C = C.toarray() if sparse else C
    assert C.tolist() == [[int(n) for n in row] for row in COUNTS]
    C = create_co_matrix(CORPUS, 7, window_size=2, sparse=sparse)
    row = (C.toarray() if sparse else C)[WORD_TO_ID["goodbye"]]
    assert [ID_TO_WORD[i] for i in np.flatnonzero(row)] == ["you", "say", "and", "i"]


def test_neighbours():
    """Three words are equally like "you": the first ids come first."""
    C = create_co_matrix(CORPUS, 7)
    assert abs(cos_similarity(C[WORD_TO_ID["you"]], C[WORD_TO_ID["i"]]) - 0.70710678) < 1e-7
    found = most_similar("you", WORD_TO_ID, ID_TO_WORD, C, top=3)
    assert [word for word, _ in found] == ["goodbye", "i", "hello"]
    np.testing.assert_allclose([cosine for _, cosine in found], 0.5**0.5, rtol=1e-7)
    assert len(most_similar("you", WORD_TO_ID, ID_TO_WORD, C, top=99)) == 6
    assert cos_similarity([0, 0], [1, 2]) == 0
    with pytest.raises(
        InputError, match="query must be one of the 7 words that have a vector, got 'helo'; did you mean hello?"
    ):
        most_similar("helo", WORD_TO_ID, ID_TO_WORD, C)
    with pytest.raises(InputError, match=r"vectors of one length, got shapes \(2,\) and \(3,\)"):
        cos_similarity([1, 2], [1, 2, 3])


def test_an_analogy():
    """man : woman = king : ? in vectors that have it by construction, with words around it that do not."""
    words = ["man", "woman", "king", "queen", "apple", "car"]
    matrix = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [-1, 0, 0.2], [0, -1, 0.1]])
    ids = {word: i for i, word in enumerate(words)}
    assert analogy("man", "woman", "king", ids, words, matrix, top=2)[0][0] == "queen"
    with pytest.raises(
        InputError, match="b must be one of the 6 words that have a vector, got 'quen'; did you mean queen?"
    ):
        analogy("man", "quen", "king", ids, words, matrix)


def test_the_books_analogy_favours_long_vectors(capsys):
    """It multiplies with the vectors as they are: here twice 0.6 is more than once 1."""
    words = {word: i for i, word in enumerate("abcde")}
    matrix = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 0], [0.8, 0.8, 0.8], [3, 0, 3]])
    by_cosine = analogy("a", "b", "c", words, list("abcde"), matrix, top=2)
    assert [word for word, _ in by_cosine] == ["d", "e"]
    books_analogy("a", "b", "c", words, dict(enumerate("abcde")), matrix, top=2, answer="d")
    printed = capsys.readouterr().out.split("\n")
    assert printed[1] == "[analogy] a:b = c:?"
    assert [line.split(":")[0] for line in printed[3:5]] == [" e", " d"]
    near = np.ones(3) / np.sqrt(3)
    assert float(printed[2].removeprefix("==>d:")) == pytest.approx(2.4 / np.sqrt(3))
    assert float(printed[3].split(":")[1]) == pytest.approx(matrix[4] @ near)


def test_rows_of_length_one():
    np.testing.assert_allclose(normalize([[3.0, 4.0], [0.0, 0.0]]), [[0.6, 0.8], [0, 0]])


def test_contexts_and_targets():
    contexts, target = create_contexts_target(CORPUS, 1)
    assert contexts.tolist() == [[0, 2], [1, 3], [2, 4], [3, 1], [4, 5], [1, 6]]
    assert target.tolist() == [1, 2, 3, 4, 1, 5]
    assert create_contexts_target(CORPUS, 2)[0][0].tolist() == [0, 1, 3, 4]
    assert convert_one_hot(target, 7).shape == (6, 7)
    assert convert_one_hot(contexts, 7).shape == (6, 2, 7)
    W = np.arange(21).reshape(7, 3)
    assert (convert_one_hot(target, 7) @ W).tolist() == W[target].tolist()
    for window in (0, 4, 9):
        with pytest.raises(InputError, match="window_size must be"):
            create_contexts_target(CORPUS, window)
    with pytest.raises(InputError, match=r"corpus must hold ids in \[0, 6\), got 6"):
        convert_one_hot(CORPUS, 6)


def test_a_bag_of_words():
    """Over I, am, a, boy, girl: the sum of one-hot rows."""
    ids = {word: i for i, word in enumerate(["I", "am", "a", "boy", "girl"])}
    rows = convert_one_hot(np.array([ids[word] for word in ["I", "am", "a", "girl"]]), 5)
    assert rows.sum(axis=0).tolist() == [1, 1, 1, 0, 1]


def test_mutual_information():
    assert round(pmi(10, 1000, 20, 10_000), 2) == 2.32
    assert round(pmi(5, 20, 10, 10_000), 2) == 7.97
    assert pmi(0, 20, 10, 100) == -np.inf
    for count in (0, -1, float("nan")):
        with pytest.raises(InputError, match="count_x must be positive and finite"):
            pmi(1, count, 1, 10)


@pytest.mark.parametrize("sparse", [False, True])
def test_ppmi_of_a_matrix(sparse):
    C = create_co_matrix(CORPUS, 7, sparse=sparse)
    M = ppmi(C)
    M = M.toarray() if sparse else M
    assert abs(M[WORD_TO_ID["you"], WORD_TO_ID["say"]] - 1.807) < 5e-4
    dense = create_co_matrix(CORPUS, 7)
    total, of_word = dense.sum(), dense.sum(axis=0)
    for i in range(7):
        for j in range(7):
            want = max(0, pmi(dense[i, j], of_word[i], of_word[j], total)) if dense[i, j] else 0
            assert abs(M[i, j] - want) < 1e-6
    assert M.dtype == np.float32


def test_vectors_are_columns_of_u():
    M = ppmi(create_co_matrix(CORPUS, 7))
    U, S, Vt = np.linalg.svd(M)
    np.testing.assert_allclose(U * S @ Vt, M, atol=1e-6)
    np.testing.assert_array_equal(svd_vectors(M, 2), U[:, :2].astype(np.float32))


@pytest.mark.parametrize("sparse", [False, True])
def test_the_randomized_svd_is_the_exact_one(sparse):
    """On the built-in corpus: the first columns, but for their signs."""
    pytest.importorskip("sklearn", reason="needs the extra 'vectors'")
    ids, _, id_to_word = story.load_data("valid")
    M = ppmi(create_co_matrix(ids, len(id_to_word), 2, sparse=sparse))
    dense = M.toarray() if sparse else M
    padded = np.zeros((600, 600), np.float32)
    padded[: len(dense), : len(dense)] = dense
    got, want = svd_vectors(padded, 5, seed=1), np.linalg.svd(dense)[0][:, :5]
    np.testing.assert_allclose(np.abs(got[: len(dense)]), np.abs(want), atol=1e-3)


def test_large_vocabularies_have_sparse_counts_by_themselves(rng):
    sp = pytest.importorskip("scipy.sparse", reason="needs the extra 'vectors'")
    ids = rng.integers(0, 6000, 10_000)
    C = create_co_matrix(ids, 6000, 2)
    assert sp.issparse(C)
    assert C.sum() == 2 * (9_999 + 9_998)
    assert (C - C.T).nnz == 0
    assert sp.issparse(ppmi(C))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: create_co_matrix(CORPUS, 7, 0), "window_size must be a whole number of at least 1, got 0"),
        (lambda: create_co_matrix(CORPUS, 7, 8), "window_size must be less than half the 8 words of the corpus, got 8"),
        (lambda: create_co_matrix(CORPUS, 6), r"corpus must hold ids in \[0, 6\), got 6"),
        (lambda: create_co_matrix([0], 7), "window_size must be less than half the 1 words of the corpus"),
        (lambda: ppmi(np.zeros((2, 3))), r"C must be a square matrix \(V, V\), got shape \(2, 3\)"),
        (lambda: svd_vectors(np.eye(3), 4), r"size must be a whole number in \[1, 4\), got 4"),
    ],
)
def test_bad_input_is_refused(use, message):
    with pytest.raises(InputError, match=message):
        use()


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.sparse", None)
    with pytest.raises(MissingExtra, match="vectors"):
        create_co_matrix(CORPUS, 7, sparse=True)


def test_large_and_small_vectors_have_directions():
    x = np.array([[3e30, 4e30], [3e-30, 4e-30]], np.float32)
    np.testing.assert_allclose(normalize(x), [[0.6, 0.8]] * 2, rtol=1e-6)
