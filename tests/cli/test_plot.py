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


def test_a_line_that_was_cut_is_left_out(models, tmp_path, capsys):
    """As a full disk or a power cut may leave it."""
    (tmp_path / "cut").mkdir()
    content = (models / "trained" / "metrics.jsonl").read_text()
    (tmp_path / "cut" / "metrics.jsonl").write_text(content + content[:20])
    assert main(["plot", str(tmp_path / "cut"), "--out", str(tmp_path / "a.svg")]) == 0
    assert "metrics.jsonl: the last line was cut short, and is left out" in capsys.readouterr().err
    assert "cut valid" in (tmp_path / "a.svg").read_text()
    (tmp_path / "cut" / "metrics.jsonl").write_text(content[:20] + "\n" + content)
    assert main(["plot", str(tmp_path / "cut"), "--out", str(tmp_path / "b.svg")]) == 3
    assert "metrics.jsonl is damaged" in capsys.readouterr().err


def test_a_picture_is_whole_or_not_there(models, tmp_path, monkeypatch, capsys):
    (tmp_path / "a.png").write_bytes(b"the one before")

    def fails(self, file, **options):
        file.write(b"half of")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fails)
    assert main(["plot", str(models / "trained"), "--overwrite", "--out", str(tmp_path / "a.png")]) == 1
    assert (tmp_path / "a.png").read_bytes() == b"the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_the_floor_in_a_picture_is_that_of_the_curves(tmp_path, capsys):
    """Of the valid part, as the curves after each epoch are."""
    (tmp_path / "run").mkdir()
    lines = ['{"epoch": 1, "train_perplexity": 9.0, "valid_perplexity": 8.0}']
    lines += [
        f'{{"part": "{part}", "perplexity": 8.0, "floor": {floor}}}' for part, floor in (("valid", 2.25), ("test", 3.5))
    ]
    (tmp_path / "run" / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert main(["plot", str(tmp_path / "run"), "--out", str(tmp_path / "a.svg")]) == 0
    shown = (tmp_path / "a.svg").read_text()
    assert "floor of the valid part: 2.25" in shown
    assert "test part" not in shown
