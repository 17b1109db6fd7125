"""Figures for the built-in stories: perplexities by class of word, and the share of grammatical sentences."""

from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.data.corpora import story
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.experiments.results import METRICS, Results
from rnnlm.inference.evaluation import perplexity
from rnnlm.inference.generation import generate
from rnnlm.inference.predictor import Predictor
from rnnlm.progress import say

__all__ = ["class_rows", "examine_sentences", "examine_words", "right_sentences", "told"]

SENTENCES = 1_000  # sampled to see how many are grammatical
LONGEST = 20  # times 2,000 words are sampled for them at most: a model may never end a sentence


def examine_words(nats: NDArray[np.float64], results: Results) -> None:
    """Print and record the perplexity of each class of words, beside the best possible one.

    Args:
        nats: losses of the test part's tokens, all but the first.
        results: the folder of results.
    """
    rows = class_rows(nats)
    for row in rows:
        results.append(METRICS, row)
    say(told(rows))


def told(rows: list[dict[str, Any]]) -> str:
    """Return the result of `class_rows` as a line of text."""
    classes = [f"{row['class']} {row['perplexity']:.3f} ({row['floor']:.3f})" for row in rows]
    return "by class of word, and the best possible: " + ", ".join(classes)


def class_rows(nats: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return name, perplexity and best possible perplexity of each class of words in the test part.

    Args:
        nats: losses of its tokens, all but the first.
    """
    floors, classes = story.floors("test"), np.array(story.token_classes("test")[1:])
    return [
        {"class": name, "perplexity": perplexity(float(nats[classes == name].mean())), "floor": exp(floors[name])}
        for name in (*story.CLASSES, "other")
    ]


def examine_sentences(model: Predictor, words: Vocabulary, seed: int, results: Results) -> None:
    """Print and record how many of 1,000 sentences that the model generates the story grammar accepts."""
    if words.eos_id is None:
        return
    made, right = right_sentences(model, words, words.eos_id, seed)
    say(f"of {made:,} sentences it makes up the grammar accepts {right / max(made, 1):.1%}")
    results.append(METRICS, {"sentences": made, "accepted": right})


def right_sentences(model: Predictor, words: Vocabulary, eos: int, seed: int) -> tuple[int, int]:
    """Return how many sentences were sampled (1,000, or fewer if they rarely end), and how many are grammatical."""
    model.reset_state()
    ids = [eos]
    for part in range(LONGEST):
        ids += generate(model, ids[-1], None, 2_000, seed=(seed + part) % 2**64, go_on=True)[1:]
        if ids.count(eos) > SENTENCES:
            break
    model.reset_state()
    sentences = " ".join(words.decode(ids[1:])).split("<eos>")[:-1][:SENTENCES]
    return len(sentences), sum(story.accepts(sentence) for sentence in sentences)
