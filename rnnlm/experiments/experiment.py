"""One experiment: from settings to a folder with a trained model and its figures."""

import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnnlm.backend import ops
from rnnlm.errors import Interrupted, ModelFileError, TrainingDiverged
from rnnlm.experiments.final import final_evaluation, write_sentences
from rnnlm.experiments.fitting import MODEL, Fitting, is_finished
from rnnlm.experiments.plan import Plan, prepare, told
from rnnlm.experiments.results import METRICS, Results
from rnnlm.experiments.resuming import CHECKPOINTS
from rnnlm.experiments.settings import TrainConfig
from rnnlm.progress import note, say, unread
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.model_folder import load_model
from rnnlm.saving.open_folder import expect_whole
from rnnlm.training.run import Run

__all__ = ["run"]


def run(config: TrainConfig) -> Path:
    """Train a model, evaluate it and print a sample sentence; returns the folder of results.

    The folder has `settings.json`, `model/` (the best one by valid perplexity, or the last), `checkpoints/`,
    `metrics.jsonl` (the same on every rerun), `timing.jsonl` (not the same) and, with matplotlib, `perplexity.png`.
    After an interrupt or a loss that is not finite, `model/` is the best model so far, or the last good one.

    Raises:
        InputError, DataError: a setting or the corpus is wrong; nothing is written.
        BusyError: another training is using the folder.
        OSError: something can't be written: before any training, or later; what was saved before stays intact.
        Interrupted: a signal asked to stop; the message says how to resume.
        TrainingDiverged: after the last good model was saved.
    """
    config.check()
    results = None if config.resume is None else Results(config.resume)
    try:
        state = None if results is None else _state_of(results.folder)
        if results is not None and state is not None and _is_over(results.folder, state, config.max_epoch):
            _say_finished(results)
            return results.folder
        plan = prepare(config)
        config = plan.config
        if state is None:
            plan.begin_with_what_is_known()
        rate = config.make_rate(config.max_epoch * len(plan.batches))
        training = Run(plan.model, config.make_optimizer(), plan.batches, config.max_grad, rate)
        results = Results.new(config.out, config.recipe) if results is None else results
        _train(plan, Fitting(plan, results, training, rate), state)
        if unread():
            note(f"nobody reads standard output any more; the results are in {results.folder}")
        return results.folder
    except KeyboardInterrupt as stop:
        if results is None:
            raise
        before = f"stopped before any training; there is nothing in {results.folder} yet"
        raise Interrupted.of(stop, f"stopped; {_how(results)}" if _has_begun(results) else before) from None
    except Exception as error:
        if results is not None and _has_begun(results):
            if isinstance(error, OSError):
                note(f"what was saved before is whole; once this is mended, {_how(results)}")
            error.add_note(_how(results))
        raise
    finally:
        if results is not None:
            results.close()


def _train(plan: Plan, fitting: Fitting, state: dict[str, Any] | None) -> None:
    """Train, evaluate, print a sample sentence."""
    config, results, corpus = fitting.config, fitting.results, fitting.corpus
    if state is None:
        fitting.begin()
    else:
        fitting.go_on(state)
        if fitting.finished:
            _say_finished(results)
            return
    plan.tell()
    say(f"{ops.describe()}; results in {results.folder}")
    say(told(config))
    try:
        fitting.fit()
    except TrainingDiverged:
        fitting.leave_model()
        raise
    except KeyboardInterrupt:
        if fitting.keeper.is_saved:  # false after a second signal
            with suppress(OSError):
                fitting.leave_model()
        raise
    if reason := fitting.training.unrecorded:
        note(f"training steps were launched one kernel at a time, which takes longer: {reason}")
    fitting.leave_model()
    fitting.tell_best()
    model = fitting.model
    if config.evaluate:
        model, _ = load_model(results.folder / MODEL)  # the best one
        final_evaluation(config, model, corpus, results)
    write_sentences(config, model, corpus.vocabulary, results)
    fitting.finish()


def _state_of(folder: Path) -> dict[str, Any]:
    """Return the newest intact checkpoint of a run.

    Raises:
        ModelFileError: there is none.
    """
    state = Checkpoints(folder / CHECKPOINTS).latest()
    if state is None:
        begun = (folder / METRICS).is_file() and (folder / METRICS).stat().st_size
        why = "they are gone" if begun else f"its training had not begun; begin again with --out {folder}"
        raise ModelFileError(f"{folder} has no checkpoint to go on from: {why}")
    return state


def _has_begun(results: Results) -> bool:
    return Checkpoints(results.folder / CHECKPOINTS).any()


def _how(results: Results) -> str:
    return f"go on with: rnnlm train --resume {shlex.quote(str(results.folder))}"


def _is_over(folder: Path, state: dict[str, Any], max_epoch: int) -> bool:
    """Whether a run is finished with `max_epoch` epochs, and its model is there."""
    try:
        expect_whole(folder / MODEL)
        return is_finished(state, max_epoch)
    except ModelFileError:
        return False
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{folder / CHECKPOINTS} has no state of a run: {error!r}") from error


def _say_finished(results: Results) -> None:
    say(f"{results.folder} is finished: nothing is changed")
