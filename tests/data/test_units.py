"""Cleaning, and what a line is cut into. EXAMPLES of headlines among them."""

import sys

import pytest

from rnnlm.data import Vocabulary, lines
from rnnlm.data.bpe import BytePairs
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.corpora.named import load_corpus, load_part
from rnnlm.data.reading import Reading, TextSize
from rnnlm.data.text import read_corpus, text_lines, vocabulary_of
from rnnlm.data.units import Characters, Words
from rnnlm.errors import DataError, InputError, MissingExtra

STRANGE = [
    "a b",
    "  two  blanks, a\ttab ",
    "▁ and ▁▁t",
    "\ufeffmark\u00a0no break",
    "경마장에 있는",
    "<eos> <unk>",
    "",
    "🙂",
]
CSV = 'date,headline\n1,"A “Quoted”, Title"\n2,Unknown\n\n3,"Two\nlines"\n'


def test_headlines_are_cleaned():
    options = TextOptions(lower=True, strip_punctuation=True, ascii_only=True)
    said = "Former N.F.L. Cheerleaders’ Settlement Offer: $1 and a Meeting With Goodell"
    assert options.clean(said) == "former nfl cheerleaders settlement offer 1 and a meeting with goodell"
    assert options.clean("Is School a Place for Self-Expression?") == "is school a place for selfexpression"


def test_each_option_by_itself():
    line = "Ein “Übel” kostet 3 € … Nein"
    assert TextOptions(lower=True).clean(line) == "ein “übel” kostet 3 € … nein"
    assert TextOptions(strip_punctuation=True).clean(line) == "Ein Übel kostet 3 Nein"
    assert TextOptions(ascii_only=True).clean(line) == "Ein bel kostet 3 Nein"
    assert TextOptions(strip_punctuation=True).clean("그의 말이, 법이다.") == "그의 말이 법이다"
    assert TextOptions().clean("  as  it is ") == "  as  it is "
    assert TextOptions(leave_out=("Unknown",)).left_out(" Unknown\n")
    assert not TextOptions(leave_out=("Unknown",)).left_out("Unknown man")


@pytest.mark.parametrize(
    ("units", "text", "gone"),
    [
        ("char", "漢字 the", (0, 1, 3)), ("word", "漢字 the", (1, 3, 7)), ("bpe", "🙂 the", (0, 0, 1)), ("char", "\nthe", (1, 1, 1)),
    ],
)  # fmt: skip
def test_the_first_unit_is_taken_from_the_text_and_not_from_the_vocabulary(tmp_path, units, text, gone):
    """It is not scored; it may be unknown to a model, or part of a character."""
    (tmp_path / "learned").write_text("the\n" * 9)
    (tmp_path / "text").write_text(f"{text}\n")
    words = vocabulary_of(tmp_path / "learned", 300, TextOptions(units=units))
    size = load_part(str(tmp_path / "text"), None, words).size
    rest = size.without_first()
    assert (size.words - rest.words, size.characters - rest.characters, size.bytes - rest.bytes) == gone


def test_cleaning_cuts_at_ascii_white_space_and_keeps_unknown_words():
    options = TextOptions(strip_punctuation=True)
    assert Reading.of(options).cut("a\u00a0b c") == Reading.of(options).cut("a\u00a0b c!") == ["a\u00a0b", "c"]
    assert options.clean("the <unk>, <eos>") == "the <unk> eos"


@pytest.mark.parametrize("line", STRANGE)
def test_characters_are_lossless(line):
    units = Characters().cut(line)
    assert len(units) == len(line)
    assert not any(" " in unit or "\t" in unit for unit in units)
    assert Characters().join(units) == line
    assert Words().join(Words().cut(line)) == " ".join(word.decode() for word in line.encode().split())


def test_byte_pairs_are_lossless_in_any_script(tmp_path):
    text = tmp_path / "text"
    text.write_text("the theme of the thesis\n" * 9)
    words = vocabulary_of(text, 270, TextOptions(units="bpe"))
    assert "the" in words
    assert words.words[0] == "<eos>"
    assert len(words) <= 270
    for line in STRANGE:
        ids = words.encode(line).tolist()
        assert words.text(ids) == line
    assert len(words.encode("the theme")) < len("the theme")
    with pytest.raises(InputError, match="max_words of units bpe must be at least 257"):
        vocabulary_of(text, 100, TextOptions(units="bpe"))


@pytest.mark.parametrize("units", ["word", "char", "bpe"])
def test_a_text_has_one_size_whatever_it_is_cut_into(tmp_path, units):
    text = tmp_path / "text"
    text.write_text("The cat\n\nsat 경\r\n")
    words = vocabulary_of(text, 300, TextOptions(units=units, lower=True))
    size = TextSize()
    ids, _ = read_corpus(text, words, size=size)
    assert (size.lines, size.words, size.characters, size.bytes) == (3, 7, 15, 17)
    assert words.text(ids.tolist()) == "the cat\n\nsat 경\n"
    first = size.without_first()
    gone = (size.words - first.words, size.characters - first.characters, size.bytes - first.bytes)
    assert gone == {"word": (1, 4, 4), "char": (0, 1, 1), "bpe": (0, 1, 1)}[units]
    assert load_part(str(text), None, words).size == size


def test_a_column_of_a_csv_file(tmp_path):
    path = tmp_path / "news.CSV"
    path.write_text("\ufeff" + CSV)
    reading = Reading.of(TextOptions(column="headline", leave_out=("Unknown",), strip_punctuation=True))
    assert list(text_lines(path, reading)) == [(2, "A Quoted Title"), (6, "Two lines")]
    corpus = load_corpus(str(path), None, 100, reading.options)
    words = corpus.vocabulary
    assert set(words.words) == {"<unk>", "<eos>", "A", "Quoted", "Title", "Two", "lines"}
    assert words.text(load_part(str(path), None, words).ids.tolist()) == "A Quoted Title\nTwo lines\n"
    (tmp_path / "plain.txt").write_text("Two lines\n")
    assert words.text(load_part(str(tmp_path / "plain.txt"), None, words).ids.tolist()) == "Two lines\n"


def test_wrong_columns_and_files(tmp_path):
    path = tmp_path / "news.csv"
    path.write_text(CSV)

    def lines(**options):
        return list(text_lines(path, Reading.of(TextOptions(**options))))

    with pytest.raises(DataError, match="has the columns date, headline, and no 'headlines'; did you mean headline"):
        lines(column="headlines")
    path.write_text("date,headline\n1\n")
    with pytest.raises(DataError, match="line 2: a row must have 2 fields, got 1"):
        lines(column="headline")
    path.write_bytes(b"date,headline\n1,\xff\n")
    with pytest.raises(DataError, match="is not UTF-8"):
        lines(column="headline")
    path.write_text("")
    with pytest.raises(DataError, match=r"has the columns \(none\)"):
        lines(column="headline")
    path.write_text("a,headline,headline\n1,2,3\n")
    with pytest.raises(DataError, match="must have one column 'headline', and has 2"):
        lines(column="headline")
    path.write_text('a,headline\n1,first\n2,"an open quote\n3,third\n4,end')
    with pytest.raises(DataError, match="line 3: a quote in this row is not closed"):
        lines(column="headline")
    path.write_text('a,"headline\n1,2\n')
    with pytest.raises(DataError, match="line 1: a quote in this row is not closed"):
        lines(column="headline")
    with pytest.raises(DataError, match="does not exist"):
        list(text_lines(tmp_path / "no", Reading.of(TextOptions(column="headline"))))


def test_only_line_ends_of_a_cell_become_blanks(tmp_path):
    path = tmp_path / "news.csv"
    path.write_text('text\n"a\u2028b\x0bc"\n"d\x85e\r\nf\ng\n"\nend\nsloppy "quotes" are "kept', newline="")
    lines = [line for _, line in text_lines(path, Reading.of(TextOptions(column="text")))]
    assert lines == ["a\u2028b\x0bc", "d\x85e f g", "end", 'sloppy "quotes" are "kept']


@pytest.mark.parametrize("units", ["word", "char", "bpe"])
def test_nothing_left_once_it_is_cleaned(tmp_path, units):
    path = tmp_path / "text"
    path.write_text("말이\n,.\n")
    options = TextOptions(units=units, ascii_only=True, strip_punctuation=True)
    with pytest.raises(DataError, match="has no text left once it is cleaned"):
        vocabulary_of(path, 300, options)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"units": "letters"}, "units must be one of word, char, bpe, got 'letters'"),
        ({"lower": 1}, "lower must be True or False, got 1"),
        ({"leave_out": "Unknown"}, "leave_out must be a list of lines"),
        ({"column": 3}, "column must be a string, got 3"),
    ],
)
def test_wrong_options(options, match):
    with pytest.raises(InputError, match=match):
        TextOptions(**options).check()


def test_stories_are_words_already():
    with pytest.raises(InputError, match="story is words already"):
        load_corpus("story", options=TextOptions(units="char"))


def test_how_a_text_is_read_is_kept_and_told():
    options = TextOptions(units="char", lower=True, leave_out=("Unknown", "-"), column="headline")
    reading = Reading.of(options)
    assert isinstance(reading.units, Characters)
    assert Reading.options_of({**reading.settings(), "leave_out": ["Unknown", "-"]}) == options
    assert Reading.options_of({}) == TextOptions()
    assert str(reading) == "characters; column headline; leave_out Unknown, -; lower"
    assert str(Reading()) == "words"
    assert (reading.plain, Reading().plain, Reading.of(TextOptions(ascii_only=True)).plain) == (False, True, False)
    assert (reading.cleaned(" Unknown "), reading.cleaned("  "), reading.cleaned("A b")) == (None, "", "a b")
    assert reading.cut("A b") == ["a", "▁", "b"]
    with pytest.raises(DataError, match="units bpe must be learned from a text first"):
        Reading.of(TextOptions(units="bpe"))
    with pytest.raises(DataError, match="must be said by sentences, units, .*, got 'upper'"):
        Reading.options_of({"upper": True})
    with pytest.raises(InputError, match="lower must be True or False, got 3"):
        Reading.options_of({"lower": 3})


def test_a_column_is_that_of_the_training_unless_another_is_named():
    reading = Reading.of(TextOptions(column="headline"))
    columns = [
        reading.for_file(path, named).options.column for path in ("a.csv", "a.CSV", "a.txt") for named in (None, "b")
    ]
    assert columns == ["headline", "b", "headline", "b", None, "b"]
    words = Vocabulary(["a", "<eos>"], reading)
    assert words.for_file("a.txt", None).reading.options.column is None
    assert words.read_by(TextOptions(lower=True)).reading.options.lower
    assert words.reading.options == TextOptions(column="headline")


def test_blank_lines_are_taken_from_a_size():
    size = TextSize()
    for line in ("a bc", "", "é"):
        size.add(line, Reading())
    assert (size.lines, size.words, size.characters, size.bytes) == (3, 6, 8, 9)
    less = size.without_blank(1)
    assert (less.lines, less.words, less.characters, less.bytes) == (2, 5, 7, 8)


def test_byte_pairs_take_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r"units bpe needs the extra 'bpe': pip install 'rnnlm\[bpe\]'"):
        BytePairs.learn(["a b"], 300)


def test_a_cleaned_text_of_one_word(tmp_path):
    (tmp_path / "text").write_text("A a\na\n")
    assert vocabulary_of(tmp_path / "text", 10, TextOptions(lower=True)).words == ["<unk>", "<eos>", "a"]


def test_words_of_a_line_longer_than_any_that_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "READ", 8)
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    (tmp_path / "text").write_text("b a b " * 50)
    assert vocabulary_of(tmp_path / "text", 10, TextOptions()).words == ["<unk>", "<eos>", "b", "a"]


def test_byte_pairs_that_can_not_be(tmp_path):
    with pytest.raises(InputError, match="byte pairs must be at least 256, one for each byte, got 255: take more"):
        BytePairs.learn(["a"], 255)
    with pytest.raises(DataError, match="some.json is not a tokenizer"):
        BytePairs.from_json("{}", "some.json")
    assert "xy" in BytePairs.learn(["xy"] * 2, 300).units  # which occurs twice
    assert "xy" not in BytePairs.learn(["xy", "xz"], 300).units
    learned = BytePairs.learn(["abab abab"] * 2, 258)
    assert len(learned.units) == 258
    again = BytePairs.from_json(learned.to_json(), "memory")
    assert again.units == learned.units
    assert again.cut("abab") == learned.cut("abab")
    assert learned.join(["Ã"]) == "\ufffd"  # half of a character
    assert (learned.size_of("Ã"), learned.size_of("ab")) == ((0, 1), (2, 2))
    (tmp_path / "text").write_text("the cat\n")
    with pytest.raises(InputError, match="max_words of units bpe must be at least 257, a byte each and <eos>, got 256"):
        vocabulary_of(tmp_path / "text", 256, TextOptions(units="bpe"))
    assert len(vocabulary_of(tmp_path / "text", 257, TextOptions(units="bpe"))) == 257


def test_a_column_without_text_and_a_file_that_is_no_table(tmp_path):
    path = tmp_path / "news.csv"
    path.write_text("date,headline\n1,\n")
    with pytest.raises(DataError, match="has no text in its column 'headline'"):
        vocabulary_of(path, 10, TextOptions(column="headline"))
    path.write_text('headline\n"' + "a" * (1 << 24) + 'a"\n')
    with pytest.raises(DataError, match="line 2: a line must have at most 16,777,216 characters"):
        list(text_lines(path, Reading.of(TextOptions(column="headline"))))
