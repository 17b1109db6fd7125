"""The part of a checkpoint that is JSON; read without an array library."""

import json
from typing import Any

from rnnlm import __version__
from rnnlm.errors import InputError, ModelFileError
from rnnlm.opening import read_json
from rnnlm.saving.open_folder import OpenFolder

__all__ = ["STATE", "as_json", "read_state"]

STATE = "state.json"
FORMAT = 1
LARGEST_STATE = 1 << 26  # bytes; it contains the figures of a long training


def as_json(state: Any) -> bytes:
    """Return the content of the file."""
    return json.dumps({"format": FORMAT, "rnnlm": __version__, "state": state}).encode()


def read_state(folder: OpenFolder) -> Any:
    """Return what `as_json` was given.

    Raises:
        ModelFileError: the checkpoint is damaged.
        InputError: it is of a later version of rnnlm.
    """
    if folder.files is None:
        raise ModelFileError(f"{folder.path} has no manifest: it was not written to its end")
    try:
        tree = read_json(folder.read(STATE, LARGEST_STATE), LARGEST_STATE, finite=False)  # a best loss may be infinite
        number, writer, state = tree["format"], tree["rnnlm"], tree["state"]
        if type(number) is not int or number < 1:
            raise ValueError(f"its format must be a whole number of at least 1, got {number!r:.80}")
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{folder.path} is not a checkpoint: {error}") from error
    if number > FORMAT:
        raise InputError(
            f"{folder.path} has format {number}, and this rnnlm {__version__} reads {FORMAT}: take rnnlm {writer}"
        )
    return state
