"""Options for training word vectors."""

from dataclasses import dataclass

from rnnlm.checks import instance_of, not_negative, one_of, positive, size, whole_number

__all__ = ["Word2vecOptions", "expect_options"]


@dataclass(frozen=True)
class Word2vecOptions:
    """Options for training word vectors; `train_word2vec` checks them.

    Attributes:
        size: length of the vectors.
        window: largest number of context words on each side; the number is drawn for each word, from 1 to this.
        negative: number of negative samples for each pair of words.
        epochs: number of passes over the text.
        lr: initial learning rate; it decreases linearly to nearly 0.
        subsample: randomly leave out words with a larger share of the text than this, the more frequent the more often;
            0 to keep all.
        block: number of words of the text in a training step.
        seed: seed of all random numbers.
    """

    size: int = 100
    window: int = 5
    negative: int = 5
    epochs: int = 5
    lr: float = 0.05
    subsample: float = 1e-3
    block: int = 256
    seed: int = 0


def expect_options(method: str, o: Word2vecOptions) -> Word2vecOptions:
    """Check a method and its options; returns the options as Python numbers.

    Raises:
        InputError: an unknown method, or an option out of range.
    """
    one_of("method", method, ("skip-gram", "cbow"))
    instance_of("options", o, Word2vecOptions)
    return Word2vecOptions(
        **{name: size(name, getattr(o, name)) for name in ("size", "window", "negative", "block")},
        epochs=whole_number("epochs", o.epochs, 1),
        lr=positive("lr", o.lr),
        subsample=not_negative("subsample", o.subsample),
        seed=whole_number("seed", o.seed, 0, 2**64),
    )
