"""Models by the name of their class, as a model folder has it."""

from rnnlm.errors import InputError
from rnnlm.models.base import Model
from rnnlm.models.better import BetterRnnlm
from rnnlm.models.config import ModelConfig
from rnnlm.models.general import AwdLstm, LanguageModel
from rnnlm.models.rnnlm import Rnnlm
from rnnlm.models.simple import SimpleRnnlm

__all__ = ["MODELS", "build_model"]

MODELS: dict[str, type[Model]] = {
    cls.__name__: cls for cls in (LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm, AwdLstm)
}


def build_model(config: ModelConfig) -> Model:
    """A new model as `config` describes it.

    Raises:
        InputError: an unknown model, or sizes out of range.
    """
    if not isinstance(config.model, str) or config.model not in MODELS:
        raise InputError(f"model must be one of {', '.join(MODELS)}, got {config.model!r}")
    return MODELS[config.model].from_config(config)
