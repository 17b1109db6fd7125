import sys

import rnnlm
from rnnlm.backend import TWINS, ops
from rnnlm.backend.cpu.machine import processor
from rnnlm.cli.main import main


def test_info(models, capsys):
    assert main(["info"]) == 0
    shown = capsys.readouterr().out
    assert f"rnnlm {rnnlm.__version__}, Python {sys.version.split()[0]}, {ops.describe()}" in shown
    assert f"\nprocessor: {processor() or 'unknown'}\n" in shown
    assert f"fused functions: {', '.join(sorted(TWINS)) or 'none'}" in shown
    assert main(["info", str(models / "storyish")]) == 0
    shown = capsys.readouterr().out
    assert "embed   TimeEmbedding       (N, T, 4)     W (102, 4)                           408\n" in shown
    assert shown.splitlines()[-1].split() == ["total", f"{408 + 20 + 25 + 5 + 510 + 102:,}"]


def test_info_says_what_slows_it_down(monkeypatch, capsys):
    monkeypatch.setattr(ops, "remarks", lambda: ["kernels of another processor"])
    assert main(["info"]) == 0
    assert capsys.readouterr().out.endswith("kernels of another processor\n")


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rnnlm {rnnlm.__version__}\n"
