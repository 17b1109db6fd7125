"""ARPA files: what is written is read back, by others too; a file that breaks a rule is refused by its line."""

import gzip
import io
import math
from pathlib import Path

import numpy as np
import pytest

from rnnlm import Vocabulary, evaluate, kneser_ney, load_ngram, maximum_likelihood, save_ngram, score, token_nats
from rnnlm.backend import NAME
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.corpora import story
from rnnlm.data.reading import Reading
from rnnlm.data.units import Characters
from rnnlm.errors import InputError, ModelFileError
from rnnlm.ngrams import arpa_lines

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="n-grams are counted without an array library: runs on NumPy")
TEXT = r"""written by hand
\data\
ngram 1=5
ngram 2=4
ngram 3=1

\1-grams:
-99	<s>	-0.30103
-0.60206	</s>
-0.60206 the -0.39794
-0.60206	cat	-0.1760913
-0.60206	<unk>

\2-grams:
-0.2218487	<s> the	-0.1
-0.30103	the cat	-0.2
-0.4	cat </s>
-0.5	the <unk>

\3-grams:
-0.0457575	<s> the cat

\end\
anything after it
"""


def written(folder, text=TEXT):
    """A file with this text."""
    path = Path(folder) / "lm.arpa"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def stories():
    ids, words, _ = story.load_data("valid")
    return ids[:20_000], story.vocabulary(), kneser_ney(ids[:20_000], len(words), words["<eos>"], 4)


def test_a_file_by_hand(tmp_path):
    model, words = load_ngram(written(tmp_path))
    assert words.words == ["<eos>", "the", "cat", "<unk>"]
    logs = np.array(score(model, [words.encode(line.split()) for line in ("the cat", "cat the dog", "")], 0)[0].tokens)
    np.testing.assert_allclose(logs / math.log(10), [-0.2218487, -0.0457575, -0.2 - 0.4])
    logs = np.array(score(model, [words.encode(["cat", "the", "dog"])], 0)[0].tokens) / math.log(10)
    # p(cat | <s>), p(the | cat), p(<unk> | the), p(</s> | <unk>), whose context has no longer n-grams
    np.testing.assert_allclose(logs, [-0.30103 - 0.60206, -0.1760913 - 0.60206, -0.5, -0.60206])


@pytest.mark.parametrize("name", ["lm.arpa", "lm.arpa.gz"])
def test_what_is_written_is_read_back(stories, tmp_path, name):
    ids, words, model = stories
    save_ngram(tmp_path / name, model, words)
    back, read = load_ngram(tmp_path / name)
    assert read.words == words.words
    assert [len(table) for table in back.tables] == [len(table) for table in model.tables]
    for ours, theirs in zip(back.tables, model.tables):
        np.testing.assert_array_equal(ours.keys, theirs.keys)
    np.testing.assert_allclose(token_nats(back, ids), token_nats(model, ids), atol=5e-6)
    save_ngram(tmp_path / f"again-{name}", back, read)
    assert (tmp_path / f"again-{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_the_kenlm_module_finds_the_same_scores(stories, tmp_path):
    kenlm = pytest.importorskip("kenlm", reason="needs KenLM's module: pip install kenlm")
    ids, words, model = stories
    save_ngram(tmp_path / "lm.arpa", model, words)
    lines = [" ".join(words.decode(line)) for line in np.split(ids, np.flatnonzero(ids == words.eos_id) + 1)[:500]]
    lines = [line.removesuffix(" <eos>") for line in lines if line.endswith(" <eos>")]
    theirs, (read, own) = kenlm.Model(str(tmp_path / "lm.arpa")), load_ngram(tmp_path / "lm.arpa")
    for predictor in (model, read):
        for line, ours in zip(lines, score(predictor, [own.encode(line.split()) for line in lines], own.eos_id)):
            want = [log * math.log(10) for log, *_ in theirs.full_scores(line)]
            np.testing.assert_allclose(ours.tokens, want, atol=1e-5)


def test_the_kenlm_module_reads_a_file_by_hand_alike(tmp_path):
    kenlm = pytest.importorskip("kenlm", reason="needs KenLM's module: pip install kenlm")
    path = written(
        tmp_path,
        TEXT.removeprefix("written by hand\n")
        .removesuffix("anything after it\n")
        .replace("-0.60206 the -", "-0.60206\tthe\t-"),
    )
    theirs, (model, words) = kenlm.Model(str(path)), load_ngram(path)
    for line in ("the cat", "the", "cat cat", "the dog the cat", "a dog", "cat the the cat cat"):
        want = [log * math.log(10) for log, *_ in theirs.full_scores(line)]
        np.testing.assert_allclose(score(model, [words.encode(line.split())], words.eos_id)[0].tokens, want, atol=1e-5)


def test_what_is_impossible_stays_so(stories, tmp_path):
    ids, words, _ = stories
    model = maximum_likelihood(ids, len(words), words.eos_id, 3)
    save_ngram(tmp_path / "lm.arpa", model, words)
    back, _ = load_ngram(tmp_path / "lm.arpa")
    np.testing.assert_allclose(token_nats(back, ids[::7]), token_nats(model, ids[::7]), atol=5e-6)
    assert evaluate(back, ids[::7]).perplexity == math.inf


def test_an_infinite_logarithm_is_that_of_nothing_too(tmp_path):
    model, words = load_ngram(written(tmp_path, replaced("-0.5	the <unk>", "-inf	the <unk>")))
    assert score(model, [words.encode(["the", "dog"])], 0)[0].tokens[1] == -math.inf


def test_other_names_of_words(tmp_path, capsys):
    text = TEXT.replace("<unk>", "<UNK>").replace("-0.5	the <UNK>", "-0.5	</s> <s>")
    model, words = load_ngram(written(tmp_path, text))
    assert words.unk_id == 3
    assert len(model.tables[1]) == 3
    shown = capsys.readouterr()
    assert "left out 1 n-grams with <s> after a word or a word after </s>" in shown.err
    assert not shown.out  # where figures are


def test_a_mark_of_byte_order_and_line_ends_of_windows(tmp_path):
    (tmp_path / "lm.arpa").write_bytes(
        b"\xef\xbb\xbf" + TEXT.removeprefix("written by hand\n").replace("\n", "\r\n").encode()
    )
    assert load_ngram(tmp_path / "lm.arpa")[1].words == ["<eos>", "the", "cat", "<unk>"]


def test_a_compressed_file_is_known_by_its_content(tmp_path):
    (tmp_path / "lm.arpa").write_bytes(gzip.compress(TEXT.encode()))
    assert load_ngram(tmp_path / "lm.arpa")[1].words == ["<eos>", "the", "cat", "<unk>"]


def test_a_file_with_a_part_of_the_words_is_read_and_said_so(tmp_path, capsys):
    model, _ = load_ngram(
        written(tmp_path, TEXT.replace("-0.60206	cat", "-3	cat").replace("-0.60206 the", "-3 the"))
    )
    assert len(model.tables[0]) == 5
    assert "lm.arpa: the probabilities of its words sum to 0.502: some" in capsys.readouterr().err


def replaced(old, new):
    assert TEXT.count(old) >= 1
    return TEXT.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not an ARPA file: it has no line \\\\data\\\\"),
        ("a text\n", "is not an ARPA file"),
        (replaced("ngram 2=4", "ngram 2=5"), "line 20: there must be 5 2-grams, as line 4 says, got 4"),
        (replaced("ngram 2=4", "ngram 2=3"), "line 19: there must be 3 2-grams, as line 4 says, got more"),
        (replaced("ngram 2=4", "ngram 3=4"), "line 4: 'ngram 2=' and how many there are must stand here, got 'ngram 3=4'"),
        (replaced("ngram 2=4", "ngram 2=four"), "line 4: 'ngram 2=' and how many"),
        (replaced("\\2-grams:", "\\3-grams:"), r"line 14: \\2-grams: must stand here, got '\\\\3-grams:'"),
        (replaced("\\2-grams:", "\\end\\"), r"line 14: \\2-grams: must stand here"),
        (replaced("\\end\\", "\\4-grams:"), r"line 23: \\end\\ must stand here, got"),
        (TEXT[: TEXT.index("\\end\\")], r"line 22: the file ends after it, without \\end\\: it was cut short"),
        (TEXT[: TEXT.index("-0.4\t")], "line 16: the file ends after it"),
        (replaced("<s> the\t-0.1", "<s> the"), "line 15: '<s> the' begins longer n-grams, and must have a back-off: 0,"),
        (replaced("cat	-0.1760913", "cat"), "line 11: 'cat' begins longer n-grams, and must have a back-off"),
        (replaced("-0.30103	the cat", "nan	the cat"), "line 16: a log10 probability must be a number of at most 0, got nan"),
        (replaced("-0.30103	the cat", "0.2	the cat"), "line 16: a log10 probability must be a number of at most 0, got 0.2"),
        (replaced("the cat\t-0.2", "the cat\tnan"), "line 16: a back-off must be a number, got nan"),
        (replaced("the cat\t-0.2", "the cat\tinf"), "line 16: a back-off must be finite, got inf"),
        (replaced("-0.30103	the cat", "x	the cat"), "line 16: a logarithm must be a number: could not convert"),
        (replaced("-0.4	cat </s>", "-0.4	cat"), "line 17: a logarithm, 2 words and perhaps a back-off must stand here"),
        (replaced("-0.4	cat </s>", "-0.4	cat cat cat </s>"), "line 17: a logarithm, 2 words and perhaps"),
        (replaced("-0.4	cat </s>", "-0.4	cat dog"), "line 17: 'dog' is not among the 1-grams"),
        (replaced("<s> the cat", "the the cat"), "line 21: 'the the', which it begins with, is not among the 2-grams"),
        (replaced("-0.5	the <unk>", "-0.5	the cat"), "line 18: 'the cat' is there twice, first in line 16"),
        (replaced("-0.60206	cat", "-0.60206	the"), "line 11: 'the' is there twice"),
        (replaced("-0.60206	cat", "-0.60206	<eos>"), "line 11: '<eos>' is '<eos>' here, as in line 9"),
        (replaced("-0.60206	cat", "-0.60206	<UNK>"), "line 12: '<unk>' is '<unk>' here, as in line 11"),
        (replaced("-99	<s>", "-99	<S>"), "line 14: <s> must be among the 1-grams before this line, and is not"),
        (replaced("</s>\n", "<S>\n"), "line 14: </s> must be among the 1-grams"),
        (TEXT.replace("-0.60206", "-1.386294"), r"line 7: logarithms must be to base 10, .* sum to 1, got 0.1643; to base e they do"),
        (TEXT.replace("-0.60206", "-2"), r"line 7: logarithms must be to base 10, .* got 0.04; to base 2 they do"),
        (TEXT.replace("-0.60206", "-0.3"), r"line 7: logarithms must be to base 10, .* got 2.005$"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_a_rule_is_refused_by_its_line(tmp_path, text, said):
    with pytest.raises(ModelFileError, match=said):
        load_ngram(written(tmp_path, text))


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "lm.arpa"
    path.write_bytes(TEXT.encode().replace(b"cat", b"c\xe9t"))
    with pytest.raises(ModelFileError, match=r"line 11: b'c\\xe9t' is not UTF-8"):
        load_ngram(path)


@pytest.mark.parametrize("cut", [10, -9])
def test_a_cut_gzip_file_is_refused(tmp_path, cut):
    path = tmp_path / "lm.arpa.gz"
    path.write_bytes(gzip.compress(TEXT.encode())[:cut])
    with pytest.raises(ModelFileError, match="is not a whole gzip file|without"):
        load_ngram(path)
    path.write_text(TEXT)
    with pytest.raises(ModelFileError, match="is not a whole gzip file: Not a gzipped file"):
        load_ngram(path)


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(ModelFileError, match="none.arpa does not exist"):
        load_ngram(tmp_path / "none.arpa")


@pytest.mark.parametrize("word", ["<s>", "</s>", "<UNK>"])
def test_words_that_mean_something_else_there_are_refused(tmp_path, word):
    words = Vocabulary(["<eos>", word])
    with pytest.raises(InputError, match=f"'{word}' must not be a word of the text"):
        save_ngram(tmp_path / "lm.arpa", kneser_ney([1, 0], 2, 0, 2), words)
    assert not list(tmp_path.iterdir())


def test_characters_are_refused(tmp_path):
    words = Vocabulary(["<eos>", "a"], Reading(TextOptions(units="char"), Characters()))
    with pytest.raises(InputError, match="can't say how a text is read, and this model reads characters"):
        save_ngram(tmp_path / "lm.arpa", kneser_ney([1, 0], 2, 0, 2), words)


@pytest.mark.parametrize("begin", ["", "x\n", "xyz\n" * 7])
@pytest.mark.parametrize("end", ["", "\n", "\nnext\n"])
def test_the_length_of_a_line_counts_and_nothing_before_it(monkeypatch, begin, end):
    monkeypatch.setattr(arpa_lines, "READ", 16)
    monkeypatch.setattr(arpa_lines, "LONGEST_LINE", 40)
    for length, fits in ((39, True), (41, False)):
        content = begin + "a" * length + end
        lines = arpa_lines.Lines("file", io.BytesIO(content.encode()), lambda: None)
        if fits:
            assert [line.decode() for line in lines] == content.split()
        else:
            with pytest.raises(
                ModelFileError, match=f"file, line {begin.count(chr(10)) + 1}: a line must have at most"
            ):
                list(lines)
