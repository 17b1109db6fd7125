"""What was measured, as a Markdown table and as a picture.

python -m benchmarks.report figures.json more.json --plot speed.png
"""

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.cases import CASES
from benchmarks.contestants import CONTESTANTS

LEGEND = (
    "Medians over rounds of bursts in turns, ± half the range. Plain is step-by-step NumPy, on a GPU CuPy. PyTorch's "
    "is the best of its ways to run in float32; less exact ones compute with bfloat16 or int8, and nothing is held "
    "against them. In brackets the target; ✗ falls short of it."
)


def measured(results):
    """The contestants that have figures, in the order of the table."""
    return [name for name in CONTESTANTS if any(name in result["tokens_per_second"] for result in results)]


def head(device, names):
    """The table's first two lines, with a column for each contestant."""
    headings = ["case", *(f"{CONTESTANTS[name].title} tokens/s" for name in names), "over PyTorch", "over plain"]
    headings += ["µs a step", "of them on the device"] if device == "cuda" else ["of the floor"]
    headings += ["MiB", "PyTorch's MiB", "of PyTorch's"]
    return f"| {' | '.join(headings)} |\n|{' --- |' * len(headings)}"


def best_of_pytorch(result):
    """The name of PyTorch's fastest contestant that does the same work, or None."""
    rates = result["tokens_per_second"]
    same = [name for name in rates if "torch" in CONTESTANTS[name].needs and not CONTESTANTS[name].less_exact]
    return max(same, key=lambda name: np.median(rates[name]), default=None)


def over(result, name, other):
    """One's speed over another's: the median of the ratios of each round; None where either was not measured."""
    rates = result["tokens_per_second"]
    return float(np.median(np.divide(rates[name], rates[other]))) if {name, other} <= set(rates) else None


def memory_of(result):
    """Peak memory in MiB of each contestant, on a GPU the device's."""
    return result["device_mib" if result["device"] == "cuda" else "peak_mib"]


def ratios(result):
    """All that is held against a target, by name; None where it was not measured."""
    best, memory, rates = best_of_pytorch(result), memory_of(result), result["tokens_per_second"]
    floors = result["floors"]
    return {
        "over PyTorch": over(result, "ours", best),
        "over plain": over(result, "ours", "plain"),
        "of the floor": float(np.median(rates["ours"]) / max(floors)) if floors else None,  # the best of the run
        "of PyTorch's memory": memory["ours"] / memory[best] if best else None,
    }


def row(result, names):
    """One case as a line of the table."""
    case, on_cuda, rates = CASES[result["case"]], result["device"] == "cuda", result["tokens_per_second"]
    targets, memory, ratio = case.cuda if on_cuda else case.targets, memory_of(result), ratios(result)
    best = best_of_pytorch(result)
    cells = [
        f"{result['case']}, {result['precision']}" if on_cuda else result["case"],
        *(speed(rates.get(name)) for name in names),
        held(ratio["over PyTorch"], targets.torch),
        held(ratio["over plain"], targets.plain),
        *(times_of_a_step(case, result) if on_cuda else [held(ratio["of the floor"], targets.floor)]),
        f"{memory['ours']:.0f}",
        f"{memory[best]:.0f}" if best else "",
        held(ratio["of PyTorch's memory"], targets.memory, at_most=True),
    ]
    return f"| {' | '.join(cells)} |"


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
    """What the table does not say: cases with few rounds, contestants that could not run, both values of ratios."""
    for result in results:
        if result["rounds"] < result["rounds_meant"]:
            yield f"{result['case']}: {result['rounds']} rounds instead of {result['rounds_meant']}: one takes long."
        for name, reason in result["not_available"].items():
            yield f"{result['case']}: {CONTESTANTS[name].title} is not available: {reason}"
        if "again" in result:
            yield f"{result['case']}, measured twice: {spread(result)}."


def spread(result):
    """Both values of each ratio of a case that was measured two times over."""
    first, second = ratios(result), ratios(result["again"])
    return ", ".join(
        f"{a:.2f} and {b:.2f} {name}" for (name, a), b in zip(first.items(), second.values()) if None not in (a, b)
    )


def draw(results, path):
    """Write a picture of all speeds over PyTorch's best, which is 1; over ours where PyTorch was not measured."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.6 + 1.15 * len(results), 3.6), layout="constrained")
    axes = figure.subplots()
    names = measured(results)
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        heights = [over(result, name, best_of_pytorch(result) or "ours") for result in results]
        at = np.arange(len(results)) + (place - (len(names) - 1) / 2) * width
        one = CONTESTANTS[name]
        bars = axes.bar(at, np.array(heights, float), 0.92 * width, color=one.colour, label=one.title)
        if name == "ours":
            axes.bar_label(bars, fmt="%.1f", padding=2, fontsize=9, fontweight="bold", color=one.colour)
    axes.axhline(1, color="black", linewidth=0.8)
    both = len({result["precision"] for result in results}) > 1
    labels = [f"{result['case']}\n{result['precision']}" if both else result["case"] for result in results]
    axes.set_xticks(range(len(results)), labels)
    axes.set_ylabel("tokens per second, PyTorch's best = 1")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", length=0)
    axes.margins(x=0.01)
    figure.legend(loc="outside upper center", ncols=min(4, len(names)), frameon=False)
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
        there = [one for one in results if one["device"] == device]
        names = measured(there)
        print("\n".join([head(device, names), *(row(one, names) for one in there), ""]))
    print("\n".join([LEGEND, *remarks(results)]))
    if options.plot:
        draw(results, options.plot)


if __name__ == "__main__":
    main()
