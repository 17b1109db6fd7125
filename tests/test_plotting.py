import sys

import numpy as np
import pytest

from rnnlm.errors import MissingExtra
from rnnlm.models import SimpleRnnlm
from rnnlm.optim import SGD
from rnnlm.plotting import save_perplexity
from rnnlm.training.rnnlm_trainer import RnnlmTrainer

CURVES = {"train": ([1, 2, 3], [900.0, 200.0, 90.0]), "valid": ([1, 2, 3], [300.0, 150.0, 120.0])}


def test_a_picture_is_written(tmp_path):
    pytest.importorskip("matplotlib", reason="draws: pip install 'rnnlm[plot]'")
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")):
        save_perplexity(tmp_path / name, CURVES)
        assert (tmp_path / name).read_bytes().startswith(start)
    save_perplexity(tmp_path / "one.png", {"train": ([1], [50.0])})


def test_curves_are_drawn_as_they_are(monkeypatch, rng):
    matplotlib = pytest.importorskip("matplotlib", reason="draws: pip install 'rnnlm[plot]'")
    matplotlib.use("agg")
    corpus = rng.integers(0, 5, 50)
    trainer = RnnlmTrainer(SimpleRnnlm(5, 3, 4), SGD(0.1))
    trainer.fit(corpus[:-1], corpus[1:], 4, 2, 5, eval_interval=None)
    axes = trainer.plot(ylim=(0, 500))
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_ydata(), trainer.ppl_list)
    assert axes.get_ylim() == (0, 500)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "perplexity")
    matplotlib.pyplot.close("all")


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"a picture needs the extra 'plot': pip install 'rnnlm\[plot\]'"):
        save_perplexity(tmp_path / "a.png", CURVES)
    with pytest.raises(MissingExtra, match="plot"):
        RnnlmTrainer(None, None).plot()
