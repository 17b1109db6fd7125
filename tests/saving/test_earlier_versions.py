"""What earlier versions wrote is read by this one: a model folder and an encoded corpus of each, as they left them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import rnnlm
from rnnlm import DataError, ModelFileError, evaluate, load_model, open_corpus, save_model
from rnnlm.data import encoded
from rnnlm.data.encoded_header import FIELDS
from tests.gradcheck import host

FIXTURES = Path(__file__).parent.parent / "fixtures"
VERSIONS = sorted(path.name for path in FIXTURES.iterdir())


@pytest.fixture(params=VERSIONS)
def written(request):
    return FIXTURES / request.param


def test_there_are_fixtures():
    assert "0.1.0" in VERSIONS


def test_a_model_and_a_corpus_are_what_they_were(written):
    expected = json.loads((written / "expected.json").read_text())
    ids, words = open_corpus(written / "corpus.ids")
    assert (len(ids), words.words) == (expected["tokens"], expected["words"])
    model, own = load_model(written / "model")
    assert own.words == words.words
    assert sum(p.size for p in model.params) == expected["parameters"]
    assert evaluate(model, ids).nats == pytest.approx(expected["nats"], rel=1e-6)  # rounding of other kernels


def test_each_changed_bit_of_the_ids_is_seen(written, tmp_path):
    """In the first format it is the whole that is checked, when it is opened."""
    content = (written / "corpus.ids").read_bytes()
    ids = open_corpus(written / "corpus.ids")[0]
    for place in range(ids.offset, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        (tmp_path / "ids").write_bytes(damaged)
        with pytest.raises(DataError, match="the SHA-256 of its ids must be"):
            open_corpus(tmp_path / "ids")


def test_ids_of_the_first_format_that_are_many_are_told_to_be_unchecked(written, monkeypatch, capsys):
    monkeypatch.setattr(encoded, "AT_ONCE", 100)
    assert len(open_corpus(written / "corpus.ids")[0]) > 50
    assert "corpus.ids is of format 1, whose ids are checked by `rnnlm data check` alone" in capsys.readouterr().err


def test_a_model_that_is_written_again_says_its_format(written, tmp_path):
    model, words = load_model(written / "model")
    save_model(tmp_path / "again", model, words)
    config = json.loads((tmp_path / "again" / "config.json").read_text())
    assert (config["format"], config["rnnlm"]) == (1, rnnlm.__version__)
    np.testing.assert_array_equal(host(load_model(tmp_path / "again")[0].flat_params), host(model.flat_params))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"format": 2, "rnnlm": "7.1.0", "cells": ["x"]},
            f"config.json has format 2, and this rnnlm {rnnlm.__version__} reads formats up to 1: take rnnlm 7.1.0, "
            "which wrote it, or a later one",
        ),
        ({"format": 10**9}, "reads formats up to 1: take a later rnnlm$"),
        ({"format": 9, "rnnlm": {"a": 1}}, "reads formats up to 1: take a later rnnlm$"),
        ({"format": 0}, "format must be a whole number of at least 1, got 0"),
        ({"format": True}, "format must be a whole number of at least 1, got True"),
        ({"format": "2"}, "format must be a whole number of at least 1, got '2'"),
        ({"format": None}, "format must be a whole number of at least 1, got None"),
    ],
)
def test_a_model_folder_of_a_later_format_is_refused(written, tmp_path, changes, message):
    shutil.copytree(written / "model", tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "model")


@pytest.mark.parametrize(
    ("version", "reader", "message"),
    [
        (
            3,
            b"7.1.0",
            f"format 3, and this rnnlm {rnnlm.__version__} reads formats up to 2: take rnnlm 7.1.0 or a later",
        ),
        (3, b"1.0rc1", "take rnnlm 1.0rc1 or a later one, or encode the text again"),
        (3, b"\xff\x00\x1b[31m", "take a later rnnlm, or encode the text again"),
        (0, b"", "is damaged or cut short: its format must be at least 1, got 0"),
    ],
)
def test_an_encoded_corpus_of_a_later_format_is_refused(written, tmp_path, version, reader, message):
    content = bytearray((written / "corpus.ids").read_bytes())
    content[8:12] = version.to_bytes(4, "little")
    if version > 2:
        content[16:32] = reader.ljust(16, b"\0")
    (tmp_path / "later.ids").write_bytes(content[: FIELDS.size + 32] if version > 2 else content)
    with pytest.raises(DataError, match=message):
        open_corpus(tmp_path / "later.ids")
