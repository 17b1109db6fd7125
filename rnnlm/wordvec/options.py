"""What a training of word vectors can be told."""

from dataclasses import dataclass

from rnnlm.checks import instance_of, not_negative, one_of, positive, size, whole_number

__all__ = ["Word2vecOptions", "expect_options"]


@dataclass(frozen=True)
class Word2vecOptions:
    """How word vectors are trained. `train_word2vec` checks it.

    Attributes:
        size: length of a vector.
        window: most words on either side that count; how many do is drawn for each word, from 1 to this.
        negative: words drawn for each pair of words.
        epochs: times over the text.
        lr: learning rate of the first block of words; it falls to nearly nothing in a straight line.
        subsample: words more frequent than this share of the text are left out at random, the more frequent the more
            often; 0 to keep all.
        block: words of the text that are learned from at a time.
        seed: of all that is drawn.
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
    """Check a method and its options; the options as Python's own numbers.

    Raises:
        InputError: one that there is not, or that is out of range.
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
