"""The output layer and loss of a configuration."""

from rnnlm.backend import Array
from rnnlm.layers.affine import MatMul, TimeAffine
from rnnlm.layers.heads.adaptive_softmax import TimeAdaptiveSoftmaxWithLoss
from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss
from rnnlm.layers.heads.base import Head
from rnnlm.models.config import ModelConfig
from rnnlm.models.weights import Weights

__all__ = ["output_head"]


def output_head(config: ModelConfig, layer: int, E: Array) -> Head:
    """Return a softmax head over all words, or an adaptive one if the configuration has cutoffs.

    Args:
        config: of the model.
        layer: number of the random stream of its weights.
        E: (V, D) word vectors, whose transpose is used as weights if they are tied.
    """
    draw, H = Weights(config, layer), config.hidden_sizes[-1]
    if config.tied:
        return TimeAffineWithLoss(TimeAffine(E.T, draw.affine_bias()))
    first = TimeAffine(*draw.affine(H, config.output_width))
    if not config.cutoffs:
        return TimeAffineWithLoss(first)
    clusters = [(MatMul(draw.projection(H, d)), TimeAffine(*draw.affine(d, words))) for d, words in config.clusters]
    return TimeAdaptiveSoftmaxWithLoss(first, clusters)
