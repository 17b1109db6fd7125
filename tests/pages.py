"""Markdown pages as a reader follows them: blocks of Python and commands in their order, and what these print.

Fences are `python`, `sh`, `toml` and `text`. A `text` is what the block before it shows on a terminal, line by line,
numbers masked: `...` stands for a part of a line, or alone for any number of lines. A `text made-up` has as many lines
as were printed: a model writes them, and a smaller one writes others. Several of them go on one after another.
"""

import io
import os
import re
import shlex
import shutil
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from markdown_it import MarkdownIt

from rnnlm.cli.main import main
from rnnlm.experiments.settings import TrainConfig

NUMBER = re.compile(r"[-+]?(\d[\d,.:]*(e[-+]?\d+)?|\b(nan|inf|infinite)\b)")
BAR = re.compile(r" *\d+% .*\bwindows \[")  # of progress, which a page may leave out


class Terminal(io.StringIO):
    """Where a page's blocks print to."""

    encoding = "utf-8"


@dataclass(frozen=True)
class Block:
    """A fenced part of a page."""

    kind: str
    content: str
    line: int


def blocks(text):
    """The fenced parts of a page, in their order."""
    return [
        Block(token.info.strip(), token.content, token.map[0] + 1)
        for token in MarkdownIt().parse(text)
        if token.type == "fence"
    ]


def inline_code(text):
    """What stands between single backticks, in tables too."""
    tokens = MarkdownIt().enable("table").parse(text)
    return [part.content for token in tokens for part in token.children or () if part.type == "code_inline"]


# ---------------------------------------------------------------- commands


def commands(line):
    """The commands of a line of shell that are joined by &&: for each a list of words, with | and > among them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|>")
    lexer.whitespace_split = True
    return [list(words) for joined, words in groupby(lexer, lambda word: word == "&&") if not joined]


@contextmanager
def standard_input(text):
    """Inside, this is what comes from standard input."""
    Path(".standard-input").write_text(text, encoding="utf-8")
    before, kept = sys.stdin, os.dup(0)
    with open(".standard-input", encoding="utf-8") as file:
        os.dup2(file.fileno(), 0)
        sys.stdin = file
        try:
            yield
        finally:
            sys.stdin = before
            os.dup2(kept, 0)
            os.close(kept)


def run_command(words):
    """A command: rnnlm, echo or mv, of which the output may go to a file or to another one."""
    if "|" in words:
        place = words.index("|")
        with redirect_stdout(io.StringIO()) as said:
            run_command(words[:place])
        with standard_input(said.getvalue()):
            run_command(words[place + 1 :])
    elif words[-2:-1] == [">"]:
        with redirect_stdout(io.StringIO()) as said:
            run_command(words[:-2])
        Path(words[-1]).write_text(said.getvalue(), encoding="utf-8")
    else:
        PROGRAMS[words[0]](words[1:])


def _rnnlm(arguments):
    code = main(arguments)
    assert code == 0, f"rnnlm {shlex.join(arguments)} ended with {code}"


PROGRAMS = {
    "rnnlm": _rnnlm,
    "echo": lambda arguments: print(*arguments),
    "mv": lambda arguments: shutil.move(*arguments),
}


# ---------------------------------------------------------------- what is shown


def on_a_terminal(written):
    """The lines that stand there in the end: a progress bar goes back to the beginning of its line."""
    return [line.rpartition("\r")[2].rstrip() for line in written.rstrip("\n").split("\n")] if written else []


def masked(line):
    """A line without what differs from one training to another: numbers, and how wide they are."""
    return " ".join(NUMBER.sub("#", line).split())


def like(wanted, line):
    """Whether a line is what a page says, numbers apart."""
    pattern = ".*".join(re.escape(part) for part in masked(wanted).split("..."))
    return re.fullmatch(pattern, masked(line)) is not None


def after(text, lines, skips=False):
    """Which of the lines a text leaves over, all that it shows before them being there.

    Args:
        text: what a page says.
        lines: what is shown.
        skips: whether the text before this one ended with dots.

    Returns:
        lines: those left over.
        skips: whether this text ended with dots.

    Raises:
        AssertionError: a line of it is not there, or something else is.
    """
    lines = list(lines)
    for wanted in text.splitlines():
        if wanted.strip() == "...":
            skips = True
            continue
        while lines and (skips or BAR.match(lines[0])) and not like(wanted, lines[0]):
            lines.pop(0)
        assert lines, f"not shown: {wanted}"
        assert like(wanted, lines[0]), f"shown: {lines[0]}\nwanted: {wanted}"
        lines.pop(0)
        skips = False
    return [line for line in lines if not BAR.match(line)], skips


def after_made_up(text, lines, skips=False):
    """The same for lines that a model writes: there are as many, the last ones after dots, and none is empty."""
    count = len(text.splitlines())
    assert len(lines) >= count, f"not shown: {text}"
    begin = len(lines) - count if skips else 0
    assert all(line.strip() for line in (*lines[begin : begin + count], *text.splitlines())), text
    return lines[begin + count :], False


# ---------------------------------------------------------------- a page


class Reader:
    """Follows a page.

    Args:
        shorter: what is made shorter, by what stands on the page, and how.
        left_out: lines of commands, and first lines of other blocks, that can't be run.

    Attributes:
        used: what of the two was there.
        written: all that was shown.
        names: what its Python has defined.
    """

    def __init__(self, shorter, left_out):
        self.shorter, self.left_out = shorter, left_out
        self.used, self.names = set(), {}
        self.written, self.shown = "", None  # shown by the last block, and not yet compared
        self.compared = self.skips = False

    def follow(self, text):
        """Run all blocks in this folder, and compare what they show with what the page says."""
        for block in blocks(text):
            try:
                if block.kind == "sh" or not self._leaves_out(block.content.partition("\n")[0]):
                    self._compare(block) if block.kind.startswith("text") else self._run(block)
            except Exception as error:
                error.add_note(f"in the block of line {block.line}")
                raise
        self._expect_all_shown()

    def _expect_all_shown(self):
        """What is compared is compared to its end, unless a text ends with dots."""
        assert not self.compared or self.skips or not self.shown, f"shown, and not on the page: {self.shown}"

    def _compare(self, block):
        assert self.shown is not None, f"no block shows this: {block.content}"
        rule = after_made_up if block.kind.endswith("made-up") else after
        self.shown, self.skips = rule(block.content, self.shown, self.skips)
        self.compared = True

    def _run(self, block):
        self._expect_all_shown()
        with redirect_stdout(Terminal()) as said, redirect_stderr(said):
            getattr(self, f"_{block.kind}")(block.content)
        self.written += said.getvalue()
        self.shown, self.compared, self.skips = on_a_terminal(said.getvalue()), False, False

    def _python(self, content):
        exec(compile(self._shortened(content), "a block of Python", "exec"), self.names)

    def _toml(self, content):
        Path("mine.toml").write_text(content, encoding="utf-8")
        TrainConfig.from_recipe("mine.toml")

    def _sh(self, content):
        for line in content.splitlines():
            if not self._leaves_out(line.partition(" #")[0].rstrip()):
                for words in commands(self._shortened(line)):
                    run_command(words)

    def _leaves_out(self, line):
        if line in self.left_out:
            self.used.add(line)
        return line in self.left_out

    def _shortened(self, content):
        for long, short in self.shorter.items():
            if long in content:
                self.used.add(long)
                content = content.replace(long, short)
        return content
