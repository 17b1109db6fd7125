"""The reader of the book's weight files: plain data as it was, and nothing else."""

import collections
import os
import pickle

import numpy as np
import pytest

from rnnlm import InputError, ModelFileError
from rnnlm.book import BaseModel, BetterRnnlm, Rnnlm, pickles
from rnnlm.models import rnnlm as library
from tests.gradcheck import dev, host

PLAIN = {
    "params": [
        np.arange(6, dtype="f2").reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([], "f"),
    ],
    "ids": np.arange(3, dtype=">i4"),
    "yes": np.array([True, False]),
    "scalar": (np.float32(2.5), np.int64(7), 1, 2.5, None, True, "ü", b"\x00\xff", bytearray(b"ab"), {1, 2}),
    "word_to_id": {"you": 0, "say": 1},
    "id_to_word": {0: "you", 1: "say"},
}


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype.newbyteorder("=") and (a == b).all()
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_is_read_as_it_was(protocol):
    data = pickle.dumps(PLAIN, protocol)
    assert same(pickles.loads(data), PLAIN)
    read = pickles.loads(data)["params"][0]
    read += 1  # an array of its own, to be written to
    old = data.replace(b"numpy._core", b"numpy.core") if protocol < 4 else data  # as NumPy 1 wrote it
    assert same(pickles.loads(old), PLAIN)


class Asks:
    """What pickles as a call of anything."""

    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Asks(os.system, ("true",)), "asks for (posix|nt).system: a pickle may hold arrays of numbers, lists"),
        (Asks(eval, ("1",)), "asks for builtins.eval"),
        (Asks(getattr, ("", "join")), "asks for builtins.getattr"),
        (Asks(np.load, ("x",)), r"asks for numpy(\..*)?.load"),
        (collections.OrderedDict(a=1), "asks for collections.OrderedDict"),
        (np.array(["a"]), "must be of numbers, got dtype 'U1'"),
        (np.array([None]), "must be of numbers, got dtype 'O8'"),
        (np.zeros(1, [("a", "f")]), "must be of numbers, got dtype 'V4'"),
        (Rnnlm, "asks for rnnlm.book.chapters.Rnnlm"),
    ],
)
def test_whatever_else_is_asked_for_is_an_error(asked, message, tmp_path):
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(asked))
    with pytest.raises(ModelFileError, match=message) as caught, open(tmp_path / "bad.pkl", "rb") as file:
        pickles.load(file)
    assert "bad.pkl" in str(caught.value)


def test_damaged_and_malicious_bytes_are_one_error():
    """Cut short at every place, every byte flipped, and programs that pickle itself would never write."""
    data = pickle.dumps({"a": [np.arange(4.0), "x"], "b": np.float32(1)}, 2)
    read = 0
    for place in range(len(data)):
        for spoiled in (data[:place], data[:place] + bytes([data[place] ^ 0x21]) + data[place + 1 :]):
            try:
                pickles.loads(spoiled)
                read += 1  # a flipped bit of a number or of a name
            except ModelFileError:
                pass
    assert read < len(data)
    array = b"cnumpy.core.multiarray\n_reconstruct\n"
    for program in (
        b"",
        b"garbage",
        b"cnumpy\nndarray\n(tR.",  # call what is no function here
        array + b"(tR(I1\n(I9\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'too short'\ntb.",
        b"c_codecs\nencode\n(N}S'__defaults__'\n(tstb.",  # change the function
        b"cbuiltins\nbytearray\n(I1000000000000\ntR.",
        b"cnumpy\ndtype\n(S'O'\ntR.",
        b"(lp0\ng0\na.",  # a list that holds itself
        b"P1\n.",  # what lies outside
        b"cbuiltins\nset\n(N}S'x'\nI1\nstb.",
    ):
        with pytest.raises(ModelFileError):
            pickles.loads(program)
    laughs = [0]
    for _ in range(60):  # 2^60 lists, told in a few hundred bytes
        laughs = [laughs, laughs]
    assert len(pickles.loads(pickle.dumps(laughs))) == 2


# ---------------------------------------------------------------------- models


def test_weights_are_written_and_read_as_the_book_does(tmp_path, monkeypatch):
    """float16, in the order of the layers, the tied weight for each of the two that have it."""
    monkeypatch.chdir(tmp_path)
    model = BetterRnnlm(9, 6, 6, seed=3)
    model.save_params()
    with open("BetterRnnlm.pkl", "rb") as file:
        params = pickle.load(file)
    assert [a.shape for a in params] == [(9, 6), (6, 24), (6, 24), (24,), (6, 24), (6, 24), (24,), (6, 9), (9,)]
    assert {a.dtype.name for a in params} == {"float16"}
    np.testing.assert_array_equal(params[7], params[0].T)
    again = BetterRnnlm(9, 6, 6, seed=4)
    again.load_params()
    for mine, its in zip(again.params, model.params):
        np.testing.assert_array_equal(host(mine), host(its).astype("f2").astype("f"))
    assert (host(again.layers["affine"].params[0]) == host(again.params[0]).T).all()


def test_weights_that_float16_does_not_hold_are_not_written(tmp_path):
    model = BetterRnnlm(9, 6, 6, seed=3)
    model.params[0][2, 1] = 1e6
    with pytest.raises(InputError, match=r"the book's files hold float16, and a weight is above 65,504"):
        model.save_params(tmp_path / "weights.pkl")
    assert not any(tmp_path.iterdir())


def test_safetensors_stand_in_for_a_pickle_that_is_not_there(tmp_path):
    library.Rnnlm(9, 4, 5, seed=7).save_params(tmp_path / "Rnnlm.pkl")
    assert [p.name for p in tmp_path.iterdir()] == ["Rnnlm.safetensors"]
    model, pickled = Rnnlm(9, 4, 5), Rnnlm(9, 4, 5, seed=8)
    model.load_params(tmp_path / "Rnnlm.pkl")
    np.testing.assert_array_equal(host(model.params[0]), host(library.Rnnlm(9, 4, 5, seed=7).params[0]))
    pickled.save_params(tmp_path / "Rnnlm.pkl")
    model.load_params(tmp_path / "Rnnlm.pkl")  # the book's own file wins
    np.testing.assert_allclose(host(model.params[0]), host(pickled.params[0]), atol=1e-4)
    model.save_params(tmp_path / "a.safetensors")
    (tmp_path / "Rnnlm.safetensors").unlink()
    with pytest.raises(ModelFileError, match="Rnnlm.pkl is a pickle, which is not read: rnnlm.book.Rnnlm reads it"):
        library.Rnnlm(9, 4, 5).load_params(tmp_path / "Rnnlm.pkl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": 1}, "must hold a list of arrays, got dict"),
        ([1, 2], "must hold a list of arrays, got list"),
        (
            [np.zeros((9, 4))],
            r"does not hold the weights of this model: shapes must be \[\(9, 4\), .* got \[\(9, 4\)\]",
        ),
    ],
)
def test_other_weights_are_refused(content, message, tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    model = Rnnlm(9, 4, 5)
    before = host(model.flat_params)
    with pytest.raises(ModelFileError, match=message):
        model.load_params(tmp_path / "a.pkl")
    np.testing.assert_array_equal(host(model.flat_params), before)
    with pytest.raises(ModelFileError, match=r"b.pkl does not exist"):
        model.load_params(tmp_path / "b.pkl")


def test_a_model_in_the_books_manner(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    class Mine(BaseModel):
        def __init__(self, value):
            self.params = [dev(np.full((2, 3), value), "f")]

    Mine(2.5).save_params()
    model = Mine(0.0)
    model.load_params()
    assert host(model.params[0]).tolist() == [[2.5] * 3] * 2
    for method in (model.forward, model.backward):
        with pytest.raises(NotImplementedError):
            method()
