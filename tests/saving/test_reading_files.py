"""The words of a model, how a text is read, and whether a folder is whole."""

import json

import pytest

from rnnlm import Vocabulary
from rnnlm.data.bpe import BytePairs
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.reading import Reading
from rnnlm.errors import DataError, ModelFileError
from rnnlm.saving.generation import replaced_folder
from rnnlm.saving.open_folder import expect_whole, manifest_of
from rnnlm.saving.reading_files import PAIRS, TEXT, load_words, word_files


def written(path, vocabulary):
    with replaced_folder(path) as new:
        for name, content in word_files(vocabulary).items():
            new.write(name, content)
    return path


def pairs_of(line):
    pytest.importorskip("tokenizers", reason="needs the extra 'bpe'")
    learned = BytePairs.learn([line] * 3, 258)
    return Vocabulary(["<eos>", *learned.units], Reading(TextOptions(units="bpe", lower=True), learned))


def test_words_and_how_a_text_is_read_are_kept(tmp_path):
    words = Vocabulary(["<eos>", "é", "<unk>"], Reading.of(TextOptions(lower=True, leave_out=("É",))))
    folder = written(tmp_path / "plain", words)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", TEXT, "vocab.txt"]
    assert "É" in (folder / TEXT).read_text()
    found = load_words(folder)
    assert (found.words, found.reading.options) == (words.words, words.reading.options)
    pairs = pairs_of("abab abab")
    found = load_words(written(tmp_path / "pairs", pairs))
    assert found.words == pairs.words
    assert found.encode("Abab").tolist() == pairs.encode("abab").tolist()


def test_files_that_do_not_fit_each_other_are_refused(tmp_path):
    folder = written(tmp_path / "lm", pairs_of("abab abab"))
    (folder / "manifest.json").unlink()  # or a file that was changed would be seen by its SHA-256
    (folder / PAIRS).write_text(pairs_of("cdcd cdcd").reading.units.to_json())
    with pytest.raises(DataError, match=f"{PAIRS} has other units than vocab.txt: it is another model's"):
        load_words(folder)
    (folder / PAIRS).unlink()
    with pytest.raises(DataError, match=f"{PAIRS} is missing or no text: byte pairs are cut by it"):
        load_words(folder)
    for settings in ("[]", "{", json.dumps({"upper": True}), json.dumps({"lower": 3})):
        (folder / TEXT).write_text(settings)
        with pytest.raises(DataError, match=f"{TEXT} does not say how a text is read"):
            load_words(folder)
    (folder / TEXT).unlink()
    assert load_words(folder).reading.options == TextOptions()  # of a version that knew words alone
    (folder / "vocab.txt").unlink()
    with pytest.raises(DataError, match=r"vocab.txt does not exist"):
        load_words(folder)


def test_a_folder_is_whole_or_not(tmp_path):
    folder = written(tmp_path / "lm", Vocabulary(["a", "b"]))
    expect_whole(folder)
    (folder / "vocab.txt").write_text("a\nc\n")
    with pytest.raises(
        ModelFileError, match=r"vocab.txt is damaged: it has SHA-256 \w{12}..., and had \w{12}... when it was saved"
    ):
        expect_whole(folder)
    (folder / "vocab.txt").unlink()
    with pytest.raises(ModelFileError, match="vocab.txt is missing: manifest.json names it"):
        expect_whole(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(ModelFileError, match="lm has no manifest.json"):
        expect_whole(folder)
    with pytest.raises(ModelFileError, match="none is not a folder"):
        expect_whole(tmp_path / "none")


def test_a_manifest_has_one_spelling():
    one, other = {"bytes": 1, "sha256": "x"}, {"sha256": "y", "bytes": 2}
    want = b'{"files":{"a":{"bytes":2,"sha256":"y"},"b":{"bytes":1,"sha256":"x"}},"format":1}'
    assert manifest_of({"b": one, "a": other}) == manifest_of({"a": other, "b": one}) == want
