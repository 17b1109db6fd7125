"""All that is tried: a file for some rooms each, which adds to `entries` when it is imported."""

from tests.odd_arguments import entries, of_checks, of_data, of_inference, of_models, of_training  # noqa: F401

__all__ = ["entries"]
