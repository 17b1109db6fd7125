"""Small models of several kinds for tests of predictors that wrap a model."""

from rnnlm import ModelConfig, build_model

V, EOS = 9, 0
MODELS = {
    "rnn": {"cell": "rnn"},
    "tied": {"cell": "lstm", "layers": 2, "tied": True, "dropout_ratio": 0.5, "hidden_size": 5},
    "adaptive": {"cell": "gru", "cutoffs": (3, 6), "div_value": 2.0},
}


def network(dtype="float64", **options):
    """A model of V words; options are those of its configuration."""
    return build_model(ModelConfig(vocab_size=V, dtype=dtype, **{"wordvec_size": 5, "hidden_size": 6, **options}))
