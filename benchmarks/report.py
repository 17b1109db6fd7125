"""What was measured, as a Markdown table and as a picture.

python -m benchmarks.report figures.json more.json --plot speed.png
"""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.cases import CASES

NAMES = {"ours": "rnnlm", "plain": "plain", "torch": "PyTorch", "torch-compiled": "PyTorch, compiled",
         "torch-graph": "PyTorch, graph"}  # fmt: skip
COLOURS = {"ours": "#c0392b", "plain": "#b8bec5", "torch": "#5b8db8", "torch-compiled": "#27557f",
           "torch-graph": "#10283d"}  # fmt: skip
LEGEND = (
    "Medians over rounds of bursts in turns, ± half the range. Plain is step-by-step NumPy, on a GPU CuPy. PyTorch's "
    "is the best of its ways to run. In brackets the target; ✗ falls short of it."
)


def shown(device):
    """The contestants that run on a device."""
    return [name for name in NAMES if name != "torch-graph" or device == "cuda"]


def head(device):
    """The table's first two lines."""
    headings = ["case", *(f"{NAMES[name]} tokens/s" for name in shown(device)), "over PyTorch", "over plain"]
    headings += ["µs a step", "of them on the device"] if device == "cuda" else ["of the floor"]
    headings += ["MiB", "PyTorch's MiB", "of PyTorch's"]
    return f"| {' | '.join(headings)} |\n|{' --- |' * len(headings)}"


def best_of_pytorch(result):
    """The name of PyTorch's faster contestant, or None."""
    rates = result["tokens_per_second"]
    return max((name for name in rates if name.startswith("torch")), key=lambda n: np.median(rates[n]), default=None)


def over(result, name, other):
    """One's speed over another's: the median of the ratios of each round; None where either was not measured."""
    rates = result["tokens_per_second"]
    return float(np.median(np.divide(rates[name], rates[other]))) if {name, other} <= set(rates) else None


def row(result):
    """One case as a line of the table."""
    case, on_cuda, rates = CASES[result["case"]], result["device"] == "cuda", result["tokens_per_second"]
    targets, memory = (case.cuda, result["device_mib"]) if on_cuda else (case.targets, result["peak_mib"])
    best = best_of_pytorch(result)
    of_memory = memory["ours"] / memory[best] if best else None
    cells = [
        f"{result['case']}, {result['precision']}" if on_cuda else result["case"],
        *(speed(rates.get(name)) for name in shown(result["device"])),
        held(over(result, "ours", best), targets.torch),
        held(over(result, "ours", "plain"), targets.plain),
        *(times_of_a_step(case, result) if on_cuda else [share_of_the_floor(targets, result)]),
        f"{memory['ours']:.0f}",
        f"{memory[best]:.0f}" if best else "",
        held(of_memory, targets.memory, at_most=True),
    ]
    return f"| {' | '.join(cells)} |"


def share_of_the_floor(targets, result):
    """Our rate over that of a large product, the best of the run."""
    share = np.median(result["tokens_per_second"]["ours"]) / max(result["floors"]) if result["floors"] else None
    return held(share, targets.floor)


def times_of_a_step(case, result):
    """Microseconds of one of our steps, by the host's clock and by the device's."""
    host = case.tokens / np.median(result["tokens_per_second"]["ours"])
    return [f"{1e6 * seconds:,.0f}" for seconds in (host, np.median(result["device_seconds_a_step"]["ours"]))]


def speed(rates):
    """A median with half the range, in percent of it."""
    if not rates:
        return ""
    median = np.median(rates)
    return f"{median:,.0f} ±{50 * (max(rates) - min(rates)) / median:.0f}%"


def held(value, target, at_most=False):
    """A ratio held against its target."""
    if value is None:
        return ""
    if target is None:
        return f"{value:.2f}"
    short = value > target if at_most else value < target
    return f"{value:.2f} ({target:g}){' ✗' if short else ''}"


def remarks(results):
    """What the table does not say: cases with few rounds, contestants that could not run."""
    for result in results:
        if result["rounds"] < result["rounds_meant"]:
            yield f"{result['case']}: {result['rounds']} rounds instead of {result['rounds_meant']}: one takes long."
        for name, reason in result["not_available"].items():
            yield f"{result['case']}: {NAMES[name]} is not available: {reason}"


def draw(results, path):
    """Write a picture of all speeds over PyTorch's best, which is 1; over ours where PyTorch was not measured."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.6 + 1.15 * len(results), 3.6), layout="constrained")
    axes = figure.subplots()
    names = [name for name in NAMES if any(name in result["tokens_per_second"] for result in results)]
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        heights = [over(result, name, best_of_pytorch(result) or "ours") for result in results]
        at = np.arange(len(results)) + (place - (len(names) - 1) / 2) * width
        bars = axes.bar(at, np.array(heights, float), 0.92 * width, color=COLOURS[name], label=NAMES[name])
        if name == "ours":
            axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=9, fontweight="bold", color=COLOURS[name])
    axes.axhline(1, color="black", linewidth=0.8)
    both = len({result["precision"] for result in results}) > 1
    labels = [f"{result['case']}\n{result['precision']}" if both else result["case"] for result in results]
    axes.set_xticks(range(len(results)), labels)
    axes.set_ylabel("tokens per second, PyTorch's best = 1")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.margins(x=0.01)
    figure.legend(loc="outside upper center", ncols=len(names), frameon=False)
    figure.savefig(path, dpi=150)


def main():
    """Table and picture of figures measured before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("json", nargs="+", type=Path, help="files that `python -m benchmarks.versus --json` wrote")
    parser.add_argument("--plot", type=Path, help="write a picture to this file")
    options = parser.parse_args()
    results = [result for path in options.json for result in json.loads(path.read_text())["results"]]
    for result in results:  # of a CPU, if they do not say
        result |= {"device": result.get("device", "cpu"), "precision": result.get("precision", "fp32")}
    for device in dict.fromkeys(result["device"] for result in results):
        print("\n".join([head(device), *(row(one) for one in results if one["device"] == device), ""]))
    print("\n".join([LEGEND, *remarks(results)]))
    if options.plot:
        draw(results, options.plot)


if __name__ == "__main__":
    main()
