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
