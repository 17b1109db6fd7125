"""What is made and dropped leaves nothing behind: no memory, no threads, no open files."""

import gc
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from rnnlm import (
    SGD,
    LanguageModel,
    ModelConfig,
    RnnlmTrainer,
    encode_corpus,
    evaluate,
    load_model,
    open_corpus,
    save_model,
)
from rnnlm.backend import NAME
from rnnlm.data import Vocabulary

IDS = np.random.default_rng(0).integers(0, 9, 60)
PROC = Path("/proc/self")
needs_proc = pytest.mark.skipif(not PROC.exists(), reason="needs /proc")


def model():
    return LanguageModel(ModelConfig(vocab_size=9, wordvec_size=64, hidden_size=64, cell="lstm"))


def resident():
    """Bytes of memory that this process has."""
    gc.collect()
    return int((PROC / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files():
    gc.collect()
    return len(os.listdir(PROC / "fd"))


@needs_proc
@pytest.mark.skipif(NAME != "numpy", reason="the stand-in keeps what it counts")
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.fault)])
def test_models_made_used_and_dropped(count):
    """Each would take 130 kB and more."""

    def use():
        one = model()
        evaluate(one, IDS)
        one.shared_copy().predict(IDS[None, :5])

    for _ in range(50):
        use()
    before = resident()
    for _ in range(count):
        use()
    assert resident() - before < 10e6


def test_trainings_leave_no_thread():
    """The threads that share work are made once."""
    one = model()
    RnnlmTrainer(one, SGD(0.1)).fit(IDS[:-1], IDS[1:], 1, 4, 5)
    before = threading.active_count()
    for _ in range(5):
        RnnlmTrainer(one, SGD(0.1)).fit(IDS[:-1], IDS[1:], 1, 4, 5)
    assert threading.active_count() == before


@needs_proc
def test_files_are_closed(tmp_path):
    save_model(tmp_path / "model", model(), Vocabulary(list("abcdefghi")))
    (tmp_path / "text").write_text("a b c\n" * 50)
    encode_corpus(tmp_path / "text", tmp_path / "text.ids")

    def use(number):
        load_model(tmp_path / "model")
        ids, _ = open_corpus(tmp_path / "text.ids")
        np.asarray(ids[3:30])
        RnnlmTrainer(model(), SGD(0.1)).fit(IDS[:-1], IDS[1:], 1, 4, 5, save_to=tmp_path / f"run{number}")

    use(0)
    before = open_files()
    for number in range(1, 6):
        use(number)
    assert open_files() == before
