// GRU, the reset gate after the product, a window in one launch: layers/gru_after.py has the arguments, cells/gru.py the
// equations.

#define WIDTH PADDED(HIDDEN, 8)
#define GRADIENTS PADDED(3 * HIDDEN, 32)

// Eight threads share a unit: each of the first three loads and stores one gate, z r g; two more write h and u.
KERNEL gru_after_window_forward(const REAL* Wh, const REAL* bh, REAL* a, REAL* hs, REAL* us, int T, int N)
{
    SHARED(REAL, states, 2 * ROWS * WIDTH);
    const int lane = THREAD % 32, part = lane % 8, first = lane - part, j = unit(lane / 8);
    const int columns[3] = {j, j < 0 ? j : HIDDEN + j, j < 0 ? j : 2 * HIDDEN + j};
    const size_t step = (size_t)N * HIDDEN;
    const REAL bias = j >= 0 && part < 3 ? bh[part * HIDDEN + j] : 0;
    REAL w[SLICE(HIDDEN, 8)][3], x[ROWS], v[ROWS], u[ROWS], h[ROWS];
    keep<8>(w, Wh, columns, HIDDEN, 3 * HIDDEN, part);
    begin<WIDTH>(states, hs, N);
#define GATE(t) a[3 * ((t) * step + i - j) + part * HIDDEN + j]
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        h[row] = i >= 0 ? hs[i] : 0;
        x[row] = i >= 0 && part < 3 ? GATE(0) : 0;
    }
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
    for (int t = 0; t < T; ++t) {
        const REAL* now = states + t % 2 * ROWS * WIDTH;
        REAL* next = states + (t + 1) % 2 * ROWS * WIDTH;
#pragma unroll
        for (int row = 0; row < ROWS; ++row)
            v[row] = multiply<8>(w, now + row * WIDTH, part, part == 2 ? bias : x[row] + bias);
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const REAL a_g = SHUFFLE(x[row], first + 2);
            u[row] = SHUFFLE(v[row], first + 2);
            v[row] = squash(v[row], true);
            const REAL z = SHUFFLE(v[row], first), r = SHUFFLE(v[row], first + 1);
            const REAL g = tanh(a_g + r * u[row]);
            if (part == 2) v[row] = g;
            h[row] += z * (g - h[row]);
            if (place(row, j, N) >= 0) send<8>(&next[row * WIDTH + j], h[row], part);
        }
        CLUSTER_ARRIVE();
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const long long i = place(row, j, N);
            if (i < 0) continue;
            if (part < 3) GATE(t) = v[row];
            if (part < 3 && t + 1 < T) x[row] = GATE(t + 1);
            if (part == 4) hs[(t + 1) * step + i] = h[row];
            if (part == 5) us[t * step + i] = u[row];
        }
        CLUSTER_WAIT();
    }
#undef GATE
}

// What a backward step reads for one unit.
struct Kept { REAL z, r, g, h_prev, u, dy; };

DEVICE void read(Kept& kept, const REAL* dhs, const REAL* a, const REAL* hs, const REAL* us, size_t at, int j)
{
    const REAL* gate = a + 3 * (at - j) + j;
    kept.z = gate[0], kept.r = gate[HIDDEN], kept.g = gate[2 * HIDDEN];
    kept.h_prev = hs[at], kept.u = us[at], kept.dy = dhs[at];
}

// A warp has four units. Eight threads do the same computation for one; three of them write one gate each, z r g.
KERNEL gru_after_window_backward(
    const REAL* dhs, const REAL* Wh, REAL* a, const REAL* hs, const REAL* us, REAL* das, REAL* dh, int T, int N)
{
    SHARED(REAL, gradients, 2 * ROWS * GRADIENTS);
    const int lane = THREAD % 32, copy = lane / 4, gate = copy % 4, j = unit(lane % 4);
    const size_t step = (size_t)N * HIDDEN;
    int columns[4];
    for (int q = 0; q < 4; ++q) columns[q] = unit(q) * 3 * HIDDEN;
    REAL w[SLICE(3 * HIDDEN, 32)][4], of_input[ROWS], of_state[ROWS], d_state[ROWS];
    Kept kept[ROWS] = {};
    keep<32>(w, Wh, columns, 3 * HIDDEN, 1, lane);
    begin<GRADIENTS>(gradients, nullptr, N);
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        d_state[row] = i >= 0 ? dh[i] : 0;
        if (i >= 0) read(kept[row], dhs, a, hs, us, (T - 1) * step + i, j);
    }
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
    for (int t = T - 1; t >= 0; --t) {
        REAL* now = gradients + t % 2 * ROWS * GRADIENTS;
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const Kept& s = kept[row];
            const REAL d = s.dy + d_state[row], dg = d * s.z, da_g = dg * (1 - s.g * s.g);
            const REAL da_z = d * (s.g - s.h_prev) * s.z * (1 - s.z), da_r = da_g * s.u * s.r * (1 - s.r);
            of_input[row] = gate == 0 ? da_z : gate == 1 ? da_r : da_g;
            of_state[row] = gate == 2 ? da_g * s.r : of_input[row];
            d_state[row] = d - dg;
            if (place(row, j, N) >= 0 && gate < 3)
                send<2>(&now[row * GRADIENTS + gate * HIDDEN + j], of_state[row], copy / 4);
        }
        CLUSTER_ARRIVE();
        SYNC_WARP();  // all threads of a unit have its gates before one writes over them
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const long long i = place(row, j, N);
            if (i < 0) continue;
            const size_t at = 3 * (t * step + i - j) + gate * HIDDEN + j;
            if (copy < 3) a[at] = of_input[row], das[at] = of_state[row];
            if (t) read(kept[row], dhs, a, hs, us, (t - 1) * step + i, j);
        }
        CLUSTER_WAIT();
#pragma unroll
        for (int row = 0; row < ROWS; ++row) d_state[row] += multiply<32>(w, now + row * GRADIENTS, lane, 0);
    }
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        if (i >= 0 && copy == 0) dh[i] = d_state[row];
    }
}
