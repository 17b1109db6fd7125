// Rows of matrices by word id, and windows of a corpus. For an id out of range nothing is written.

#define SEGMENT 8  // ids that a thread checks
#define TILE (SEGMENT * THREADS)
#define AT_ONCE 16  // rows of a frequent word that are read in parallel

// out[ids[m]] += rows[m] for every m. A block for each m: the first one with an id adds up the rows of all with that
// id, in their order, so that nothing is added by two threads and a rerun gives the same bits.
KERNEL add_rows(REAL* out, const int* ids, const REAL* rows, int M, int V, int D)
{
    SHARED(int, found, TILE);  // where the id is in a tile of ids, in order
    SHARED(int, counts, THREADS);
    const int m = BLOCK, id = ids[m];
    int seen = 0;
    for (int i = THREAD; i < m; i += THREADS) seen |= ids[i] == id;
    if (block_sum(seen) || !WITHIN(id, V)) return;
    for (int tile = m; tile < M; tile += TILE) {
        const int begin = tile + THREAD * SEGMENT, stop = smaller(begin + SEGMENT, M);
        int count = 0, place = 0, total = 0;
        for (int i = begin; i < stop; ++i) count += ids[i] == id;
        counts[THREAD] = count;
        SYNC();
        for (int t = 0; t < THREADS; ++t) place += t < THREAD ? counts[t] : 0, total += counts[t];
        for (int i = begin; i < stop; ++i)
            if (ids[i] == id) found[place++] = i;
        SYNC();
        for (int d = THREAD; d < D; d += THREADS) {
            REAL sum = 0;
            for (int k = 0; k < total; k += AT_ONCE) {
                REAL some[AT_ONCE];
#pragma unroll
                for (int i = 0; i < AT_ONCE; ++i) some[i] = k + i < total ? rows[(size_t)found[k + i] * D + d] : 0;
#pragma unroll
                for (int i = 0; i < AT_ONCE; ++i) sum += some[i];
            }
            out[(size_t)id * D + d] += sum;
        }
    }
}

// out[t, i] = data[(i * jump + begin + t) mod size] for T time steps of N rows.
KERNEL read_window(const int* data, word size, word jump, word begin, int* out, int T, int N)
{
    EACH(i, T * N);
    const int t = i / N, n = i - t * N;
    out[i] = data[(n * jump + begin + t) % size];
}
