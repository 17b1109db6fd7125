"""`rnnlm ngram`, and n-grams and mixtures in the commands that take a model."""

import gzip
import json
import os
from pathlib import Path

import pytest

from rnnlm import (
    ModelConfig,
    Vocabulary,
    build_model,
    evaluate,
    kneser_ney,
    load_corpus,
    load_ngram,
    read_corpus,
    save_model,
)
from rnnlm.cli.main import main
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.reading import Reading

TEXT = "the cat sat on the mat\nthe dog sat on the cat\na dog saw the cat on the mat\n\na cat saw a dog\n" * 8


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT)
    Path("test.txt").write_text("the dog saw the mat\na cat sat on a bird\n")
    Path("valid.txt").write_text("a dog sat on the mat\nthe cat saw a cow\n")
    return tmp_path


def run(capsys, *arguments):
    """What a command that succeeds prints, without its bars."""
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments, code=2):
    """What a command that fails says."""
    assert main([str(a) for a in arguments]) == code
    return capsys.readouterr().err


def network(words, seed=0):
    """Save a network with these words."""
    save_model("net", build_model(ModelConfig(vocab_size=len(words), wordvec_size=4, hidden_size=5, seed=seed)), words)


@pytest.mark.parametrize("out", ["lm.arpa", "lm.arpa.gz", "lm"])
def test_a_text_is_counted_and_evaluated(here, capsys, out):
    shown = run(capsys, "ngram", "train", "--corpus", "text.txt", "--order", 3, "--out", out)
    assert "  3-grams" in shown
    assert f"{out}: from 240 tokens in" in shown
    found = json.loads(run(capsys, "eval", out, "--corpus", "test.txt", "--json"))
    assert (found["tokens"], found["unknown"], found["from_start"]) == (13, 1, True)
    assert found["state"] == "begins anew after each <eos>"
    model, words = load_ngram(out)
    assert found["perplexity"] == pytest.approx(evaluate(model, read_corpus("test.txt", words)[0]).perplexity)
    assert found["perplexity_per_word"] == pytest.approx(found["perplexity"])  # the first word counts, too
    lines = run(capsys, "score", out, "test.txt").splitlines()
    assert sum(float(line.split("\t")[0]) for line in lines) == pytest.approx(-found["nats"] * 13, abs=1e-4)
    text = run(capsys, "generate", out, "--prompt", "the dog", "--seed", 1, "--count", 3).splitlines()
    assert len(text) == 3
    assert all(line.startswith("the dog") for line in text)
    shown = run(capsys, "info", out)
    assert f"n-grams up to order 3, {len(words)} words" in shown


def test_a_folder_and_an_arpa_file_become_one_another(here, capsys):
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--order", 3, "--out", "lm.arpa")
    run(capsys, "ngram", "convert", "lm.arpa", "lm")
    shown = run(capsys, "ngram", "convert", "lm", "again.arpa.gz")
    assert "again.arpa.gz: 10 words" in shown
    run(capsys, "ngram", "convert", "again.arpa.gz", "again.arpa")
    assert Path("again.arpa").read_bytes() == Path("lm.arpa").read_bytes()


def test_the_part_that_a_training_holds_out_can_be_left_out(here, capsys):
    assert main(["ngram", "train", "--corpus", "text.txt", "--out", "whole.arpa"]) == 0
    assert (
        "all of text.txt was counted; --part train leaves out what `rnnlm train` holds out" in capsys.readouterr().err
    )
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--part", "train", "--out", "part.arpa")
    train = load_corpus("text.txt").train
    model, words = load_ngram("part.arpa")
    want = kneser_ney(train, len(words), words.eos_id)
    assert [len(table) for table in model.tables] == [len(table) for table in want.tables]
    assert evaluate(model, train).nats == pytest.approx(evaluate(want, train).nats, abs=1e-6)
    run(
        capsys,
        "ngram",
        "train",
        "--corpus",
        "text.txt",
        "--part",
        "train",
        "--vocab",
        "part.arpa",
        "--out",
        "same.arpa",
    )
    assert Path("same.arpa").read_bytes() == Path("part.arpa").read_bytes()
    assert "--part train has an effect only with a file" in refused(capsys, "ngram", "train", "--part", "train")


def test_how_a_text_is_read(here, capsys):
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--units", "char", "--lower", "--out", "lm")
    found = json.loads(run(capsys, "eval", "lm", "--corpus", "test.txt", "--json"))
    assert found["tokens"] == len(Path("test.txt").read_text())
    said = refused(capsys, "ngram", "train", "--corpus", "text.txt", "--units", "char", "--out", "lm.arpa")
    assert "an ARPA file can't say how a text is read, and this model reads characters: write a folder instead" in said
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--vocab", "lm", "--out", "lm2", "--order", 3)
    assert load_ngram("lm2")[1].reading.options.lower


def test_words_of_another_model(here, capsys):
    words = Vocabulary(["<unk>", "<eos>", "the", "cat"])
    network(words)
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--vocab", "net", "--out", "lm.arpa")
    assert set(load_ngram("lm.arpa")[1].words) == set(words.words)
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--vocab", "lm.arpa", "--out", "again.arpa")
    assert Path("again.arpa").read_bytes() == Path("lm.arpa").read_bytes()


def test_relative_frequencies_and_cutoffs(here, capsys):
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--smoothing", "none", "--out", "plain", "--order", 2)
    assert "perplexity inf" in run(capsys, "eval", "plain", "--corpus", "test.txt")
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--cutoffs", 0, 8, "--out", "cut", "--order", 4)
    sizes = [len(table) for table in load_ngram("cut")[0].tables]
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--out", "whole", "--order", 4)
    whole = [len(table) for table in load_ngram("whole")[0].tables]
    assert sizes[:2] == whole[:2]
    assert sizes[2] < whole[2]
    assert sizes[3] < whole[3]


def test_on_pronouns_of_the_stories_it_tosses_a_coin(here, capsys):
    shown = run(capsys, "ngram", "train", "--order", 5, "--out", "story")
    assert "host's pronoun 2.0" in shown.replace("1.999", "2.0")
    assert "visitor's pronoun 2.0" in shown
    assert "test: perplexity 2.7" in shown


def test_a_mixture_is_evaluated_with_weights_that_are_given(here, capsys):
    words = read_corpus("text.txt")[1]
    network(Vocabulary([*words.words, "<unk>"]))
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--vocab", "net", "--out", "lm.arpa", "--order", 3)
    one, other, both = (
        json.loads(run(capsys, "eval", *options, "--corpus", "test.txt", "--json"))
        for options in (["net"], ["lm.arpa"], ["net", "--mix", "lm.arpa", "--mix-weight", 0.4])
    )
    assert both["weights"] == [0.6, 0.4]
    assert both["tokens"] == one["tokens"] == other["tokens"] - 1
    assert both["nats"] < max(one["nats"], other["nats"])
    shown = run(capsys, "eval", "net", "--corpus", "test.txt", "--mix", "lm.arpa", "--mix-weight", 0.4)
    assert "mixed: 0.6000 net, 0.4000 lm.arpa" in shown
    scores = [
        float(run(capsys, "score", *options, "test.txt").split("\t")[0])
        for options in (["net"], ["lm.arpa"], ["net", "--mix", "lm.arpa", "--mix-weight", "0"])
    ]
    assert scores[2] == pytest.approx(scores[0], abs=1e-4)
    options = ["--mix", "lm.arpa", "--mix-weight", 0.5, "--prompt", "the dog", "--seed", 1]
    assert run(capsys, "generate", "net", *options).startswith("the dog")
    shown = run(capsys, "compare", "net", "lm.arpa", "--corpus", "test.txt")
    assert "11 tokens compared" in shown  # of 13, one of which the network reads and one neither knows
    assert "second is better by" in shown


@pytest.mark.parametrize("log_linear", [[], ["--log-linear"]])
def test_weights_are_tuned_on_another_text(here, capsys, log_linear):
    words = read_corpus("text.txt")[1]
    network(Vocabulary([*words.words, "<unk>"]))
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--vocab", "net", "--out", "lm", "--order", 3)
    options = ["net", "--mix", "lm", *log_linear]
    best = json.loads(run(capsys, "eval", *options, "--corpus", "test.txt", "--tune-on", "valid.txt", "--json"))
    assert sum(best["weights"]) == pytest.approx(1)
    valid = [
        json.loads(run(capsys, "eval", *options, "--mix-weight", w, "--corpus", "valid.txt", "--json"))["nats"]
        for w in (best["weights"][1], max(0, best["weights"][1] - 0.1), min(1, best["weights"][1] + 0.1))
    ]
    assert valid[0] <= min(valid[1:]) + 1e-6


def test_the_text_evaluated_is_known_under_another_name(here, capsys):
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--out", "lm", "--order", 2)
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--out", "lm3", "--order", 3)
    Path("copy.txt").write_text(Path("test.txt").read_text())
    run(capsys, "data", "encode", "test.txt", "--vocab", "lm", "--out", "test.ids")
    for name in ("copy.txt", "test.ids"):
        arguments = ["eval", "lm", "--mix", "lm3", "--corpus", "test.txt", "--tune-on", name]
        assert "weights must be tuned on another text than the one evaluated" in refused(capsys, *arguments)


def test_several_models_and_a_network_of_sentences(here, capsys):
    words = read_corpus("text.txt")[1]
    network(Vocabulary([*words.words, "<unk>"], Reading.of(TextOptions(sentences=True))))
    for order in (2, 3):
        run(capsys, "ngram", "train", "--corpus", "text.txt", "--vocab", "net", "--out", f"lm{order}", "--order", order)
    assert load_ngram("lm2")[1].reading.options.sentences
    options = ["--corpus", "test.txt", "--json"]
    alone = json.loads(run(capsys, "eval", "net", *options))
    mixed = ["--mix", "lm3", "--mix-weight", 0, "--mix", "net", "--mix-weight", 1]
    found = json.loads(run(capsys, "eval", "lm2", *mixed, *options))
    assert found["weights"] == [0, 0, 1]
    assert found["nats"] == pytest.approx(alone["nats"])
    assert found["state"] == alone["state"] == "reset before each of 2 lines"


def test_blank_lines_are_not_counted_of_sentences(here, capsys):
    shown = run(capsys, "ngram", "train", "--corpus", "text.txt", "--out", "lm", "--sentences")
    assert "from 232 tokens" in shown  # 8 less


def test_what_is_impossible_is_told_as_json(here, capsys):
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--smoothing", "none", "--out", "plain", "--order", 2)
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--out", "lm", "--order", 2)
    first = json.loads(run(capsys, "score", "plain", "test.txt", "--json").splitlines()[1])
    assert first["logprob"] is None
    assert None in first["logprobs"]
    found = json.loads(run(capsys, "compare", "plain", "lm", "--corpus", "test.txt", "--json"))
    assert found["first"]["nats"] is None
    assert found["difference_stderr"] is None
    assert "-inf ± nan" in run(capsys, "compare", "plain", "lm", "--corpus", "test.txt")


def test_an_arpa_file_does_not_keep_a_column(here, capsys):
    Path("rows.csv").write_text("text,n\nthe cat sat,1\nthe dog sat,2\n")
    assert main(["ngram", "train", "--corpus", "rows.csv", "--column", "text", "--out", "lm.arpa"]) == 0
    assert (
        "an ARPA file can't say how a text is read, and this model reads words; column text" in capsys.readouterr().err
    )


def test_words_of_an_arpa_file_by_another_name(here, capsys):
    run(capsys, "ngram", "train", "--corpus", "text.txt", "--out", "lm.arpa", "--order", 2)
    Path("lm.lm").write_bytes(Path("lm.arpa").read_bytes())
    run(capsys, "ngram", "train", "--corpus", "test.txt", "--vocab", "lm.lm", "--out", "other")
    assert load_ngram("other")[1].words == load_ngram("lm.arpa")[1].words
    assert "perplexity" in run(capsys, "eval", "lm.lm", "--corpus", "test.txt")


def test_bad_input_is_refused_before_any_work(here, capsys):
    for name in ("lm.arpa", "two.arpa"):
        run(capsys, "ngram", "train", "--corpus", "text.txt", "--out", name, "--order", 2)
    train, ev = ["ngram", "train", "--corpus", "text.txt"], ["eval", "lm.arpa", "--corpus", "test.txt"]
    for arguments, said, code in (
        (
            [*train, "--out", "lm.arpa"],
            "out must be new, or an ARPA file, and lm.arpa exists: name another, or overwrite it",
            2,
        ),
        ([*train, "--out", "nowhere/lm"], "out must be in a folder that exists, got nowhere/lm", 2),
        ([*train, "--out", "new", "--order", "0"], "order must be a whole number in [1, 256), got 0", 2),
        ([*train, "--out", "new", "--cutoffs", "2", "1"], "cut-offs must not fall", 2),
        ([*train, "--out", "new", "--smoothing", "none", "--cutoffs", "1"], "cutoffs are for kneser-ney", 2),
        ([*train, "--out", "new", "--vocab", "lm.arpa", "--lower"], "with vocab, it decides how the text is read", 2),
        (["ngram", "train", "--corpus", "none.txt", "--out", "new"], "corpus must be story, ptb or a text file", 3),
        (["ngram", "convert", "none.arpa", "new"], "none.arpa does not exist", 3),
        (["eval", "none.arpa"], "none.arpa does not exist: a model is a folder, or an ARPA file of n-grams", 3),
        (
            [*train, "--out", "text.txt", "--overwrite"],
            "out must be new, or the folder of an n-gram model, and text",
            2,
        ),
        ([*train, "--out", "new.arpa", "--units", "char"], "an ARPA file can't say how a text is read", 2),
        ([*ev, "--lanes", "0"], "lanes must be a whole number of at least 1, got 0", 2),
        (["eval", "text.txt", "--corpus", "test.txt"], "text.txt is not an ARPA file", 3),
        ([*ev, "--mix", "none", "--mix-weight", "0.5"], "none does not exist", 3),
        ([*ev, "--mix", "two.arpa"], "test.txt has no valid part to tune weights on: name a text, --tune-on FILE", 2),
        ([*ev, "--mix", "two.arpa", "--tune-on", "./test.txt"], "weights must be tuned on another text", 2),
        ([*ev, "--mix", "two.arpa", "--tune-on", "gone.txt"], "corpus must be story, ptb or a text file", 3),
        (
            [*ev, "--mix", "two.arpa", "--mix-weight", "1.5"],
            "each mix_weight must be in [0, 1], and so must their sum, got [1.5]",
            2,
        ),
        (
            [*ev, "--mix", "two.arpa", "--mix-weight", ".1", "--mix-weight", ".2"],
            "one number for each of the 1 models of mix, got 2",
            2,
        ),
        ([*ev, "--mix-weight", "0.5"], "mix_weight and log_linear are for a mixture", 2),
        ([*ev, "--tune-on", "valid.txt"], "tune_on finds the weights of a mixture", 2),
        (
            [*ev, "--mix", "two.arpa", "--mix", "again.arpa", "--log-linear", "--tune-on", "valid.txt"],
            "are tuned for two models",
            2,
        ),
        (["score", "lm.arpa", "test.txt", "--mix", "two.arpa"], "mix_weight must be given here", 2),
    ):
        assert said in refused(capsys, *arguments, code=code), arguments
    assert not Path("new").exists()
    assert not Path("new.arpa").exists()
    Path("kept").mkdir()
    assert "and kept exists" in refused(capsys, *train, "--out", "kept", "--overwrite")
    run(capsys, *train, "--out", "lm.arpa", "--overwrite", "--order", 3)


def test_a_text_with_the_words_of_the_format_is_refused(here, capsys):
    Path("odd.txt").write_text("<s> a b </s>\n")
    assert "'<s>' must not be a word" in refused(capsys, "ngram", "train", "--corpus", "odd.txt", "--out", "lm.arpa")
    run(capsys, "ngram", "train", "--corpus", "odd.txt", "--out", "lm")


def test_penn_treebank_from_the_command_line(here, capsys, ptb_dir):
    options = ["--corpus", "ptb", "--data-dir", ptb_dir, "--out", "lm"]
    shown = run(capsys, "ngram", "train", *options)
    assert "test: perplexity 141.19" in shown
    text = os.path.join(ptb_dir, "ptb", "ptb.test.txt")
    assert json.loads(run(capsys, "eval", "lm", "--corpus", text, "--json"))["tokens"] == 82_430


def test_info_checks_the_tables(treebank, capsys):
    """Others read what they need of them."""
    assert main(["ngram", "train", "--corpus", "ptb", "--out", "grams"]) == 0
    assert main(["info", "grams"]) == 0
    path = max(Path("grams").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    content[-5] ^= 4
    path.write_bytes(content)
    assert main(["info", "grams"]) == 3
    assert f"{path.name} is damaged: it has" in capsys.readouterr().err


def test_a_list_of_words_may_come_from_an_editor(tmp_path, monkeypatch, capsys):
    """With a byte-order mark and carriage returns."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("the cat\na dog\n")
    Path("plain.txt").write_text("the\ncat\n<unk>\n<eos>\n")
    Path("edited.txt").write_bytes(b"\xef\xbb\xbfthe\r\ncat\r\n<unk>\r\n<eos>\r\n")
    for name in ("plain", "edited"):
        run(capsys, "data", "encode", "text.txt", "--vocab", f"{name}.txt", "--out", name)
    assert Path("plain").read_bytes() == Path("edited").read_bytes()


@pytest.mark.parametrize("option", [["--units", "char"], ["--lower"]])
def test_whole_words_are_not_given_to_a_model_that_reads_otherwise(option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("The Cat runs\na dog\n")
    run(capsys, "ngram", "train", "--corpus", "text.txt", *option, "--order", "2", "--out", "lm")
    run(capsys, "data", "encode", "text.txt")
    assert main(["eval", "lm", "--corpus", "text.txt.ids"]) == 3
    assert "text.txt.ids holds whole words as they are written" in capsys.readouterr().err
    assert main(["data", "encode", "text.txt", "--vocab", "lm", "--out", "own.ids"]) == 0
    assert "own.ids does not say how its text was read: use it to evaluate lm, not to train" in capsys.readouterr().err
    figures = []
    for corpus in ("text.txt", "own.ids"):
        assert main(["eval", "lm", "--corpus", corpus, "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out)["perplexity"])
    assert figures[0] == figures[1]


def test_a_compressed_text_says_how_to_unpack_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("text.gz").write_bytes(gzip.compress(b"the cat\n" * 10))
    assert main(["ngram", "train", "--corpus", "text.gz"]) == 3
    assert "text.gz is compressed with gzip: unpack it first, as with zcat FILE > TEXT" in capsys.readouterr().err


def test_a_model_does_not_replace_its_text(here, capsys):
    Path("text.arpa").write_text("a b c\n" * 9)
    assert main(["ngram", "train", "--corpus", "text.arpa", "--out", "text.arpa", "--overwrite"]) == 2
    assert "out must not be the text itself, got text.arpa" in capsys.readouterr().err
    assert Path("text.arpa").read_text() == "a b c\n" * 9
