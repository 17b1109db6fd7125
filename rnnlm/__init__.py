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
    "rnnlm.data.corpora": ("ptb", "story"),
    "rnnlm.data.corpora.named": ("Corpus", "load_corpus"),
    "rnnlm.data.encoded": ("open_corpus",),
    "rnnlm.data.encoding": ("encode_corpus",),
    "rnnlm.data.text": ("read_corpus",),
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
    "rnnlm.models.simple": ("SimpleRnnlm",),
    "rnnlm.optim.adam": ("Adam", "AdamW"),
    "rnnlm.optim.adaptive": ("AdaGrad", "RMSprop"),
    "rnnlm.optim.asgd": ("ASGD",),
    "rnnlm.optim.clipping": ("clip_grads",),
    "rnnlm.optim.rates": ("Constant", "Cosine", "DivideOnPlateau", "Halving", "StepDecay"),
    "rnnlm.optim.sgd": ("SGD", "Momentum", "Nesterov"),
    "rnnlm.inference.evaluation": ("Evaluation", "evaluate", "perplexity", "token_nats"),
    "rnnlm.inference.generation": ("generate", "generate_batch"),
    "rnnlm.inference.scoring": ("Score", "score"),
    "rnnlm.saving.model_folder": ("load_model", "save_model"),
    "rnnlm.training.trainer": ("RnnlmTrainer",),
    "rnnlm.book.rnnlm_gen": ("BetterRnnlmGen", "RnnlmGen"),
    "rnnlm.book.util": ("eval_perplexity", "to_cpu", "to_gpu"),
}

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
