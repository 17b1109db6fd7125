"""The machine's processor and memory."""

import os
import platform
from pathlib import Path

__all__ = ["memory", "processor"]

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container
CPUINFO = Path("/proc/cpuinfo")  # on Linux, where the platform module has only the architecture


def memory() -> int | None:
    """Return the memory of this machine in bytes, or the limit of its container if lower; None if unknown."""
    found = [_limit(Path(path)) for path in LIMITS]
    if hasattr(os, "sysconf"):  # not on Windows
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((size for size in found if size is not None), default=None)


def processor() -> str | None:
    """Return the processor's name as the system reports it; None if unknown."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or None


def _limit(path: Path) -> int | None:
    """Return the limit in a file of the kernel's; None if there is no such file or no limit (`max`)."""
    try:
        said = path.read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(said) if said.isdecimal() else None
