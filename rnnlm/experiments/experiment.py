"""One experiment: settings in, a folder with a trained model and its figures out."""

import shlex
import signal
from pathlib import Path

from rnnlm.backend import ops
from rnnlm.errors import Interrupted
from rnnlm.experiments.corpus import Texts, load
from rnnlm.experiments.embedding import begin_with
from rnnlm.experiments.final import final_evaluation, told, write_sentences
from rnnlm.experiments.fitting import Fitting
from rnnlm.experiments.results import Results
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models.build import build_model
from rnnlm.progress import note, say
from rnnlm.saving.model_folder import load_model
from rnnlm.training.run import Run

__all__ = ["run"]


def run(config: TrainConfig) -> Path:
    """Train, evaluate, write a sentence; return the folder of results.

    The folder has `settings.json`, `model/` (the best one by valid perplexity, or the last), `checkpoints/`,
    `metrics.jsonl` (the same on every rerun), `timing.jsonl` (not the same) and, with matplotlib, `perplexity.png`. An
    interrupt or a loss that is not finite leaves the best model so far, or the last good one.

    Raises:
        InputError, DataError: before anything is written.
        BusyError: another training has the folder.
        OSError: something can't be written: before any training, or what was saved before is whole.
        Interrupted: a signal asked to end; its message says how to go on.
        TrainingDiverged: after the last good model was saved.
    """
    config.check()
    corpus, config = load(config)
    train, words = corpus.train, corpus.vocabulary
    batches = config.make_batches(train)  # too short a corpus is refused here
    model = build_model(config.model_config(len(words)))
    if config.init_embedding is not None:
        found = begin_with(config.init_embedding, model, words)
        say(f"{found:,} of {len(words):,} words begin with vectors of {config.init_embedding}")
    rate = config.make_rate(config.max_epoch * len(batches))
    training = Run(model, config.make_optimizer(), batches, config.max_grad, rate)
    results = Results.new(config.out, config.recipe) if config.resume is None else Results(config.resume)
    fitting = Fitting(config, results, corpus, model, training, rate)
    how = f"go on with: rnnlm train --resume {shlex.quote(str(results.folder))}"
    try:
        _run(config, results, corpus, fitting)
    except KeyboardInterrupt as stop:
        number = stop.number if isinstance(stop, Interrupted) else int(signal.SIGINT)
        begun = fitting.checkpoints.any()
        raise Interrupted(f"stopped; {how}" if begun else "stopped before any training", number) from None
    except OSError:
        if fitting.checkpoints.any():
            note(f"what was saved before is whole; once this is mended, {how}")
        raise
    finally:
        results.close()
    return results.folder


def _run(config: TrainConfig, results: Results, corpus: Texts, fitting: Fitting) -> None:
    """The run itself, in a folder that nobody else writes to."""
    model, words = fitting.model, corpus.vocabulary
    if config.resume is not None:
        fitting.go_on()
        if fitting.finished:
            say(f"{results.folder} is finished: nothing is changed")
            return
    else:
        fitting.begin()
    say(f"{told(corpus.train)}, vocabulary {len(words)}, {sum(p.size for p in model.params):,} parameters")
    say(f"{ops.describe()}; results in {results.folder}")
    say(" ".join(f"{key}={value}" for key, value in config.flat().items() if key not in ("out", "data_dir")))
    try:
        fitting.fit()
    finally:
        fitting.leave_model()
    if config.evaluate:
        model, _ = load_model(results.folder / "model")  # the best one
        final_evaluation(config, model, corpus, results)
    write_sentences(config, model, words, results)
    fitting.finish()
