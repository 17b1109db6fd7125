"""The settings of a run to be resumed: reading them, and which of them may change."""

import json
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnlm.data.corpora.named import BUILT_IN
from rnnlm.errors import InputError, ModelFileError
from rnnlm.opening import read_json, read_whole
from rnnlm.saving.checkpoint_state import read_state
from rnnlm.saving.open_folder import read_folder

if TYPE_CHECKING:
    from rnnlm.experiments.settings import TrainConfig

__all__ = [
    "CHECKPOINTS", "NOT_SAID", "PLACE", "SETTINGS", "as_saved", "expect_as_it_was", "expect_same", "found_from",
    "newest_state", "read_settings", "saved_settings",
]  # fmt: skip

SETTINGS, CHECKPOINTS = "settings.json", "checkpoints"
MAY_CHANGE = ("max_epoch", "save_every", "corpus", "data_dir", "tensorboard", "device")  # a corpus may only have moved
ITS_OWN = ("out", "resume")  # name the run's own folder
BEFORE = {"unk_rate": 0.0}  # settings unknown to earlier versions, with what they did
PLACE = ("recipe", "device", "precision", "resume")  # not allowed in a recipe: they are needed before it is read
NOT_SAID = (*ITS_OWN, "backend")  # keys of settings.json that a recipe or a resumed run does not use
ENDLESS = ("max_grad",)  # may be infinite, which settings.json writes as null


def as_saved(config: "TrainConfig") -> dict[str, Any]:
    """Return settings as a checkpoint stores them."""
    found: dict[str, Any] = json.loads(json.dumps(config.flat(), default=str))
    return found


def newest_state(folder: Path) -> dict[str, Any] | None:
    """Return the state, without arrays, of the newest intact checkpoint of a run, or None. Damaged checkpoints are left
    in place: resuming the run reports them."""
    for path in sorted((folder / CHECKPOINTS).glob("step-*"), reverse=True):
        try:
            state = dict(read_folder(path, read_state))
            dict(state["settings"])
            return state
        except (ModelFileError, OSError, ValueError, KeyError, TypeError):
            continue
    return None


def found_from(folder: Path, corpus: str) -> str:
    """Return a run's corpus, a path that may be relative, as it is found from here; else from a folder around the run,
    which may have been started there."""
    if corpus in BUILT_IN or Path(corpus).is_file():
        return corpus
    return next((str(up / corpus) for up in folder.resolve().parents if (up / corpus).is_file()), corpus)


def saved_settings(folder: Path) -> dict[str, Any]:
    """Return the settings of a run: those of its newest checkpoint or, without one, of settings.json, which is written
    for people.

    Raises:
        InputError: not the folder of a run.
    """
    state = newest_state(folder)
    if state is not None:
        return {**BEFORE, **state["settings"]}
    try:
        return read_settings(folder / SETTINGS)
    except (OSError, ModelFileError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"resume must be the folder of a run, and {folder} has no whole {SETTINGS}: {error}"
        ) from error


def read_settings(path: Path) -> dict[str, Any]:
    """Return the content of a settings.json.

    Raises:
        OSError, ModelFileError, ValueError, KeyError, TypeError: it can't be read.
    """
    found = read_json(read_whole(path, ModelFileError))
    return {**BEFORE, **found, **{name: inf for name in ENDLESS if found[name] is None}}


def expect_same(config: "TrainConfig", before: dict[str, Any]) -> None:
    """Check that settings are those of a run, except the ones that may change.

    Raises:
        InputError: another setting differs; the message names it.
    """
    now = as_saved(config)
    for name, value in now.items():
        if name in before and name not in (*MAY_CHANGE, *ITS_OWN) and value != before[name]:
            raise InputError(
                f"{name} of a run that goes on must be {before[name]!r}, as before, got {value!r}; "
                f"{', '.join(MAY_CHANGE)} may change"
            )
    if config.lr_rule == "cosine" and now["max_epoch"] != before["max_epoch"]:
        raise InputError(
            f"max_epoch of a run whose rate falls as a cosine must be {before['max_epoch']}, as before, got "
            f"{now['max_epoch']}: the rate has fallen by it"
        )


def expect_as_it_was(state: Mapping[str, Any], config: "TrainConfig", texts: Mapping[str, str], windows: int) -> None:
    """Check that a run's texts are unchanged, and that max_epoch is not below the epochs that have begun.

    Args:
        state: the run's newest checkpoint.
        config: its settings.
        texts: digests of the texts as they are now.
        windows: number of windows in an epoch.

    Raises:
        InputError: the run can't be resumed.
    """
    for name, digest in texts.items():
        if state["texts"].get(name) != digest:
            raise InputError(
                f"the corpus of a run that goes on must be as it was, and of {config.corpus} the {name} has changed: "
                "put back what it was, or begin anew"
            )
    done = -(-state["training"]["steps"] // windows)
    if config.max_epoch < done:
        raise InputError(f"max_epoch must be at least {done}, which have begun, got {config.max_epoch}")
