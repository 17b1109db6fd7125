"""Adam, and Adam with decoupled weight decay."""

from math import sqrt
from typing import Any

from rnnlm.backend import Array, accelerated, xp
from rnnlm.checks import Checked, positive, share
from rnnlm.optim.base import Optimizer, decayed

__all__ = ["Adam", "AdamW", "adam_step"]


@accelerated
def adam_step(
    p: Array, g: Array, m: Array, v: Array, factor: Any, lr: float, kept: float, beta1: float, beta2: float,
    epsilon: float, weight_decay: float,
) -> None:  # fmt: skip
    """Do p *= kept, update the running averages m and v by d = factor g + weight_decay p and d², and do
    p -= lr m / (sqrt(v) + epsilon), all in place.

    Args:
        lr: learning rate times the bias correction.
    """
    if kept != 1:
        p *= kept
    d = decayed(p, g, factor, weight_decay)
    m += (1 - beta1) * (d - m)
    v += (1 - beta2) * (d * d - v)
    p -= lr * m / (xp.sqrt(v) + epsilon)


class Adam(Optimizer):
    """Steps scaled by running averages of the gradient and of its square.

        m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g²
        p = p - lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, in the order of computation of the end
    of its section 2.

    Args:
        lr: learning rate, positive.
        beta1, beta2: decay rates of the two averages, in [0, 1).
        epsilon: prevents division by 0; the default is the book's, other libraries use 1e-8.
        weight_decay: adds weight_decay p to g (L2 regularisation).
    """

    slots = ("m", "v")
    beta1, beta2, epsilon = Checked(share), Checked(share), Checked(positive)

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        weight_decay: float = 0.0,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(lr, weight_decay)
        self.epsilon, self.beta1, self.beta2 = epsilon, beta1, beta2

    def update_array(self, p: Array, g: Array, factor: Any, *remembered: Any) -> None:
        """Do an Adam step of one array, with both corrections for the zeros at the start in the learning rate."""
        lr = self.lr * sqrt(1 - self.beta2**self.iter) / (1 - self.beta1**self.iter)
        (m, v), (kept, weight_decay) = remembered, self._decay()
        adam_step(p, g, m, v, factor, lr, kept, self.beta1, self.beta2, self.epsilon, weight_decay)

    def _decay(self) -> tuple[float, float]:
        """Return the factor that multiplies p before the step, and the factor of p that is added to its gradient."""
        return 1.0, self.weight_decay


class AdamW(Adam):
    """Adam with decoupled weight decay: p = p - lr weight_decay p, which does not enter the averages.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.

    Args:
        lr: learning rate, positive.
        beta1, beta2: decay rates of the two averages, in [0, 1).
        epsilon: prevents division by 0; the default is the book's, other libraries use 1e-8.
        weight_decay: at least 0.
    """

    def __init__(
        self,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        weight_decay: float = 0.01,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(lr, beta1, beta2, weight_decay, epsilon)

    def _decay(self) -> tuple[float, float]:
        return 1 - self.lr * self.weight_decay, 0.0
