"""Recurrent neural network language models, every forward and backward pass written out, on NumPy or CuPy.

    from rnnlm import SGD, RnnlmTrainer, SimpleRnnlm, evaluate, generate
    from rnnlm.data import ptb

These are the public names, each with its home, which is loaded when the name is first used: `import rnnlm` is cheap,
and what needs no array library does without one. `rnnlm.data`, `rnnlm.layers` and the other folders offer the names
that have their home there.
"""

from typing import TYPE_CHECKING

from rnnlm.lazy import lazy_names

if TYPE_CHECKING:  # what type checkers and editors read: the names of HOMES again, which a test holds equal
    from rnnlm.book.rnnlm_gen import BetterRnnlmGen as BetterRnnlmGen, RnnlmGen as RnnlmGen
    from rnnlm.book.util import eval_perplexity as eval_perplexity, to_cpu as to_cpu, to_gpu as to_gpu
    from rnnlm.data.batches import Batches as Batches
    from rnnlm.data.corpora import ptb as ptb, story as story
    from rnnlm.data.corpora.named import Corpus as Corpus, load_corpus as load_corpus
    from rnnlm.data.encoded import open_corpus as open_corpus
    from rnnlm.data.encoding import encode_corpus as encode_corpus
    from rnnlm.data.text import read_corpus as read_corpus
    from rnnlm.data.tokens import Tokens as Tokens
    from rnnlm.data.vocabulary import Vocabulary as Vocabulary
    from rnnlm.errors import (
        BackendError as BackendError,
        DataError as DataError,
        InputError as InputError,
        MissingExtra as MissingExtra,
        ModelFileError as ModelFileError,
        RnnlmError as RnnlmError,
        TrainingDiverged as TrainingDiverged,
    )
    from rnnlm.inference.evaluation import (
        Evaluation as Evaluation,
        evaluate as evaluate,
        perplexity as perplexity,
        token_nats as token_nats,
    )
    from rnnlm.inference.generation import generate as generate, generate_batch as generate_batch
    from rnnlm.inference.predictor import Predictor as Predictor
    from rnnlm.inference.sampling import Sampling as Sampling
    from rnnlm.inference.scoring import Score as Score, score as score
    from rnnlm.layers.affine import TimeAffine as TimeAffine
    from rnnlm.layers.bidirectional import TimeBiGRU as TimeBiGRU, TimeBiLSTM as TimeBiLSTM, TimeBiRNN as TimeBiRNN
    from rnnlm.layers.dropout import TimeDropout as TimeDropout
    from rnnlm.layers.embedding import TimeEmbedding as TimeEmbedding
    from rnnlm.layers.gru import GRU as GRU, TimeGRU as TimeGRU
    from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss as TimeAffineWithLoss
    from rnnlm.layers.heads.softmax import TimeSoftmaxWithLoss as TimeSoftmaxWithLoss
    from rnnlm.layers.lstm import LSTM as LSTM, TimeLSTM as TimeLSTM
    from rnnlm.layers.regularization import TimeActivationRegularization as TimeActivationRegularization
    from rnnlm.layers.rnn import RNN as RNN, TimeRNN as TimeRNN
    from rnnlm.models.base import Model as Model
    from rnnlm.models.better import BetterRnnlm as BetterRnnlm
    from rnnlm.models.build import build_model as build_model
    from rnnlm.models.config import ModelConfig as ModelConfig
    from rnnlm.models.general import AwdLstm as AwdLstm, LanguageModel as LanguageModel
    from rnnlm.models.rnnlm import Rnnlm as Rnnlm
    from rnnlm.models.sequential import Sequential as Sequential
    from rnnlm.models.simple import SimpleRnnlm as SimpleRnnlm
    from rnnlm.optim.adam import Adam as Adam, AdamW as AdamW
    from rnnlm.optim.adaptive import AdaGrad as AdaGrad, RMSprop as RMSprop
    from rnnlm.optim.asgd import ASGD as ASGD
    from rnnlm.optim.clipping import clip_grads as clip_grads
    from rnnlm.optim.rates import (
        Constant as Constant,
        Cosine as Cosine,
        DivideOnPlateau as DivideOnPlateau,
        Halving as Halving,
        StepDecay as StepDecay,
    )
    from rnnlm.optim.sgd import SGD as SGD, Momentum as Momentum, Nesterov as Nesterov
    from rnnlm.saving.model_folder import load_model as load_model, save_model as save_model
    from rnnlm.training.trainer import RnnlmTrainer as RnnlmTrainer

__version__ = "0.2.0"

HOMES = {
    "rnnlm.errors": (
        "BackendError",
        "DataError",
        "InputError",
        "MissingExtra",
        "ModelFileError",
        "RnnlmError",
        "TrainingDiverged",
    ),
    "rnnlm.data.batches": ("Batches",),
    "rnnlm.data.corpora.named": ("Corpus", "load_corpus"),
    "rnnlm.data.corpora.ptb": ("ptb",),
    "rnnlm.data.corpora.story": ("story",),
    "rnnlm.data.encoded": ("open_corpus",),
    "rnnlm.data.encoding": ("encode_corpus",),
    "rnnlm.data.text": ("read_corpus",),
    "rnnlm.data.tokens": ("Tokens",),
    "rnnlm.data.vocabulary": ("Vocabulary",),
    "rnnlm.layers.affine": ("TimeAffine",),
    "rnnlm.layers.bidirectional": ("TimeBiGRU", "TimeBiLSTM", "TimeBiRNN"),
    "rnnlm.layers.dropout": ("TimeDropout",),
    "rnnlm.layers.embedding": ("TimeEmbedding",),
    "rnnlm.layers.gru": ("GRU", "TimeGRU"),
    "rnnlm.layers.heads.affine_softmax": ("TimeAffineWithLoss",),
    "rnnlm.layers.heads.softmax": ("TimeSoftmaxWithLoss",),
    "rnnlm.layers.lstm": ("LSTM", "TimeLSTM"),
    "rnnlm.layers.regularization": ("TimeActivationRegularization",),
    "rnnlm.layers.rnn": ("RNN", "TimeRNN"),
    "rnnlm.models.base": ("Model",),
    "rnnlm.models.better": ("BetterRnnlm",),
    "rnnlm.models.build": ("build_model",),
    "rnnlm.models.config": ("ModelConfig",),
    "rnnlm.models.general": ("AwdLstm", "LanguageModel"),
    "rnnlm.models.rnnlm": ("Rnnlm",),
    "rnnlm.models.sequential": ("Sequential",),
    "rnnlm.models.simple": ("SimpleRnnlm",),
    "rnnlm.optim.adam": ("Adam", "AdamW"),
    "rnnlm.optim.adaptive": ("AdaGrad", "RMSprop"),
    "rnnlm.optim.asgd": ("ASGD",),
    "rnnlm.optim.clipping": ("clip_grads",),
    "rnnlm.optim.rates": ("Constant", "Cosine", "DivideOnPlateau", "Halving", "StepDecay"),
    "rnnlm.optim.sgd": ("SGD", "Momentum", "Nesterov"),
    "rnnlm.inference.evaluation": ("Evaluation", "evaluate", "perplexity", "token_nats"),
    "rnnlm.inference.generation": ("generate", "generate_batch"),
    "rnnlm.inference.predictor": ("Predictor",),
    "rnnlm.inference.sampling": ("Sampling",),
    "rnnlm.inference.scoring": ("Score", "score"),
    "rnnlm.saving.model_folder": ("load_model", "save_model"),
    "rnnlm.training.trainer": ("RnnlmTrainer",),
    "rnnlm.book.rnnlm_gen": ("BetterRnnlmGen", "RnnlmGen"),
    "rnnlm.book.util": ("eval_perplexity", "to_cpu", "to_gpu"),
}

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
