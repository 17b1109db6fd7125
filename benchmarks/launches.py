"""What a training step asks of a GPU, counted on the tests' stand-in for CuPy: no GPU is needed, and nothing is timed.

    python -m benchmarks.launches

Launches are kernels, products and copies; allocations those that CuPy's memory pool serves; waits those for a value of
the device. The layers are small, which changes none of the counts.
"""

import os
from dataclasses import replace

from tests import strict_cupy


def small(case):
    """A case with its layers and window, and with little to compute."""
    sizes = replace(case.sizes, D=8, H=8, V=20, last_H=case.sizes.last_H and 8)
    return replace(case, sizes=sizes)


def counts(case, name):
    """Launches, allocations and waits of a step that is not the first."""
    from benchmarks.contestants import contestant

    runner = contestant(name, case, case.sizes.model().state_dict())
    window = runner.place(*case.inputs()[0])
    for _ in range(4):  # until launches are replayed
        runner.step(*window)
    strict_cupy.stats.reset()
    runner.step(*window)
    stats = strict_cupy.stats
    return stats.launches, stats.allocations, stats.syncs


def main():
    """Print the table."""
    strict_cupy.install()
    os.environ["RNNLM_DEVICE"] = "cuda"
    from rnnlm.backend.cuda import blas

    blas.library = strict_cupy.cublas
    from benchmarks.cases import CASES

    print("| case | launches | plain | allocations | plain | waits for the device | plain |\n|" + " --- |" * 7)
    for case in CASES.values():
        if case.task == "training":
            pairs = zip(counts(small(case), "ours"), counts(small(case), "plain"))
            print(f"| {case.name} | {' | '.join(f'{ours:,} | {plain:,}' for ours, plain in pairs)} |")


if __name__ == "__main__":
    main()
