from pathlib import Path

import pytest

from rnnlm.cli.main import main

SIZES = ["max-words", "max-tokens", "wordvec-size", "hidden-size", "batch-size", "time-size", "max-epoch"]


RATES = ["lr", "lr-decay", "max-grad"]


WRONG = [
    *((2, ["train", f"--{name}", value], f"Error parsing --{name}") for name in SIZES for value in ("x", "1.5", "")),
    *(
        (2, ["train", f"--{name}", value], "must be a whole number of at least")
        for name in SIZES
        for value in ("0", "-3")
    ),
    *((2, ["train", f"--{name}", "x"], f"Error parsing --{name}") for name in (*RATES, "bias-range", "seed")),
    *((2, ["train", f"--{name}", value], "must be positive") for name in RATES for value in ("0", "-1", "nan")),
    *((2, ["train", f"--{name}"], name) for name in (*SIZES, *RATES, "out", "corpus", "recipe")),
    (2, ["train", "--lr", "inf"], "lr must be positive and finite, got inf"),
    (2, ["train", "--lr-decay", "0.5"], "decay (lr_decay) must be at least 1, got 0.5"),
    (2, ["train", "--bias-range", "-1"], "bias_range must be in [0, 100], got -1.0"),
    (2, ["train", "--seed", "-1"], "seed must be a whole number in [0, 2**64), got -1"),
    (2, ["train", "--recipe", "seed-100"], "did you mean seed-1000?"),
    (2, ["train", "--recipe", "nowhere.toml"], "recipe nowhere.toml does not exist"),
    (2, ["train", "--recipe", "broken.toml"], "recipe broken.toml is not a TOML file"),
    (2, ["train", "--recipe", "empty.toml"], "recipe empty.toml must have a table [settings]"),
    (2, ["train", "--recipe", "unknown.toml"], "got 'hiden_size' in recipe unknown.toml; did you mean hidden_size?"),
    (2, ["train", "--optimizer", "lion"], "invalid choice 'lion'"),
    (2, ["train", "--dtype", "float16"], "invalid choice 'float16'"),
    (2, ["train", "--learning-rate", "1"], "Unrecognized options"),
    (2, ["train", "story"], "Unrecognized options"),
    (2, ["train", "--evaluate", "yes"], "Unrecognized options"),
    (2, ["train", "--out", "data"], "out must be a new or an empty folder, and data holds ptb"),
    (1, ["train", "--out", "/proc/none/out"], "/proc/none"),
    (1, ["train", "--out", "file"], "file"),
    (3, ["train", "--corpus", "storys"], "did you mean story?"),
    (3, ["train", "--corpus", "nowhere.txt"], "'nowhere.txt' is none of them"),
    (3, ["train", "--corpus", "data"], "'data' is none of them"),
    (3, ["train", "--corpus", "file"], "file is empty"),
    (3, ["train", "--corpus", "binary"], "binary is not UTF-8: line 1, byte 0"),
    (3, ["train", "--corpus", "short"], "too short"),
    (
        3,
        ["train", "--corpus", "ptb", "--data-dir", "nowhere"],
        "ptb.train.txt does not exist (looked in nowhere/ptb); put ptb.train.txt, ptb.valid.txt, ptb.test.txt",
    ),
    (
        3,
        ["train", "--corpus", "ptb", "--batch-size", "500"],
        "the corpus is too short: one window of batch_size 500 x time_size 35",
    ),
    (3, ["train", "--max-tokens", "2"], "needs 1120 pairs of words, it has 1"),
    (2, ["trian"], "trian"),
    (2, ["info", "--log-file", "--quiet"], "log_file must be followed by the name of a file"),
    (2, ["train", "--recipe", "beside.toml"], "beside.toml must have [settings] and [about] alone, got 'lr' beside"),
    (
        2,
        ["train", "--recipe", "published.toml"],
        "published in recipe published.toml must be positive and finite, got 'x'",
    ),
    (2, [], "train"),
    (2, ["eval"], "model"),
    (3, ["eval", "nowhere"], "nowhere does not exist: a model is a folder, or an ARPA file of n-grams"),
    (3, ["eval", "data"], "config.json does not exist"),
    (2, ["eval", "trained", "--part", "dev"], "invalid choice 'dev'"),
    (2, ["eval", "trained", "--lanes", "0"], "lanes must be a whole number of at least 1, got 0"),
    (3, ["eval", "trained", "--corpus", "nowhere.txt"], "'nowhere.txt' is none of them"),
    (3, ["eval", "trained", "--corpus", "file"], "file is empty"),
    (2, ["generate"], "model"),
    (3, ["generate", "nowhere"], "nowhere does not exist: a model is a folder"),
    (3, ["generate", "storyish", "--prompt", "unheard of"], "'unheard' is not among the 102 words"),
    (2, ["generate", "trained", "--temperature", "0"], "temperature (for the limit 0 use greedy) must be positive"),
    (2, ["generate", "trained", "--top-k", "0"], "top_k must be a whole number of at least 1, got 0"),
    (2, ["generate", "trained", "--top-p", "2"], "top_p must be in (0, 1], got 2.0"),
    (2, ["generate", "trained", "--count", "0"], "count must be a whole number of at least 1, got 0"),
    (2, ["generate", "trained", "--length", "0"], "length must be a whole number of at least 1, got 0"),
    (
        2,
        ["generate", "trained", "--length", "1", "--prompt", "the cat sat"],
        "length must be at least the 3 tokens of the prompt, got 1",
    ),
    *(
        (2, [*command, "--seed", seed], f"seed must be a whole number in [0, 2**64), got {seed}")
        for command in (["generate", "trained"], ["train"], ["vectors", "train", "--corpus", "text", "--out", "v"])
        for seed in ("-1", str(2**64))
    ),
    (1, ["generate", "trained", "--heat", "/proc/none/a.png"], "/proc/none/a.png"),
    (3, ["info", "nowhere"], "nowhere is not a folder"),
    (2, ["plot"], "runs"),
    (3, ["plot", "nowhere"], "nowhere is not the folder of a run: it has no metrics.jsonl"),
    (3, ["plot", "damaged"], "is damaged"),
    (3, ["plot", "unfinished"], "no epoch is finished in any of these runs"),
    (1, ["plot", "trained", "--out", "/proc/none/a.png"], "/proc/none/a.png"),
    (2, ["generate", "trained", "--greedy", "--top-k", "3"], "greedy takes the most likely word: leave out"),
    (2, ["generate", "trained", "--heat", "a.foo"], "a picture's name must end with one of .png"),
    (2, ["plot", "trained", "--out", "noending"], "a picture's name must end with one of .png"),
    (3, ["plot", "nonsense"], "is damaged: epochs and perplexities must be positive numbers"),
    (3, ["generate", "trained", "--prompt", "\udcff"], "words must be Unicode characters"),
    (
        2,
        ["train", "--hidden-size", "99999999999999999999"],
        "hidden_size must be a whole number below 2^31, got 99999999999999999999",
    ),
    (2, ["data", "--fetch", "wikitext"], "invalid choice 'wikitext'"),
    (2, ["data", "dance"], "dance"),
    (2, ["data", "encode"], "a UTF-8 text file"),
    (2, ["data", "encode", "text", "--max-words", "2"], "max_words must be a whole number of at least 3, got 2"),
    (2, ["data", "encode", "text", "--out", "file"], "out must be a new file, and file exists: name another"),
    (2, ["data", "encode", "text", "--out", "text", "--overwrite"], "out must not be the text itself, got text"),
    (2, ["data", "--data-dir", "data", "check", "file"], "encode and check take files: leave out fetch and data_dir"),
    (3, ["data", "encode", "nowhere"], "nowhere does not exist"),
    (3, ["data", "encode", "data"], "data is not a file"),
    (3, ["data", "encode", "file"], "file is empty: a corpus needs at least one line"),
    (3, ["data", "encode", "binary"], "binary is not UTF-8: line 1, byte 0"),
    (3, ["data", "encode", "file3", "--vocab", "storyish"], "'zebra' is not among the 102 words of the vocabulary"),
    (3, ["data", "encode", "text", "--vocab", "nowhere"], "nowhere does not exist"),
    (3, ["data", "encode", "text", "--vocab", "data"], "vocab.txt does not exist"),
    (1, ["data", "encode", "text", "--out", "/proc/none/out"], "/proc/none"),
    (3, ["data", "check", "text"], "text is not an encoded corpus: it must begin with"),
    (3, ["data", "check", "nowhere"], "nowhere does not exist"),
    (3, ["data", "check", "cut.ids"], "cut.ids is damaged or cut short: with 1,080 ids it must have"),
    (3, ["train", "--corpus", "cut.ids"], "cut.ids is damaged or cut short"),
    (3, ["eval", "trained", "--corpus", "cut.ids"], "cut.ids is damaged or cut short"),
    (3, ["eval", "storyish", "--corpus", "text.ids"], "'<unk>' is not among the 102 words of the model, which has no"),
    (3, ["score", "trained", "text.ids"], "text.ids is an encoded corpus, and here a text is needed"),
    (2, ["train", "--dropout-ratio", "1.5"], "dropout_ratio must be in [0, 1), got 1.5"),
    (2, ["train", "--tied", "--hidden-size", "50"], "tied needs word vectors as long as the last hidden state"),
    (2, ["train", "--cell", "bilstm"], "cell must not be bidirectional, got 'bilstm'"),
    (2, ["train", "--cell", "lsmt"], "cell must be one of rnn, lstm, gru, got 'lsmt'; did you mean lstm?"),
    (2, ["train", "--warmup", "100000", "--lr-rule", "cosine"], "warmup must be shorter than the"),
    (2, ["train", "--lr-rule", "halving", "--no-evaluate"], "need valid perplexities: leave out --no-evaluate"),
    (2, ["train", "--optimizer", "asgd", "--no-evaluate"], "need valid perplexities: leave out --no-evaluate"),
    (2, ["train", "--warmup", "-5"], "warmup must be a whole number of at least 0, got -5"),
    (2, ["train", "--cell", "BiLSTM"], "cell must not be bidirectional, got 'BiLSTM'"),
    (2, ["train", "--layers", "2000000000"], "layers must be a whole number in [1, 1001), got 2000000000"),
    (2, ["train", "--patience", "0"], "patience must be a whole number of at least 1, got 0"),
    (
        2,
        ["train", "--random-bptt", "--time-size", "5"],
        "time_size with random_bptt must be a whole number of at least",
    ),
    (2, ["train", "--weight-decay", "-1"], "weight_decay must be at least 0 and finite, got -1.0"),
    (3, ["score", "trained", "nowhere"], "nowhere does not exist"),
    (3, ["score", "trained", "binary"], "binary is not UTF-8"),
    (3, ["score", "storyish", "file3"], "'zebra' is not among the 102 words of the vocabulary, which has no <unk>"),
    (3, ["score", "nowhere", "file"], "nowhere does not exist: a model is a folder"),
]


@pytest.mark.parametrize(("code", "arguments", "message"), WRONG)
def test_wrong_use_is_one_sentence_and_a_code(treebank, models, capsys, code, arguments, message):
    Path("file").touch()
    Path("broken.toml").write_text("=")
    Path("empty.toml").write_text("")
    Path("beside.toml").write_text("lr = 9\n[settings]\n")
    Path("published.toml").write_text("[about]\npublished = 'x'\n[settings]\n")
    Path("file3").write_text("the zebra\n")
    Path("unknown.toml").write_text("[settings]\nhiden_size = 3\n")
    Path("short").write_text("a b c\n")
    Path("binary").write_bytes(b"\xff\xfe\x00")
    for path in models.iterdir():
        Path(path.name).symlink_to(path)
    capsys.readouterr()
    got = main(arguments)
    streams = capsys.readouterr()
    assert got == code, streams.err
    assert message in streams.err
    assert "Traceback" not in streams.err
    assert not Path("runs").exists()


@pytest.mark.parametrize("command", ["train", "eval", "generate", "info", "plot", "data"])
def test_help_teaches_by_example(command, capsys):
    assert main([command, "--help"]) == 0
    assert "rnnlm " in capsys.readouterr().out.partition("usage")[2].partition("xample")[2]
