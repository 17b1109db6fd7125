from rnnlm.cli.main import main


def test_plot(models, tmp_path, capsys):
    for name in ("a.png", "b.svg"):
        assert main(["plot", str(models / "trained"), str(models / "trained"), "--out", str(tmp_path / name)]) == 0
        assert capsys.readouterr().out == f"{tmp_path / name}\n"
    assert "trained valid" in (tmp_path / "b.svg").read_text()


def test_runs_of_one_name_are_told_apart(models, tmp_path, capsys):
    import shutil

    shutil.copytree(models / "trained", tmp_path / "trained")
    assert main(["plot", str(models / "trained"), str(tmp_path / "trained"), "--out", str(tmp_path / "c.svg")]) == 0
    shown = (tmp_path / "c.svg").read_text()
    assert f"{models / 'trained'} valid" in shown
    assert f"{tmp_path / 'trained'} valid" in shown
