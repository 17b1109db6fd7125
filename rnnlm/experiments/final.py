"""The final evaluation: exact perplexities, a sample sentence, and for the stories perplexities by class of word."""

from math import log
from typing import Any

from rnnlm.data.sentences import Sentences
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.experiments.corpus import Texts
from rnnlm.experiments.results import METRICS, Results
from rnnlm.experiments.settings import TrainConfig
from rnnlm.experiments.stories import examine_sentences, examine_words
from rnnlm.inference.evaluation import Evaluation, evaluate, token_nats
from rnnlm.inference.generation import generate
from rnnlm.models.base import Model
from rnnlm.progress import note, say

__all__ = ["amount", "final_evaluation", "sample_sentence", "write_sentences"]

UNWANTED = ("<unk>", "N", "$")  # never in the sample sentence


def final_evaluation(config: TrainConfig, model: Model, corpus: Texts, results: Results) -> None:
    """Print and record the exact perplexities of the valid and the test part."""
    for name, ids in (("valid", corpus.valid), ("test", corpus.test)):
        note(f"scoring {amount(ids)} of the {name} part exactly")
        stories = config.corpus == "story" and not config.text.sentences
        classes = stories and name == "test"  # needs each token's nats, and memory for them
        nats = token_nats(model, ids) if classes else None
        result = evaluate(model, ids) if nats is None else Evaluation.of(nats)
        say(f"{name} {result}")
        row = {"part": name, "perplexity": result.perplexity, "nats": result.nats, "stderr": result.stderr}
        if (floor := corpus.floors.get(name)) is not None:
            above = result.nats - log(floor)
            say(f"no model gets below {floor:.4f} on the {name} part; this one is {above:.4f} nats above that")
            row |= {"floor": floor}
        results.append(METRICS, {**row, "tokens": result.tokens})
    if nats is not None:
        examine_words(nats, results)


def write_sentences(config: TrainConfig, model: Model, words: Vocabulary, results: Results) -> None:
    """Print a sample sentence; for the stories also the share of sentences that the grammar accepts."""
    if config.corpus == "story" and not config.text.sentences:
        examine_sentences(model, words, config.model.seed, results)
    say("it writes: " + sample_sentence(model, words, config.model.seed))


def sample_sentence(model: Model, words: Vocabulary, seed: int) -> str:
    """Return a sentence sampled from the model, of at least one word."""
    start = 0 if words.eos_id is None else words.eos_id
    of_words = words.reading.options.units == "word"
    skip = [words.word_to_id[word] for word in UNWANTED[: None if of_words else 1] if word in words]
    if len(skip) + 2 > len(words):
        skip = []
    first = generate(model, start, {start, *skip}, 2, seed=seed)  # at least one word
    ids = generate(model, first, skip, 40 if of_words else 200, seed=seed, stop_id=words.eos_id)[1:]
    return words.text(ids).removesuffix("\n")


def amount(text: Any) -> str:
    """Return the length of a text, in words."""
    if isinstance(text, Sentences):
        return f"{text.tokens:,} tokens in {len(text):,} lines"
    return f"{len(text):,} tokens"
