"""Layers: weights, matrix products and the loop over time, forward and back. `base.py` states their contract."""

from rnnlm.layers.affine import TimeAffine
from rnnlm.layers.bidirectional import TimeBiGRU, TimeBiLSTM, TimeBiRNN
from rnnlm.layers.dropout import TimeDropout
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.gru import GRU, TimeGRU
from rnnlm.layers.losses import TimeSoftmaxWithLoss
from rnnlm.layers.lstm import LSTM, TimeLSTM
from rnnlm.layers.output import TimeAffineWithLoss
from rnnlm.layers.regularization import TimeActivationRegularization
from rnnlm.layers.rnn import RNN, TimeRNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "TimeActivationRegularization",
    "TimeAffine",
    "TimeAffineWithLoss",
    "TimeBiGRU",
    "TimeBiLSTM",
    "TimeBiRNN",
    "TimeDropout",
    "TimeEmbedding",
    "TimeGRU",
    "TimeLSTM",
    "TimeRNN",
    "TimeSoftmaxWithLoss",
]
