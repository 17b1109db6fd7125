"""Text generation with a language model, one sampled word after another."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnnlm.checks import flag, refused, size, whole_number
from rnnlm.data.ids import expect_words, ids_of
from rnnlm.inference.predictor import Predictor, expect_predictor, one_thread, own_state, scores_of, start_of
from rnnlm.inference.sampling import Sampler, Sampling

__all__ = ["generate", "generate_batch"]


def generate(
    model: Predictor,
    start_id: int | Sequence[int],
    skip_ids: Collection[int] | None = None,
    sample_size: int = 100,
    *,
    stop_id: int | None = None,
    go_on: bool = False,
    number: int = 0,
    **sampling: Any,
) -> list[int]:
    """Sample words from softmax(scores / temperature), each given all words before it.

    Skipped words get probability 0 before sampling, so the model runs once for each word and reads only words that are
    in the result.

    Args:
        model: a model of this library, or another `Predictor`.
        start_id: the first word, or a list of all words of a prompt.
        skip_ids: words that are never sampled.
        sample_size: length of the result, the prompt included.
        stop_id: stop after sampling this word, such as `<eos>`.
        go_on: True to start from the model's own state and keep the final one, with the last word not yet read, so that
            the next call can start with that word; False to start from zeros and restore the model's own state.
        number: of the text; texts of the same seed but different numbers use independent random numbers.
        sampling: fields of `Sampling`: temperature, top_k, top_p, greedy, seed.

    Returns:
        ids: the prompt and the sampled words.

    Raises:
        InputError: an id or another argument is out of range, or all words are skipped.
    """
    V, go_on = expect_predictor("model", model), flag("go_on", go_on)
    prompt = _prompt("start_id", start_id, V)[None]
    sample_size = size("sample_size (which counts the prompt)", sample_size, prompt.size)
    choose, stop_id = Sampler(V, skip_ids, Sampling(**sampling), number), _stop(stop_id, V)
    with one_thread(model) if go_on else own_state(model):
        if go_on and prompt.size == sample_size > 1:
            model.next_scores(prompt[:, :-1])  # there is no word to sample, but the state goes on
        return _write(model, prompt, sample_size, choose, stop_id, begins=not go_on)[0].tolist()


def generate_batch(
    model: Predictor,
    start_ids: ArrayLike,
    sample_size: int = 100,
    *,
    skip_ids: Collection[int] | None = None,
    stop_id: int | None = None,
    **sampling: Any,
) -> NDArray[np.int64]:
    """Sample N texts in parallel, many times faster than one after another.

    Starts from zeros and restores the model's own state. The first text is the one that `generate` returns for the same
    seed. Other arguments and errors are those of `generate`.

    Args:
        model: a model of this library, or another `Predictor`.
        start_ids: (N,) first words, or (N, P) prompts of one length.
        sample_size: length of the results, the prompt included.
        stop_id: word that ends a text when it is sampled, and fills the rest of its row.
        sampling: fields of `Sampling`.

    Returns:
        ids: (N, sample_size), or fewer columns if all texts ended earlier.
    """
    V = expect_predictor("model", model)
    prompts = _prompts(start_ids, V)
    sample_size = size("sample_size (which counts the prompts)", sample_size, prompts.shape[1])
    choose, stop_id = Sampler(V, skip_ids, Sampling(**sampling)), _stop(stop_id, V)
    with own_state(model):
        return _write(model, prompts, sample_size, choose, stop_id, begins=True)


def _write(
    model: Predictor, prompts: NDArray[np.int64], sample_size: int, choose: Sampler, stop_id: int | None, begins: bool
) -> NDArray[np.int64]:
    """Return the prompts (N, P) continued by sampled words, up to `sample_size` or until all texts have stopped.

    Args:
        begins: whether the prompts begin a text, so that a model that restarts at every line is told of its beginning.
    """
    N, P = prompts.shape
    start = start_of(model)
    ids = np.empty((N, sample_size), np.int64)
    ids[:, :P] = prompts
    stopped, unread = np.zeros(N, bool), prompts
    if begins and start is not None:
        unread = np.concatenate([np.full((N, 1), start), prompts], axis=1)
    for length in range(P, sample_size):
        words = choose(scores_of(model, unread, model.vocab_size), step=length - P)
        if stop_id is not None:
            words[stopped] = stop_id
            stopped |= words == stop_id
        ids[:, length] = words
        if stop_id is not None and stopped.all():
            return ids[:, : length + 1]
        unread = ids[:, length : length + 1]
    return ids


def _prompt(name: str, start: Any, vocab_size: int) -> NDArray[np.int64]:
    """Return a prompt, an id or a list of ids, as checked ids (P,)."""
    rule = "an id or a list of at least one"
    ids = np.atleast_1d(ids_of(name, start, rule, (0, 1)))
    if not ids.size:
        raise refused(name, rule, start)
    expect_words(name, ids, vocab_size)
    return ids.astype(np.int64)


def _prompts(start_ids: ArrayLike, vocab_size: int) -> NDArray[np.int64]:
    """Return the prompts of N texts as checked ids (N, P)."""
    rule = "ids (N,) or prompts (N, P) of one length"
    ids = ids_of("start_ids", start_ids, rule, (1, 2))
    if not ids.size:
        raise refused("start_ids", rule, start_ids)
    return _prompt("start_ids", ids.reshape(-1), vocab_size).reshape(len(ids), -1)


def _stop(stop_id: Any, vocab_size: int) -> int | None:
    return None if stop_id is None else whole_number("stop_id", stop_id, 0, vocab_size)
