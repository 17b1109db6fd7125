"""Layers: weights, matrix products and the loop over time, forward and back. `base.py` states their contract."""

from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.losses import TimeSoftmaxWithLoss
from rnnlm.layers.rnn import RNN, TimeRNN

__all__ = ["RNN", "TimeAffine", "TimeEmbedding", "TimeRNN", "TimeSoftmaxWithLoss"]
