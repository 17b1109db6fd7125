// Product of few rows, out = a B, in float32, as at each time step of a recurrence.
//
// A cluster of CLUSTER blocks computes a tile of columns; each of its blocks takes a slice of DEPTH. In a block a
// thread has four columns and every PARTS-th row of B in the slice, and multiplies them with all ROWS rows of `a`, with
// sums in registers: each entry of B is read once, by one thread; entries of `a` come from shared memory, where all
// threads of a part read the same one. Then the parts are added up in shared memory, and each block of the cluster gets
// its share of the other blocks' sums, adds them and writes the result. The order of all sums is fixed.
//
// These lines must be preceded by #define ROWS (a multiple of 4), DEPTH (rows of B), COLUMNS (of B), GROUPS (of four
// columns in a tile) and AHEAD (loads of B that a thread has in flight).
struct alignas(16) Four { float at[4]; };

#define UP(count, unit) (((count) + (unit) - 1) / (unit))
#define PARTS (THREADS / GROUPS)
#define SLICE UP(DEPTH, CLUSTER)
#define STEPS UP(SLICE, PARTS)                     // rows of B for each thread
#define LONG (STEPS * PARTS)                       // a slice and the zeros after it
#define QUADS (ROWS / 4)
#define PITCH (QUADS | 1)                          // an odd number of 16 bytes from row to row: no bank conflicts
#define SUMS (ROWS * GROUPS)                       // of four columns, in a tile
#define SHARE UP(SUMS, CLUSTER)
#define WORK_A (LONG * PITCH)
#define WORK_SUMS (SUMS * PARTS)
#define WORK (WORK_A > WORK_SUMS ? WORK_A : WORK_SUMS)

// Adds the product of one row of B with all rows of `a` to a thread's sums.
DEVICE void add_product(float (&sum)[ROWS][4], const Four* column, const Four& b)
{
    #pragma unroll
    for (int quad = 0; quad < QUADS; ++quad) {
        const Four x = column[quad];
        #pragma unroll
        for (int i = 0; i < 16; ++i) sum[4 * quad + i / 4][i % 4] += x.at[i / 4] * b.at[i % 4];
    }
}

DEVICE void add_four(Four& total, const Four& one)
{
    #pragma unroll
    for (int i = 0; i < 4; ++i) total.at[i] += one.at[i];
}

// The products of M rows of `a`, M <= ROWS, with a tile of B. When all parts are added up, the thread that has four of
// them calls finish(row, group of four columns, sums). B's rows are aligned to 16 bytes and have whole groups of four.
template <class Finish>
DEVICE void multiply_rows(const float* a, int a_stride, const float* B, int B_stride, int M, const Finish& finish)
{
    SHARED_AT_LAUNCH(Four, work, WORK + CLUSTER * SHARE);
    Four* received = work + WORK;
    const int rank = BLOCK % CLUSTER, first = BLOCK / CLUSTER * GROUPS, group = THREAD % GROUPS, part = THREAD / GROUPS;
    const int begin = rank * SLICE, size = smaller(SLICE, DEPTH - begin);  // may be 0 or less
    const bool reads = part < PARTS && 4 * (first + group) < COLUMNS;
    const Four* entry = (const Four*)(B + (size_t)(begin + part) * B_stride + 4 * (first + group));
    const size_t stride = (size_t)PARTS * B_stride / 4;
    const Four none = {};

    Four b[AHEAD];
    #pragma unroll
    for (int i = 0; i < AHEAD; ++i) b[i] = reads && part + i * PARTS < size ? entry[i * stride] : none;
    #pragma unroll 8
    for (int n = 0; n < UP(LONG * QUADS, THREADS); ++n) {  // the slice of `a`, transposed
        const int i = n * THREADS + THREAD, quad = i / LONG, k = i % LONG;
        Four x;
        #pragma unroll
        for (int r = 0; r < 4; ++r)
            x.at[r] = 4 * quad + r < M && k < size ? a[(4 * quad + r) * a_stride + begin + k] : 0;
        if (quad < QUADS) work[k * PITCH + quad] = x;
    }
    CLUSTER_ENTER();
    SYNC();

    float sum[ROWS][4] = {};
    if (part < PARTS) {
        const Four* column = work + part * PITCH;
        int left = size - part - AHEAD * PARTS;
        entry += AHEAD * stride;
        #pragma unroll 1
        for (int step = 0; step < STEPS / AHEAD; ++step)
            #pragma unroll
            for (int i = 0; i < AHEAD; ++i, column += PARTS * PITCH, entry += stride, left -= PARTS) {
                const Four now = b[i];
                b[i] = reads && left > 0 ? *entry : none;
                add_product(sum, column, now);
            }
        #pragma unroll
        for (int i = 0; i < STEPS % AHEAD; ++i, column += PARTS * PITCH) add_product(sum, column, b[i]);
    }
    SYNC();  // `a` has been read
    if (part < PARTS)
        #pragma unroll
        for (int row = 0; row < ROWS; ++row)
            work[(row * PARTS + part) * GROUPS + group] = {sum[row][0], sum[row][1], sum[row][2], sum[row][3]};
    SYNC();
    CLUSTER_WAIT();  // all blocks have begun: before that, their shared memory can't be written
    for (int i = THREAD; i < M * GROUPS; i += THREADS) {
        const int row = i / GROUPS;
        const Four* one = work + row * PARTS * GROUPS + i % GROUPS;
        Four total = one[0];
        #pragma unroll
        for (int p = 1; p < PARTS; ++p) add_four(total, one[p * GROUPS]);
        REMOTE(received, i / SHARE)[rank * SHARE + i % SHARE] = total;
    }
    CLUSTER_ARRIVE();
    CLUSTER_WAIT();
    for (int i = rank * SHARE + THREAD; i < smaller(M * GROUPS, (rank + 1) * SHARE); i += THREADS) {
        Four total = received[i % SHARE];
        for (int block = 1; block < CLUSTER; ++block) add_four(total, received[block * SHARE + i % SHARE]);
        finish(i / GROUPS, first + i % GROUPS, total);
    }
}

KERNEL skinny(const float* a, int a_stride, const float* B, int B_stride, float* out, int out_stride, int M)
{
    multiply_rows(a, a_stride, B, B_stride, M, [&](int row, int group, const Four& sums) {
        #pragma unroll
        for (int c = 0; c < 4; ++c)
            if (4 * group + c < COLUMNS) out[(size_t)row * out_stride + 4 * group + c] = sums.at[c];
    });
}

// A time step of an LSTM, product and cell; cells/lstm.py has the equations, cells.cuh the cell alone. In B the columns
// of a unit's gates f g i o are side by side; DEPTH is H, COLUMNS 4 H.
KERNEL lstm_step(
    const float* h_prev, const float* B, int B_stride, float* gates, const float* c_prev, float* c, float* h, int M)
{
    multiply_rows(h_prev, DEPTH, B, B_stride, M, [&](int row, int j, const Four& sums) {
        if (j >= DEPTH) return;
        const size_t at = (size_t)row * DEPTH + j;
        float* gate = gates + (size_t)row * COLUMNS + j;
        const float f = sigmoid(gate[0] + sums.at[0]), g = tanh(gate[DEPTH] + sums.at[1]);
        const float in = sigmoid(gate[2 * DEPTH] + sums.at[2]), o = sigmoid(gate[3 * DEPTH] + sums.at[3]);
        gate[0] = f, gate[DEPTH] = g, gate[2 * DEPTH] = in, gate[3 * DEPTH] = o;
        c[at] = f * c_prev[at] + g * in;
        h[at] = o * tanh(c[at]);
    });
}

// A backward time step: the product with the gradients `da_next` of the step after it, then the cell, which overwrites
// the gates with its own gradients and updates dc. DEPTH is 4 H, COLUMNS is H.
KERNEL lstm_step_backward(
    const float* da_next, const float* B, int B_stride, const float* dy, int dy_stride, float* dc, float* gates,
    const float* c_prev, const float* c, int M)
{
    multiply_rows(da_next, DEPTH, B, B_stride, M, [&](int row, int group, const Four& sums) {
        #pragma unroll
        for (int q = 0; q < 4; ++q) {
            const int j = 4 * group + q;
            if (j >= COLUMNS) return;
            const size_t at = (size_t)row * COLUMNS + j;
            float* gate = gates + (size_t)row * DEPTH + j;
            const float f = gate[0], g = gate[COLUMNS], in = gate[2 * COLUMNS], o = gate[3 * COLUMNS];
            const float tanh_c = tanh(c[at]), d = dy[(size_t)row * dy_stride + j] + sums.at[q];
            const float dct = dc[at] + d * o * (1 - tanh_c * tanh_c);
            gate[0] = dct * c_prev[at] * f * (1 - f), gate[COLUMNS] = dct * in * (1 - g * g);
            gate[2 * COLUMNS] = dct * g * in * (1 - in), gate[3 * COLUMNS] = d * tanh_c * o * (1 - o);
            dc[at] = dct * f;
        }
    });
}
