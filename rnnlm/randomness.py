"""Where all random numbers come from: a seed, a purpose, and a place in the training or the text.

Each stream is Philox4x64-10, a counter-based generator: a pure function of its key and counter, the same on every
machine and in CUDA kernels, so that there is nothing to save but numbers of steps, and NumPy's global generator is left
alone.

    key     [seed, purpose + part]      part: a layer, where each has numbers of its own
    counter [0, 0, step, lap]           step: a window, or a word; lap: which time round. Each pair of them has 2^128
                                        blocks of four 64-bit words before the next one's begin

Source: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.
"""

import numpy as np

from rnnlm.checks import one_of, whole_number

__all__ = ["PARTS", "PURPOSES", "StepStreams", "fresh_seed", "key_of", "old_generator", "philox", "stream"]

PURPOSES = {
    "initial weights": 0,  # part: number of the layer
    "made pairs": 1 << 61,  # part: 0 additions, 1 dates, 2 spoiled sentences
    "dropout": 1 << 62,  # part: number of the layer; step: of the training
    "window lengths": (1 << 62) + (1 << 61),  # step: number of the window; lap: call of fit
    "rare words": (1 << 62) + (1 << 61) + (1 << 60),  # step: epoch
    "sampled words": 1 << 63,  # step: number of the word; part: number of the text
    "order of samples": (1 << 63) + (1 << 61),  # step: epoch; part: 0 samples, 1 sentences
    "negative samples": (1 << 63) + (1 << 62),  # step: number of the batch
    "word vectors": (1 << 63) + (1 << 62) + (1 << 61),  # step: number of the batch; part: 0 words kept, 1 window sizes
}
PARTS = 1 << 60  # that a purpose may have


def key_of(seed: int, purpose: str, part: int = 0) -> tuple[int, int]:
    """The key of a stream, for who calls Philox by itself, as a kernel does; arguments and errors as `stream`."""
    place = PURPOSES[one_of("purpose", purpose, PURPOSES)] + whole_number("part", part, 0, PARTS)
    return whole_number("seed", seed, 0, 2**64), place


def philox(key: tuple[int, int], step: int = 0, lap: int = 0) -> np.random.Philox:
    """The raw words of a stream, from a step on."""
    return np.random.Philox(key=np.array(key, np.uint64), counter=np.array([0, 0, step, lap], np.uint64))


def stream(seed: int, purpose: str, step: int = 0, part: int = 0, lap: int = 0) -> np.random.Generator:
    """Random numbers for a purpose: the same arguments give the same numbers.

    Args:
        seed: in [0, 2^64).
        purpose: one of `PURPOSES`.
        step: in [0, 2^64).
        part: in [0, 2^60).
        lap: in [0, 2^64).

    Raises:
        InputError: an unknown purpose, or a number that is none of these.
    """
    step, lap = whole_number("step", step, 0, 2**64), whole_number("lap", lap, 0, 2**64)
    return np.random.Generator(philox(key_of(seed, purpose, part), step, lap))


class StepStreams:
    """The random numbers of a purpose at one step after another, as `stream` has them, from a generator that is set to
    each: that takes a tenth of the time.

    Args:
        seed, purpose, part: as for `stream`.
    """

    def __init__(self, seed: int, purpose: str, part: int = 0) -> None:
        self._words = philox(key_of(seed, purpose, part))
        self._beginning, self._generator = self._words.state, np.random.Generator(self._words)

    def at(self, step: int) -> np.random.Generator:
        """The generator at the beginning of a step, in [0, 2^64), until the next call; for one thread at a time."""
        self._beginning["state"]["counter"][2] = whole_number("step", step, 0, 2**64)
        self._words.state = self._beginning
        return self._generator


def old_generator(seed: int) -> np.random.RandomState:
    """A generator of NumPy's old kind, for data whose order others have fixed by `numpy.random.seed(seed)`.

    Args:
        seed: in [0, 2^64); those that are too large for that function are taken as two numbers of 32 bits.

    Raises:
        InputError: another one.
    """
    high, low = divmod(whole_number("seed", seed, 0, 2**64), 2**32)
    return np.random.RandomState([low, high] if high else low)


def fresh_seed() -> int:
    """A seed that nobody has had, from the operating system."""
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
