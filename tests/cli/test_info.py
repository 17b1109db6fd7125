import rnnlm
from rnnlm.cli.main import main


def test_info(models, capsys):
    assert main(["info"]) == 0
    assert f"rnnlm {rnnlm.__version__}" in capsys.readouterr().out
    assert main(["info", str(models / "storyish")]) == 0
    shown = capsys.readouterr().out
    assert "102 x 4          408" in shown
    assert f"{408 + 20 + 25 + 5 + 510 + 102:,}" in shown
