"""The CUDA backend: kernels, their sources, and the functions that launch them. Importable without CuPy.

    ops.py         operations whose names or fast implementations differ from NumPy's, by the names of cpu/ops.py
    blas.py        matrix products by direct calls of cuBLAS
    graphs.py      launches recorded once and replayed as a whole (CUDA graphs)
    still.py       freeing what must not be freed during a recording
    launch.py      compiling, on first use, and launching
    source.py      the source text that is compiled
    device.cuh     the macros in which kernels are written; tests define the same ones for a CPU
    reduce.cuh     shared code of kernels: distributing elements to threads, sums and maxima over a block
    cells, dropout, layout, output, rows, update
                   kernels by topic, and the functions that launch them (those of layout.cuh are in skinny.py and
                   lstm_steps.py)
    plan.py, window.py, window.cuh, gru_window.cuh, lstm_window.cuh, rnn_window.cuh
                   whole windows in one launch: their layout, and the functions that launch them
    skinny.py, lstm_steps.py, skinny.cuh
                   products of few rows, and time steps of an LSTM built around one

Each function in the tables of ops.py has the name, arguments and meaning of a plain function decorated `accelerated`.
Tests compare the two: on a CPU, by an emulator that runs the kernels' own source, and on a GPU if there is one.
`RNNLM_FUSED=0` selects the plain functions.
"""
