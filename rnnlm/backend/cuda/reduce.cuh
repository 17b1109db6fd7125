// Shared by all kernels: distribution of elements to threads, and sums and maxima over a block.

// Element `i` of `count` is this thread's, if there is one.
#define EACH(i, count) const int i = BLOCK * THREADS + THREAD; if (i >= (count)) return

// Whether an id is in [0, V). Ids from the host are checked there; others may be out of range.
#define WITHIN(id, V) ((unsigned)(id) < (unsigned)(V))

DEVICE REAL sigmoid(REAL a) { return REAL(0.5) * tanh(REAL(0.5) * a) + REAL(0.5); }
template <class T> DEVICE T larger(T a, T b) { return a > b ? a : b; }
template <class T> DEVICE T smaller(T a, T b) { return a < b ? a : b; }

// Sum over the block's threads, for each of them, always added in the same order.
template <class T> DEVICE T block_sum(T value)
{
    SHARED(T, parts, THREADS / 32);
    for (int mask = 16; mask; mask >>= 1) value += SHUFFLE_XOR(value, mask);
    SYNC();  // the parts of the previous sum have been read
    if (THREAD % 32 == 0) parts[THREAD / 32] = value;
    SYNC();
    T total = parts[0];
    for (int i = 1; i < THREADS / 32; ++i) total += parts[i];
    return total;
}

// Maximum over the block's threads, for each of them.
template <class T> DEVICE T block_max(T value)
{
    SHARED(T, parts, THREADS / 32);
    for (int mask = 16; mask; mask >>= 1) value = larger(value, SHUFFLE_XOR(value, mask));
    SYNC();
    if (THREAD % 32 == 0) parts[THREAD / 32] = value;
    SYNC();
    T top = parts[0];
    for (int i = 1; i < THREADS / 32; ++i) top = larger(top, parts[i]);
    return top;
}
