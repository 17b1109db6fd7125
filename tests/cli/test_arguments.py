import pytest

from rnnlm.cli.arguments import taken_out, typed, value

WORDS = ["train", "--max_words", "30", "--no-tied", "--recipe=a", "--recipe", "b", "--lr=--x", "--", "--out", "c"]


def test_options_are_found_however_they_are_written():
    assert typed(WORDS) == {"max_words", "no_tied", "tied", "recipe", "lr"}
    assert typed(["--prompt", "a --seed b"]) == {"prompt"}


@pytest.mark.parametrize(("option", "found"), [("recipe", "b"), ("lr", "--x"), ("max_words", "30"), ("out", None)])
def test_the_last_value_counts(option, found):
    assert value(WORDS, option) == found
    assert value(["--recipe"], "recipe") is None
    assert value(["--log-file", "--quiet"], "log_file") is None  # an option is no value


def test_an_option_is_taken_out_with_its_value():
    assert taken_out(["a", "--b", "c", "--b=d", "e"], "b") == ["a", "e"]
    assert taken_out(["--b", "--c"], "b") == ["--c"]
    assert taken_out(["a", "--b", "c", "--", "--b"], "b", with_value=False) == ["a", "c", "--", "--b"]
