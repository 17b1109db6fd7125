"""The book's helpers where they take, print or return something else than this library's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.backend import Array, ops
from rnnlm.checks import flag, function, refused
from rnnlm.data.batches import Batches
from rnnlm.data.ids import ids_of
from rnnlm.data.sources import tokens_of
from rnnlm.data.tokens import Tokens
from rnnlm.inference.evaluation import perplexity
from rnnlm.inference.predictor import own_state
from rnnlm.models.base import Model
from rnnlm.wordvec import counts, neighbours

__all__ = [
    "analogy", "create_co_matrix", "eval_perplexity", "eval_seq2seq", "most_similar", "ppmi", "to_cpu", "to_gpu",
]  # fmt: skip


def eval_perplexity(model: Any, corpus: ArrayLike | Tokens, batch_size: int = 10, time_size: int = 35) -> float:
    """The book's figure: mean loss over windows of ten cold starts, what does not fill a window left out.

    It depends on the sizes and scores 82,250 of the 82,429 pairs of Penn Treebank's test part; `evaluate` is exact. The
    state of a model of this library is put back afterwards; one in the book's manner goes on from its own.
    """
    ids = tokens_of("corpus", corpus)
    function("model.forward", getattr(model, "forward", None))
    if not isinstance(model, Model):
        batches = Batches(ids[:-1], ids[1:], batch_size, time_size)
        return perplexity(sum(_loss(model, *batches.window(k)) for k in range(len(batches))) / len(batches))
    ids = ids.within(0, model.config.vocab_size)
    batches = Batches(ids[:-1], ids[1:], batch_size, time_size)
    batches.expect_words(model.config.vocab_size)
    with own_state(model):
        windows = (batches.window(number) for number in range(len(batches)))
        total = sum(model.forward(xs, ts, train_flg=False, keep=False) for xs, ts in windows)
    return perplexity(float(total) / len(batches))


def _loss(model: Any, xs: Array, ts: Array) -> float:
    """The loss of a model in the book's manner, without dropout where it has any."""
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
    """Whether a model answers a question right: 1 or 0.

    Args:
        model: has `generate(question, start_id, sample_size)`.
        question: ids (1, T).
        correct: ids (1, T' + 1) of the answer, the character that begins all answers first.
        id_to_char: characters by their ids.
        verbose: print question, answer, and what the model says.
        is_reverse: the question is back to front, and is printed the right way round.
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
    """The ids of a question or of an answer, of which there must be two at least, a character for each."""
    found: list[int] = ids_of(name, ids, "ids (1, T)", (1, 2)).reshape(-1).tolist()
    if not isinstance(id_to_char, Mapping):
        raise refused("id_to_char", "characters by their ids", id_to_char)
    if len(found) < 2 or not all(i in id_to_char for i in found):
        raise refused(name, "ids (1, T) of characters in id_to_char, two at least", ids)
    return found


def most_similar(
    query: str, word_to_id: Mapping[str, int], id_to_word: Mapping[int, str], word_matrix: Any, top: int = 5
) -> None:
    """Print the words whose vectors are most like that of `query`; `rnnlm.most_similar` returns them."""
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
    """Print what is to c as b is to a; `rnnlm.analogy` returns it.

    Args:
        answer: also print how near this word is.
    """
    if not _known(word_to_id, a, b, c, *([] if answer is None else [answer])):
        return
    print(f"\n[analogy] {a}:{b} = {c}:?")
    W = neighbours.normalize(neighbours.dense(ops.asnumpy(word_matrix)))
    if answer is not None:
        near = W[word_to_id[b]] - W[word_to_id[a]] + W[word_to_id[c]]
        print(f"==>{answer}:{neighbours.cos_similarity(near, W[word_to_id[answer]])}")
    _print(neighbours.analogy(a, b, c, word_to_id, id_to_word, W, top))


def _known(word_to_id: Mapping[str, int], *words: str) -> bool:
    """Whether all words are there; the first that is not is said."""
    missing = [word for word in words if word not in word_to_id]
    if missing:
        print(f"{missing[0]} is not found")
    return not missing


def _print(found: list[tuple[str, float]]) -> None:
    for word, cosine in found:
        print(f" {word}: {cosine}")


def create_co_matrix(corpus: Any, vocab_size: int, window_size: int = 1) -> NDArray[Any]:
    """`rnnlm.create_co_matrix` as an array (V, V), however many words there are: 400 MB of 10,000."""
    counted: NDArray[Any] = counts.create_co_matrix(ops.asnumpy(corpus), vocab_size, window_size, sparse=False)
    return counted


def ppmi(C: Any, verbose: bool = False, eps: float = 1e-8) -> NDArray[Any]:
    """`rnnlm.ppmi` of an array (V, V).

    Args:
        C: counts.
        verbose, eps: are taken, and not needed: it takes a second, and where a count is 0, so is the answer.
    """
    found: NDArray[Any] = counts.ppmi(np.asarray(ops.asnumpy(C)))
    return found


def to_cpu(x: Any) -> NDArray[Any]:
    """An array of the backend as a NumPy array; on the CPU the array itself."""
    return ops.asnumpy(x)


def to_gpu(x: Any) -> Array:
    """A NumPy array as one of the backend: on a GPU if that is what runs (RNNLM_DEVICE=cuda), else the array itself."""
    return ops.asarray(x)
