"""What a training step asks of a GPU, counted on the tests' stand-in for CuPy: no GPU is needed, and nothing is timed.

    python -m benchmarks.launches

Launches are kernels, products and copies; allocations those that CuPy's memory pool serves; waits those for a value of
the device. The layers are small, which changes none of the counts: a layer whose window takes one launch at its real
size on an H100 (`backend/cuda/plan.py`) takes one here.
"""

import os
from dataclasses import replace

from tests import strict_cupy

WHOLE, STEPWISE = 8, 12  # sizes that stand for those whose windows take one launch, and for others
PROCESSORS = 132  # of an H100


def small(case):
    """A case with its layers and window, and with little to compute."""
    from rnnlm.backend.cuda import plan

    def of(size):
        return WHOLE if plan.best(f"{case.sizes.cell}_window", size, case.N, PROCESSORS) else STEPWISE

    last_H = case.sizes.last_H and of(case.sizes.last_H)
    return replace(case, sizes=replace(case.sizes, D=of(case.sizes.D), H=of(case.sizes.H), V=20, last_H=last_H))


def plan_of_small(_module, H, _N):
    """What to do with a small layer, in place of `plan.here`."""
    from rnnlm.backend.cuda.plan import Plan

    return Plan(1, 1) if H == WHOLE else None


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
    from rnnlm.backend.cuda import plan

    plan.here = plan_of_small
    print("| case | launches | plain | allocations | plain | waits for the device | plain |\n|" + " --- |" * 7)
    for case in CASES.values():
        if case.task == "training":
            pairs = zip(counts(small(case), "ours"), counts(small(case), "plain"))
            print(f"| {case.name} | {' | '.join(f'{ours:,} | {plain:,}' for ours, plain in pairs)} |")


if __name__ == "__main__":
    main()
