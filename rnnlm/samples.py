"""What a trained model knows and writes, in a few figures and a sentence."""

from math import exp

import numpy as np
from numpy.typing import NDArray

from rnnlm.data import Vocabulary, story
from rnnlm.evaluation import perplexity
from rnnlm.generation import generate
from rnnlm.models import Model

__all__ = ["class_perplexities", "right_sentences", "sample_sentence"]

UNWANTED = ("<unk>", "N", "$")  # never written in the sample sentence
SENTENCES = 1_000  # made up to see how many are right
LONGEST = 20  # times 2,000 words are written for them; a model that never ends a sentence is not waited for


def class_perplexities(nats: NDArray[np.float64]) -> list[tuple[str, float, float]]:
    """Name, perplexity and best possible perplexity of each class of words of the stories' test part.

    Args:
        nats: of each token of the test part but the first.
    """
    floors, classes = story.floors("test"), np.array(story.token_classes("test")[1:])
    names = [*story.CLASSES, "other"]
    return [(name, perplexity(float(nats[classes == name].mean())), exp(floors[name])) for name in names]


def right_sentences(model: Model, words: Vocabulary, seed: int) -> tuple[int, int]:
    """How many sentences of stories the model made up, 1,000 if it ever ends one, and how many could be ones."""
    eos = words.eos_id
    assert eos is not None, "a model without <eos> has no sentences"
    model.reset_state()
    ids = [eos]
    for part in range(LONGEST):
        ids += generate(model, ids[-1], None, 2_000, seed=(seed + part) % 2**64, go_on=True)[1:]
        if ids.count(eos) > SENTENCES:
            break
    model.reset_state()
    sentences = " ".join(words.decode(ids[1:])).split("<eos>")[:-1][:SENTENCES]
    return len(sentences), sum(story.accepts(sentence) for sentence in sentences)


def sample_sentence(model: Model, words: Vocabulary, seed: int) -> str:
    """A sentence that the model makes up, of at least one word."""
    start = 0 if words.eos_id is None else words.eos_id
    skip = [words.word_to_id[word] for word in UNWANTED if word in words]
    if len(skip) + 2 > len(words):
        skip = []
    first = generate(model, start, {start, *skip}, 2, seed=seed)  # a sentence has a word at least
    ids = generate(model, first, skip, 40, seed=seed, stop_id=words.eos_id)[1:]
    return " ".join(words.decode(ids)).removesuffix(" <eos>")
