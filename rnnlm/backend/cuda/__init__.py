"""CUDA: fused kernels, their sources and what launches them. Importable without CuPy.

    device.cuh     the few words that kernels are written in; tests have the same words for a CPU
    reduce.cuh     what all kernels share: elements dealt out to threads, sums and maxima over a block
    *.cuh          one file of kernels for each of the other modules here, whose functions launch them
    source.py      the text that is compiled
    launch.py      compiling, on first use, and launching
    plan.py        how a window of a recurrent layer is laid out, and whether it is one launch (see window.cuh)

Each function has the name, the arguments and the meaning of a plain one that is decorated `accelerated`. Tests hold it
against that one: on a CPU, where the kernels' own source is run by an emulator, and on a
GPU where there is one. `RNNLM_FUSED=0` leaves the plain ones in place.
"""
