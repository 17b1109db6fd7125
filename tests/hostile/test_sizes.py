"""Files that are small and say that they are large, or are large and hold nothing."""

import gzip
import json
import os

import numpy as np
import pytest

from rnnlm import NNLM, SimpleRnnlm, Vocabulary, load_model, load_ngram, load_vectors, open_corpus, save_model
from rnnlm.backend import NAME
from rnnlm.data import read_corpus, read_pairs
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.encoded_header import FIELDS, MAGIC
from rnnlm.data.reading import Reading
from rnnlm.experiments import recipes
from rnnlm.models.config import ModelConfig
from rnnlm.models.tensor_file import mapped
from rnnlm.saving.open_folder import expect_whole, manifest_of
from tests.hostile.bounded import bounded, sparse
from tests.hostile.kinds import KINDS, WORDS

pytestmark = pytest.mark.skipif(NAME != "numpy" or os.name != "posix", reason="files are read alike by all backends")
GB = 1 << 30


@pytest.fixture
def model(tmp_path):
    save_model(tmp_path / "model", SimpleRnnlm(5, 3, 4), WORDS)
    (tmp_path / "model" / "manifest.json").unlink()
    return tmp_path / "model"


def refused(action, error, said, megabytes=60, seconds=5):
    found = bounded(action, megabytes, seconds)
    assert (found.kind, found.said) == (error, found.said)
    assert said in found.said


# ---------------------------------------------------------------- models


@pytest.mark.parametrize("begin", [b"", (1 << 60).to_bytes(8, "little"), (9_000_000).to_bytes(8, "little")])
def test_weights_in_a_hole(model, begin):
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "hidden_size": 20_000}))
    sparse(model / "model.safetensors", 2 * GB, begin)
    refused(lambda: load_model(model), "ModelFileError", "safetensors")


def test_sizes_that_the_weights_have_not(model):
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "hidden_size": 2**31 - 1}))
    refused(lambda: load_model(model), "ModelFileError", "bytes of weights")


def test_a_giant_beside_a_manifest_is_not_digested(tmp_path):
    save_model(tmp_path / "model", SimpleRnnlm(5, 3, 4), WORDS)
    for name in ("model.safetensors", "vocab.txt", "config.json"):
        kept = (tmp_path / "model" / name).read_bytes()
        sparse(tmp_path / "model" / name, 1024 * GB)
        refused(lambda: load_model(tmp_path / "model"), "ModelFileError", f"{name}", seconds=3)
        refused(lambda: expect_whole(tmp_path / "model"), "ModelFileError", "1,099,511,627,776 bytes", seconds=3)
        (tmp_path / "model" / name).write_bytes(kept)


@pytest.mark.parametrize("content", [b"a\n" * 25_000_000, None])
def test_more_words_than_the_configuration_says(model, content):
    if content is None:
        sparse(model / "vocab.txt", 2 * GB)
        said = "a word must have at most 1,048,576 bytes, and word 0 has more"
    else:
        (model / "vocab.txt").write_bytes(content)
        said = "must have at most 5 words, and has more"
    refused(lambda: load_model(model), "ModelFileError", said, megabytes=30)


HEADERS = {
    "on each other": ({"a": ("F32", [4], 0, 16), "b": ("F32", [4], 0, 16)}, 16),
    "a hole": ({"a": ("F32", [4], 0, 16), "b": ("F32", [4], 20, 36)}, 36),
    "beyond the end": ({"a": ("F32", [400], 0, 1600)}, 16),
    "negative": ({"a": ("F32", [-4], 0, -16)}, 0),
    "nothing by a product": ({"a": ("F32", [0, 2**62], 0, 0)}, 0),
    "an overflow": ({"a": ("F32", [2**32, 2**32], 0, 0)}, 0),
    "dimensions": ({"a": ("F32", [1] * 1000, 0, 4)}, 4),
    "no numbers": ({"a": ("F32", [True, 4], 0, 16)}, 16),
    "half ones": ({"a": ("F32", [4.0], 0, 16)}, 16),
    "another type": ({"a": ("F31", [4], 0, 16)}, 16),
}


@pytest.mark.parametrize("case", HEADERS)
def test_arrays_that_can_not_be_where_a_header_says(tmp_path, case):
    arrays, size = HEADERS[case]
    told = json.dumps(
        {name: {"dtype": d, "shape": s, "data_offsets": [a, b]} for name, (d, s, a, b) in arrays.items()}
    ).encode()
    (tmp_path / "x").write_bytes(len(told).to_bytes(8, "little") + told + bytes(size))

    def read():
        with open(tmp_path / "x", "rb") as file:
            return mapped(file)

    refused(read, "InputError", "")


JSONS = {
    "a key twice": ('{"vocab_size": 5, "vocab_size": 6}', "'vocab_size' is there twice"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "deep and whole": ('{"a": ' * 90_000 + "1" + "}" * 90_000, "nested too deeply"),
    "many digits": ('{"ar": 1' + "0" * 6000 + "}", "at most 300 digits, got 6,001"),
    "a large number": ('{"ar": "x", "hidden_size": 1' + "0" * 299 + "}", "hidden_size must be"),
    "larger than a float": ('{"ar": 1e999}', "a number must be finite, got 1e999"),
    "NaN": ('{"ar": NaN}', "a number must be finite, got NaN"),
    "infinity": ('{"ar": -Infinity}', "a number must be finite, got -Infinity"),
    "half a character": ('{"model": "\\ud800"}', "surrogates not allowed"),
    "UTF-16": ('{"model": 1}'.encode("utf-16"), "can't decode"),
    "a list": ("[1]", "is not a model's configuration"),
    "many keys": ("{" + ",".join(f'"k{i}":1' for i in range(80_000)) + "}", "unexpected keyword"),
    "too large": (" " * 2_000_000, "at most 1,000,000 bytes"),
}


@pytest.mark.parametrize("case", JSONS)
def test_json_that_says_too_much(model, case):
    content, said = JSONS[case]
    (model / "config.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(lambda: load_model(model), "ModelFileError", said)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", ".", "", "a/b", "a\0b"])
def test_a_manifest_names_files_of_its_folder_alone(tmp_path, name):
    save_model(tmp_path / "model", SimpleRnnlm(5, 3, 4), WORDS)
    files = json.loads((tmp_path / "model" / "manifest.json").read_text())["files"]
    (tmp_path / "model" / "manifest.json").write_bytes(manifest_of({**files, name: {"bytes": 1, "sha256": "0" * 64}}))
    refused(lambda: expect_whole(tmp_path / "model"), "ModelFileError", "manifest.json is damaged")


@pytest.mark.parametrize(
    "said", [{"bytes": "1", "sha256": "0" * 64}, {"bytes": 1, "sha256": None}, {"bytes": True, "sha256": "0" * 64}, 5]
)
def test_a_manifest_says_numbers_and_digests(tmp_path, said):
    save_model(tmp_path / "model", SimpleRnnlm(5, 3, 4), WORDS)
    (tmp_path / "model" / "manifest.json").write_bytes(manifest_of({"config.json": said}))
    refused(lambda: load_model(tmp_path / "model"), "ModelFileError", "manifest.json is damaged")


# ---------------------------------------------------------------- corpora and texts


@pytest.mark.parametrize(("words", "length"), [(2**40, 8 * GB - 192), (5, 8 * GB - 192), (5, 20)])
def test_ids_in_a_hole(tmp_path, words, length):
    tokens = (8 * GB - 128 - length) // (2 if words < 2**16 else 4)
    head = FIELDS.pack(MAGIC, 2, 2 if words < 2**16 else 4, b"0.2.0", tokens, 0, words, length, bytes(32))
    sparse(tmp_path / "ids", 8 * GB, head)
    refused(lambda: open_corpus(tmp_path / "ids"), "DataError", "", megabytes=30)


def test_a_device_without_an_end():
    refused(
        lambda: read_corpus("/dev/zero", max_tokens=10),
        "DataError",
        "/dev/zero, line 1: a word must have at most",
        megabytes=30,
    )
    refused(lambda: read_pairs("/dev/zero"), "DataError", "/dev/zero, line 1: a line must have at most", megabytes=200)
    csv = Vocabulary(["<unk>", "<eos>"], Reading.of(TextOptions(column="text")))
    refused(
        lambda: read_corpus("/dev/zero", csv), "DataError", "/dev/zero, line 1: a line must have at most", megabytes=200
    )
    lower = Vocabulary(["<unk>", "<eos>"], Reading.of(TextOptions(lower=True, units="char")))
    refused(
        lambda: read_corpus("/dev/zero", lower),
        "DataError",
        "/dev/zero, line 1: a line must have at most",
        megabytes=150,
    )


def test_a_field_of_a_hundred_million_characters(tmp_path):
    sparse(tmp_path / "rows.csv", 100_000_000, b'text\n"')
    csv = Vocabulary(["<unk>", "<eos>"], Reading.of(TextOptions(column="text")))
    refused(lambda: read_corpus(tmp_path / "rows.csv", csv), "DataError", "line 2: a line must have", megabytes=200)


@pytest.mark.parametrize(("units", "megabytes"), [("word", 40), ("char", 40)])
def test_a_text_that_is_one_line_takes_the_memory_of_its_ids(tmp_path, units, megabytes):
    """As text8 is."""
    (tmp_path / "text").write_text("the cat sat " * (1_000_000 if units == "word" else 300_000))
    words = Vocabulary(["the", "cat", "sat", "<unk>", "<eos>"], Reading.of(TextOptions(units=units)))
    found = bounded(lambda: len(read_corpus(tmp_path / "text", words)[0]), megabytes)
    assert found.said == ("3000001" if units == "word" else "3600001")


# ---------------------------------------------------------------- files of others


def test_a_small_file_that_becomes_a_large_one(tmp_path):
    for name, content in (("blank", b"\n" * (1 << 20)), ("a line", b"x" * (1 << 20))):
        with gzip.open(tmp_path / f"{name}.arpa.gz", "wb", compresslevel=9) as file:
            for _ in range(8):
                file.write(content)
        refused(lambda name=name: load_ngram(tmp_path / f"{name}.arpa.gz"), "ModelFileError", "times as large")


ARPA = "\\data\\\nngram 1={}\n\n\\1-grams:\n-0.5\t<s>\t0\n-0.5\t</s>\n"


def test_ngrams_that_a_file_only_promises(tmp_path):
    (tmp_path / "lm.arpa").write_text(ARPA.format(10**17) + "\\end\\\n")
    refused(lambda: load_ngram(tmp_path / "lm.arpa"), "ModelFileError", f"there must be {10**17} 1-grams")
    (tmp_path / "lm.arpa").write_text(ARPA.format(2) + "".join(f"-9\tw{i}\n" for i in range(10**6)))
    refused(lambda: load_ngram(tmp_path / "lm.arpa"), "ModelFileError", "as line 2 says, got more", megabytes=20)
    sparse(tmp_path / "lm.arpa", 4 * GB, ARPA.format(2).encode())
    refused(lambda: load_ngram(tmp_path / "lm.arpa"), "ModelFileError", "a line must have at most", megabytes=80)


@pytest.mark.parametrize("head", ["1000000000000 300", "3 2", "1 1000000000", f"{10**30} 1", "9" * 5000 + " 1"])
def test_vectors_that_a_file_only_promises(tmp_path, head):
    (tmp_path / "vectors").write_text(f"{head}\nthe 0.5 0.5\n")
    refused(lambda: load_vectors(tmp_path / "vectors"), "DataError", "vectors", megabytes=20)
    sparse(tmp_path / "vectors", 8 * GB, f"{head}\nthe 0.5 0.5\n".encode())
    refused(lambda: load_vectors(tmp_path / "vectors"), "DataError", "vectors", megabytes=200)


@pytest.mark.parametrize(
    "content",
    ["a = " + "[" * 100_000, "a = " + "9" * 6000, "a." * 50_000 + "b = 1", "a.a" * 300 + " = 1\n", "# " * 600_000],
)
def test_a_recipe_that_says_too_much(tmp_path, content):
    (tmp_path / "x.toml").write_text(content)
    refused(lambda: recipes.load(str(tmp_path / "x.toml")), "InputError", "recipe", megabytes=200)


def test_an_array_that_is_not_there(tmp_path):
    np.save(tmp_path / "ids.npy", np.arange(9))
    content = (tmp_path / "ids.npy").read_bytes()
    (tmp_path / "ids.npy").write_bytes(content.replace(b"(9,)", b"(9000000000000,)"))
    refused(lambda: KINDS["ids.npy"][1](tmp_path), "DataError", "must be ids")
    (tmp_path / "ids.npy").write_bytes(content.replace(b"<i8", b"|O "))
    refused(lambda: KINDS["ids.npy"][1](tmp_path), "DataError", "ids.npy")
    np.savez(tmp_path / "x.npz", np.arange(9))
    os.replace(tmp_path / "x.npz", tmp_path / "ids.npy")
    refused(lambda: KINDS["ids.npy"][1](tmp_path), "DataError", "is not an array of NumPy's")


def test_a_model_of_many_layers_or_words_of_context_is_counted_before_it_is_built(model):
    assert ModelConfig("LanguageModel", 5, layers=1000, hidden_size=2**30).parameters > 2**60
    config = {**json.loads((model / "config.json").read_text()), "model": NNLM.__name__, "context": 10**9}
    (model / "config.json").write_text(json.dumps(config))
    refused(lambda: load_model(model), "ModelFileError", "model")
