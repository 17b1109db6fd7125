// Dropout masks from the bits of Philox4x64-10, those of numpy.random.Philox.
// Source: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.

#define WIDE (16 / (int)sizeof(REAL))
struct alignas(16) Entries { REAL at[WIDE]; };  // written at once: masks are aligned to 16 bytes

// A thread computes one block of the stream: 4 words of 64 bits, 16 entries. numpy.random increments its counter before
// it draws, so block number i has the counter (i + 1, 0, step, 0). In replays of a recorded launch, `since` is added to
// the step.
KERNEL dropout_mask(
    REAL* mask, word key0, word key1, word step, const word* since, int threshold, double kept, word size)
{
    const word block = (word)BLOCK * THREADS + THREAD, first = 16 * block;
    if (first >= size) return;
    word x[4] = {block + 1, 0, step + since[0], 0};
    for (int round = 0; round < 10; ++round) {
        const word a = 0xD2E7470EE14C6C93ull, b = 0xCA5A826395121157ull;
        const word high0 = HIGH_PRODUCT(a, x[0]), low0 = a * x[0], high1 = HIGH_PRODUCT(b, x[2]), low1 = b * x[2];
        x[0] = high1 ^ x[1] ^ key0, x[1] = low1, x[2] = high0 ^ x[3] ^ key1, x[3] = low0;
        key0 += 0x9E3779B97F4A7C15ull, key1 += 0xBB67AE8584CAA73Bull;
    }
    Entries entries[16 / WIDE];
#pragma unroll  // so that x stays in registers
    for (int i = 0; i < 16; ++i)
        entries[i / WIDE].at[i % WIDE] = (int)(x[i / 4] >> 16 * (i % 4) & 0xffff) >= threshold ? (REAL)kept : 0;
    if (first + 16 <= size) {
#pragma unroll
        for (int k = 0; k < 16 / WIDE; ++k) ((Entries*)(mask + first))[k] = entries[k];
        return;
    }
#pragma unroll
    for (int i = 0; i < 16; ++i)
        if (first + i < size) mask[first + i] = entries[i / WIDE].at[i % WIDE];
}

// One thread: count a replay of recorded launches, whose masks have been drawn.
KERNEL count_masks(word* since)
{
    if (THREAD == 0) since[0] += 1;
}
