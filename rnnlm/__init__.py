"""Recurrent neural network language models, every forward and backward pass written out, on NumPy or CuPy.

    from rnnlm import SGD, RnnlmTrainer, SimpleRnnlm, evaluate, generate
    from rnnlm.data import ptb

These are the public names, each with its home module, which is imported when the name is first used: `import rnnlm` is
cheap, and names that need no array library work without one. `rnnlm.data`, `rnnlm.layers` and the other packages
provide the names that have their home there.
"""

from typing import TYPE_CHECKING

from rnnlm.lazy import lazy_names

if TYPE_CHECKING:  # HOMES again, for type checkers and editors; a test keeps them equal
    from rnnlm.book.rnnlm_gen import BetterRnnlmGen as BetterRnnlmGen, RnnlmGen as RnnlmGen
    from rnnlm.book.util import (
        eval_perplexity as eval_perplexity,
        eval_seq2seq as eval_seq2seq,
        to_cpu as to_cpu,
        to_gpu as to_gpu,
    )
    from rnnlm.data.batches import Batches as Batches
    from rnnlm.data.cleaning import TextOptions as TextOptions
    from rnnlm.data.corpora import ptb as ptb, story as story
    from rnnlm.data.corpora.made_pairs import additions as additions, dates as dates
    from rnnlm.data.corpora.named import Corpus as Corpus, load_corpus as load_corpus
    from rnnlm.data.corpora.story_questions import right_or_wrong as right_or_wrong, who_is_meant as who_is_meant
    from rnnlm.data.encoded import open_corpus as open_corpus
    from rnnlm.data.encoding import encode_corpus as encode_corpus
    from rnnlm.data.padding import next_word_samples as next_word_samples, pad_sequences as pad_sequences
    from rnnlm.data.pairs import Pairs as Pairs, read_pairs as read_pairs
    from rnnlm.data.sentences import Sentences as Sentences
    from rnnlm.data.text import read_corpus as read_corpus
    from rnnlm.data.tokenizer import Tokenizer as Tokenizer
    from rnnlm.data.tokens import Tokens as Tokens
    from rnnlm.data.vocabulary import Vocabulary as Vocabulary
    from rnnlm.errors import (
        BackendError as BackendError,
        BusyError as BusyError,
        DataError as DataError,
        InputError as InputError,
        Interrupted as Interrupted,
        MissingExtra as MissingExtra,
        ModelFileError as ModelFileError,
        PictureError as PictureError,
        RnnlmError as RnnlmError,
        TrainingDiverged as TrainingDiverged,
        UnknownWord as UnknownWord,
    )
    from rnnlm.inference.comparison import Comparison as Comparison, compare as compare, line_nats as line_nats
    from rnnlm.inference.evaluation import (
        Evaluation as Evaluation,
        evaluate as evaluate,
        perplexity as perplexity,
        token_nats as token_nats,
    )
    from rnnlm.inference.generation import generate as generate, generate_batch as generate_batch
    from rnnlm.inference.mixture import Mixture as Mixture
    from rnnlm.inference.mixture_weights import (
        linear_weights as linear_weights,
        log_linear_weights as log_linear_weights,
    )
    from rnnlm.inference.other_words import in_words_of as in_words_of
    from rnnlm.inference.predictor import Predictor as Predictor
    from rnnlm.inference.sampling import Sampling as Sampling
    from rnnlm.inference.scoring import Score as Score, score as score
    from rnnlm.layers.activations import (
        ReLU as ReLU,
        Sigmoid as Sigmoid,
        Softmax as Softmax,
        Step as Step,
        Tanh as Tanh,
    )
    from rnnlm.layers.affine import Affine as Affine, Dense as Dense, MatMul as MatMul, TimeAffine as TimeAffine
    from rnnlm.layers.attention import (
        Attention as Attention,
        AttentionWeight as AttentionWeight,
        TimeAttention as TimeAttention,
        WeightSum as WeightSum,
    )
    from rnnlm.layers.bidirectional import TimeBiGRU as TimeBiGRU, TimeBiLSTM as TimeBiLSTM, TimeBiRNN as TimeBiRNN
    from rnnlm.layers.branches import Concatenate as Concatenate, Split as Split
    from rnnlm.layers.context import TimeContextEmbedding as TimeContextEmbedding
    from rnnlm.layers.dropout import Dropout as Dropout, TimeDropout as TimeDropout
    from rnnlm.layers.embedding import Embedding as Embedding, TimeEmbedding as TimeEmbedding
    from rnnlm.layers.functions import (
        relu as relu,
        relu_slope as relu_slope,
        sigmoid as sigmoid,
        sigmoid_slope as sigmoid_slope,
        softmax as softmax,
        step as step,
        tanh as tanh,
        tanh_slope as tanh_slope,
    )
    from rnnlm.layers.gru import GRU as GRU, TimeGRU as TimeGRU
    from rnnlm.layers.heads.adaptive_softmax import TimeAdaptiveSoftmaxWithLoss as TimeAdaptiveSoftmaxWithLoss
    from rnnlm.layers.heads.affine_softmax import TimeAffineWithLoss as TimeAffineWithLoss
    from rnnlm.layers.heads.each import EachTarget as EachTarget
    from rnnlm.layers.heads.losses import (
        BinaryCrossEntropy as BinaryCrossEntropy,
        CategoricalCrossEntropy as CategoricalCrossEntropy,
        Losses as Losses,
        MeanSquaredError as MeanSquaredError,
        SigmoidWithLoss as SigmoidWithLoss,
        SparseCategoricalCrossEntropy as SparseCategoricalCrossEntropy,
    )
    from rnnlm.layers.heads.negative_sampling import (
        EmbeddingDot as EmbeddingDot,
        NegativeSamplingLoss as NegativeSamplingLoss,
        UnigramSampler as UnigramSampler,
    )
    from rnnlm.layers.heads.softmax import (
        SoftmaxWithLoss as SoftmaxWithLoss,
        TimeSoftmaxWithLoss as TimeSoftmaxWithLoss,
    )
    from rnnlm.layers.lstm import LSTM as LSTM, TimeLSTM as TimeLSTM
    from rnnlm.layers.mean import MeanOverTime as MeanOverTime
    from rnnlm.layers.regularization import TimeActivationRegularization as TimeActivationRegularization
    from rnnlm.layers.rnn import RNN as RNN, TimeRNN as TimeRNN
    from rnnlm.models.attentive import AttentionDecoder as AttentionDecoder, AttentionEncoder as AttentionEncoder
    from rnnlm.models.base import Model as Model
    from rnnlm.models.better import BetterRnnlm as BetterRnnlm
    from rnnlm.models.build import build_model as build_model
    from rnnlm.models.config import ModelConfig as ModelConfig
    from rnnlm.models.decoder import Decoder as Decoder, PeekyDecoder as PeekyDecoder
    from rnnlm.models.encoder import Encoder as Encoder
    from rnnlm.models.general import AwdLstm as AwdLstm, LanguageModel as LanguageModel
    from rnnlm.models.next_word import sentence_generation as sentence_generation
    from rnnlm.models.nnlm import NNLM as NNLM, CbowLm as CbowLm
    from rnnlm.models.quantized import quantize as quantize
    from rnnlm.models.rnnlm import Rnnlm as Rnnlm
    from rnnlm.models.seq2seq import (
        AttentionSeq2seq as AttentionSeq2seq,
        PeekySeq2seq as PeekySeq2seq,
        Seq2seq as Seq2seq,
    )
    from rnnlm.models.sequential import Sequential as Sequential
    from rnnlm.models.simple import SimpleRnnlm as SimpleRnnlm
    from rnnlm.ngrams.frequencies import maximum_likelihood as maximum_likelihood
    from rnnlm.ngrams.model import NGram as NGram
    from rnnlm.ngrams.smoothing import kneser_ney as kneser_ney
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
    from rnnlm.saving.ngram_files import load_ngram as load_ngram, save_ngram as save_ngram
    from rnnlm.training.callbacks import Callback as Callback
    from rnnlm.training.rnnlm_trainer import RnnlmTrainer as RnnlmTrainer
    from rnnlm.training.tensorboard import TensorBoard as TensorBoard
    from rnnlm.training.trainer import Trainer as Trainer
    from rnnlm.wordvec.counts import (
        create_co_matrix as create_co_matrix,
        pmi as pmi,
        ppmi as ppmi,
        svd_vectors as svd_vectors,
    )
    from rnnlm.wordvec.neighbours import (
        analogy as analogy,
        cos_similarity as cos_similarity,
        most_similar as most_similar,
        normalize as normalize,
    )
    from rnnlm.wordvec.options import Word2vecOptions as Word2vecOptions
    from rnnlm.wordvec.text import (
        convert_one_hot as convert_one_hot,
        create_contexts_target as create_contexts_target,
        preprocess as preprocess,
    )
    from rnnlm.wordvec.training import train_word2vec as train_word2vec
    from rnnlm.wordvec.vector_file import load_vectors as load_vectors, save_vectors as save_vectors
    from rnnlm.wordvec.word2vec import (
        CBOW as CBOW,
        SimpleCBOW as SimpleCBOW,
        SimpleSkipGram as SimpleSkipGram,
        SkipGram as SkipGram,
    )

__version__ = "0.2.0"

HOMES = {
    "rnnlm.errors": (
        "BackendError",
        "BusyError",
        "DataError",
        "InputError",
        "Interrupted",
        "MissingExtra",
        "ModelFileError",
        "PictureError",
        "RnnlmError",
        "TrainingDiverged",
        "UnknownWord",
    ),
    "rnnlm.data.batches": ("Batches",),
    "rnnlm.data.corpora.made_pairs": ("additions", "dates"),
    "rnnlm.data.cleaning": ("TextOptions",),
    "rnnlm.data.corpora.named": ("Corpus", "load_corpus"),
    "rnnlm.data.corpora.story_questions": ("right_or_wrong", "who_is_meant"),
    "rnnlm.data.corpora.ptb": ("ptb",),
    "rnnlm.data.corpora.story": ("story",),
    "rnnlm.data.encoded": ("open_corpus",),
    "rnnlm.data.encoding": ("encode_corpus",),
    "rnnlm.data.padding": ("next_word_samples", "pad_sequences"),
    "rnnlm.data.pairs": ("Pairs", "read_pairs"),
    "rnnlm.data.sentences": ("Sentences",),
    "rnnlm.data.text": ("read_corpus",),
    "rnnlm.data.tokenizer": ("Tokenizer",),
    "rnnlm.data.tokens": ("Tokens",),
    "rnnlm.data.vocabulary": ("Vocabulary",),
    "rnnlm.layers.activations": ("ReLU", "Sigmoid", "Softmax", "Step", "Tanh"),
    "rnnlm.layers.affine": ("Affine", "Dense", "MatMul", "TimeAffine"),
    "rnnlm.layers.attention": ("Attention", "AttentionWeight", "TimeAttention", "WeightSum"),
    "rnnlm.layers.bidirectional": ("TimeBiGRU", "TimeBiLSTM", "TimeBiRNN"),
    "rnnlm.layers.branches": ("Concatenate", "Split"),
    "rnnlm.layers.dropout": ("Dropout", "TimeDropout"),
    "rnnlm.layers.context": ("TimeContextEmbedding",),
    "rnnlm.layers.embedding": ("Embedding", "TimeEmbedding"),
    "rnnlm.layers.functions": (
        "relu",
        "relu_slope",
        "sigmoid",
        "sigmoid_slope",
        "softmax",
        "step",
        "tanh",
        "tanh_slope",
    ),
    "rnnlm.layers.gru": ("GRU", "TimeGRU"),
    "rnnlm.layers.heads.adaptive_softmax": ("TimeAdaptiveSoftmaxWithLoss",),
    "rnnlm.layers.heads.affine_softmax": ("TimeAffineWithLoss",),
    "rnnlm.layers.heads.each": ("EachTarget",),
    "rnnlm.layers.heads.losses": (
        "BinaryCrossEntropy",
        "CategoricalCrossEntropy",
        "Losses",
        "MeanSquaredError",
        "SigmoidWithLoss",
        "SparseCategoricalCrossEntropy",
    ),
    "rnnlm.layers.heads.negative_sampling": ("EmbeddingDot", "NegativeSamplingLoss", "UnigramSampler"),
    "rnnlm.layers.heads.softmax": ("SoftmaxWithLoss", "TimeSoftmaxWithLoss"),
    "rnnlm.layers.lstm": ("LSTM", "TimeLSTM"),
    "rnnlm.layers.mean": ("MeanOverTime",),
    "rnnlm.layers.regularization": ("TimeActivationRegularization",),
    "rnnlm.layers.rnn": ("RNN", "TimeRNN"),
    "rnnlm.models.base": ("Model",),
    "rnnlm.models.better": ("BetterRnnlm",),
    "rnnlm.models.build": ("build_model",),
    "rnnlm.models.config": ("ModelConfig",),
    "rnnlm.models.general": ("AwdLstm", "LanguageModel"),
    "rnnlm.models.next_word": ("sentence_generation",),
    "rnnlm.models.nnlm": ("NNLM", "CbowLm"),
    "rnnlm.models.quantized": ("quantize",),
    "rnnlm.models.rnnlm": ("Rnnlm",),
    "rnnlm.models.attentive": ("AttentionDecoder", "AttentionEncoder"),
    "rnnlm.models.decoder": ("Decoder", "PeekyDecoder"),
    "rnnlm.models.encoder": ("Encoder",),
    "rnnlm.models.seq2seq": ("AttentionSeq2seq", "PeekySeq2seq", "Seq2seq"),
    "rnnlm.models.sequential": ("Sequential",),
    "rnnlm.models.simple": ("SimpleRnnlm",),
    "rnnlm.optim.adam": ("Adam", "AdamW"),
    "rnnlm.optim.adaptive": ("AdaGrad", "RMSprop"),
    "rnnlm.optim.asgd": ("ASGD",),
    "rnnlm.optim.clipping": ("clip_grads",),
    "rnnlm.optim.rates": ("Constant", "Cosine", "DivideOnPlateau", "Halving", "StepDecay"),
    "rnnlm.optim.sgd": ("SGD", "Momentum", "Nesterov"),
    "rnnlm.inference.comparison": ("Comparison", "compare", "line_nats"),
    "rnnlm.inference.evaluation": ("Evaluation", "evaluate", "perplexity", "token_nats"),
    "rnnlm.inference.generation": ("generate", "generate_batch"),
    "rnnlm.inference.mixture": ("Mixture",),
    "rnnlm.inference.mixture_weights": ("linear_weights", "log_linear_weights"),
    "rnnlm.inference.other_words": ("in_words_of",),
    "rnnlm.inference.predictor": ("Predictor",),
    "rnnlm.inference.sampling": ("Sampling",),
    "rnnlm.inference.scoring": ("Score", "score"),
    "rnnlm.ngrams.frequencies": ("maximum_likelihood",),
    "rnnlm.ngrams.model": ("NGram",),
    "rnnlm.ngrams.smoothing": ("kneser_ney",),
    "rnnlm.saving.model_folder": ("load_model", "save_model"),
    "rnnlm.saving.ngram_files": ("load_ngram", "save_ngram"),
    "rnnlm.training.callbacks": ("Callback",),
    "rnnlm.training.rnnlm_trainer": ("RnnlmTrainer",),
    "rnnlm.training.tensorboard": ("TensorBoard",),
    "rnnlm.training.trainer": ("Trainer",),
    "rnnlm.wordvec.counts": ("create_co_matrix", "pmi", "ppmi", "svd_vectors"),
    "rnnlm.wordvec.options": ("Word2vecOptions",),
    "rnnlm.wordvec.neighbours": ("analogy", "cos_similarity", "most_similar", "normalize"),
    "rnnlm.wordvec.text": ("convert_one_hot", "create_contexts_target", "preprocess"),
    "rnnlm.wordvec.training": ("train_word2vec",),
    "rnnlm.wordvec.vector_file": ("load_vectors", "save_vectors"),
    "rnnlm.wordvec.word2vec": ("CBOW", "SimpleCBOW", "SimpleSkipGram", "SkipGram"),
    "rnnlm.book.rnnlm_gen": ("BetterRnnlmGen", "RnnlmGen"),
    "rnnlm.book.util": ("eval_perplexity", "eval_seq2seq", "to_cpu", "to_gpu"),
}

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES)
