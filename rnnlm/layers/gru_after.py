"""A window of a GRU with the reset gate applied after the matrix product, as in PyTorch, Keras and cuDNN."""

from rnnlm.backend import Array, accelerated
from rnnlm.cells.gru import gru_after_backward, gru_after_forward
from rnnlm.layers.state_products import from_state, to_state

__all__ = ["gru_after_window_backward", "gru_after_window_forward"]


@accelerated
def gru_after_window_forward(
    a: Array, hs: Array, us: Array, Wh: Array, bh: Array, product: Array, mask: Array | None
) -> None:
    """Run a GRU over a window, with the reset gate applied after the product.

    Args:
        a: (T, N, 3H). On entry x_t Wx + bx; on return z, r and the candidate.
        hs: (T+1, N, H). On entry hs[0] is the state before the window; on return hs[t+1] is h_t.
        us: (T, N, H). On return u = h_{t-1} Whg + bh_g.
        Wh: (H, 3H).
        bh: (3H,).
        product: (N, 3H), scratch.
        mask: (N, H) dropout mask of the state in the product; None for no dropout.
    """
    multiply = from_state(Wh, mask, a.shape[1], len(a))
    for t in range(len(a)):
        multiply(hs[t], product)
        gru_after_forward(a[t], product, bh, hs[t], us[t], hs[t + 1])


@accelerated
def gru_after_window_backward(
    dhs: Array, a: Array, hs: Array, us: Array, das: Array, Wh: Array, dh: Array, product: Array,
    mask: Array | None,
) -> None:  # fmt: skip
    """Backpropagate through a window of `gru_after_window_forward`.

    Args:
        dhs: (T, N, H) gradients of h_t from above.
        a: (T, N, 3H). On entry the gates; on return the gradients of x_t Wx + bx.
        hs, us: as `gru_after_window_forward` left them.
        das: (T, N, 3H). On return the gradients of h_{t-1} Wh + bh.
        Wh: (H, 3H).
        dh: (N, H). On entry the gradient of the state after the window; on return that of the state before it.
        product: (N, H), scratch.
        mask: as in the forward pass.
    """
    multiply = to_state(Wh, mask, a.shape[1], len(a))
    product[...] = 0
    for t in reversed(range(len(a))):
        gru_after_backward(dhs[t], dh, product, a[t], hs[t], us[t], das[t])
        multiply(das[t], product)
    dh += product
