"""The book's helpers, where they take, print or return something else than this library's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.backend import Array, ops
from rnnlm.checks import flag, function, refused, whole_number
from rnnlm.data.batches import Batches
from rnnlm.data.ids import ids_of
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.inference.evaluation import perplexity
from rnnlm.inference.predictor import expect_predictor, own_state
from rnnlm.models.base import Model
from rnnlm.models.sequential import Sequential
from rnnlm.wordvec import counts, neighbours

__all__ = [
    "analogy", "create_co_matrix", "eval_perplexity", "eval_seq2seq", "most_similar", "ppmi", "to_cpu", "to_gpu",
]  # fmt: skip


def eval_perplexity(model: Any, corpus: ArrayLike | Tokens, batch_size: int = 10, time_size: int = 35) -> float:
    """Return the book's perplexity: from the mean loss of full windows, read in `batch_size` rows from zero states.

    It depends on both sizes, and with the defaults scores 82,250 of the 82,429 pairs of Penn Treebank's test part;
    `evaluate` is exact. The state of this library's models is restored afterwards; that of other models is neither
    reset nor restored.
    """
    ids = tokens_of("corpus", corpus)
    function("model.forward", getattr(model, "forward", None))
    if not isinstance(model, (Model, Sequential)):
        batches = Batches(ids[:-1], ids[1:], batch_size, time_size)
        return perplexity(sum(_loss(model, *batches.window(k)) for k in range(len(batches))) / len(batches))
    V = expect_predictor("model", model)
    ids = ids.within(0, V)
    batches = Batches(ids[:-1], ids[1:], batch_size, time_size)
    batches.expect_words(V)
    loss = model.loss if isinstance(model, Sequential) else model.forward
    predictor: Any = model
    with own_state(predictor):
        windows = (batches.window(number) for number in range(len(batches)))
        total = sum(loss(xs, ts, train_flg=False, keep=False) for xs, ts in windows)
    return perplexity(float(total) / len(batches))


def _loss(model: Any, xs: Array, ts: Array) -> float:
    """Return the loss of a model written like the book's, without dropout if it has any."""
    try:
        return float(model.forward(xs, ts, train_flg=False))
    except TypeError:  # it takes no train_flg
        return float(model.forward(xs, ts))


def eval_seq2seq(
    model: Any,
    question: Any,
    correct: Any,
    id_to_char: Mapping[int, str],
    verbose: bool = False,
    is_reverse: bool = False,
) -> int:
    """Return 1 if a model answers a question correctly, else 0.

    Args:
        model: has `generate(question, start_id, sample_size)`.
        question: ids (1, T).
        correct: ids (1, T' + 1) of the answer, beginning with the start character.
        id_to_char: characters by id.
        verbose: print question, right answer and the model's answer.
        is_reverse: the question is reversed; print it in the right order.
    """
    function("model.generate", getattr(model, "generate", None))
    flag("is_reverse", is_reverse)
    start, *answer = _letters("correct", correct, id_to_char)
    given = [int(c) for c in model.generate(question, start, len(answer))]
    if flag("verbose", verbose):
        asked, right, said = (
            "".join(id_to_char[c] for c in ids) for ids in (_letters("question", question, id_to_char), answer, given)
        )
        print(f"Q {asked[::-1] if is_reverse else asked}\nT {right}\n{'☑' if given == answer else '☒'} {said}\n---")
    return int(given == answer)


def _letters(name: str, ids: Any, id_to_char: Mapping[int, str]) -> list[int]:
    """Return the ids of a question or answer as a list, after checking that there are at least two characters."""
    found: list[int] = ids_of(name, ids, "ids (1, T)", (1, 2)).reshape(-1).tolist()
    if not isinstance(id_to_char, Mapping):
        raise refused("id_to_char", "characters by their ids", id_to_char)
    if len(found) < 2 or not all(i in id_to_char for i in found):
        raise refused(name, "ids (1, T) of characters in id_to_char, two at least", ids)
    return found


def most_similar(
    query: str, word_to_id: Mapping[str, int], id_to_word: Mapping[int, str], word_matrix: Any, top: int = 5
) -> None:
    """Print the words whose vectors are most similar to that of `query`; `rnnlm.most_similar` returns them."""
    if _known(word_to_id, query):
        print(f"\n[query] {query}")
        _print(neighbours.most_similar(query, word_to_id, id_to_word, ops.asnumpy(word_matrix), top))


def analogy(
    a: str,
    b: str,
    c: str,
    word_to_id: Mapping[str, int],
    id_to_word: Mapping[int, str],
    word_matrix: Any,
    top: int = 5,
    answer: str | None = None,
) -> None:
    """Print the words that relate to c as b does to a, as the book ranks them: by the product of their vectors with the
    normalised vec(b) - vec(a) + vec(c). `rnnlm.analogy` ranks by cosine, so that long vectors have no advantage.

    Args:
        answer: also print the product of this word.
    """
    if not _known(word_to_id, a, b, c, *([] if answer is None else [answer])):
        return
    print(f"\n[analogy] {a}:{b} = {c}:?")
    W = neighbours.dense(ops.asnumpy(word_matrix))
    neighbours.expect_fit(word_to_id, id_to_word, W)
    places = [word_to_id[word] for word in (a, b, c)]
    one, two, three = (W[i] for i in places)
    products = W @ neighbours.normalize(two - one + three)
    if answer is not None:
        print(f"==>{answer}:{products[word_to_id[answer]]}")
    order = [i for i in np.argsort(-products, kind="stable").tolist() if i not in places and products[i] == products[i]]
    _print([(id_to_word[i], float(products[i])) for i in order[: whole_number("top", top, 1)]])


def _known(word_to_id: Mapping[str, int], *words: str) -> bool:
    """Whether all words are in the vocabulary; prints the first that is not."""
    missing = [word for word in words if word not in word_to_id]
    if missing:
        print(f"{missing[0]} is not found")
    return not missing


def _print(found: list[tuple[str, float]]) -> None:
    for word, likeness in found:
        print(f" {word}: {likeness}")


def create_co_matrix(corpus: Any, vocab_size: int, window_size: int = 1) -> NDArray[Any]:
    """`rnnlm.create_co_matrix` as a dense array (V, V) for any vocabulary: 400 MB for 10,000 words."""
    counted: NDArray[Any] = counts.create_co_matrix(ops.asnumpy(corpus), vocab_size, window_size, sparse=False)
    return counted


def ppmi(C: Any, verbose: bool = False, eps: float = 1e-8) -> NDArray[Any]:
    """`rnnlm.ppmi` for an array (V, V).

    Args:
        C: counts.
        verbose, eps: accepted and ignored: it takes a second, and is 0 where a count is 0.
    """
    found: NDArray[Any] = counts.ppmi(np.asarray(ops.asnumpy(C)))
    return found


def to_cpu(x: Any) -> NDArray[Any]:
    """Return an array of the backend as a NumPy array; on the CPU the array itself."""
    return ops.asnumpy(x)


def to_gpu(x: Any) -> Array:
    """Return a NumPy array as one of the backend: on the GPU with RNNLM_DEVICE=cuda, else the array itself."""
    return ops.asarray(x)
