"""How a run is written down while it goes on, and gone on with: its settings, and when to save."""

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from rnnlm.errors import InputError
from rnnlm.files import to_json

if TYPE_CHECKING:
    from rnnlm.experiments.settings import TrainConfig

__all__ = ["SaveEvery", "expect_same", "saved_settings", "signals_noted"]

SETTINGS = "settings.json"
MAY_CHANGE = ("out", "resume", "save_every", "max_epoch", "data_dir", "device")
ENDLESS = ("max_grad",)  # settings that may be infinite, for which JSON has null
UNITS = {"s": 1, "m": 60, "h": 3600}
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class SaveEvery:
    """Says when it is time to save: after so many steps, or so much time by a clock that never jumps.

    Args:
        given: steps ("200"), or seconds, minutes or hours ("30s", "10m", "1h").

    Raises:
        InputError: neither.
    """

    def __init__(self, given: str) -> None:
        found = re.fullmatch(r"([1-9]\d{0,8})([smh]?)", given)
        if found is None:
            raise InputError(f"save_every must be steps, as 200, or a time, as 30s, 10m or 1h, got {given!r}")
        number = int(found[1])
        self.steps = None if found[2] else number
        self.seconds = number * UNITS[found[2]] if found[2] else inf
        self.begin = monotonic()

    def is_time(self, steps: int) -> bool:
        """Whether to save after this step."""
        if self.steps is not None:
            return steps % self.steps == 0
        return monotonic() - self.begin >= self.seconds

    def saved(self) -> None:
        """It was saved just now."""
        self.begin = monotonic()


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


@contextmanager
def signals_noted() -> Iterator[list[int]]:
    """Inside, the first signal that asks the process to end is noted in the list, for the step to be finished and all
    to be written down; a second one ends it at once, as the first would have done. In the main thread alone."""
    noted: list[int] = []

    def note(number: int, _frame: object) -> None:
        noted.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    try:
        heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, note) for number in heard}
    except ValueError:  # another thread: signals are the host program's business
        yield noted
        return
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
