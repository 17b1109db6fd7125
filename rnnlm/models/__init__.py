"""Models: readable stacks of layers."""

from rnnlm.models.base import Model, ModelConfig
from rnnlm.models.simple import SimpleRnnlm

__all__ = ["Model", "ModelConfig", "SimpleRnnlm", "build_model"]

MODELS: dict[str, type[Model]] = {"SimpleRnnlm": SimpleRnnlm}


def build_model(config: ModelConfig) -> Model:
    """A new model as `config` describes it.

    Raises:
        InputError: an unknown model, or sizes out of range.
    """
    from dataclasses import asdict

    from rnnlm.errors import InputError

    sizes = asdict(config)
    name = sizes.pop("model")
    if not isinstance(name, str) or name not in MODELS:
        raise InputError(f"model must be one of {', '.join(MODELS)}, got {name!r}")
    return MODELS[name](**sizes)
