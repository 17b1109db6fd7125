"""Everything rnnlm raises on purpose.

    RnnlmError
    ├── InputError        an argument breaks a rule: a shape, a dtype, a range (also a ValueError)
    ├── BusyError         a folder is in use by another process, or a model by another thread
    ├── BackendError      the array library asked for is unknown, missing or without a device
    ├── DataError         a corpus or vocabulary can't be used: missing, damaged, too short, not UTF-8
    │   └── UnknownWord   a word, or an id, is not in a vocabulary (also a KeyError)
    ├── ModelFileError    a saved model can't be used: missing, damaged, of another shape
    ├── PictureError      a picture can't be drawn
    ├── MissingExtra      an optional library is needed; the message names the extra that brings it
    └── TrainingDiverged  the perplexity or a gradient became NaN or infinite

`Interrupted` is a KeyboardInterrupt: a signal asked the process to end.

A message names the thing, the rule, the value and the remedy. Errors of the operating system (a full disk, a folder
that can't be written) stay OSError.
"""

import signal

__all__ = [
    "BackendError",
    "BusyError",
    "DataError",
    "InputError",
    "Interrupted",
    "MissingExtra",
    "ModelFileError",
    "PictureError",
    "RnnlmError",
    "TrainingDiverged",
    "UnknownWord",
]


class RnnlmError(Exception):
    """Base of all errors raised by rnnlm."""


class InputError(RnnlmError, ValueError):
    """An argument breaks a rule: a shape, a dtype, a range, an order of calls."""


class BusyError(RnnlmError):
    """A folder is in use by another process, or a model by another thread."""


class BackendError(RnnlmError):
    """The array library named by RNNLM_BACKEND is unknown, not installed or has no usable device."""


class DataError(RnnlmError):
    """A corpus or a vocabulary can't be used."""


class UnknownWord(DataError, KeyError):
    """A word, or an id, is not in a vocabulary."""

    __str__ = Exception.__str__  # KeyError's shows a repr


class ModelFileError(RnnlmError):
    """A saved model is missing, damaged or does not fit."""


class PictureError(RnnlmError):
    """A picture can't be drawn; the message has matplotlib's reason."""


class MissingExtra(RnnlmError):
    """An optional library is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs the extra '{extra}': pip install 'rnnlm[{extra}]'")


class TrainingDiverged(RnnlmError):
    """The perplexity or a gradient became NaN or infinite; the model's last good weights are restored.

    Attributes:
        step: the first bad training step of this call of `fit`, counted from 1.
    """

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end: Ctrl-C or another one.

    Attributes:
        number: number of the signal.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number

    @classmethod
    def of(cls, stop: KeyboardInterrupt, message: str) -> "Interrupted":
        """Return the same interrupt with another message."""
        return cls(message, stop.number if isinstance(stop, cls) else int(signal.SIGINT))
