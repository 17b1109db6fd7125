"""Source of all random numbers: streams identified by a seed, a purpose, and a place in the training or the text.

Each stream is Philox4x64-10, a counter-based generator: a pure function of key and counter, the same on every machine
and in CUDA kernels. So checkpoints need only step numbers, and NumPy's global generator is not used.

key     [seed, purpose + part]      part: a layer, for instance, with random numbers of its own
counter [0, 0, step, lap]           step: a window or a word; lap: a repetition, such as the call of fit. Each pair
                                    (step, lap) has 2^128 blocks of four 64-bit words before the next one's begin

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
PARTS = 1 << 60  # exclusive bound of a purpose's parts


def key_of(seed: int, purpose: str, part: int = 0) -> tuple[int, int]:
    """Return the key of a stream, for callers that run Philox themselves, such as kernels; arguments as in `stream`."""
    place = PURPOSES[one_of("purpose", purpose, PURPOSES)] + whole_number("part", part, 0, PARTS)
    return whole_number("seed", seed, 0, 2**64), place


def philox(key: tuple[int, int], step: int = 0, lap: int = 0) -> np.random.Philox:
    """Return the raw bit generator of a stream, from a step on."""
    return np.random.Philox(key=np.array(key, np.uint64), counter=np.array([0, 0, step, lap], np.uint64))


def stream(seed: int, purpose: str, step: int = 0, part: int = 0, lap: int = 0) -> np.random.Generator:
    """Return a generator for a purpose: equal arguments give equal random numbers.

    Args:
        seed: in [0, 2^64).
        purpose: one of `PURPOSES`.
        step: in [0, 2^64).
        part: in [0, 2^60).
        lap: in [0, 2^64).

    Raises:
        InputError: an unknown purpose, or a number out of range.
    """
    step, lap = whole_number("step", step, 0, 2**64), whole_number("lap", lap, 0, 2**64)
    return np.random.Generator(philox(key_of(seed, purpose, part), step, lap))


class StepStreams:
    """The random numbers of a purpose at successive steps, equal to those of `stream`, from one generator that is
    repositioned at each step, in a tenth of the time.

    Args:
        seed, purpose, part: as in `stream`.
    """

    def __init__(self, seed: int, purpose: str, part: int = 0) -> None:
        self._words = philox(key_of(seed, purpose, part))
        self._beginning, self._generator = self._words.state, np.random.Generator(self._words)

    def at(self, step: int) -> np.random.Generator:
        """Return the generator at the beginning of a step, in [0, 2^64); valid until the next call, for one thread."""
        self._beginning["state"]["counter"][2] = whole_number("step", step, 0, 2**64)
        self._words.state = self._beginning
        return self._generator


def old_generator(seed: int) -> np.random.RandomState:
    """Return a legacy NumPy generator, for data whose order others have fixed by `numpy.random.seed(seed)`.

    Args:
        seed: in [0, 2^64); one of 2^32 or more, too large for that function, is used as two 32-bit numbers.

    Raises:
        InputError: another seed.
    """
    high, low = divmod(whole_number("seed", seed, 0, 2**64), 2**32)
    return np.random.RandomState([low, high] if high else low)


def fresh_seed() -> int:
    """Return a seed drawn from the operating system's entropy."""
    return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
