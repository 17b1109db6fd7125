"""The names of the three parts of a corpus."""

from rnnlm.errors import InputError

__all__ = ["PARTS", "expect_part"]

PARTS = ("train", "valid", "test")


def expect_part(data_type: str | None) -> str:
    """Check the name of a part; returns 'train', 'valid' or 'test', also for the book's 'val'.

    Raises:
        InputError: not the name of a part.
    """
    part = "valid" if isinstance(data_type, str) and data_type == "val" else data_type
    if not isinstance(part, str) or part not in PARTS:
        raise InputError(f"data_type must be 'train', 'valid' (or 'val') or 'test', got {data_type!r}")
    return part
