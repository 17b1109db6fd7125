// Elman RNN with tanh, a window in one launch: layers/rnn.py has the equations and the arguments.
// A warp has four units. Eight threads share a unit; the first of them loads and stores.

#define WIDTH PADDED(HIDDEN, 32)

KERNEL rnn_window_forward(const REAL* Wh, REAL* hs, int T, int N)
{
    SHARED(REAL, states, 2 * ROWS * WIDTH);
    const int lane = THREAD % 32, copy = lane / 4, j = unit(lane % 4);
    const int columns[4] = {unit(0), unit(1), unit(2), unit(3)};
    const size_t step = (size_t)N * HIDDEN;
    REAL w[SLICE(HIDDEN, 32)][4], x[ROWS], h[ROWS];
    keep<32>(w, Wh, columns, HIDDEN, HIDDEN, lane);
    begin<WIDTH>(states, hs, N);
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        x[row] = i >= 0 && copy == 0 ? hs[step + i] : 0;
    }
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
    for (int t = 0; t < T; ++t) {
        const REAL* now = states + t % 2 * ROWS * WIDTH;
        REAL* next = states + (t + 1) % 2 * ROWS * WIDTH;
#pragma unroll
        for (int row = 0; row < ROWS; ++row) h[row] = tanh(multiply<32>(w, now + row * WIDTH, lane, x[row]));
#pragma unroll
        for (int row = 0; row < ROWS; ++row)
            if (place(row, j, N) >= 0) send<8>(&next[row * WIDTH + j], h[row], copy);
        CLUSTER_ARRIVE();
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const long long i = place(row, j, N);
            if (i < 0 || copy) continue;
            hs[(t + 1) * step + i] = h[row];
            if (t + 1 < T) x[row] = hs[(t + 2) * step + i];
        }
        CLUSTER_WAIT();
    }
}

KERNEL rnn_window_backward(const REAL* dhs, const REAL* Wh, const REAL* hs, REAL* das, REAL* dh, int T, int N)
{
    SHARED(REAL, gradients, 2 * ROWS * WIDTH);
    const int lane = THREAD % 32, copy = lane / 4, j = unit(lane % 4);
    const int columns[4] = {unit(0) * HIDDEN, unit(1) * HIDDEN, unit(2) * HIDDEN, unit(3) * HIDDEN};
    const size_t step = (size_t)N * HIDDEN;
    REAL w[SLICE(HIDDEN, 32)][4], da[ROWS], d_state[ROWS], dy[ROWS], h[ROWS];
    keep<32>(w, Wh, columns, HIDDEN, 1, lane);
    begin<WIDTH>(gradients, nullptr, N);
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        d_state[row] = i >= 0 ? dh[i] : 0;
        dy[row] = i >= 0 ? dhs[(T - 1) * step + i] : 0;
        h[row] = i >= 0 ? hs[T * step + i] : 0;
    }
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
    for (int t = T - 1; t >= 0; --t) {
        REAL* now = gradients + t % 2 * ROWS * WIDTH;
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            da[row] = (dy[row] + d_state[row]) * (1 - h[row] * h[row]);
            if (place(row, j, N) >= 0) send<8>(&now[row * WIDTH + j], da[row], copy);
        }
        CLUSTER_ARRIVE();
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const long long i = place(row, j, N);
            if (i < 0) continue;
            if (copy == 0) das[t * step + i] = da[row];
            if (t) dy[row] = dhs[(t - 1) * step + i], h[row] = hs[t * step + i];
        }
        CLUSTER_WAIT();
#pragma unroll
        for (int row = 0; row < ROWS; ++row) d_state[row] = multiply<32>(w, now + row * WIDTH, lane, 0);
    }
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        if (i >= 0 && copy == 0) dh[i] = d_state[row];
    }
}
