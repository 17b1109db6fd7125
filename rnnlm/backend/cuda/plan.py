"""Layout on a GPU of a recurrent layer's window in one launch, and whether that is faster than a loop of launches."""

from functools import cache
from typing import NamedTuple

__all__ = ["GATES", "Plan", "best", "clustered", "cycles", "defines", "fits", "here", "threads", "up"]

GATES = {"gru_window": 3, "lstm_window": 4, "rnn_window": 1}  # gates of the cell of each module of kernels
GENERATIONS = (9, 10)  # major compute capabilities whose clusters can have 16 blocks
SHARED = 48 << 10  # bytes of shared memory that a block has by default
REGISTERS = 255  # most registers of a thread
LOOP = 6000  # cycles, 3.5 microseconds: least time of a step in a loop, which takes two launches


class Plan(NamedTuple):
    """The number of blocks in a cluster, and of rows of the batch that a cluster computes."""

    cluster: int
    rows: int


def up(count: int, unit: int) -> int:
    """Return count / unit, rounded up."""
    return -(-count // unit)


def threads(H: int, cluster: int) -> int:
    """Return the number of threads in a block: a warp for each four of its hidden units."""
    return 32 * up(up(H, cluster), 4)


def defines(H: int, way: Plan) -> tuple[tuple[str, int], ...]:
    """Return the sizes for which kernels are compiled, by their names in the source."""
    return ("THREADS", threads(H, way.cluster)), ("HIDDEN", H), ("CLUSTER", way.cluster), ("ROWS", way.rows)


def _at_a_time(H: int, cluster: int) -> int:
    """Return the number of warps that share one scheduler of a multiprocessor and its 16,384 registers."""
    return up(threads(H, cluster), 128)


def _weights(gates: int, H: int) -> int:
    """Return how many weights a thread holds in backward, where it holds most: 1/32 of those of four hidden units."""
    return 4 * up(gates * H, 32)


def fits(gates: int, H: int, way: Plan) -> bool:
    """Return whether a block's weights fit in registers, and the vectors that they multiply in shared memory."""
    warps = _at_a_time(H, way.cluster)
    have = min(512 // warps // 8 * 8, REGISTERS)
    need = _weights(gates, H) + 30 + 22 * way.rows  # as compiled by CUDA 13; a test checks that it is enough
    return warps <= 8 and need <= have and 2 * way.rows * (gates * H + 31) * 4 <= SHARED


def cycles(gates: int, H: int, N: int, processors: int, way: Plan) -> float:
    """Estimate the cycles of a step: arithmetic and a barrier, times the rounds if not all clusters run at once."""
    at_once = processors // way.cluster
    rounds = up(up(N, way.rows), at_once) if at_once else float("inf")
    arithmetic = way.rows * _at_a_time(H, way.cluster) * (1.25 * _weights(gates, H) + 80)
    return rounds * (arithmetic + (60 if way.cluster == 1 else 500))


def best(module: str, H: int, N: int, processors: int) -> Plan | None:
    """Return the plan estimated fastest for H units and N rows on `processors` multiprocessors; None for a loop."""
    gates = GATES[module]

    def estimate(way: Plan) -> float:
        return cycles(gates, H, N, processors, way)

    ways = [Plan(cluster, rows) for cluster in (1, 2, 4, 8, 16) for rows in (1, 2, 4)]
    return min((way for way in ways if fits(gates, H, way) and estimate(way) <= LOOP), key=estimate, default=None)


def clustered() -> bool:
    """Return whether the current GPU supports clusters of 16 blocks."""
    import cupy

    return int(cupy.cuda.Device().compute_capability[:-1]) in GENERATIONS


@cache
def here(module: str, H: int, N: int) -> Plan | None:
    """Return the plan for the current GPU; None if a loop is faster or the GPU has no such clusters."""
    import cupy

    if not clustered():
        return None
    return best(module, H, N, cupy.cuda.Device().attributes["MultiProcessorCount"])
