"""Words from a stranger's vocabulary, and names of files, on a terminal: it obeys none of them."""

import io
import sys

import numpy as np
import pytest

from rnnlm import ModelConfig, Vocabulary, build_model, save_model
from rnnlm.cli.main import main
from rnnlm.progress import note, terminal_kept_safe

RED = "\x1b[31mred\x9b0m\x7f"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = build_model(ModelConfig(vocab_size=3, wordvec_size=2, hidden_size=2))
    weights = model.state_dict()
    weights["affine.b"] = np.array([0, 0, 99], np.float32)
    model.load_state_dict(weights)
    save_model("model", model, Vocabulary(["<eos>", "a", RED]))
    (tmp_path / "text").write_text(f"a {RED}\n")
    return tmp_path


COMMANDS = [["generate", "model", "--length", "3"], ["score", "model", "text"], ["score", "model", "text", "--words"]]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_terminal_gets_control_characters_written_out(model, monkeypatch, arguments):
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main(arguments) == 0
    shown = sys.stdout.getvalue()
    assert r"\x1b[31mred\x9b0m\x7f" in shown
    assert not set(shown) & set("\x1b\x9b\x7f")


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_file_gets_the_words_as_they_are(model, capsys, arguments):
    assert main(arguments) == 0
    assert RED in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["info", RED], ["score", "model", f"{RED}\nx\t"], ["eval", "model", "--corpus", RED]]
)
def test_an_error_is_one_line_of_plain_characters(model, capsys, arguments):
    assert main(arguments) in (2, 3)
    (line,) = capsys.readouterr().err.splitlines()
    assert not set(line) & set("\x1b\x9b\x7f\t")


def test_a_note_too(capsys):
    note(f"{RED}\n")
    assert capsys.readouterr().err == "rnnlm: \\x1b[31mred\\x9b0m\\x7f\\n\n"


def test_tabs_and_line_ends_are_left(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    with terminal_kept_safe():
        print("a\tb")
    assert terminal.getvalue() == "a\tb\n"
    assert sys.stdout is terminal
