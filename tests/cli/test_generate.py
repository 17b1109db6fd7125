from rnnlm import generate, load_model
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


def texts(capsys, models, seed, count):
    arguments = ["--count", str(count), "--length", "12", "--temperature", "3"]
    assert main(["generate", str(models / "trained"), "--seed", str(seed), *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_texts_of_two_seeds_have_nothing_in_common(models, capsys):
    one, other = texts(capsys, models, 1, 5), texts(capsys, models, 2, 5)
    assert len({*one, *other}) == 10
    assert texts(capsys, models, 1, 2) == one[:2]
    model, words = load_model(models / "trained" / "model")
    want = generate(model, words.eos_id, None, 13, stop_id=words.eos_id, seed=1, temperature=3)
    assert one[0] == words.text(want[1:]).rstrip()
    largest = texts(capsys, models, 2**64 - 1, 3)
    assert not {*largest} & {*texts(capsys, models, 0, 3)}


def test_unknown_words_of_a_prompt_are_told(models, capsys):
    arguments = ["generate", str(models / "trained"), "--prompt", "the zebra the quagga zebra", "--length", "6"]
    assert main(arguments) == 0
    streams = capsys.readouterr()
    assert streams.err == "rnnlm: not among the model's words, and read as <unk>: 'zebra', 'quagga'\n"
    assert streams.out.startswith("the <unk> the <unk> <unk>")
    assert main(["generate", str(models / "trained"), "--prompt", "the <unk> cat"]) == 0
    assert capsys.readouterr().err == ""


def test_a_seed_has_no_effect_on_the_most_likely_words(models, capsys):
    assert main(["generate", str(models / "trained"), "--greedy", "--seed", "1"]) == 2
    assert "leave out temperature, top_k, top_p and seed" in capsys.readouterr().err


def test_words_to_skip_are_never_written(models, capsys):
    arguments = ["generate", str(models / "trained"), "--count", "20", "--length", "8", "--seed", "3"]
    assert main(arguments) == 0
    assert {"the", "sat"} <= set(capsys.readouterr().out.split())
    assert main([*arguments, "--skip", "the", "--skip", "sat"]) == 0
    assert not {"the", "sat"} & set(capsys.readouterr().out.split())
    assert main([*arguments, "--skip", "zebra"]) == 2
    assert "skip must name words of the model, got 'zebra', which is none of its" in capsys.readouterr().err


def test_what_is_to_be_overwritten_is_named(models, capsys):
    assert main(["generate", str(models / "trained"), "--overwrite"]) == 2
    assert "overwrite is for a picture that is there: name it, --heat FILE" in capsys.readouterr().err
