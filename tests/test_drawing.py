"""A picture never costs anything else, whatever is in it."""

import warnings
from pathlib import Path

import pytest

from rnnlm import PictureError
from rnnlm.cli.main import main
from rnnlm.drawing import expect_new_picture, legend, new_figure, or_told, plain, write_figure
from rnnlm.errors import InputError
from rnnlm.plotting import save_gates, save_norms, save_perplexity, save_surprise
from rnnlm.wordvec.plane import save_points
from tests.cli.runs import SMALL

matplotlib = pytest.importorskip("matplotlib", reason="draws: pip install 'rnnlm[plot]'")

pytestmark = pytest.mark.long  # nothing is computed

ODD = ["_hidden", "$\\frac$", "a$b$c", "$", "two\nlines", "a\x01b\x1b", "half \udcff of one", "x" * 3000, "", " ", "-"]
FAILURES = [MemoryError(), ValueError("Parse error\n  ^"), RuntimeError("no such backend"), KeyError("glyph")]


def test_any_name_may_be_drawn(tmp_path):
    named = {name: ([1, 2], [9.0, 3.0]) for name in ODD}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for title in ODD[1], ODD[7]:
            save_perplexity(tmp_path / "a.svg", named, title=title, levels=dict.fromkeys(ODD, 4.0))
        save_norms(tmp_path / "a.svg", {name: [1.0, 0.5] for name in ODD}, title=ODD[1])
        save_surprise(tmp_path / "a.svg", ODD, [0.5] * len(ODD))
        save_gates(tmp_path / "a.svg", ODD, {name: [[0.5]] * len(ODD) for name in ODD[:3]})
        save_points(tmp_path / "a.svg", ODD, [[i, i * i] for i in range(len(ODD))], ODD[1])


def test_a_legend_has_each_name_as_it_is():
    figure = new_figure(3, 3)
    axes = figure.subplots()
    names = ["_hidden", "a$b$c", "two\nlines", "x" * 3000]
    legend(axes, {name: axes.plot([1, 2])[0] for name in names})
    texts = axes.get_legend().get_texts()
    assert [text.get_text() for text in texts] == ["_hidden", "a$b$c", "two\\nlines", plain("x" * 3000)]
    assert not any(text.get_parse_math() for text in texts)
    assert len(plain("begin" + "x" * 3000 + "end")) == 100
    assert plain("begin" + "x" * 3000 + "end").endswith("end")
    assert plain("~" * 78, 14) == "~~~~~~~…~~~~~~"


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_whatever_matplotlib_raises_is_a_sentence(tmp_path, monkeypatch, capsys, failure):
    def fails(*_, **__):
        raise failure

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fails)
    kind = type(failure).__name__
    with pytest.raises(PictureError, match=f"^matplotlib can't draw this picture: {kind}"):
        save_norms(tmp_path / "a.png", {"a": [1.0, 0.5]})
    with or_told():
        save_norms(tmp_path / "a.png", {"a": [1.0, 0.5]})
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"rnnlm: no picture: matplotlib can't draw this picture: {kind}")
    assert list(tmp_path.iterdir()) == []


def test_a_run_and_texts_are_whole_without_their_picture(treebank, models, monkeypatch, capsys):
    def fails(*_, **__):
        raise MemoryError

    monkeypatch.setattr("matplotlib.figure.Figure.__init__", fails)
    said = "matplotlib can't draw this picture: MemoryError\n"
    assert main(["train", *SMALL, "--max-epoch", "1", "--out", "out"]) == 0
    told = capsys.readouterr()
    assert "test perplexity" in told.out
    assert f"rnnlm: no picture: {said}" in told.err
    arguments = ["generate", str(models / "trained"), "--count", "3", "--prompt", "the cat", "--heat", "heat.png"]
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 3
    assert told.err.endswith(f"rnnlm: {said}")
    Path("vectors").write_text("2 2\na 1 0\nb 0 1\n")
    for command in (["vectors", "plot", "vectors"], ["plot", str(models / "trained")]):
        assert main(command) == 1
        assert capsys.readouterr().err.endswith(f"rnnlm: {said}")


def test_no_picture_is_overwritten_unless_told(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("vectors").write_text("2 2\na 1 0\nb 0 1\n")
    for name in ("perplexity.png", "vectors.png", "heat.png"):
        Path(name).write_bytes(b"mine")
    model = str(models / "trained")
    commands = {
        "out must be a new file, and perplexity.png exists: name another, or overwrite it": ["plot", model],
        "out must be a new file, and vectors.png exists": ["vectors", "plot", "vectors"],
        "heat must be a new file, and heat.png exists": [
            "generate",
            model,
            "--heat",
            "heat.png",
            "--prompt",
            "the cat",
        ],
    }
    for said, command in commands.items():
        assert main(command) == 2
        shown = capsys.readouterr()
        assert said in shown.err
        assert not shown.out
    assert {path.read_bytes() for path in Path().glob("*.png")} == {b"mine"}
    assert [main([*command, "--overwrite"]) for command in commands.values()] == [0, 0, 0]
    assert {path.read_bytes()[:4] for path in Path().glob("*.png")} == {b"\x89PNG"}
    Path("folder.png").mkdir()
    with pytest.raises(InputError, match="out must be a new file"):
        expect_new_picture("out", Path("folder.png"), overwrite=True)


# ---------------------------------------------------------------- fonts

RARE = "\u1e9e\u7684"  # a letter that DejaVu has, and one that it has not


@pytest.fixture
def font(tmp_path):
    """A font that has a Chinese character, which is drawn as an A."""
    tools = pytest.importorskip("fontTools.ttLib")
    from matplotlib import font_manager

    made = tools.TTFont(font_manager.findfont("DejaVu Sans"))
    for table in made["cmap"].tables:
        if table.isUnicode():
            table.cmap = {ord("\u7684"): "A"}
    for record in made["name"].names:
        if record.nameID in (1, 16):
            record.string = "Noto Sans Tried"
    made.save(tmp_path / "tried.ttf")
    return tmp_path / "tried.ttf"


def test_characters_that_the_usual_font_has_not_come_from_one_that_has(font, tmp_path, monkeypatch, capsys):
    from matplotlib import font_manager

    def families():
        figure = new_figure(3, 3)
        figure.text(0, 0, RARE)
        figure.text(0, 1, "plain")
        write_figure(tmp_path / "a.png", figure)
        return [text.get_fontfamily() for text in figure.texts]

    usual = [entry for entry in font_manager.fontManager.ttflist if entry.name.startswith(("DejaVu", "Last Resort"))]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", usual)
    assert families() == [["sans-serif"], ["sans-serif"]]
    said = "rnnlm: no installed font has \u7684: boxes are drawn; install one that has, Noto Sans CJK, say\n"
    assert capsys.readouterr().err == said
    boxes = (tmp_path / "a.png").read_bytes()
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(usual))
    font_manager.fontManager.addfont(font)
    assert families() == [["sans-serif", "Noto Sans Tried"], ["sans-serif"]]
    assert not capsys.readouterr().err
    assert (tmp_path / "a.png").read_bytes() != boxes
