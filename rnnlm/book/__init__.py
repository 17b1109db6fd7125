"""Deep Learning from Scratch 2: the book's names and shapes for all of its `common`, data sets and chapters' models.

    from rnnlm.book import SGD, RnnlmTrainer, SimpleRnnlm, ptb

`rnnlm book SCRIPT` (`scripts.py`) runs a script of the book unchanged; `FILES` has the names in each of the book's
files. Most of them are this library's own; those defined in this package differ in what they accept, print or write.
"""

from rnnlm.lazy import lazy_names

HOMES = {
    "rnnlm.book.arrays": ("GPU", "np"),
    "rnnlm.book.base_model": ("BaseModel",),
    "rnnlm.book.chapters": (
        "AttentionSeq2seq", "BetterRnnlm", "PeekySeq2seq", "Rnnlm", "Seq2seq", "SimpleRnnlm", "TwoLayerNet",
    ),
    "rnnlm.book.config": ("config",),
    "rnnlm.book.dataset.ptb": ("ptb",),
    "rnnlm.book.dataset.sequence": ("sequence",),
    "rnnlm.book.dataset.spiral": ("spiral",),
    "rnnlm.book.layers": (
        "Affine", "Dropout", "MatMul", "Simple_TimeAffine", "Simple_TimeSoftmaxWithLoss", "TimeSigmoidWithLoss",
        "cross_entropy_error",
    ),
    "rnnlm.book.rnnlm_gen": ("BetterRnnlmGen", "RnnlmGen"),
    "rnnlm.book.util": (
        "analogy", "create_co_matrix", "eval_perplexity", "eval_seq2seq", "most_similar", "ppmi", "to_cpu", "to_gpu",
    ),
    "rnnlm.layers.activations": ("Sigmoid", "Softmax"),
    "rnnlm.layers.attention": ("Attention", "AttentionWeight", "TimeAttention", "WeightSum"),
    "rnnlm.layers.affine": ("TimeAffine",),
    "rnnlm.layers.bidirectional": ("TimeBiLSTM",),
    "rnnlm.layers.dropout": ("TimeDropout",),
    "rnnlm.layers.embedding": ("Embedding", "TimeEmbedding"),
    "rnnlm.layers.functions": ("relu", "sigmoid", "softmax"),
    "rnnlm.layers.gru": ("GRU", "TimeGRU"),
    "rnnlm.layers.heads.losses": ("SigmoidWithLoss",),
    "rnnlm.layers.heads.negative_sampling": ("EmbeddingDot", "NegativeSamplingLoss", "UnigramSampler"),
    "rnnlm.layers.heads.softmax": ("SoftmaxWithLoss", "TimeSoftmaxWithLoss"),
    "rnnlm.layers.lstm": ("LSTM", "TimeLSTM"),
    "rnnlm.layers.rnn": ("RNN", "TimeRNN"),
    "rnnlm.models.attentive": ("AttentionDecoder", "AttentionEncoder"),
    "rnnlm.models.decoder": ("Decoder", "PeekyDecoder"),
    "rnnlm.models.encoder": ("Encoder",),
    "rnnlm.optim.adam": ("Adam",),
    "rnnlm.optim.adaptive": ("AdaGrad", "RMSprop"),
    "rnnlm.optim.clipping": ("clip_grads",),
    "rnnlm.optim.sgd": ("Momentum", "Nesterov", "SGD"),
    "rnnlm.training.rnnlm_trainer": ("RnnlmTrainer",),
    "rnnlm.training.shared": ("remove_duplicate",),
    "rnnlm.training.trainer": ("Trainer",),
    "rnnlm.wordvec.neighbours": ("cos_similarity", "normalize"),
    "rnnlm.wordvec.text": ("convert_one_hot", "create_contexts_target", "preprocess"),
    "rnnlm.wordvec.word2vec": ("CBOW", "SimpleCBOW", "SimpleSkipGram", "SkipGram"),
}  # fmt: skip

_ARRAYS = ("np", "GPU")
_FUNCTIONS = ("sigmoid", "relu", "softmax", "cross_entropy_error")
_LAYERS = (
    "MatMul", "Affine", "Softmax", "SoftmaxWithLoss", "Sigmoid", "SigmoidWithLoss", "Dropout", "Embedding",
)  # fmt: skip
_TIME_LAYERS = (
    "RNN", "TimeRNN", "LSTM", "TimeLSTM", "TimeEmbedding", "TimeAffine", "TimeSoftmaxWithLoss", "TimeDropout",
    "TimeBiLSTM", "TimeSigmoidWithLoss", "GRU", "TimeGRU", "Simple_TimeSoftmaxWithLoss", "Simple_TimeAffine",
)  # fmt: skip
FILES = {  # of the book, with the names in each, including those passed on by `import *`
    "common.np": _ARRAYS,
    "common.functions": (*_ARRAYS, *_FUNCTIONS),
    "common.layers": (*_ARRAYS, *_FUNCTIONS, *_LAYERS),
    "common.time_layers": (*_ARRAYS, *_FUNCTIONS, *_LAYERS, *_TIME_LAYERS),
    "common.optimizer": (*_ARRAYS, "SGD", "Momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam"),
    "common.trainer": (*_ARRAYS, "Trainer", "RnnlmTrainer", "remove_duplicate", "clip_grads"),
    "common.base_model": (*_ARRAYS, "BaseModel", "to_cpu", "to_gpu"),
    "common.util": (
        *_ARRAYS, "preprocess", "cos_similarity", "most_similar", "convert_one_hot", "create_co_matrix", "ppmi",
        "create_contexts_target", "to_cpu", "to_gpu", "clip_grads", "eval_perplexity", "eval_seq2seq", "analogy",
        "normalize",
    ),
    "ch01.two_layer_net": ("TwoLayerNet",),
    "ch03.simple_cbow": ("SimpleCBOW",),
    "ch03.simple_skip_gram": ("SimpleSkipGram",),
    "ch04.negative_sampling_layer": ("EmbeddingDot", "UnigramSampler", "NegativeSamplingLoss"),
    "ch04.cbow": ("CBOW",),
    "ch04.skip_gram": ("SkipGram",),
    "ch05.simple_rnnlm": ("SimpleRnnlm",),
    "ch06.rnnlm": ("Rnnlm",),
    "ch06.better_rnnlm": ("BetterRnnlm",),
    "ch07.rnnlm_gen": ("RnnlmGen", "BetterRnnlmGen"),
    "ch07.seq2seq": ("Encoder", "Decoder", "Seq2seq"),
    "ch07.peeky_seq2seq": ("PeekyDecoder", "PeekySeq2seq"),
    "ch08.attention_layer": ("WeightSum", "AttentionWeight", "Attention", "TimeAttention"),
    "ch08.attention_seq2seq": ("AttentionEncoder", "AttentionDecoder", "AttentionSeq2seq"),
}  # fmt: skip

__all__, __getattr__, __dir__ = lazy_names(__name__, HOMES, "rnnlm")
