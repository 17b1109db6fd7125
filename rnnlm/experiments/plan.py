"""Preparing an experiment: everything is built and checked before anything is written. A dry run ends here."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rnnlm.backend import ops
from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.data.windows import Windows
from rnnlm.errors import MissingExtra
from rnnlm.experiments.corpus import Texts, load
from rnnlm.experiments.embedding import begin_with, begin_with_frequencies
from rnnlm.experiments.final import amount
from rnnlm.experiments.memory import Memory
from rnnlm.experiments.results import folder_for
from rnnlm.experiments.resuming import expect_as_it_was, newest_state
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models.base import Model
from rnnlm.models.build import build_model
from rnnlm.models.summary import as_text, table
from rnnlm.progress import note, say

__all__ = ["Plan", "dry_run", "prepare"]


@dataclass(frozen=True)
class Plan:
    """Everything that is needed before the first step.

    Attributes:
        given: the settings as given.
        config: the settings after loading the corpus (see `load`).
        corpus: texts to train on and to evaluate.
        batches: the windows of an epoch.
        model: a new model.
        memory: the memory that the training needs.
    """

    given: TrainConfig
    config: TrainConfig
    corpus: Texts
    batches: Windows
    model: Model
    memory: Memory

    def tell(self) -> None:
        """Print the sizes of corpus and model, and the memory."""
        parameters, words = sum(p.size for p in self.model.params), len(self.corpus.vocabulary)
        say(f"{amount(self.corpus.train)}, vocabulary {words}, {parameters:,} parameters")
        note(f"memory: at least {self.memory}, beside libraries and the corpus")
        if not self.config.evaluate and self.corpus.valid is not None and self.config.corpus not in BUILT_IN:
            note(f"the last tenth of {self.config.corpus} is held out, and not evaluated: `rnnlm eval` can do that")

    def begin_with_what_is_known(self) -> None:
        """Initialise embedding and output layer from word vectors and frequencies, where the settings ask for it."""
        if self.config.init_embedding is not None:
            found = begin_with(self.config.init_embedding, self.model, self.corpus.vocabulary)
            say(
                f"{found:,} of {len(self.corpus.vocabulary):,} words begin with vectors of {self.config.init_embedding}"
            )
        if self.config.model.cutoffs or self.config.unigram_bias:
            counts = self.corpus.frequencies(self.config.unk_rate)
            self.model.head.set_frequencies(counts)
            if self.config.unigram_bias:
                begin_with_frequencies(self.model, counts)


def prepare(config: TrainConfig) -> Plan:
    """Load the corpus and build the model for settings that were checked.

    Raises:
        InputError, DataError: no such corpus, one that is too short, or not enough memory.
    """
    given, (corpus, config) = config, load(config)
    batches = corpus.windows(config)  # refuses a corpus that is too short
    wanted = config.model_config(len(corpus.vocabulary))
    memory = Memory.of(config, wanted)
    memory.expect_room(config, wanted)
    config.make_rate(config.max_epoch * len(batches))  # refuses a warm-up that is longer
    return Plan(given, config, corpus, batches, build_model(wanted), memory)


def dry_run(config: TrainConfig) -> None:
    """Check everything, print what would be done, and write nothing; errors are those of a real run."""
    config.check()
    folder = folder_for(config.out, config.recipe) if config.resume is None else Path(config.resume)
    state = None if config.resume is None else newest_state(folder)
    plan = prepare(config)
    if state is None:
        plan.begin_with_what_is_known()
    else:
        expect_as_it_was(state, plan.config, plan.corpus.digests(), len(plan.batches))
    plan.tell()
    say(as_text(table(plan.model.layers, plan.model.params, plan.model.usual_shape)))
    epochs, windows, size = config.max_epoch, len(plan.batches), plan.batches.size
    say(f"{epochs * windows:,} steps: {epochs:,} epochs of {windows:,} windows of {size:,} {plan.batches.unit}")
    if state is not None:
        say(f"{state['training']['steps']:,} of them are done")
    say(f"{ops.describe()}; results would be in {folder}")
    say(told(plan.config))
    if find_spec("matplotlib") is None:
        note(f"no picture would be drawn: {MissingExtra('a picture', 'plot')}")
    say("this was a dry run: nothing is written")


def told(config: TrainConfig) -> str:
    """Return the settings that differ from the defaults in one line; settings.json has all of them."""
    usual = TrainConfig().flat() | {"recipe": None}
    settings: dict[str, Any] = {key: value for key, value in config.flat().items() if value != usual[key]}
    return " ".join(f"{key}={value}" for key, value in settings.items() if key not in ("out", "data_dir"))
