"""All that is tried: a file for some rooms each, which adds to `entries` when it is imported."""

from tests.odd_arguments import (  # noqa: F401
    entries,
    of_checks,
    of_data,
    of_heads,
    of_inference,
    of_layers,
    of_models,
    of_optim,
    of_training,
    of_wordvec,
)  # fmt: skip

__all__ = ["entries"]
