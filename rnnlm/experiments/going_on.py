"""The settings of a run that is gone on with: which of them may change."""

import json
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnlm.errors import InputError
from rnnlm.files import to_json

if TYPE_CHECKING:
    from rnnlm.experiments.settings import TrainConfig

__all__ = ["SETTINGS", "expect_same", "saved_settings"]

SETTINGS = "settings.json"
MAY_CHANGE = ("out", "resume", "save_every", "max_epoch", "data_dir", "device")
ENDLESS = ("max_grad",)  # settings that may be infinite, for which JSON has null


def saved_settings(folder: Path) -> dict[str, Any]:
    """The settings of a run, without those that there are none of.

    Raises:
        InputError: the folder is no run's.
    """
    try:
        found = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        return {**found, **{name: inf for name in ENDLESS if found[name] is None}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"resume must be the folder of a run, and {folder} has no whole {SETTINGS}: {error}"
        ) from error


def expect_same(config: "TrainConfig", folder: Path) -> None:
    """Check that the settings are those of the run in a folder, but for those that may change.

    Raises:
        InputError: another one, by name.
    """
    before, now = saved_settings(folder), json.loads(to_json(config.flat()))
    now = {**now, **{name: inf for name in ENDLESS if now[name] is None}}
    for name, value in now.items():
        if name in before and name not in MAY_CHANGE and value != before[name]:
            raise InputError(
                f"{name} of a run that goes on must be {before[name]!r}, as before, got {value!r}; "
                f"{', '.join(MAY_CHANGE[2:])} may change"
            )
    if config.lr_rule == "cosine" and now["max_epoch"] != before["max_epoch"]:
        raise InputError(
            f"max_epoch of a run whose rate falls as a cosine must be {before['max_epoch']}, as before, got "
            f"{now['max_epoch']}: the rate has fallen by it"
        )
