"""Dot-product attention of a decoder over the hidden states of an encoder.

The attention weights are a softmax of dot products; there are no parameters. Sources: Bahdanau, Cho and Bengio, Neural
machine translation by jointly learning to align and translate, ICLR 2015; Luong, Pham and Manning, Effective approaches
to attention-based neural machine translation, EMNLP 2015, who call the score "dot". Names and shapes are those of Deep
Learning from Scratch 2, chapter 8.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops, xp
from rnnlm.errors import InputError
from rnnlm.layers.base import Layer, expect
from rnnlm.layers.functions import softmax, softmax_backward
from rnnlm.layers.lengths import checked_lengths

__all__ = ["Attention", "AttentionWeight", "TimeAttention", "WeightSum"]


class WeightSum(Layer):
    """The weighted sum of an encoder's hidden states.  (N, T, H), (N, T) -> (N, H)

    c = sum over t of a_t hs_t        dhs_t = a_t dc    da_t = dc · hs_t
    """

    def forward(self, hs: Array, a: Array) -> Array:
        """Return the context c (N, H), the sum of hidden states (N, T, H) with weights (N, T)."""
        expect("hs", hs, ("N", "T", "H"))
        expect("a", a, hs.shape[:2], hs.dtype)
        self.save_for_backward(hs, a)
        return ops.batch_matmul(a[:, None], hs)[:, 0]

    def backward(self, dc: Array) -> tuple[Array, Array]:
        """Return the gradients (dhs, da) of both inputs."""
        hs, a = self.saved_values()
        expect("dc", dc, (len(hs), hs.shape[2]), hs.dtype)
        self.clear_saved_values()
        return a[:, :, None] * dc[:, None], ops.batch_matmul(hs, dc[:, :, None])[:, :, 0]


class AttentionWeight(Layer):
    """Attention weights of an encoder's hidden states for one state of the decoder.  (N, T, H), (N, H) -> (N, T)

    s_t = hs_t · h    a = softmax(s)        ds = a (da - sum of a da)    dhs_t = ds_t h    dh = sum of ds_t hs_t
    """

    def forward(self, hs: Array, h: Array) -> Array:
        """Return the weights a (N, T), each row summing to 1, of hidden states hs (N, T, H) for h (N, H)."""
        expect("hs", hs, ("N", "T", "H"))
        expect("h", h, (len(hs), hs.shape[2]), hs.dtype)
        a = softmax(ops.batch_matmul(hs, h[:, :, None])[:, :, 0])
        self.save_for_backward(hs, h, a)
        return a

    def backward(self, da: Array) -> tuple[Array, Array]:
        """Return the gradients (dhs, dh) of both inputs."""
        hs, h, a = self.saved_values()
        expect("da", da, a.shape, hs.dtype)
        self.clear_saved_values()
        ds = softmax_backward(a, da)
        return ds[:, :, None] * h[:, None], ops.batch_matmul(ds[:, None], hs)[:, 0]


class Attention(Layer):
    """Attention for one state of the decoder.  (N, T, H), (N, H) -> (N, H)

    `AttentionWeight`, then `WeightSum`.

    Attributes:
        attention_weight: (N, T) weights of the last forward; None before it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.attention_weight_layer, self.weight_sum_layer = AttentionWeight(), WeightSum()
        self.attention_weight: Array | None = None

    def forward(self, hs: Array, h: Array) -> Array:
        """Return the context c (N, H) of hidden states hs (N, T, H) for h (N, H)."""
        self.attention_weight = self.attention_weight_layer.forward(hs, h)
        return self.weight_sum_layer.forward(hs, self.attention_weight)

    def backward(self, dc: Array) -> tuple[Array, Array]:
        """Return the gradients (dhs, dh) of both inputs."""
        dhs, da = self.weight_sum_layer.backward(dc)
        of_weights, dh = self.attention_weight_layer.backward(da)
        return dhs + of_weights, dh


class TimeAttention(Layer):
    """`Attention` for all T' steps of a decoder at once.  (N, T, H), (N, T', H) -> (N, T', H)

        S = D Eᵀ    A = softmax of S's rows    C = A E        E (T, H) the encoder's states, D (T', H) the decoder's
        dS = A (dA - sum of A dA)    dA = dC Eᵀ    dD = dS E    dE = Aᵀ dC + dSᵀ D

    for each of the N sequences. Forward takes two batched matrix products and backward four, instead of T' small ones.
    """

    _weights: Array | None = None

    @property
    def attention_weights(self) -> NDArray[Any]:
        """Attention weights A of the last forward, (T', N, T), the decoder's steps first: a copy on the host."""
        if self._weights is None:
            raise InputError("attention_weights are those of a forward: run forward first")
        return np.array(ops.asnumpy(self._weights.swapaxes(0, 1)))

    def forward(self, hs_enc: Array, hs_dec: Array, lengths: Array | None = None) -> Array:
        """Return the contexts (N, T', H).

        Args:
            hs_enc: (N, T, H) hidden states of the encoder.
            hs_dec: (N, T', H) hidden states of the decoder.
            lengths: (N,) number of valid steps in each row of hs_enc; later ones get weight 0. None for all T.
        """
        expect("hs_enc", hs_enc, ("N", "T", "H"))
        N, T, H = hs_enc.shape
        expect("hs_dec", hs_dec, (N, "T", H), hs_enc.dtype)
        lengths = checked_lengths(lengths, N, T, 1)
        s = ops.batch_matmul(hs_dec, hs_enc.swapaxes(1, 2))
        if lengths is not None:
            s = xp.where(xp.arange(T)[None, None] < lengths[:, None, None], s, xp.asarray(-xp.inf, s.dtype))
        a = softmax(s)
        self._weights = a
        self.save_for_backward(hs_enc, hs_dec, a)
        return ops.batch_matmul(a, hs_enc)

    def backward(self, dc: Array) -> tuple[Array, Array]:
        """Return the gradients (N, T, H) of the encoder's states and (N, T', H) of the decoder's."""
        hs_enc, hs_dec, a = self.saved_values()
        expect("dc", dc, hs_dec.shape, hs_dec.dtype)
        self.clear_saved_values()
        ds = softmax_backward(a, ops.batch_matmul(dc, hs_enc.swapaxes(1, 2)))
        denc = ops.batch_matmul(a.swapaxes(1, 2), dc)
        denc += ops.batch_matmul(ds.swapaxes(1, 2), hs_dec)
        return denc, ops.batch_matmul(ds, hs_enc)
