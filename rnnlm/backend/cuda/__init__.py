"""CUDA: kernels, their sources and what launches them. Importable without CuPy.

    ops.py         what CuPy spells or speeds differently, by the names of cpu/ops.py
    blas.py        matrix products by cuBLAS itself
    graphs.py      launches recorded once and replayed as a whole
    still.py       what may not be given back meanwhile
    launch.py      compiling, on first use, and launching
    source.py      the text that is compiled
    device.cuh     the few words that kernels are written in; tests have the same words for a CPU
    reduce.cuh     what kernels share: elements dealt out to threads, sums and maxima over a block
    cells, dropout, layout, output, rows, update
                   kernels by room, and the functions that launch them (those of layout.cuh stand in skinny.py and
                   lstm_steps.py)
    plan.py, window.py, window.cuh, gru_window.cuh, lstm_window.cuh, rnn_window.cuh
                   windows in one launch: how they are laid out, and what launches them
    skinny.py, lstm_steps.py, skinny.cuh
                   products of few rows, and time steps of an LSTM around one

Each function that stands in the tables of ops.py has the name, the arguments and the meaning of a plain one that is
decorated `accelerated`. Tests hold it against that one: on a CPU, where the kernels' own source is run by an emulator,
and on a GPU where there is one. `RNNLM_FUSED=0` leaves the plain ones in place.
"""
