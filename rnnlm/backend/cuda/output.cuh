// Softmax and cross-entropy, a block for each row of scores. The equations are in layers/heads/, in softmax.py,
// output.py and base.py.

// Scores s (+ b, if with_b) become exp(s - max s); totals (rows) are their sums, nats (rows) their cross-entropy, NaN
// for a target out of range. Scores are read twice and written once: the first pass finds the maximum.
KERNEL exp_scores(REAL* scores, const REAL* b, int with_b, const int* targets, double* nats, REAL* totals, int V)
{
    REAL* s = scores + (size_t)BLOCK * V;
    const bool is_word = WITHIN(targets[BLOCK], V);
    const int target = is_word ? targets[BLOCK] : 0;
    REAL top = s[0] + (with_b ? b[0] : 0);
    for (int v = THREAD; v < V; v += THREADS) top = larger(s[v] + (with_b ? b[v] : 0), top);
    top = block_max(top);
    const double gap = (double)top - (double)(s[target] + (with_b ? b[target] : 0));
    SYNC();  // every thread has read the target's score before one overwrites it
    REAL sum = 0;
    for (int v = THREAD; v < V; v += THREADS) sum += s[v] = exp(s[v] + (with_b ? b[v] : 0) - top);
    sum = block_sum(sum);
    if (THREAD == 0) totals[BLOCK] = sum, nats[BLOCK] = is_word ? log((double)sum) + gap : 0.0 / 0.0;  // NaN
}

// Exponentials of scores become the gradient of the weighted sum of cross-entropies.
KERNEL softmax_gradient(REAL* exps, const int* targets, const REAL* weights, const REAL* totals, int V)
{
    REAL* e = exps + (size_t)BLOCK * V;
    const int target = targets[BLOCK];
    const REAL weight = weights[BLOCK], factor = weight / totals[BLOCK];
    for (int v = THREAD; v < V; v += THREADS) e[v] = e[v] * factor - (v == target ? weight : 0);
}

// exps[m, target] -= total; factors (M) = weights / totals; xf (M, H) = x * factor. One block for each row.
KERNEL output_factors(
    REAL* exps, const int* targets, const REAL* weights, const REAL* totals, const REAL* x, REAL* factors, REAL* xf,
    int H, int V)
{
    const REAL factor = weights[BLOCK] / totals[BLOCK];
    const size_t row = (size_t)BLOCK * H;
    for (int j = THREAD; j < H; j += THREADS) xf[row + j] = x[row + j] * factor;
    if (THREAD) return;
    factors[BLOCK] = factor;
    if (WITHIN(targets[BLOCK], V)) exps[(size_t)BLOCK * V + targets[BLOCK]] -= totals[BLOCK];
}

KERNEL scale_rows(REAL* x, const REAL* factors, int M, int H)
{
    EACH(i, M * H);
    x[i] *= factors[i / H];
}

// Which targets (M) count, and the weight of each, in one block. ids (M): 0 where ignored.
KERNEL weigh_targets(const int* ts, int ignored, int* ids, double* weights, REAL* factors, int M)
{
    int counted = 0;
    for (int i = THREAD; i < M; i += THREADS) counted += ts[i] != ignored;
    counted = block_sum(counted);
    const double weight = 1.0 / (counted > 0 ? counted : 1);
    for (int i = THREAD; i < M; i += THREADS) {
        const int counts = ts[i] != ignored;
        ids[i] = counts ? ts[i] : 0;
        weights[i] = counts ? weight : 0;
        factors[i] = (REAL)weights[i];
    }
}

// The weighted sum of nats (M), in one block; nats with weight 0 become 0.
KERNEL mean_loss(double* nats, const double* weights, double* loss, int M)
{
    double sum = 0;
    for (int i = THREAD; i < M; i += THREADS) {
        if (weights[i] == 0) nats[i] = 0;
        sum += nats[i] * weights[i];
    }
    sum = block_sum(sum);
    if (THREAD == 0) loss[0] = sum;
}
