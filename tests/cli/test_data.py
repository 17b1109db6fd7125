import json
import sys
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from rnnlm.cli.main import main
from rnnlm.data import ptb
from tests.cli.runs import SMALL
from tests.conftest import TEXT


def test_data(treebank, capsys):
    assert main(["data", "--data-dir", str(treebank)]) == 0
    assert f"ptb: {treebank / 'ptb'}: complete" in capsys.readouterr().out
    assert main(["data", "--data-dir", "nowhere"]) == 0
    assert "ptb: nowhere/ptb: missing ptb.train.txt, ptb.valid.txt, ptb.test.txt" in capsys.readouterr().out


def test_a_text_is_encoded_checked_trained_on_and_scored(treebank, capsys):
    """All as it is with the text."""
    Path("text").write_text(TEXT + "a zebra\n")
    assert main(["data", "encode", "text"]) == 0
    assert main(["data", "check", "text.ids"]) == 0
    told = "text.ids: 1,083 tokens, of which 0 are not among its 13 words; 2 bytes a token\n"
    assert capsys.readouterr() == (told * 2, "")
    shown = []
    for name in ("text", "text.ids"):
        assert main(["train", *SMALL, "--corpus", name, "--unk-rate", "0", "--out", f"from-{name}"]) == 0
        out = capsys.readouterr().out
        shown.append([line for line in out.splitlines() if "corpus=" not in line and "results in" not in line])
        for options in (["--json"], ["--json", "--lanes", "4"]):
            assert main(["eval", "from-text", "--corpus", name, *options]) == 0
            found = json.loads(capsys.readouterr().out)
            shown[-1].append({key: value for key, value in found.items() if key != "corpus" and "_per_" not in key})
    assert shown[0] == shown[1]
    for file in ("metrics.jsonl", "model/model.safetensors", "model/vocab.txt"):
        assert Path("from-text", file).read_bytes() == Path("from-text.ids", file).read_bytes()


@pytest.mark.parametrize("source", ["words.ids", "run", "run/model", "run/model/vocab.txt"])
def test_a_text_is_encoded_in_given_words(treebank, capsys, source):
    Path("text").write_text(TEXT)
    assert main(["data", "encode", "text", "--max-words", "5", "--out", "words.ids"]) == 0
    assert main(["train", *SMALL, "--corpus", "words.ids", "--max-epoch", "1", "--out", "run"]) == 0
    Path("other").write_text("the zebra\n")
    assert main(["data", "encode", "other", "--vocab", source, "--overwrite"]) == 0
    assert "other.ids: 3 tokens, of which 1 are not among its 5 words" in capsys.readouterr().out
    assert main(["eval", "run", "--corpus", "other.ids"]) == 0
    assert "1 of 3 tokens are not among the model's 5 words" in capsys.readouterr().out


def test_an_encoded_text_without_an_evaluation_has_the_words_it_reads(treebank, capsys):
    Path("text").write_text(TEXT)
    assert main(["data", "encode", "text"]) == 0
    for name in ("text", "text.ids"):
        options = ["--unk-rate", "0", "--max-tokens", "30", "--no-evaluate", "--corpus", name, "--out", f"from-{name}"]
        assert main(["train", *SMALL, *options]) == 0
    assert Path("from-text/model/vocab.txt").read_text() == Path("from-text.ids/model/vocab.txt").read_text()
    capsys.readouterr()
    for name in ("text", "text.ids"):
        assert main(["eval", "from-text.ids", "--corpus", name]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("text: ")]
    firsts = [k for k, line in enumerate(lines) if "exact" in line]
    assert len(firsts) == 2
    assert [line.split() for line in lines[:9]] == [line.split() for line in lines[firsts[1] : firsts[1] + 9]]
    assert any("bits per byte" in line for line in lines[: firsts[1]])  # only a text says how long it is


def test_without_pooch_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert main(["data", "--fetch", "ptb"]) == 1
    assert "downloading Penn Treebank needs the extra 'data': pip install 'rnnlm[data]'" in capsys.readouterr().err


def test_it_is_downloaded_from_the_address_that_has_it(treebank, no_cache, monkeypatch, capsys):
    """Two servers: the first has another text, the second the right one."""
    wrong = treebank.parent / "wrong"
    wrong.mkdir()
    for name in ptb.FILES.values():
        (wrong / name).write_text("something else\n")
    with serve(wrong) as first, serve(treebank / "ptb") as second:
        monkeypatch.setattr(ptb, "ADDRESSES", (first, second))
        assert main(["data", "--fetch", "ptb"]) == 0
    streams = capsys.readouterr()
    assert streams.out == f"ptb is in {no_cache / 'ptb'}\n"
    assert "Linguistic Data Consortium" in streams.err
    assert (no_cache / "ptb" / "ptb.test.txt").read_text() == TEXT
    monkeypatch.delenv("RNNLM_DATA")
    assert len(ptb.load_data("test")[0]) > 100


@contextmanager
def serve(folder):
    """A web server of this machine for a folder."""
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
