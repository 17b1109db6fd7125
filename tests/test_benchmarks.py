"""The benchmarks' contestants do the same work, on each backend, and the tables have a cell for each heading."""

import numpy as np
import pytest

from benchmarks import growth_report
from benchmarks.cases import CASES, Sizes, Targets, Training
from benchmarks.contestants import contestant
from benchmarks.growth import Point, points_of
from benchmarks.growth_report import GROWTHS, MEASURES, is_worse, short, slope
from benchmarks.measure import TOLERANCES, NotTheSameWork, expect_same
from benchmarks.report import draw, head, row
from benchmarks.small_weights import FORMATS, measured, table
from rnnlm import LanguageModel, ModelConfig, Vocabulary, quantize, save_model


@pytest.mark.parametrize(
    "sizes",
    [
        Sizes("SimpleRnnlm", "rnn", 8, 9, V=30),
        Sizes("LanguageModel", "gru", 8, 9, V=30),
        Sizes("LanguageModel", "lstm", 8, 9, V=30, layers=2, last_H=8, tied=True, dropout=0.5),
    ],
)
def test_ours_and_plain_do_the_same_work(sizes):
    case = Training("small", sizes, 3, 4, Targets(1.0))
    weights = sizes.model().state_dict()
    ours, plain = (contestant(name, case, weights) for name in ("ours", "plain"))
    window = ours.place(*case.inputs()[0])
    want, found = ours.gradients(*window), plain.gradients(*plain.place(*case.inputs()[0]))
    expect_same(case, "plain", found, want, TOLERANCES["fp32"])
    found[1]["embed.W"][0] += 1
    with pytest.raises(NotTheSameWork, match=r"small: plain: embed.W differs by"):
        expect_same(case, "plain", found, want, TOLERANCES["fp32"])
    losses = [float(ours.step(*window)) for _ in range(3)]
    assert sizes.dropout or losses[2] < losses[0]
    assert np.isfinite(float(plain.step(*window)))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_table_has_a_cell_for_each_heading(device, tmp_path):
    names = ["ours", "plain", "torch", "torch-compiled", *(["torch-graph"] if device == "cuda" else [])]
    result = {
        "case": "book-lstm", "device": device, "precision": "fp32", "rounds": 2, "rounds_meant": 2,
        "tokens_per_second": {name: [1e6 + i, 1e6] for i, name in enumerate(names)},
        "device_seconds_a_step": {name: [1e-4, 2e-4] if device == "cuda" else [None, None] for name in names},
        "floors": [2e6] if device == "cpu" else [],
        "peak_mib": dict.fromkeys(names, 100.0), "device_mib": dict.fromkeys(names, 50.0), "not_available": {},
    }  # fmt: skip
    headings, cells = (line.split("|") for line in (head(device).splitlines()[0], row(result)))
    assert len(headings) == len(cells)
    table = dict(zip((name.strip() for name in headings), (cell.strip() for cell in cells)))
    target = (CASES["book-lstm"].cuda if device == "cuda" else CASES["book-lstm"].targets).torch
    assert table["over PyTorch"] == f"1.00 ({target:g}) ✗"
    if device == "cuda":
        assert (table["µs a step"], table["of them on the device"]) == ("700", "150")
    pytest.importorskip("matplotlib", reason="draws: pip install 'rnnlm[plot]'")
    draw([result, result | {"precision": "tf32"}], tmp_path / "speed.png")
    assert (tmp_path / "speed.png").stat().st_size > 5_000


def test_small_weights_are_measured_in_each_format(tmp_path, capsys):
    words = Vocabulary(["<eos>", "<unk>", "a", "b"])
    (tmp_path / "text").write_text("a b\nb a a\n" * 4)
    model = LanguageModel(ModelConfig(vocab_size=4, wordvec_size=3, hidden_size=3, seed=1))
    found = {}
    for name in FORMATS:
        save_model(tmp_path / name, model if name == "float32" else quantize(model, name), words)
        found[name] = [measured(tmp_path / name, tmp_path / "text", 12, 4)]
        assert found[name][0]["perplexity"] == pytest.approx(found["float32"][0]["perplexity"], rel=1e-3)
        assert all(rate > 0 for rate in found[name][0]["rates"])
    table(found, dict.fromkeys(FORMATS, 2_500_000))
    headings, _, *lines = capsys.readouterr().out.splitlines()
    assert {line.count("|") for line in (headings, *lines)} == {headings.count("|")}
    assert [line.split()[1:4] for line in lines] == [[name, "|", "2.50"] for name in FORMATS]


def test_growth_is_held_against_theory(tmp_path):
    assert slope([5, 10, 20, 40], [3, 99, 99, 3 * 8**1.5]) == pytest.approx(1.5)
    assert not is_worse(slope([1, 8], [70, 70]), 0)
    assert [short(size) for size in (5, 2_500, 8_000_000)] == ["5", "2.5k", "8M"]
    results = {}
    for number, (name, growth) in enumerate(GROWTHS.items()):
        points = [vars(point) for point in points_of(name)]
        sizes = [point[name] for point in points]
        assert [size / sizes[0] for size in sizes] == [1, 2, 4, 8]
        assert {key for point in points for key, size in point.items() if size != vars(Point())[key]} == {name}
        over = {"time": 0.2 if number % 2 else 0.05, "memory": 0.05 if number % 2 else -0.5}
        results[name] = {"sizes": sizes, **{m: [7 * s ** (growth.most + over[m]) for s in sizes] for m in MEASURES}}
    headings, _, *lines = growth_report.table(results).splitlines()
    assert {line.count("|") for line in lines} == {headings.count("|")}
    for number, (line, growth) in enumerate(zip(lines, GROWTHS.values())):
        cells = [cell.strip() for cell in line.split("|")]
        assert cells[1] == growth.title
        assert cells[4] == f"{growth.most + (0.2 if number % 2 else 0.05):.2f} (≤ {growth.most}){' ✗' * (number % 2)}"
        assert cells[6] == f"{growth.most + (0.05 if number % 2 else -0.5):.2f} (≤ {growth.most})"
    pytest.importorskip("matplotlib", reason="draws: pip install 'rnnlm[plot]'")
    growth_report.draw({name: results[name] for name in ("V", "corpus")}, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 5_000
