"""What follows a page notices where the page is wrong."""

import pytest

from tests.pages import Reader, after_made_up, commands, inline_code, on_a_terminal

PAGE = """
```python
print("epoch 1  perplexity 2.96")
print("valid 2.59, of 1,000 words")
print("done")
```

What it prints:

```text
{}
```
"""


@pytest.mark.parametrize(
    "text",
    [
        "epoch 7  perplexity 12.5\nvalid 3, of 20 words\ndone",
        "epoch   1 perplexity 2.96\n...",
        "...\ndone",
        "epoch 1  ...\n...\nd...e",
    ],
)
def test_numbers_widths_and_dots_are_left_open(text):
    Reader({}, set()).follow(PAGE.format(text))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("epoch 1  loss 2.96\n...", "shown: epoch 1  perplexity 2.96"),
        ("epoch 1  perplexity 2.96", "shown, and not on the page: .*valid 2.59"),
        ("valid 2.59, of 1,000 words\n...", "wanted: valid"),
        ("...\ndone\nand over", "not shown: and over"),
        ("...\nvalid 2.59, of words\n...", "not shown: valid 2.59, of words"),
    ],
)
def test_anything_else_is_an_error(text, error):
    with pytest.raises(AssertionError, match=error):
        Reader({}, set()).follow(PAGE.format(text))


def test_a_text_needs_something_that_shows_it():
    with pytest.raises(AssertionError, match="no block shows this"):
        Reader({}, set()).follow("```text\nhello\n```\n")
    reader = Reader({"2": "3"}, {"hello"})
    reader.follow("```text\nhello\n```\n\n```python\nx = 2\n```\n")
    assert (reader.names["x"], reader.used) == (3, {"2", "hello"})


def test_what_a_model_makes_up_has_as_many_lines():
    assert after_made_up("a b\nc", ["x", "y", "z"]) == (["z"], False)
    assert after_made_up("a b\nc", ["x", "y", "z"], skips=True) == ([], False)
    with pytest.raises(AssertionError, match="not shown"):
        after_made_up("a\nb", ["x"])


def test_commands_are_run(tmp_path, monkeypatch, capfd):
    assert commands("mv a b && echo 'x y' | rnnlm score m - > f  # why") == [
        ["mv", "a", "b"],
        ["echo", "x y", "|", "rnnlm", "score", "m", "-", ">", "f"],
    ]
    monkeypatch.chdir(tmp_path)
    Reader({}, set()).follow("```sh\necho one > a.txt && mv a.txt b.txt\necho two\n```\n```text\ntwo\n```\n")
    assert (tmp_path / "b.txt").read_text() == "one\n"
    with pytest.raises(AssertionError, match="ended with 2"):
        Reader({}, set()).follow("```sh\nrnnlm plot\n```\n")


def test_a_bar_goes_back_to_the_beginning_of_its_line():
    shown = on_a_terminal("\r 0% /9 windows [\r      \rsaid\n\r100% 9/9 windows [1]\n")
    assert shown == ["said", "100% 9/9 windows [1]"]
    assert inline_code("| `a b` | c |\n| --- | --- |\n| `d` | e |\n\n`f`") == ["a b", "d", "f"]
