// Shared by the windows of all cells. A window is T time steps in one launch: the recurrent weights stay in registers
// from the first step to the last.
//
// A cluster of CLUSTER blocks computes ROWS rows of the batch and never waits for another cluster. A block has UNITS of
// the HIDDEN units, a warp four of them, and a thread a part of their weights. What the next step multiplies (the
// state; in backward the gradients of the pre-activations) is sent by each thread to the shared memory of all blocks of
// the cluster, into one of two buffers, so that one barrier a step is enough: before a buffer is written again, all
// threads have read it and entered the step in between. Global memory is written after arriving at the barrier, which
// would otherwise wait for the writes.
//
// These lines must be preceded by #define HIDDEN, CLUSTER and ROWS, besides REAL and THREADS.
// Source of the idea: Diamos et al., Persistent RNNs: stashing recurrent weights on-chip, ICML 2016.
#define UNITS ((HIDDEN + CLUSTER - 1) / CLUSTER)
#define SLICE(length, lanes) (((length) + (lanes) - 1) / (lanes))
#define PADDED(length, lanes) ((lanes) * SLICE(length, lanes))
#define FIRST_ROW (BLOCK / CLUSTER * ROWS)

// A sigmoid, or tanh, by the same instructions.
DEVICE REAL squash(REAL a, bool sigmoidal)
{
    const REAL scale = sigmoidal ? REAL(0.5) : REAL(1);
    return scale * tanh(scale * a) + (1 - scale);
}

// The hidden unit number q of this warp's four; -1 if there is none.
DEVICE int unit(int q)
{
    const int u = THREAD / 32 * 4 + q, j = BLOCK % CLUSTER * UNITS + u;
    return u < UNITS && j < HIDDEN ? j : -1;
}

// The index in an array (N, HIDDEN) of hidden unit j of this cluster's row number `row`; -1 if there is none.
DEVICE long long place(int row, int j, int N)
{
    const int n = FIRST_ROW + row;
    return j >= 0 && n < N ? (long long)n * HIDDEN + j : -1;
}

// Fills two buffers of ROWS rows: the first with a state (N, HIDDEN), or zeros, all else with 0.
template <int WIDTH> DEVICE void begin(REAL* buffers, const REAL* state, int N)
{
    for (int i = THREAD; i < 2 * ROWS * WIDTH; i += THREADS) {
        const int row = i / WIDTH, k = i % WIDTH, n = FIRST_ROW + row;
        buffers[i] = state && row < ROWS && k < HIDDEN && n < N ? state[(size_t)n * HIDDEN + k] : 0;
    }
}

// Writes a value to the shared memory of every block of the cluster, at the place of `here` in this block's. SENDERS
// threads have the value and share the work; this is number `sender` of them.
template <int SENDERS> DEVICE void send(REAL* here, REAL value, int sender)
{
#pragma unroll
    for (int first = 0; first < CLUSTER; first += SENDERS)
        if (first + sender < CLUSTER) *REMOTE(here, first + sender) = value;
}

// Loads this thread's part of some columns of a matrix: rows `lane`, `lane` + LANES and so on of `length`, `step` apart
// in memory. A column is given by its first index; -1 stands for zeros.
template <int LANES, int COUNT, int COLUMNS>
DEVICE void keep(REAL (&w)[COUNT][COLUMNS], const REAL* W, const int (&columns)[COLUMNS], int length, int step, int lane)
{
#pragma unroll
    for (int m = 0; m < COUNT; ++m)
#pragma unroll
        for (int q = 0; q < COLUMNS; ++q) {
            const int k = lane + LANES * m;
            w[m][q] = columns[q] >= 0 && k < length ? W[columns[q] + k * step] : 0;
        }
}

// The product of a vector with up to four columns, shared by LANES threads. Thread `lane` returns that of column
// lane % 4, plus, once, what the first four threads contribute.
template <int LANES, int COUNT, int COLUMNS>
DEVICE REAL multiply(const REAL (&w)[COUNT][COLUMNS], const REAL* vector, int lane, REAL brought)
{
    REAL sums[4] = {0, 0, 0, 0};
#pragma unroll
    for (int m = 0; m < COUNT; ++m) {
        const REAL x = vector[lane + LANES * m];
#pragma unroll
        for (int q = 0; q < COLUMNS; ++q) sums[q] += w[m][q] * x;
    }
    const bool odd = lane & 1, high = lane & 2;
    const REAL low_sum = (odd ? sums[1] : sums[0]) + SHUFFLE_XOR(odd ? sums[0] : sums[1], 1);
    const REAL high_sum = (odd ? sums[3] : sums[2]) + SHUFFLE_XOR(odd ? sums[2] : sums[3], 1);
    REAL sum = (high ? high_sum : low_sum) + SHUFFLE_XOR(high ? low_sum : high_sum, 2);
    if (lane < 4) sum += brought;
#pragma unroll
    for (int mask = 4; mask < LANES; mask *= 2) sum += SHUFFLE_XOR(sum, mask);
    return sum;
}
