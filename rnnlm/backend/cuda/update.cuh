// Gradient norm and optimiser steps. The equations are in optim/.

// A flat buffer may be larger than the grid: every thread strides by the size of the grid.
#define EVERY(i, size) for (size_t i = (size_t)BLOCK * THREADS + THREAD; i < (size); i += (size_t)BLOCKS * THREADS)

// parts[BLOCK] = the sum of squares of this block's elements.
KERNEL sum_of_squares(const REAL* g, word size, double* parts)
{
    const size_t all = (size_t)BLOCKS * THREADS;
    size_t i = (size_t)BLOCK * THREADS + THREAD;
    REAL sums[8] = {};  // so that 8 loads are in flight
    for (; i + 7 * all < size; i += 8 * all)
#pragma unroll
        for (int k = 0; k < 8; ++k) sums[k] += g[i + k * all] * g[i + k * all];
    for (; i < size; i += all) sums[0] += g[i] * g[i];
    double sum = 0;
    for (int k = 0; k < 8; ++k) sum += sums[k];
    const double total = block_sum(sum);
    if (THREAD == 0) parts[BLOCK] = total;
}

// The norm from all parts' sums of squares, and the factor that clips it to max_norm, in one block.
KERNEL norm_and_factor(const double* parts, int count, double max_norm, REAL* norm, REAL* factor)
{
    double sum = 0;
    for (int i = THREAD; i < count; i += THREADS) sum += parts[i];
    sum = block_sum(sum);
    if (THREAD) return;
    const REAL root = (REAL)sqrt(sum), shrunk = (REAL)max_norm / (root + REAL(1e-6));
    norm[0] = root;
    factor[0] = root - root == 0 && shrunk < 1 ? shrunk : 1;  // root - root is NaN if root is not finite
}

// The numbers of a step are passed as double and rounded once.
#define ROUNDED(name) const REAL name = (REAL)name##_64

KERNEL sgd_step(REAL* p, const REAL* g, const REAL* factor, double lr_64, double decay_64, word size)
{
    ROUNDED(lr); ROUNDED(decay);
    const REAL f = factor[0];
    EVERY(i, size) p[i] -= lr * (f * g[i] + decay * p[i]);
}

KERNEL momentum_step(
    REAL* p, const REAL* g, REAL* v, const REAL* factor, double lr_64, double momentum_64, double decay_64, int ahead,
    word size)
{
    ROUNDED(lr); ROUNDED(momentum); ROUNDED(decay);
    const REAL f = factor[0];
    EVERY(i, size) {
        const REAL step = lr * (f * g[i] + decay * p[i]), speed = momentum * v[i] - step;
        v[i] = speed;
        p[i] += ahead ? momentum * speed - step : speed;
    }
}

KERNEL adam_step(
    REAL* p, const REAL* g, REAL* m, REAL* v, const REAL* factor, double lr_64, double kept_64, double beta1_64,
    double beta2_64, double epsilon_64, double decay_64, word size)
{
    ROUNDED(lr); ROUNDED(kept); ROUNDED(beta1); ROUNDED(beta2); ROUNDED(epsilon); ROUNDED(decay);
    const REAL f = factor[0];
    EVERY(i, size) {
        const REAL old = kept * p[i], d = f * g[i] + decay * old;
        m[i] += (1 - beta1) * (d - m[i]);
        v[i] += (1 - beta2) * (d * d - v[i]);
        p[i] = old - lr * m[i] / (sqrt(v[i]) + epsilon);
    }
}

KERNEL asgd_step(
    REAL* p, const REAL* g, REAL* average, const REAL* factor, double lr_64, double share_64, double decay_64,
    word size)
{
    ROUNDED(lr); ROUNDED(share); ROUNDED(decay);
    const REAL f = factor[0];
    EVERY(i, size) {
        p[i] -= lr * (f * g[i] + decay * p[i]);
        if (share != 0) average[i] = share == 1 ? p[i] : average[i] + share * (p[i] - average[i]);
    }
}

// Records a training step: whether all steps so far were finite, and the totals of loss and norm. One thread.
KERNEL note_step(
    const double* loss, const REAL* norm, long long step, double columns, double highest, long long* good_steps,
    double* totals)
{
    if (THREAD) return;
    good_steps[0] += loss[0] - loss[0] == 0 && loss[0] <= highest && norm[0] - norm[0] == 0 && good_steps[0] == step;
    totals[0] += columns * loss[0];
    totals[1] += norm[0];
}
