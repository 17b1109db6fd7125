"""`rnnlm vectors`: makes word vectors from a text, and looks at them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional

from rnnlm.checks import whole_number
from rnnlm.cli.commands.base import Command
from rnnlm.cli.effects import VECTORS
from rnnlm.data.corpora.named import BUILT_IN, load_corpus
from rnnlm.drawing import expect_new_picture
from rnnlm.errors import InputError
from rnnlm.files import expect_new_file
from rnnlm.progress import words_bar
from rnnlm.wordvec.neighbours import analogy, id_of, most_similar
from rnnlm.wordvec.options import Word2vecOptions, expect_options
from rnnlm.wordvec.plane import in_a_plane, save_points
from rnnlm.wordvec.vector_file import load_vectors, save_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["Vectors"]


@dataclass(frozen=True)
class Train(Command):
    """Make vectors of the words of a text; write them as text, in word2vec's format.

    Examples: rnnlm vectors train | rnnlm vectors train --corpus book.txt --method cbow --out book.vec

    Attributes:
        corpus: story (built in) or ptb (Penn Treebank), of which the train part is taken; or a UTF-8 text file or what
            `rnnlm data encode` made of one, which is taken whole.
        out: the file to write.
        method: skip-gram or cbow (word2vec with negative sampling); or svd of the mutual information of words, which
            takes size, window and seed.
        max_words: words of a text file to tell apart, the most frequent ones.
        data_dir: folder that holds ptb/ptb.train.txt; $RNNLM_DATA or the cache of downloads unless given.
        overwrite: replace what is there.
        training: window, size, rates and the like.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on; $RNNLM_DEVICE, or cpu, unless given.
    """

    effects = VECTORS
    corpus: str = "story"
    out: Path = Path("vectors.txt")
    method: Literal["skip-gram", "cbow", "svd"] = "skip-gram"
    max_words: int = 10_000
    data_dir: Path | None = None
    overwrite: bool = False
    training: Word2vecOptions = field(default_factory=Word2vecOptions)
    device: str | None = None

    def run(self) -> None:
        """Write the vectors and say where they are."""
        import numpy as np

        expect_options("cbow" if self.method == "svd" else self.method, self.training)
        expect_new_file("out", self.out, self.overwrite)
        if not self.out.parent.is_dir():
            raise InputError(f"out must be in a folder that exists, got {self.out}")
        corpus = load_corpus(self.corpus, self.data_dir, self.max_words)
        parts = [corpus.train] if self.corpus in BUILT_IN else [corpus.train, corpus.valid, corpus.test]
        ids = np.concatenate([np.asarray(part) for part in parts])
        vectors = self._vectors(ids, len(corpus.vocabulary))
        save_vectors(self.out, corpus.vocabulary, vectors)
        print(
            f"{self.out}: {vectors.shape[0]:,} words, vectors of {vectors.shape[1]} numbers, from {len(ids):,} tokens"
        )

    def _vectors(self, ids: "NDArray[Any]", words: int) -> "NDArray[Any]":
        """Vectors by the method that is asked for."""
        if self.method == "svd":
            from rnnlm.wordvec.counts import create_co_matrix, ppmi, svd_vectors

            o = self.training
            return svd_vectors(ppmi(create_co_matrix(ids, words, o.window)), o.size, o.seed)
        from rnnlm.wordvec.training import train_word2vec

        with words_bar(self.training.epochs * len(ids)) as bar:
            return train_word2vec(ids, words, self.method, self.training, bar.update)


@dataclass(frozen=True)
class Similar(Command):
    """Print the words whose vectors are most like a word's, and the cosines.

    Example: rnnlm vectors similar vectors.txt alice kitchen

    Attributes:
        file: word vectors, in word2vec's text format.
        words: the words.
        top: how many words to print for each.
    """

    file: Positional[Path]
    words: Positional[tuple[str, ...]]
    top: int = 5

    def run(self) -> None:
        """A line for each word."""
        whole_number("top", self.top, 1)
        words, vectors = load_vectors(self.file)
        for word in self.words:
            id_of("word", word, words.word_to_id)  # all of them before the first line
        for word in self.words:
            _tell(word, most_similar(word, words.word_to_id, words.id_to_word, vectors, self.top))


@dataclass(frozen=True)
class Analogy(Command):
    """Print what is to the third word as the second is to the first, and the cosines.

    Example: rnnlm vectors analogy vectors.txt man woman king

    Attributes:
        file: word vectors, in word2vec's text format.
        words: three of them, "man : woman = king : ?".
        top: how many answers to print.
    """

    file: Positional[Path]
    words: Positional[tuple[str, str, str]]
    top: int = 5

    def run(self) -> None:
        """A line with the answers."""
        whole_number("top", self.top, 1)
        words, vectors = load_vectors(self.file)
        found = analogy(*self.words, words.word_to_id, words.id_to_word, vectors, self.top)
        _tell("{} : {} = {} : ?".format(*self.words), found)


@dataclass(frozen=True)
class Plot(Command):
    """Draw words as points in a plane: the two directions in which their vectors differ most (PCA).

    Example: rnnlm vectors plot vectors.txt alice tom kitchen garden --out words.png

    Attributes:
        file: word vectors, in word2vec's text format.
        words: the words; the first 60 of the file unless given.
        out: the picture; its ending says in which format.
        overwrite: replace what is there.
    """

    file: Positional[Path]
    words: Positional[tuple[str, ...]] = ()
    out: Path = Path("vectors.png")
    overwrite: bool = False

    def run(self) -> None:
        """Draw them."""
        expect_new_picture("out", self.out, self.overwrite)
        words, vectors = load_vectors(self.file)
        chosen = self.words or tuple(words.words[:60])
        places = [id_of("word", word, words.word_to_id) for word in chosen]
        points, share = in_a_plane(vectors[places])
        save_points(self.out, chosen, points, f"{share:.0%} of the variance of {len(chosen)} vectors")
        print(f"{self.out}: {len(chosen)} words")


@dataclass(frozen=True)
class Vectors(Command):
    """Make word vectors from a text, and look at them.

    Attributes:
        action: what to do.
    """

    action: OmitSubcommandPrefixes[Train | Similar | Analogy | Plot]

    @property
    def asked(self) -> Command:
        """What to do."""
        return self.action


def _tell(of: str, found: list[tuple[str, float]]) -> None:
    print(f"{of}: " + ", ".join(f"{word} {cosine:.3f}" for word, cosine in found))
