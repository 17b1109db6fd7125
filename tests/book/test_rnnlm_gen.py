import numpy as np
import pytest

from rnnlm.book.rnnlm_gen import RnnlmGen
from rnnlm.models import SimpleRnnlm

V = 9


@pytest.fixture
def model():
    return SimpleRnnlm(V, 4, 6, bias_range=1.0, dtype="float64", seed=4)


def test_the_books_generator_goes_on_from_its_state():
    """A prompt read by `predict` beforehand counts, and a text written in two calls is the text written in one."""
    model = RnnlmGen(V, 4, 6, bias_range=1.0, seed=4)
    whole = model.generate([3, 1, 4], sample_size=20, greedy=True)
    model.reset_state()
    for word in (3, 1):
        model.predict(np.array(word).reshape(1, 1))
    first = model.generate(4, sample_size=8, greedy=True)
    second = model.generate(first[-1], sample_size=11, greedy=True)
    assert [3, 1, *first, *second[1:]] == whole
    assert RnnlmGen().config.vocab_size == 10_000
