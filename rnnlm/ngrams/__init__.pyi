# Written by scripts/write_stubs.py from the names that this package loads lazily.
from rnnlm.ngrams import frequencies as frequencies
from rnnlm.ngrams import model as model
from rnnlm.ngrams import smoothing as smoothing
from rnnlm.ngrams.frequencies import maximum_likelihood as maximum_likelihood
from rnnlm.ngrams.model import NGram as NGram
from rnnlm.ngrams.smoothing import kneser_ney as kneser_ney
