// One time step of the recurrent cells, elementwise. Names, arguments and equations are those of rnnlm/cells/.
// A thread computes one hidden unit j of one row n; every block of gates is H wide. A `_stride` is that of rows.

#define UNIT(i, n, j) EACH(i, N * H); const int n = i / H, j = i - n * H
#define AT(array, stride, n, j) array[(size_t)(n) * (stride) + (j)]

// ---------------------------------------------------------------------- RNN

KERNEL rnn_forward(REAL* a, const REAL* product, int size)
{
    EACH(i, size);
    a[i] = tanh(a[i] + product[i]);
}

KERNEL rnn_backward(const REAL* dy, int dy_stride, const REAL* dh, const REAL* h, REAL* da, int N, int H)
{
    UNIT(i, n, j);
    da[i] = (AT(dy, dy_stride, n, j) + dh[i]) * (1 - h[i] * h[i]);
}

// ---------------------------------------------------------------------- LSTM

KERNEL lstm_forward(REAL* a, const REAL* product, const REAL* c_prev, REAL* c, REAL* h, int N, int H)
{
    UNIT(i, n, j);
    REAL* gate = a + (size_t)n * 4 * H + j;
    const REAL* u = product + (size_t)n * 4 * H + j;
    const REAL f = sigmoid(gate[0] + u[0]), g = tanh(gate[H] + u[H]);
    const REAL in = sigmoid(gate[2 * H] + u[2 * H]), o = sigmoid(gate[3 * H] + u[3 * H]);
    gate[0] = f, gate[H] = g, gate[2 * H] = in, gate[3 * H] = o;
    c[i] = f * c_prev[i] + g * in;
    h[i] = o * tanh(c[i]);
}

KERNEL lstm_backward(
    const REAL* dy, int dy_stride, const REAL* dh, REAL* dc, REAL* gates, const REAL* c_prev, const REAL* c, int N,
    int H)
{
    UNIT(i, n, j);
    REAL* gate = gates + (size_t)n * 4 * H + j;
    const REAL f = gate[0], g = gate[H], in = gate[2 * H], o = gate[3 * H], tanh_c = tanh(c[i]);
    const REAL d = AT(dy, dy_stride, n, j) + dh[i], dct = dc[i] + d * o * (1 - tanh_c * tanh_c);
    gate[0] = dct * c_prev[i] * f * (1 - f);
    gate[H] = dct * in * (1 - g * g);
    gate[2 * H] = dct * g * in * (1 - in);
    gate[3 * H] = d * tanh_c * o * (1 - o);
    dc[i] = dct * f;
}

// ---------------------------------------------------------------------- GRU, the reset gate before the product

KERNEL gru_reset(REAL* a, const REAL* product, const REAL* m, REAL* rm, int N, int H)
{
    UNIT(i, n, j);
    REAL* gate = a + (size_t)n * 3 * H + j;
    const REAL* u = product + (size_t)n * 2 * H + j;
    gate[0] = sigmoid(gate[0] + u[0]);
    gate[H] = sigmoid(gate[H] + u[H]);
    rm[i] = gate[H] * m[i];
}

KERNEL gru_update(REAL* a, const REAL* product, const REAL* h_prev, REAL* h, int N, int H)
{
    UNIT(i, n, j);
    REAL* gate = a + (size_t)n * 3 * H + j;
    const REAL g = tanh(gate[2 * H] + product[i]);
    gate[2 * H] = g;
    h[i] = h_prev[i] + gate[0] * (g - h_prev[i]);
}

KERNEL gru_update_backward(
    const REAL* dy, int dy_stride, REAL* dh, const REAL* product, REAL* gates, const REAL* h_prev, REAL* da_g, int N,
    int H)
{
    UNIT(i, n, j);
    REAL* gate = gates + (size_t)n * 3 * H + j;
    const REAL z = gate[0], g = gate[2 * H], d = AT(dy, dy_stride, n, j) + dh[i] + product[i], dg = d * z;
    gate[0] = d * (g - h_prev[i]) * z * (1 - z);
    gate[2 * H] = da_g[i] = dg * (1 - g * g);
    dh[i] = d - dg;
}

KERNEL gru_reset_backward(const REAL* drm, REAL* dh, REAL* gates, const REAL* m, REAL* da_zr, int N, int H)
{
    UNIT(i, n, j);
    REAL* gate = gates + (size_t)n * 3 * H + j;
    const REAL r = gate[H], da_r = drm[i] * m[i] * r * (1 - r);
    gate[H] = da_r;
    AT(da_zr, 2 * H, n, j) = gate[0];
    AT(da_zr, 2 * H, n, H + j) = da_r;
    dh[i] += drm[i] * r;
}

// ---------------------------------------------------------------------- GRU, the reset gate after the product

KERNEL gru_after_forward(
    REAL* a, const REAL* product, const REAL* b, const REAL* h_prev, REAL* u, REAL* h, int N, int H)
{
    UNIT(i, n, j);
    REAL* gate = a + (size_t)n * 3 * H + j;
    const REAL* p = product + (size_t)n * 3 * H + j;
    const REAL z = sigmoid(gate[0] + p[0] + b[j]), r = sigmoid(gate[H] + p[H] + b[H + j]);
    u[i] = p[2 * H] + b[2 * H + j];
    const REAL g = tanh(gate[2 * H] + r * u[i]);
    gate[0] = z, gate[H] = r, gate[2 * H] = g;
    h[i] = h_prev[i] + z * (g - h_prev[i]);
}

KERNEL gru_after_backward(
    const REAL* dy, int dy_stride, REAL* dh, const REAL* product, REAL* gates, const REAL* h_prev, const REAL* u,
    REAL* da, int N, int H)
{
    UNIT(i, n, j);
    REAL* gate = gates + (size_t)n * 3 * H + j;
    REAL* of_state = da + (size_t)n * 3 * H + j;
    const REAL z = gate[0], r = gate[H], g = gate[2 * H];
    const REAL d = AT(dy, dy_stride, n, j) + dh[i] + product[i], dg = d * z, da_g = dg * (1 - g * g);
    gate[0] = of_state[0] = d * (g - h_prev[i]) * z * (1 - z);
    gate[H] = of_state[H] = da_g * u[i] * r * (1 - r);
    gate[2 * H] = da_g;
    of_state[2 * H] = da_g * r;
    dh[i] = d - dg;
}
