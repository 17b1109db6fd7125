"""An encoder and a decoder combined into one layer."""

from collections.abc import Mapping
from typing import Any

from rnnlm.backend import Array
from rnnlm.layers.base import Layer, Shape
from rnnlm.models.decoder import Decoder
from rnnlm.models.encoder import Encoder

__all__ = ["EncoderDecoder"]


class EncoderDecoder(Layer):
    """An encoder and a decoder as one layer.  (ids (N, T), ids (N, T'), lengths (N,) or None) -> (N, T', V)"""

    causal = False

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.params, self.grads = encoder.params + decoder.params, encoder.grads + decoder.grads

    def parts(self) -> Mapping[str, Layer]:
        """Return the layers encoder and decoder."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    @property
    def takes_ids(self) -> Any:
        """V of the encoder and of the decoder."""
        return self.encoder.takes_ids, self.decoder.takes_ids

    def output_shape(self, shape: Any) -> Shape:
        """(N, T', V)"""
        return "N", "T", self.decoder.takes_ids

    def forward(self, xs: tuple[Array, Array, Array | None]) -> Array:
        """Return the scores (N, T', V) of the next word after each word of an answer."""
        questions, answers, lengths = xs
        self.decoder.begin(self.encoder.read(questions, lengths))
        return self.decoder.go_on(answers)

    def backward(self, dscores: Array) -> None:
        """Write the gradients of the weights to `grads`; ids have none."""
        self.encoder.back(*self.decoder.back(dscores))
