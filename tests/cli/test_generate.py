from rnnlm.cli.main import main


def test_generate(models, tmp_path, capsys):
    arguments = ["generate", str(models / "trained"), "--prompt", "the cat", "--count", "3", "--seed", "4"]
    shown = []
    for options in ([], [], ["--temperature", "3"], ["--greedy"], ["--top-k", "1"], ["--top-p", "0.5"]):
        assert main([*arguments, *options]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
    assert shown[3] == shown[4]
    assert all(line.startswith("the cat") for line in shown[0].splitlines())
    assert len(shown[0].splitlines()) == 3
    assert main([*arguments, "--length", "2", "--heat", str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().out == "the cat\n" * 3
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
