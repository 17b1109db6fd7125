import json

import numpy as np
import pytest

from rnnlm.data import Vocabulary
from rnnlm.errors import InputError, ModelFileError
from rnnlm.models import Rnnlm, SimpleRnnlm, quantize
from rnnlm.saving.model_folder import load_model, save_model
from tests.gradcheck import host

WORDS = Vocabulary(["the", "cat", "<unk>", "<eos>"])


@pytest.fixture
def folder(tmp_path):
    save_model(tmp_path / "m", SimpleRnnlm(4, 3, 5, seed=7, bias_range=0.1), WORDS)
    return tmp_path / "m"


def test_a_folder_holds_a_model(folder):
    model, words = load_model(folder)
    assert sorted(p.name for p in folder.iterdir()) == [
        "config.json", "manifest.json", "model.safetensors", "text.json", "vocab.txt",
    ]  # fmt: skip
    assert words.words == WORDS.words
    np.testing.assert_array_equal(
        host(model.flat_params), host(SimpleRnnlm(4, 3, 5, seed=7, bias_range=0.1).flat_params)
    )
    assert json.loads((folder / "config.json").read_text())["hidden_size"] == 5


def test_saving_again_replaces_the_weights(folder):
    save_model(folder, SimpleRnnlm(4, 3, 5, seed=8), WORDS)
    np.testing.assert_array_equal(
        host(load_model(folder)[0].flat_params), host(SimpleRnnlm(4, 3, 5, seed=8).flat_params)
    )


def test_a_vocabulary_of_another_size_is_not_saved(tmp_path):
    with pytest.raises(InputError, match="the model has 5 words, the vocabulary 4"):
        save_model(tmp_path / "m", SimpleRnnlm(5, 3, 5), WORDS)
    assert not (tmp_path / "m").exists()


DAMAGE = {
    "config.json": [
        (None, "config.json does not exist"),
        ("", "is not a model's configuration"),
        ("[]", "is not a model's configuration"),
        ("[" * 100_000, "is not a model's configuration"),
        ('{"model": "SimpleRnnlm", "depth": 3}', "unexpected keyword argument 'depth'"),
        (
            '{"model": "Transformer", "vocab_size": 4, "wordvec_size": 3, "hidden_size": 5}',
            "model must be one of LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm, AwdLstm, NNLM, CbowLm, QuantizedModel, got 'Transformer'",
        ),
        ('{"hidden_size": -1}', "hidden_size must be a whole number of at least 1, got -1"),
        (
            '{"model": [], "vocab_size": 4, "wordvec_size": 3, "hidden_size": 5}',
            "model must be one of LanguageModel, SimpleRnnlm, Rnnlm, BetterRnnlm, AwdLstm, NNLM, CbowLm, QuantizedModel, got",
        ),
        (
            '{"hidden_size": 5, "wordvec_size": 2, "vocab_size": 4}',
            "embed.W must be float32 .4, 2., got float32 .4, 3.",
        ),
        (
            '{"hidden_size": 1000000000, "vocab_size": 4}',
            "says sizes that need 4,000,000,420,000,001,616 bytes of weights",
        ),
        ('{"hidden_size": 1' + "0" * 400 + ', "vocab_size": 4}', "a number must have at most 300 digits, got 401"),
        ('{"hidden_size": 1' + "0" * 100 + ', "vocab_size": 4}', "hidden_size must be a whole number below 2"),
        ('{"hidden_size": 5, "vocab_size": 9}', "vocab.txt must have the 9 words that config.json says, got 4"),
        (" " * 1_000_001, "must have at most 1,000,000 bytes, got 1,000,001"),
    ],
    "vocab.txt": [(None, "vocab.txt does not exist"), ("a\na\nb\nc\n", "must differ"), ("a\n", "got 1")],
    "model.safetensors": [(None, "does not exist"), ("", "does not hold")],
}


@pytest.mark.parametrize(("name", "content", "message"), [(n, *case) for n, cases in DAMAGE.items() for case in cases])
def test_a_damaged_folder_is_refused(folder, name, content, message):
    (folder / "manifest.json").unlink()  # as earlier versions left it: with it, all else is "damaged"
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(ModelFileError, match=message):
        load_model(folder)


def test_weights_cut_short_are_refused(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "manifest.json").unlink()
    for size in (0, 1, 8, 100, len(content) - 1):
        (folder / "model.safetensors").write_bytes(content[:size])
        with pytest.raises(ModelFileError, match="does not hold"):
            load_model(folder)


def test_a_folder_of_before_is_read_and_said_so(folder, capsys):
    load_model(folder)
    assert not capsys.readouterr().err
    (folder / "manifest.json").unlink()
    load_model(folder)
    assert "has no manifest.json, as earlier versions left it: its files can't be checked" in capsys.readouterr().err


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_neither_saved_nor_read(folder, bad):
    model, words = load_model(folder)
    model.params[2][1, 2] = bad
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    with pytest.raises(InputError, match="weights must be finite to be saved, and rnn.Wh is not"):
        save_model(folder, model, words)
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir()) == before
    model.save_params(folder / "model.safetensors")
    (folder / "manifest.json").unlink()
    with pytest.raises(ModelFileError, match="has weights that are not finite, in rnn.Wh"):
        load_model(folder)


def test_no_folder(tmp_path):
    with pytest.raises(ModelFileError, match="is not a folder; a model is one"):
        load_model(tmp_path / "none")


def test_a_missing_file_that_the_manifest_names_is_damage(folder):
    """And no folder of a version that had none."""
    (folder / "text.json").unlink()
    with pytest.raises(ModelFileError, match="text.json is missing: manifest.json names it"):
        load_model(folder)


def test_permissions_of_a_folder_that_is_replaced_stay(folder):
    folder.chmod(0o700)
    (folder / "model.safetensors").chmod(0o600)
    save_model(folder, *load_model(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "model.safetensors").stat().st_mode & 0o777 == 0o600


def test_a_file_is_not_replaced_by_a_folder(folder, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="a folder can't take the place of a file, and .*file is one"):
        save_model(tmp_path / "file", *load_model(folder))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_configuration_is_no_large_file(folder):
    (folder / "manifest.json").unlink()
    content = (folder / "config.json").read_text()
    (folder / "config.json").write_text(content.ljust(1_000_000))
    load_model(folder)
    (folder / "config.json").write_text(content.ljust(1_000_001))
    with pytest.raises(ModelFileError, match="config.json must have at most 1,000,000 bytes, got 1,000,001"):
        load_model(folder)


def test_the_folder_of_a_run_is_told(tmp_path):
    save_model(tmp_path / "run/model", SimpleRnnlm(3, 4, 5), Vocabulary(["a", "b", "<eos>"]))
    with pytest.raises(ModelFileError, match="run is the folder of a run, whose model is .*run/model: read that"):
        load_model(tmp_path / "run")


# ---------------------------------------------------------------- small weights


@pytest.mark.parametrize(("to", "share"), [("int8", 0.27), ("float16", 0.51)])
def test_small_weights_are_small_on_disk_and_come_back_as_they_were(tmp_path, to, share):
    words = Vocabulary([f"w{i}" for i in range(1000)])
    model = Rnnlm(1000, 160, 160, bias_range=0.1)
    small = quantize(model, to)
    for name, one in (("whole", model), ("small", small)):
        save_model(tmp_path / name, one, words)
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("small", "whole")]
    assert sizes[0] <= share * sizes[1]
    again, _ = load_model(tmp_path / "small")
    assert type(again) is type(small)
    assert (again.config, again.names) == (small.config, small.names)
    for a, b in zip(again.params, small.params):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(host(a), host(b))
    whole = json.loads((tmp_path / "whole" / "config.json").read_text())
    assert not {"weights", "source"} & set(whole)  # which earlier versions would not know


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": "int4"}, "weights must be one of int8, float16, got 'int4'"),
        ({"weights": "float16"}, "unknown .*embed.W_scales"),
        ({"source": "NNLM"}, "source must be one of LanguageModel"),
        ({"hidden_size": 6}, r"lstm.Wx must be int8 \(3, 24\), got int8 \(3, 20\)"),
        ({"hidden_size": 6000}, "config.json says sizes that need .* bytes of weights"),
    ],
)
def test_a_small_model_whose_configuration_is_another_is_refused(tmp_path, change, message):
    save_model(tmp_path / "m", quantize(Rnnlm(4, 3, 5)), WORDS)
    (tmp_path / "m" / "manifest.json").unlink()
    path = tmp_path / "m" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ModelFileError, match=message):
        load_model(tmp_path / "m")


def test_a_scale_that_is_not_finite_is_refused(tmp_path):
    small = quantize(Rnnlm(4, 3, 5))
    small.params[small.names.index("lstm.Wh_scales")][0, 0] = np.inf
    with pytest.raises(InputError, match="weights must be finite to be saved, and lstm.Wh_scales is not"):
        save_model(tmp_path / "m", small, WORDS)
