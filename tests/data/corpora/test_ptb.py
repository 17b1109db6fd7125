import hashlib
import logging
import os
from pathlib import Path

import pytest

from rnnlm.data import ptb
from rnnlm.errors import DataError, InputError


@pytest.mark.parametrize(("part", "tokens"), [("train", 929_589), ("valid", 73_760), ("val", 73_760), ("test", 82_430)])
def test_penn_treebank(ptb_dir, part, tokens):
    corpus, word_to_id, id_to_word = ptb.load_data(part, ptb_dir)
    assert (len(corpus), len(word_to_id), len(id_to_word)) == (tokens, 10_000, 10_000)
    assert corpus.max() < 10_000
    if part == "train":
        assert int(corpus[:1000].max()) + 1 == 418
        assert id_to_word[int(corpus[24])] == "<eos>"  # the first line has 24 words
        assert {"<unk>", "N"} < set(word_to_id)
        assert ptb.load_vocab(ptb_dir) == (word_to_id, id_to_word)


def test_penn_treebank_is_found_by_the_environment(ptb_dir, monkeypatch):
    monkeypatch.setenv("RNNLM_DATA", ptb_dir)
    assert len(ptb.load_data("test")[0]) == 82_430


def test_penn_treebank_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.delenv("RNNLM_DATA", raising=False)
    monkeypatch.setattr(ptb, "cache_folder", lambda: tmp_path / "none")
    with pytest.raises(
        DataError,
        match="put ptb.train.txt, ptb.valid.txt, ptb.test.txt in DIR/ptb and name the folder DIR by --data-dir",
    ):
        ptb.load_data()
    with pytest.raises(DataError, match=r"ptb.train.txt does not exist \(looked in .*ptb\); put ptb.train.txt"):
        ptb.load_data("train", tmp_path)
    with pytest.raises(InputError, match="data_type must be 'train', 'valid'"):
        ptb.load_data("dev", tmp_path)


def test_penn_treebank_that_is_another_file(tmp_path):
    (tmp_path / "ptb").mkdir()
    (tmp_path / "ptb" / "ptb.train.txt").write_text("aer banknote\n")
    with pytest.raises(DataError, match="is not the published file: SHA-256 must be fcea919f"):
        ptb.load_data("train", tmp_path)


def test_what_is_missing_is_downloaded(tmp_path, monkeypatch):
    """From the second address, where the first one does not answer."""
    pooch = pytest.importorskip("pooch")
    asked = []

    class Store:
        def __init__(self, path, base_url, registry, retry_if_failed):
            self.path, self.address, self.hashes = path, base_url, registry
            asked.append(base_url)

        def fetch(self, name):
            assert self.hashes[name].startswith("sha256:")
            if self.address == ptb.ADDRESSES[0]:
                raise OSError("no network")
            (self.path / name).write_text("text\n")

    monkeypatch.setattr(pooch, "create", Store)
    assert ptb.fetch(tmp_path / "new" / "data") == tmp_path / "new" / "data"
    assert asked == list(ptb.ADDRESSES)
    assert pooch.get_logger().level == logging.ERROR  # it says nothing of what goes well
    assert sorted(path.name for path in (tmp_path / "new" / "data" / "ptb").iterdir()) == sorted(ptb.FILES.values())
    monkeypatch.setattr(ptb, "cache_folder", lambda: tmp_path / "cache")
    assert ptb.fetch() == ptb.fetch() == tmp_path / "cache"
    monkeypatch.setattr(ptb, "ADDRESSES", ptb.ADDRESSES[:1])
    with pytest.raises(DataError, match=r"can't be downloaded: https://\S+: OSError no network"):
        ptb.fetch(tmp_path)


def test_all_parts_are_found(treebank):
    assert [path.name for path in ptb.find_all()] == list(ptb.FILES.values())
    assert ptb.find_all(treebank) == ptb.find_all()
    assert ptb.folders_to_look_in("here") == [Path("here")]
    assert ptb.folders_to_look_in()[0] == treebank
    corpus, word_to_id, id_to_word = ptb.load_data("test")
    assert len(corpus) == len(ptb.load_data("train")[0])
    assert id_to_word[int(corpus[0])] == "the"
    assert ptb.load_vocab() == (word_to_id, id_to_word)


def test_a_part_is_in_the_words_of_the_training_part(treebank, monkeypatch):
    """And the training part is read once: its words are its own."""
    for part, text in (("train", "b a <unk>\n"), ("valid", "a b\n"), ("test", "c a a\n")):
        content = text.encode()
        (treebank / "ptb" / ptb.FILES[part]).write_bytes(content)
        monkeypatch.setitem(ptb.SHA256, part, hashlib.sha256(content).hexdigest())
    want = {"b": 0, "a": 1, "<unk>": 2, "<eos>": 3}
    for part, ids in (("train", [0, 1, 2, 3]), ("valid", [1, 0, 3]), ("val", [1, 0, 3]), ("test", [2, 1, 1, 3])):
        corpus, word_to_id, _ = ptb.load_data(part)
        assert (corpus.tolist(), word_to_id) == (ids, want)
    monkeypatch.setattr(ptb, "vocabulary", lambda data_dir: pytest.fail("read twice"))
    ptb.load_data()


def test_a_file_that_is_too_large_is_not_digested(treebank, monkeypatch):
    path = treebank / "ptb" / ptb.FILES["train"]
    os.truncate(path, 1 << 24)
    with pytest.raises(DataError, match="is not the published file: SHA-256 must be"):
        ptb.load_data()
    os.truncate(path, (1 << 24) + 1)
    monkeypatch.setattr(hashlib, "file_digest", lambda file, name: pytest.fail("digested"))
    with pytest.raises(DataError, match="is not the published file: it has 16,777,217 bytes"):
        ptb.load_data()
