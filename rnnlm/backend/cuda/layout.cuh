// Matrices repacked for the products of few rows. The rows of `out` are `out_stride` apart.

#define SIDE 32  // of a tile

// out[j, i] = W[i, j] for a W (rows, columns): a block for each tile, which is read and written by rows.
KERNEL transpose(const REAL* W, int W_stride, REAL* out, int out_stride, int rows, int columns)
{
    SHARED(REAL, tile, SIDE * (SIDE + 1));
    const int across = (columns + SIDE - 1) / SIDE, i0 = BLOCK / across * SIDE, j0 = BLOCK % across * SIDE;
    for (int k = THREAD; k < SIDE * SIDE; k += THREADS) {
        const int i = i0 + k / SIDE, j = j0 + k % SIDE;
        tile[k / SIDE * (SIDE + 1) + k % SIDE] = i < rows && j < columns ? W[(size_t)i * W_stride + j] : 0;
    }
    SYNC();
    for (int k = THREAD; k < SIDE * SIDE; k += THREADS) {
        const int i = i0 + k % SIDE, j = j0 + k / SIDE;
        if (i < rows && j < columns) out[(size_t)j * out_stride + i] = tile[k % SIDE * (SIDE + 1) + k / SIDE];
    }
}

// out[k, 4 j + q] = W[k, q H + j]: puts the columns of each unit's four gates side by side, for a W (rows, 4 H).
KERNEL interleave(const REAL* W, int W_stride, REAL* out, int rows, int H)
{
    EACH(i, rows * H);
    const int k = i / H, j = i - k * H;
    for (int q = 0; q < 4; ++q) out[(size_t)k * 4 * H + 4 * j + q] = W[(size_t)k * W_stride + q * H + j];
}
