"""One time step of each layer, forward and back, as one would first write it from the equations.

Every step has an object of its own, which keeps what its way back needs. `forward(x)` gives y and `backward(dy)` gives
dx and the gradients of the weights, by name. A recurrent layer is given its state with the input, gives the new state,
whose first array is h, and takes that state's gradients on the way back.
"""

from rnnlm.backend import xp as np


def sigmoid(a):
    """The logistic function."""
    return 1 / (1 + np.exp(-a))


class Embedding:
    """x = W[id]"""

    def __init__(self, W):
        self.W = W

    def forward(self, ids):
        self.ids = ids
        return self.W[ids]

    def backward(self, dx):
        dW = np.zeros_like(self.W)
        np.add.at(dW, self.ids, dx)
        return None, {"W": dW}


class Dropout:
    """y = x m        m = 0 with probability `ratio`, else 1 / (1 - ratio)"""

    def __init__(self, ratio, rng):
        self.ratio, self.rng = ratio, rng

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) >= self.ratio).astype(x.dtype) / (1 - self.ratio)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask, {}


class Affine:
    """s = h W + b"""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, h):
        self.h = h
        return np.dot(h, self.W) + self.b

    def backward(self, ds):
        return np.dot(ds, self.W.T), {"W": np.dot(self.h.T, ds), "b": ds.sum(axis=0)}


class Rnn:
    """h = tanh(h_prev Wh + x Wx + b)"""

    states = 1

    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(np.dot(h_prev, self.Wh) + np.dot(x, self.Wx) + self.b)
        return (self.h,)

    def backward(self, dh):
        da = dh * (1 - self.h**2)
        grads = {"Wx": np.dot(self.x.T, da), "Wh": np.dot(self.h_prev.T, da), "b": da.sum(axis=0)}
        return np.dot(da, self.Wx.T), (np.dot(da, self.Wh.T),), grads


class Lstm:
    """f, g, i, o from h_prev Wh + x Wx + b        c = f c_prev + g i        h = o tanh(c)"""

    states = 2

    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev, c_prev):
        a = np.dot(h_prev, self.Wh) + np.dot(x, self.Wx) + self.b
        f, g, i, o = np.split(a, 4, axis=1)
        f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
        c = f * c_prev + g * i
        self.kept = x, h_prev, c_prev, f, g, i, o, c
        return o * np.tanh(c), c

    def backward(self, dh, dc):
        x, h_prev, c_prev, f, g, i, o, c = self.kept
        tanh_c = np.tanh(c)
        dc = dc + dh * o * (1 - tanh_c**2)
        df = dc * c_prev * f * (1 - f)
        dg = dc * i * (1 - g**2)
        di = dc * g * i * (1 - i)
        do = dh * tanh_c * o * (1 - o)
        da = np.hstack((df, dg, di, do))
        grads = {"Wx": np.dot(x.T, da), "Wh": np.dot(h_prev.T, da), "b": da.sum(axis=0)}
        return np.dot(da, self.Wx.T), (np.dot(da, self.Wh.T), dc * f), grads


class Gru:
    """z, r from h_prev Wh + bh + x Wx + bx        g = tanh(ag + r ug)        h = (1 - z) h_prev + z g

    a = x Wx + bx and u = h_prev Wh + bh: the reset gate after the product, b (2, 3H).
    """

    states = 1

    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev):
        bx, bh = self.b
        az, ar, ag = np.split(np.dot(x, self.Wx) + bx, 3, axis=1)
        uz, ur, ug = np.split(np.dot(h_prev, self.Wh) + bh, 3, axis=1)
        z, r = sigmoid(az + uz), sigmoid(ar + ur)
        g = np.tanh(ag + r * ug)
        self.kept = x, h_prev, z, r, g, ug
        return ((1 - z) * h_prev + z * g,)

    def backward(self, dh):
        x, h_prev, z, r, g, ug = self.kept
        dz = dh * (g - h_prev) * z * (1 - z)
        dg = dh * z * (1 - g**2)
        dr = dg * ug * r * (1 - r)
        da, du = np.hstack((dz, dr, dg)), np.hstack((dz, dr, dg * r))
        b = np.stack([da.sum(axis=0), du.sum(axis=0)])
        grads = {"Wx": np.dot(x.T, da), "Wh": np.dot(h_prev.T, du), "b": b}
        return np.dot(da, self.Wx.T), (np.dot(du, self.Wh.T) + dh * (1 - z),), grads


CELLS = {"rnn": Rnn, "lstm": Lstm, "gru": Gru}
