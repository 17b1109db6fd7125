"""NVRTC, the compiler that CuPy uses at run time: it needs no GPU, and refuses what nvcc lets pass."""

import ctypes
from functools import cache

MISSING = "needs NVRTC: pip install nvidia-cuda-nvrtc cuda-pathfinder"


@cache
def library():
    """The shared library; None where it is not installed."""
    try:
        from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
    except ImportError:
        return None
    try:
        return ctypes.CDLL(load_nvidia_dynamic_lib("nvrtc").abs_path)
    except DynamicLibNotFoundError:
        return None


def compiled(text, *options):
    """The size of the cubin in bytes, and the compiler's log; an AssertionError with the log where it fails."""
    nvrtc, program, size = library(), ctypes.c_void_p(), ctypes.c_size_t()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None) == 0
    given = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size))
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    log = log.value.decode()
    assert failed == 0, log
    return size.value, log
