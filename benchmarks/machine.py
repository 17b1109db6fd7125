"""What figures were measured with: processor, BLAS with its kernels, threads, versions, GPU."""

import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from rnnlm.backend.cpu.blas import FORCING, forced_kernels
from rnnlm.backend.cpu.machine import processor

MEASURED_BESIDE = ("numpy", "torch", "onnxruntime", "cupy-cuda12x", "cupy-cuda13x")
OWN_KERNELS = f"env -u {FORCING} -u OPENBLAS_L2_SIZE"  # the second is set beside the first, to its kernels' measure


def machine(device):
    """All of it by name, as the JSON file has it."""
    return {
        "machine": platform.machine(),
        "processor": processor(),
        "cpu_count": os.cpu_count(),
        "python": platform.python_version(),
        "backend": asked("from rnnlm.backend import ops; print(ops.describe())", RNNLM_DEVICE=device),
        "forced_kernels": forced_kernels(),
        **versions(*MEASURED_BESIDE),
        **({"gpu": gpu(), "cuda": cuda_versions()} if device == "cuda" else {}),
    }


def header(with_what):
    """The same in a line, to stand above figures; what is forced is told there, too."""
    name = with_what["processor"] or "processor unknown"
    told = [f"{name}, {with_what['cpu_count']} cores", with_what["backend"], with_what["forced_kernels"]]
    return "; ".join(filter(None, told))


def versions(*names):
    """Those of the distributions that are installed."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def asked(code, **variables):
    """What a process of its own prints, of whose libraries nothing stays in this one; None where it can't."""
    env = {**os.environ, **variables}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    return told.stdout.strip() or None


def cuda_versions():
    """Those of CUDA and cuDNN that PyTorch brings."""
    return asked("import torch; print(torch.version.cuda, torch.backends.cudnn.version())")


def gpu():
    """Name, driver and clocks of the GPU, as nvidia-smi has them."""
    fields = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return told.stdout.strip() or None
