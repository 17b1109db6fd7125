from rnnlm.cli.main import main
from tests.cli.runs import SMALL


def test_generate(models, tmp_path, capsys):
    arguments = ["generate", str(models / "trained"), "--prompt", "the cat", "--count", "3"]
    shown, seed = [], ["--seed", "4"]
    for options in (
        seed,
        seed,
        [*seed, "--temperature", "3"],
        ["--greedy"],
        [*seed, "--top-k", "1"],
        ["--top-p", "0.5"],
    ):
        assert main([*arguments, *options]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
    assert shown[3] == shown[4]
    assert all(line.startswith("the cat") for line in shown[0].splitlines())
    assert len(shown[0].splitlines()) == 3
    assert main([*arguments, "--length", "2", "--heat", str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().out == "the cat\n" * 3
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_prompt_shorter_than_the_context(treebank, capsys):
    """Is padded as where the training began, and that is said; a longer one is not."""
    assert main(["train", *SMALL, "--model", "nnlm", "--context", "3", "--no-evaluate", "--out", "out"]) == 0
    capsys.readouterr()
    assert main(["generate", "out", "--prompt", "the", "--greedy"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("the ")
    said = "rnnlm: 1 of the 3 words that this model looks back at are before the prompt: zeros"
    assert said in shown.err
    assert main(["generate", "out", "--prompt", "the cat", "--greedy"]) == 0
    assert "looks back" not in capsys.readouterr().err
