"""All that is tried: a file for some rooms each, which adds to `entries` when it is imported."""

from tests.odd_arguments import (  # noqa: F401
    entries,
    of_checks,
    of_heads,
    of_layers,
    of_optim,
    of_wordvec,
)

__all__ = ["entries"]
