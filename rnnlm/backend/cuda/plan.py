"""How a window of a recurrent layer is laid out on a GPU, if one launch for all its time steps is the way."""

from functools import cache
from typing import NamedTuple

__all__ = ["GATES", "Plan", "best", "clustered", "cycles", "defines", "fits", "here", "threads", "up"]

GATES = {"gru_window": 3, "lstm_window": 4, "rnn_window": 1}  # of the cell that a module of kernels is for
GENERATIONS = (9, 10)  # compute capabilities, before the point, whose clusters can have 16 blocks
SHARED = 48 << 10  # bytes of shared memory that a block has unasked
REGISTERS = 255  # that a thread can have
LOOP = 6000  # cycles, 3.5 microseconds: what the two launches of a step take at least, where a step has its own


class Plan(NamedTuple):
    """Blocks in a cluster, and rows of the batch that one cluster has."""

    cluster: int
    rows: int


def up(count: int, unit: int) -> int:
    """How many units have room for `count`."""
    return -(-count // unit)


def threads(H: int, cluster: int) -> int:
    """Of a block: a warp for each four of its hidden units."""
    return 32 * up(up(H, cluster), 4)


def defines(H: int, way: Plan) -> tuple[tuple[str, int], ...]:
    """The sizes that kernels are compiled for, by their names in the text."""
    return ("THREADS", threads(H, way.cluster)), ("HIDDEN", H), ("CLUSTER", way.cluster), ("ROWS", way.rows)


def _at_a_time(H: int, cluster: int) -> int:
    """Warps that share one of the four register files of a multiprocessor, 16,384 registers, and one scheduler."""
    return up(threads(H, cluster), 128)


def _weights(gates: int, H: int) -> int:
    """That a thread keeps on the way back, where it keeps most: of four units the share of one thread of 32."""
    return 4 * up(gates * H, 32)


def fits(gates: int, H: int, way: Plan) -> bool:
    """Whether a block's weights find room in registers, and the vectors they are multiplied with in shared memory."""
    warps = _at_a_time(H, way.cluster)
    have = min(512 // warps // 8 * 8, REGISTERS)
    need = _weights(gates, H) + 30 + 22 * way.rows  # as compilers of CUDA 13 have it; a test looks that it is enough
    return warps <= 8 and need <= have and 2 * way.rows * (gates * H + 31) * 4 <= SHARED


def cycles(gates: int, H: int, N: int, processors: int, way: Plan) -> float:
    """About what a step takes: its arithmetic and a barrier, once for each round if not all clusters run at once."""
    at_once = processors // way.cluster
    rounds = up(up(N, way.rows), at_once) if at_once else float("inf")
    arithmetic = way.rows * _at_a_time(H, way.cluster) * (1.25 * _weights(gates, H) + 80)
    return rounds * (arithmetic + (60 if way.cluster == 1 else 500))


def best(module: str, H: int, N: int, processors: int) -> Plan | None:
    """The fastest way, by the estimate, for H units and N rows on so many multiprocessors; None if a loop is faster."""
    gates = GATES[module]

    def estimate(way: Plan) -> float:
        return cycles(gates, H, N, processors, way)

    ways = [Plan(cluster, rows) for cluster in (1, 2, 4, 8, 16) for rows in (1, 2, 4)]
    return min((way for way in ways if fits(gates, H, way) and estimate(way) <= LOOP), key=estimate, default=None)


def clustered() -> bool:
    """Whether blocks form clusters on the GPU that is in use."""
    import cupy

    return int(cupy.cuda.Device().compute_capability[:-1]) in GENERATIONS


@cache
def here(module: str, H: int, N: int) -> Plan | None:
    """The plan for the GPU that is in use; None on one whose blocks form no clusters."""
    import cupy

    if not clustered():
        return None
    return best(module, H, N, cupy.cuda.Device().attributes["MultiProcessorCount"])
