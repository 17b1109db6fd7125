// LSTM, a window in one launch: layers/lstm.py has the equations and the arguments.

#define WIDTH PADDED(HIDDEN, 8)
#define GRADIENTS PADDED(4 * HIDDEN, 32)

// Eight threads share a unit: each of the first four loads and stores one gate, f g i o; two more write h and c.
KERNEL lstm_window_forward(const REAL* Wh, REAL* a, REAL* hs, REAL* cs, int T, int N)
{
    SHARED(REAL, states, 2 * ROWS * WIDTH);
    const int lane = THREAD % 32, part = lane % 8, gate = part % 4, j = unit(lane / 8);
    const int columns[4] = {j, j < 0 ? j : HIDDEN + j, j < 0 ? j : 2 * HIDDEN + j, j < 0 ? j : 3 * HIDDEN + j};
    const size_t step = (size_t)N * HIDDEN;
    REAL w[SLICE(HIDDEN, 8)][4], x[ROWS], v[ROWS], c[ROWS], h[ROWS];
    keep<8>(w, Wh, columns, HIDDEN, 4 * HIDDEN, part);
    begin<WIDTH>(states, hs, N);
#define GATE(t) a[4 * ((t) * step + i - j) + gate * HIDDEN + j]
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        c[row] = i >= 0 ? cs[i] : 0;
        x[row] = i >= 0 && part < 4 ? GATE(0) : 0;
    }
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
    for (int t = 0; t < T; ++t) {
        const REAL* now = states + t % 2 * ROWS * WIDTH;
        REAL* next = states + (t + 1) % 2 * ROWS * WIDTH;
#pragma unroll
        for (int row = 0; row < ROWS; ++row) v[row] = multiply<8>(w, now + row * WIDTH, part, x[row]);
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            v[row] = squash(v[row], gate != 1);
            const REAL f = SHUFFLE(v[row], lane - part), g = SHUFFLE(v[row], lane - part + 1);
            const REAL in = SHUFFLE(v[row], lane - part + 2), o = SHUFFLE(v[row], lane - part + 3);
            c[row] = f * c[row] + g * in;
            h[row] = o * tanh(c[row]);
            if (place(row, j, N) >= 0) send<8>(&next[row * WIDTH + j], h[row], part);
        }
        CLUSTER_ARRIVE();
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const long long i = place(row, j, N);
            if (i < 0) continue;
            if (part < 4) GATE(t) = v[row];
            if (part < 4 && t + 1 < T) x[row] = GATE(t + 1);
            if (part == 4) hs[(t + 1) * step + i] = h[row];
            if (part == 5) cs[(t + 1) * step + i] = c[row];
        }
        CLUSTER_WAIT();
    }
#undef GATE
}

// What a backward step reads for one unit.
struct Kept { REAL f, g, in, o, c_prev, c, dy; };

DEVICE void read(Kept& kept, const REAL* dhs, const REAL* a, const REAL* cs, size_t at, int j)
{
    const REAL* gate = a + 4 * (at - j) + j;
    kept.f = gate[0], kept.g = gate[HIDDEN], kept.in = gate[2 * HIDDEN], kept.o = gate[3 * HIDDEN];
    kept.c = kept.c_prev, kept.c_prev = cs[at], kept.dy = dhs[at];
}

// A warp has four units. Eight threads do the same computation for one; four of them write one gate each, f g i o.
KERNEL lstm_window_backward(
    const REAL* dhs, const REAL* Wh, REAL* a, const REAL* cs, REAL* dh, REAL* dc, int T, int N)
{
    SHARED(REAL, das, 2 * ROWS * GRADIENTS);
    const int lane = THREAD % 32, copy = lane / 4, gate = copy % 4, j = unit(lane % 4);
    const size_t step = (size_t)N * HIDDEN;
    int columns[4];
    for (int q = 0; q < 4; ++q) columns[q] = unit(q) * 4 * HIDDEN;
    REAL w[SLICE(4 * HIDDEN, 32)][4], v[ROWS], d_state[ROWS], d_cell[ROWS];
    Kept kept[ROWS] = {};
    keep<32>(w, Wh, columns, 4 * HIDDEN, 1, lane);
    begin<GRADIENTS>(das, nullptr, N);
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        d_state[row] = i >= 0 ? dh[i] : 0;
        d_cell[row] = i >= 0 ? dc[i] : 0;
        if (i < 0) continue;
        kept[row].c_prev = cs[T * step + i];
        read(kept[row], dhs, a, cs, (T - 1) * step + i, j);
    }
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
    for (int t = T - 1; t >= 0; --t) {
        REAL* now = das + t % 2 * ROWS * GRADIENTS;
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const Kept& s = kept[row];
            const REAL tanh_c = tanh(s.c), d = s.dy + d_state[row];
            const REAL dct = d_cell[row] + d * s.o * (1 - tanh_c * tanh_c);
            const REAL df = dct * s.c_prev * s.f * (1 - s.f), dg = dct * s.in * (1 - s.g * s.g);
            const REAL di = dct * s.g * s.in * (1 - s.in), d_o = d * tanh_c * s.o * (1 - s.o);
            v[row] = gate == 0 ? df : gate == 1 ? dg : gate == 2 ? di : d_o;
            d_cell[row] = dct * s.f;
            if (place(row, j, N) >= 0) send<2>(&now[row * GRADIENTS + gate * HIDDEN + j], v[row], copy / 4);
        }
        CLUSTER_ARRIVE();
        SYNC_WARP();  // all threads of a unit have its gates before one writes over them
#pragma unroll
        for (int row = 0; row < ROWS; ++row) {
            const long long i = place(row, j, N);
            if (i < 0) continue;
            if (copy < 4) a[4 * (t * step + i - j) + gate * HIDDEN + j] = v[row];
            if (t) read(kept[row], dhs, a, cs, (t - 1) * step + i, j);
        }
        CLUSTER_WAIT();
#pragma unroll
        for (int row = 0; row < ROWS; ++row) d_state[row] = multiply<32>(w, now + row * GRADIENTS, lane, 0);
    }
#pragma unroll
    for (int row = 0; row < ROWS; ++row) {
        const long long i = place(row, j, N);
        if (i >= 0 && copy == 0) dh[i] = d_state[row], dc[i] = d_cell[row];
    }
}
