"""The benchmarks' contestants do the same work, on each backend, and the tables have a cell for each heading."""

import json
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks import growth_report, versus
from benchmarks.cases import CASES, Generating, Scoring, Sizes, Targets, Training
from benchmarks.contestants import CONTESTANTS, contestant
from benchmarks.growth import Point, points_of
from benchmarks.growth_report import GROWTHS, MEASURES, is_worse, short, slope
from benchmarks.machine import header
from benchmarks.measure import Place
from benchmarks.precision import rounded
from benchmarks.proof import TOLERANCES, NotTheSameWork, expect_near, expect_same
from benchmarks.report import best_of_pytorch, draw, head, measured as columns, remarks, row
from benchmarks.small_weights import FORMATS, measured, table
from benchmarks.worker import Worker
from rnnlm import LanguageModel, ModelConfig, Vocabulary, quantize, save_model
from rnnlm.backend import NAME


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


SMALL = Sizes("Rnnlm", "lstm", 8, 9, V=30, init_range=1.0)
READING = [Scoring("small", SMALL, 20, Targets(1.0)), Generating("small", SMALL, 3, 5, Targets(1.0))]


@pytest.mark.skipif(NAME != "numpy", reason="the cases for a GPU are those of training: runs on NumPy")
@pytest.mark.parametrize("case", READING, ids=lambda case: case.task)
@pytest.mark.parametrize("name", ["plain", "onnx", "onnx-int8", "torch-bf16"])
def test_readers_do_the_same_work_or_are_near(case, name):
    if missing := [library for library in CONTESTANTS[name].needs if find_spec(library) is None]:
        pytest.skip(f"{' and '.join(missing)} not installed: pip install 'rnnlm[bench]'")
    weights, inputs = case.sizes.model().state_dict(), case.inputs()[0]
    want, theirs = getattr(contestant("ours", case, weights), case.proof)(*inputs), contestant(name, case, weights)
    try:
        found = getattr(theirs, case.proof)(*inputs)
    except RuntimeError as error:
        if name == "torch-bf16" and "primitive descriptor" in str(error):
            pytest.skip("PyTorch has no LSTM of bfloat16 for this processor")
        raise
    if CONTESTANTS[name].less_exact:
        expect_near(case, name, found, want)
        with pytest.raises(NotTheSameWork):  # they do compute with fewer bits
            expect_same(case, name, found, want, 1e-7)
    else:
        expect_same(case, name, found, want, TOLERANCES["fp32"])
    assert np.shape(theirs.step(*inputs)) == ((20,) if case.task == "scoring" else (3, 6))


@pytest.mark.parametrize(("name", "precision"), [("ours", "tf32"), ("ours-bf16", "bf16"), ("torch-graph", "tf32")])
def test_a_contestants_process_is_told_the_precision(monkeypatch, name, precision):
    told = []
    monkeypatch.setattr("benchmarks.worker.subprocess.Popen", lambda *_, env, **__: told.append(env))
    Worker(name, CASES["seed"], "weights.npz", Place("cuda", "tf32").environment)
    assert (told[0]["RNNLM_DEVICE"], told[0]["RNNLM_PRECISION"]) == ("cuda", precision)


def test_less_exact_work_is_held_against_ours_by_its_loss_and_scores_alone():
    want = 2.0, {"scores": np.ones((2, 3)), "words": np.arange(3), "embed.W": np.ones(3)}
    near = 2.08, {"scores": np.full((2, 3), 1.04), "words": np.zeros(3, int), "embed.W": np.zeros(3)}
    expect_near(CASES["seed"], "torch-bf16", near, want)
    with pytest.raises(NotTheSameWork, match=r"seed: torch-bf16: 2.2, ours 2.0"):
        expect_near(CASES["seed"], "torch-bf16", (2.2, near[1]), want)
    with pytest.raises(NotTheSameWork, match=r"scores differs by 6.0e-02 of its largest entry"):
        expect_near(CASES["seed"], "torch-bf16", (2.0, near[1] | {"scores": np.full((2, 3), 1.06)}), want)


def figures(device="cpu", **rates):
    """What `measure` would return."""
    names = [name for name, one in CONTESTANTS.items() if device in one.devices and "training" in one.tasks]
    return {
        "case": "book-lstm", "device": device, "precision": "fp32", "rounds": 2, "rounds_meant": 2,
        "tokens_per_second": {name: [1e6 + i, 1e6] for i, name in enumerate(names)} | rates,
        "device_seconds_a_step": {name: [1e-4, 2e-4] if device == "cuda" else [None, None] for name in names},
        "floors": [2e6] if device == "cpu" else [],
        "peak_mib": dict.fromkeys(names, 100.0), "device_mib": dict.fromkeys(names, 50.0), "not_available": {},
    }  # fmt: skip


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_table_has_a_cell_for_each_heading(device, tmp_path):
    result = figures(device)
    names = columns([result])
    headings, cells = (line.split("|") for line in (head(device, names).splitlines()[0], row(result, names)))
    assert len(headings) == len(cells)
    table = dict(zip((name.strip() for name in headings), (cell.strip() for cell in cells)))
    target = (CASES["book-lstm"].cuda if device == "cuda" else CASES["book-lstm"].targets).torch
    assert table["over PyTorch"] == f"1.00 ({target:g}) ✗"
    assert table["PyTorch, bf16 (less exact) tokens/s"].startswith("1,000,00")
    if device == "cuda":
        assert (table["µs a step"], table["of them on the device"]) == ("700", "150")
    pytest.importorskip("matplotlib", reason="draws: pip install 'rnnlm[plot]'")
    draw([result, result | {"precision": "tf32"}], tmp_path / "speed.png")
    assert (tmp_path / "speed.png").stat().st_size > 5_000


def test_what_is_less_exact_is_never_the_best():
    assert best_of_pytorch(figures(**{"torch-bf16": [9e6, 9e6], "torch-compiled": [2e6, 2e6]})) == "torch-compiled"
    only = figures()
    only["tokens_per_second"] = {"ours": [1e6], "torch-bf16": [1e6], "onnx": [1e6]}
    assert best_of_pytorch(only) is None


def test_each_contestant_can_be_told_from_the_others():
    assert len({one.title for one in CONTESTANTS.values()}) == len(CONTESTANTS)
    assert len({one.colour for one in CONTESTANTS.values()}) == len(CONTESTANTS)


@pytest.fixture
def unmeasured(monkeypatch):
    """Nothing is measured, and the environment forces kernels; returns what was asked for, by case."""
    asked = []

    def measure(case, *_):
        asked.append(case.name)
        return figures(ours=[len(asked) * 1e6] * 2) | {"case": case.name}

    monkeypatch.setattr(versus, "measure", measure)
    monkeypatch.setattr(versus, "forced_kernels", lambda: "OPENBLAS_CORETYPE=Old forces Old kernels")
    monkeypatch.setattr(
        versus, "machine", lambda _: {"processor": None, "cpu_count": 2, "backend": "B", "forced_kernels": "F"}
    )
    return asked


@pytest.mark.parametrize("arguments", [[], ["seed", "--json", "x.json"], ["seed", "--plot", "x.png"]])
def test_figures_to_keep_are_not_measured_with_forced_kernels(arguments, unmeasured, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        versus.main(arguments)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "OPENBLAS_CORETYPE=Old forces Old kernels" in said
    assert "`env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python -m benchmarks.versus ...`" in said
    assert "--forced-kernels" in said
    assert (unmeasured, list(tmp_path.iterdir())) == ([], [])


def test_kernels_may_be_forced_where_that_is_meant_or_nothing_is_kept(unmeasured, tmp_path, capsys):
    assert versus.main(["seed"]) == 0
    assert capsys.readouterr().out.startswith("processor unknown, 2 cores; B; F\n")
    assert versus.main(["seed", "--forced-kernels", "--json", str(tmp_path / "x.json")]) == 0
    assert json.loads((tmp_path / "x.json").read_text())["forced_kernels"] == "F"
    assert unmeasured == ["seed"] * 2


def test_all_cases_are_measured_again_after_the_last(unmeasured, tmp_path, capsys):
    path = tmp_path / "x.json"
    assert versus.main(["seed", "book-lstm", "--twice", "--forced-kernels", "--json", str(path)]) == 0
    assert unmeasured == ["seed", "book-lstm"] * 2
    results = json.loads(path.read_text())["results"]
    ours = [(one["tokens_per_second"]["ours"][0], one["again"]["tokens_per_second"]["ours"][0]) for one in results]
    assert ours == [(1e6, 3e6), (2e6, 4e6)]
    assert "\nseed, measured twice: 1.00 and 3.00 over PyTorch, " in capsys.readouterr().out
    assert not any("twice" in line for line in remarks([figures()]))


def test_a_contestant_is_refused_where_it_does_not_run(capsys):
    for name, device, other in (("onnx", "cuda", "cpu"), ("torch-graph", "cpu", "cuda")):
        with pytest.raises(SystemExit):
            versus.main(["seed", "--contestants", name, "--device", device])
        assert f"{name} takes --device {other}" in capsys.readouterr().err


def test_the_header_names_what_is_known():
    known = {"processor": "P", "cpu_count": 4, "backend": "NumPy, BLAS", "forced_kernels": None}
    assert header(known) == "P, 4 cores; NumPy, BLAS"


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


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2]])
@pytest.mark.parametrize("bits", [7, 10])
def test_factors_are_rounded_to_the_nearest_number_and_halves_to_even(layout, bits):
    last = 2.0**-bits
    given = [1, 1 + last / 2, 1 + last * 0.51, 1 + last * 1.5, -1 - last * 1.49, 2 - last / 4, 0, -0.0, np.inf, np.nan]
    want = [1, 1, 1 + last, 1 + last * 2, -1 - last, 2, 0, -0.0, np.inf, np.nan]
    found = rounded(layout(np.array([given, given], np.float32)), bits)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([want, want], np.float32))
    assert rounded(np.array(given), bits).tolist()[1:3] == given[1:3]  # float64 stays as it is
