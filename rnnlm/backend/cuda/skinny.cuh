// Product of few rows, out = a B, in float32: the one product at each time step of a recurrence.
//
// A cluster of CLUSTER blocks has a tile of columns, and each of its blocks a slice of DEPTH. In a block a thread has four
// columns and every PARTS-th row of B in the slice, and sums all ROWS rows of `a` with them in registers: an entry of B is
// read once by one thread, one of `a` from shared memory, where all threads of a part read the same one. Then the parts are
// added up in shared memory, each block of the cluster gets its share of what the others have, and writes its sum. The
// order of all sums is fixed.
//
// Before these lines stand #define ROWS (a multiple of 4), DEPTH (rows of B), COLUMNS (of B), GROUPS (of four columns in a
// tile) and AHEAD (loads of B that a thread has under way).
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

// M rows of `a` and of `out`, M <= ROWS. B's rows begin at multiples of 16 bytes, and have whole groups of four.
KERNEL skinny(const float* a, int a_stride, const float* B, int B_stride, float* out, int out_stride, int M)
{
    SHARED_AT_LAUNCH(Four, work, WORK + CLUSTER * SHARE);
    Four* received = work + WORK;
    const int rank = BLOCK % CLUSTER, first = BLOCK / CLUSTER * GROUPS, group = THREAD % GROUPS, part = THREAD / GROUPS;
    const int begin = rank * SLICE, size = smaller(SLICE, DEPTH - begin);  // which may be none
    const bool reads = part < PARTS && 4 * (first + group) < COLUMNS;
    const Four* entry = (const Four*)(B + (size_t)(begin + part) * B_stride + 4 * (first + group));
    const size_t stride = (size_t)PARTS * B_stride / 4;
    const Four none = {};

    Four b[AHEAD];
    #pragma unroll
    for (int i = 0; i < AHEAD; ++i) b[i] = reads && part + i * PARTS < size ? entry[i * stride] : none;
    #pragma unroll 8
    for (int n = 0; n < UP(LONG * QUADS, THREADS); ++n) {  // the slice of `a`, turned round
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
    CLUSTER_WAIT();  // all have begun: before, a block has no memory to write to
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
        const int row = i / GROUPS, j = 4 * (first + i % GROUPS);
        Four total = received[i % SHARE];
        for (int block = 1; block < CLUSTER; ++block) add_four(total, received[block * SHARE + i % SHARE]);
        #pragma unroll
        for (int c = 0; c < 4; ++c)
            if (j + c < COLUMNS) out[(size_t)row * out_stride + j + c] = total.at[c];
    }
}
