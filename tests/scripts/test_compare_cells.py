from pathlib import Path

import pytest

import rnnlm
from rnnlm.errors import InputError
from tests.cli.runs import script


def test_three_cells_against_the_floor(tmp_path, monkeypatch, capsys, request):
    """The table of scripts/compare_cells.py, from runs too short to learn what gates are for."""
    if request.config.getoption("--strict-cupy"):
        pytest.skip("its three runs are processes of their own, which no stand-in reaches: runs without --strict-cupy")
    module = script("compare_cells")
    monkeypatch.setenv("PYTHONPATH", str(Path(rnnlm.__file__).parent.parent))
    module.main(tmp_path / "out", options=("--hidden-size=20", "--max-epoch=1", "--max-tokens=100000"))
    with pytest.raises(InputError, match="training of lstm failed: .*hidden_size must be a whole number"):
        module.main(tmp_path / "other", options=("--hidden-size=0",))
    lines = capsys.readouterr().out.splitlines()
    table = [line.split() for line in lines if " nats " in line and "%" in line]
    assert [row[0] for row in table] == ["floor", "3-gram", "5-gram", "rnn", "gru", "lstm"]
    assert table[0][1] == "2.4563"
    for row in table[1:]:
        assert float(row[2]) > 0
        assert float(row[5]) > 1.8  # the host's pronoun: a coin flip, or worse
    for row in table[1:3]:  # n-grams forget the visitor, too
        assert [float(row[5]), float(row[6])] == pytest.approx([2, 2], abs=0.01)
    assert (tmp_path / "out" / "cells.png").is_file()
