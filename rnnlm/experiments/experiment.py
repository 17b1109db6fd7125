"""One experiment: settings in, a folder with a trained model and its figures out."""

import shlex
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnnlm.backend import ops
from rnnlm.errors import Interrupted, ModelFileError, TrainingDiverged
from rnnlm.experiments.corpus import load
from rnnlm.experiments.embedding import begin_with
from rnnlm.experiments.final import final_evaluation, told, write_sentences
from rnnlm.experiments.fitting import MODEL, Fitting, is_finished
from rnnlm.experiments.going_on import CHECKPOINTS
from rnnlm.experiments.results import METRICS, Results
from rnnlm.experiments.settings import TrainConfig
from rnnlm.models.build import build_model
from rnnlm.progress import note, say
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.model_folder import load_model
from rnnlm.saving.open_folder import expect_whole
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
    if config.resume is None:
        return _run(config, None)
    results = Results(config.resume)
    try:
        state = _state_of(results.folder)
        if is_finished(state, config.max_epoch) and _is_whole(results.folder / MODEL):
            _say_finished(results)
            return results.folder
        return _run(config, results, state)
    finally:
        results.close()


def _run(given: TrainConfig, results: Results | None, state: dict[str, Any] | None = None) -> Path:
    """The run itself, from the beginning in a folder made new, or from a state of it."""
    corpus, config = load(given)
    batches = config.make_batches(corpus.train)  # too short a corpus is refused here
    model = build_model(config.model_config(len(corpus.vocabulary)))
    if config.init_embedding is not None and state is None:
        found = begin_with(config.init_embedding, model, corpus.vocabulary)
        say(f"{found:,} of {len(corpus.vocabulary):,} words begin with vectors of {config.init_embedding}")
    rate = config.make_rate(config.max_epoch * len(batches))
    training = Run(model, config.make_optimizer(), batches, config.max_grad, rate)
    results = Results.new(config.out, config.recipe) if results is None else results
    fitting = Fitting(given, config, results, corpus, model, training, rate)
    how = f"go on with: rnnlm train --resume {shlex.quote(str(results.folder))}"
    try:
        _train(fitting, state)
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


def _train(fitting: Fitting, state: dict[str, Any] | None) -> None:
    """Train, evaluate, write a sentence."""
    config, results, corpus = fitting.config, fitting.results, fitting.corpus
    if state is None:
        fitting.begin()
    else:
        fitting.go_on(state)
        if fitting.finished:
            _say_finished(results)
            return
    parameters = sum(p.size for p in fitting.model.params)
    say(f"{told(corpus.train)}, vocabulary {len(corpus.vocabulary)}, {parameters:,} parameters")
    say(f"{ops.describe()}; results in {results.folder}")
    say(" ".join(f"{key}={value}" for key, value in config.flat().items() if key not in ("out", "data_dir")))
    try:
        fitting.fit()
    except TrainingDiverged:
        fitting.leave_model()
        raise
    except KeyboardInterrupt:
        if fitting.keeper.is_saved:  # and no second signal has asked for haste
            with suppress(OSError):
                fitting.leave_model()
        raise
    fitting.leave_model()
    model = fitting.model
    if config.evaluate:
        model, _ = load_model(results.folder / MODEL)  # the best one
        final_evaluation(config, model, corpus, results)
    write_sentences(config, model, corpus.vocabulary, results)
    fitting.finish()


def _state_of(folder: Path) -> dict[str, Any]:
    """The newest checkpoint of a run that is whole.

    Raises:
        ModelFileError: none is, or there is none.
    """
    state = Checkpoints(folder / CHECKPOINTS).latest()
    if state is None:
        begun = (folder / METRICS).is_file() and (folder / METRICS).stat().st_size
        why = "they are gone" if begun else f"its training had not begun; begin again with --out {folder}"
        raise ModelFileError(f"{folder} has no checkpoint to go on from: {why}")
    return state


def _is_whole(folder: Path) -> bool:
    """Whether a folder's files are what they were."""
    try:
        expect_whole(folder)
        return True
    except ModelFileError:
        return False


def _say_finished(results: Results) -> None:
    say(f"{results.folder} is finished: nothing is changed")
