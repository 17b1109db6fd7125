"""Evaluating, scoring, generating, mixing; and n-grams."""

import numpy as np

from rnnlm import (
    DynamicEvaluation,
    Hypothesis,
    Mixture,
    NeuralCache,
    Sampling,
    Scales,
    compare,
    evaluate,
    generate,
    generate_batch,
    in_words_of,
    kneser_ney,
    line_nats,
    linear_weights,
    log_linear_weights,
    maximum_likelihood,
    perplexity,
    rescore,
    score,
    token_nats,
    word_error_rate,
    word_errors,
)
from rnnlm.book.util import eval_perplexity, eval_seq2seq
from rnnlm.inference.sampling import Sampler
from tests.odd_arguments import entry
from tests.odd_arguments.of_data import LISTS
from tests.odd_arguments.of_models import answering
from tests.odd_arguments.subjects import V, ids, model, ngram, words

NONE = (type(None),)
CORPUS = {"corpus": LISTS, "unk_id": NONE, "window": NONE, "advance": (*NONE, type)}

entry(
    "evaluate", lambda **given: evaluate(**given).nats, lambda: {"model": model(), "corpus": ids(), "lanes": 2, "window": 3, "unk_id": 1, "advance": None},
    takes=CORPUS,
)  # fmt: skip
entry("token_nats", token_nats, lambda: {"model": ngram(), "corpus": ids(), "lanes": 2, "window": 3}, takes=CORPUS)
entry("perplexity", perplexity, lambda: {"nats": 1.5})
entry(
    "score", lambda **given: [one.tokens for one in score(**given)],
    lambda: {"model": model(), "sentences": [[2, 3], [4]], "eos_id": 0, "tokens": 4},
    takes={"sentences": LISTS, "eos_id": NONE, "tokens": NONE}, also={"sentences": ("sentence",), "eos_id": ("sentence",)},
)  # fmt: skip

HOW = {"temperature": 0.5, "top_k": 3, "top_p": 0.9, "greedy": False, "seed": 7}
CHOICE = {"skip_ids": (*LISTS, set, frozenset, type(None)), "stop_id": NONE, "top_k": NONE, "top_p": (int, type(None)), "seed": NONE, "temperature": (int,)}  # fmt: skip
entry(
    "generate", generate,
    lambda: {"model": model(), "start_id": 2, "skip_ids": [1], "sample_size": 4, "stop_id": 0, "go_on": False, "number": 0, **HOW},
    takes={**CHOICE, "start_id": LISTS},
)  # fmt: skip
entry(
    "generate_batch", generate_batch,
    lambda: {"model": model(), "start_ids": [2, 3], "sample_size": 4, "skip_ids": [1], "stop_id": 0, **HOW},
    takes={**CHOICE, "start_ids": LISTS},
)  # fmt: skip
entry(
    "Sampler", lambda how=None, **given: Sampler(how=Sampling(**HOW) if how is None else how, **given).skip,
    lambda: {"vocab_size": 9, "skip_ids": [1], "how": Sampling(**HOW), "part": 0}, takes={**CHOICE, "how": NONE},
    also={"vocab_size": ("skip_ids",), "part": ("number",)},
)  # fmt: skip

# ---------------------------------------------------------------- dynamic evaluation

TRAINED, XS = model(), np.array([[2, 3], [4, 0]])
entry(
    "DynamicEvaluation", lambda **given: token_nats(DynamicEvaluation(**given), ids()),
    lambda: {"model": TRAINED, "lr": 0.5, "decay": 0.25, "segment": 3},
)  # fmt: skip


def learned(state):
    dynamic = DynamicEvaluation(TRAINED, 0.5)
    dynamic.set_state(state)
    return dynamic.losses(XS[:1], XS[:1])


def of_learning():
    dynamic = DynamicEvaluation(TRAINED, 0.5)
    dynamic.losses(XS[:1], XS[:1])
    return dynamic.get_state()


entry("DynamicEvaluation.set_state", learned, lambda: {"state": of_learning()})
entry(
    "NeuralCache", lambda **given: token_nats(NeuralCache(**given), ids()),
    lambda: {"model": TRAINED, "size": 5, "weight": 0.25, "flatness": 0.5},
)  # fmt: skip


def kept(state):
    cache = NeuralCache(TRAINED)
    cache.set_state(state)
    return cache.losses(XS[:1], XS[:1])


def of_keeping():
    cache = NeuralCache(TRAINED.shared_copy())
    cache.losses(XS[:1], XS[:1])
    return cache.get_state()


entry("NeuralCache.set_state", kept, lambda: {"state": of_keeping()})

# ---------------------------------------------------------------- N-best lists

SCORED = {"u1": [Hypothesis("a b", -1.0, -3.0), Hypothesis("a", -2.0, -1.0)], "u2": [Hypothesis("c", 0.0, -2.0)]}
RIGHT = {"u1": "a b", "u2": "c a"}
MAPPINGS = ("utterance", "references", "lists")
entry(
    "Scales",
    lambda **given: Scales(**given).total(SCORED["u1"][0]),
    lambda: {"weight": 0.5, "reward": 1.0, "penalty": 2.0},
)
entry("Scales.best", lambda lists: list(Scales().best(lists)), lambda: {"lists": dict(SCORED)})
entry(
    "Scales.tuned", lambda **given: Scales.tuned(**given).weight, lambda: {"lists": dict(SCORED), "references": dict(RIGHT)},
    also={"lists": MAPPINGS, "references": MAPPINGS},
)  # fmt: skip
entry(
    "rescore", lambda **given: [one.language for some in rescore(**given).values() for one in some],
    lambda: {"model": model(), "words": words(), "lists": dict(SCORED)},
    also={"words": ("vocabulary",)},
)  # fmt: skip
entry(
    "word_error_rate", word_error_rate, lambda: {"texts": {"u1": "a", "u2": "c"}, "references": dict(RIGHT)},
    also={"texts": MAPPINGS, "references": MAPPINGS},
)  # fmt: skip
entry("word_errors", word_errors, lambda: {"reference": "a b", "said": "b"})

# ---------------------------------------------------------------- mixing

entry(
    "Mixture", lambda **given: Mixture(**given).losses(XS, XS),
    lambda: {"predictors": [model(), ngram()], "weights": [0.25, 0.75], "log_linear": True},
    takes={"weights": LISTS}, also={"predictors": ("mixture", "model"), "weights": ("weight",)},
)  # fmt: skip
entry(
    "Mixture.of", lambda **given: Mixture.of(**given).losses(XS, XS),
    lambda: {"models": [(model(), words()), (ngram(), words())], "weights": [0.25, 0.75], "log_linear": False},
    takes={"weights": LISTS}, also={"models": ("mixture", "model"), "weights": ("weight",)},
)  # fmt: skip


def mixed(state):
    mixture = Mixture([model(), ngram()], [0.5, 0.5])
    mixture.set_state(state)
    return mixture.next_scores(XS)


def taken():
    mixture = Mixture([model(), ngram()], [0.5, 0.5])
    mixture.next_scores(XS)
    return mixture.get_state()


entry("Mixture.set_state", mixed, lambda: {"state": taken()})
entry(
    "in_words_of",
    lambda **given: in_words_of(**given).vocab_size,
    lambda: {"predictor": ngram(), "own": words(), "words": words()},
)
entry(
    "linear_weights", linear_weights, lambda: {"predictors": [model(), ngram()], "corpus": ids()}, takes=CORPUS,
    also={"predictors": ("model",)},
)  # fmt: skip
entry(
    "log_linear_weights", log_linear_weights, lambda: {"first": model(), "second": ngram(), "corpus": ids(), "lanes": 2}, takes=CORPUS
)  # fmt: skip
entry(
    "line_nats",
    lambda **given: line_nats(**given)[0].nats,
    lambda: {"model": model(), "words": words(), "corpus": ids()},
    takes=CORPUS,
)


def lines():
    return line_nats(model(), words(), ids())


entry(
    "compare", lambda **given: compare(**given).differences, lambda: {"first": lines(), "second": lines()},
    also={"first": ("lines",), "second": ("lines",)},
)  # fmt: skip

# ---------------------------------------------------------------- n-grams

COUNTED = {"takes": {"ids": LISTS, "cutoffs": LISTS, "advance": (type(None), type)}, "also": {"ids": ("corpus",), "cutoffs": ("cut-off",), "order": ("cut-off",), "vocab_size": ("corpus", "eos_id")}}  # fmt: skip
entry(
    "kneser_ney", lambda **given: [np.exp(table.logprobs) for table in kneser_ney(**given).tables],
    lambda: {"ids": ids(), "vocab_size": V, "eos_id": 0, "order": 3, "cutoffs": [0, 1], "advance": None}, **COUNTED,
)  # fmt: skip
entry(
    "maximum_likelihood", lambda **given: [np.exp(table.logprobs) for table in maximum_likelihood(**given).tables],
    lambda: {"ids": ids(), "vocab_size": V, "eos_id": 0, "order": 2, "advance": None}, **COUNTED,
)  # fmt: skip

# ---------------------------------------------------------------- the book's

entry(
    "eval_perplexity", eval_perplexity, lambda: {"model": model(), "corpus": ids(), "batch_size": 2, "time_size": 3},
    takes=CORPUS, also={"batch_size": ("corpus",), "time_size": ("corpus",), "corpus": ("xs",)},
)  # fmt: skip
entry(
    "eval_seq2seq", eval_seq2seq,
    lambda: {
        "model": answering(), "question": np.array([[1, 2]]), "correct": np.array([[1, 2, 3]]),
        "id_to_char": dict(enumerate("abcde")), "verbose": True, "is_reverse": False,
    },
    takes={"question": LISTS, "correct": LISTS}, also={"question": ("xs",)},
)  # fmt: skip
