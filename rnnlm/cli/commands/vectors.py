"""`rnnlm vectors`: train word vectors, and look at them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional, arg

from rnnlm.checks import whole_number
from rnnlm.cli.commands.base import Command
from rnnlm.cli.effects import VECTORS
from rnnlm.data.corpora.named import BUILT_IN, load_corpus
from rnnlm.drawing import expect_new_picture
from rnnlm.errors import InputError
from rnnlm.files import expect_apart, expect_new_file, expect_writable
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
    """Train word vectors on a text; save them in word2vec's text format.

    Examples: rnnlm vectors train | rnnlm vectors train --corpus book.txt --method cbow --out book.vec

    Attributes:
        corpus: story (built in) or ptb (Penn Treebank), of which the train part is used; or a UTF-8 text file or an
            encoded corpus (`rnnlm data encode`), which is used whole.
        out: the file to write.
        method: skip-gram or cbow (word2vec with negative sampling); or svd of the words' pointwise mutual information,
            which uses only size, window and seed.
        max_words: vocabulary size for a text file: the most frequent words.
        data_dir: folder that holds ptb/ptb.train.txt. If not given: $RNNLM_DATA, or the download cache.
        overwrite: replace an existing file.
        training: window, vector size, learning rate and so on.
        device: cpu, cuda (an NVIDIA GPU), cuda:1 and so on. If not given: $RNNLM_DEVICE, else cpu.
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
        """Train and save the vectors, and print where they are."""
        import numpy as np

        expect_options("cbow" if self.method == "svd" else self.method, self.training)
        expect_new_file("out", self.out, self.overwrite)
        if not self.out.parent.is_dir():
            raise InputError(f"out must be in a folder that exists, got {self.out}")
        expect_apart("out", self.out, self.corpus)
        expect_writable("out", self.out)
        corpus = load_corpus(self.corpus, self.data_dir, self.max_words)
        parts = [corpus.train] if self.corpus in BUILT_IN else [corpus.train, corpus.valid, corpus.test]
        ids = np.concatenate([np.asarray(part) for part in parts])
        vectors = self._vectors(ids, len(corpus.vocabulary))
        save_vectors(self.out, corpus.vocabulary, vectors)
        print(
            f"{self.out}: {vectors.shape[0]:,} words, vectors of {vectors.shape[1]} numbers, from {len(ids):,} tokens"
        )

    def _vectors(self, ids: "NDArray[Any]", words: int) -> "NDArray[Any]":
        """Return vectors trained with the chosen method."""
        if self.method == "svd":
            from rnnlm.wordvec.counts import create_co_matrix, ppmi, svd_vectors

            o = self.training
            return svd_vectors(ppmi(create_co_matrix(ids, words, o.window)), o.size, o.seed)
        from rnnlm.wordvec.training import train_word2vec

        with words_bar(self.training.epochs * len(ids)) as bar:
            return train_word2vec(ids, words, self.method, self.training, bar.update)


@dataclass(frozen=True)
class Similar(Command):
    """Print the words with the most similar vectors, with their cosine similarities.

    Example: rnnlm vectors similar vectors.txt alice kitchen

    Attributes:
        file: word vectors, in word2vec's text format.
        words: words to look up.
        top: number of similar words to print for each.
    """

    file: Annotated[Positional[Path], arg(metavar="VECTORS")]
    words: Annotated[Positional[tuple[str, ...]], arg(metavar="WORD [WORD ...]")]
    top: int = 5

    def run(self) -> None:
        """Print one line per word."""
        whole_number("top", self.top, 1)
        words, vectors = load_vectors(self.file)
        for word in self.words:
            id_of("word", word, words.word_to_id)  # check all words before the first line is printed
        for word in self.words:
            _tell(word, most_similar(word, words.word_to_id, words.id_to_word, vectors, self.top))


@dataclass(frozen=True)
class Analogy(Command):
    """Print the words that relate to the third word as the second does to the first, with cosine similarities.

    Example: rnnlm vectors analogy vectors.txt man woman king

    Attributes:
        file: word vectors, in word2vec's text format.
        words: three words A B C, "A : B = C : ?".
        top: number of answers to print.
    """

    file: Annotated[Positional[Path], arg(metavar="VECTORS")]
    words: Annotated[Positional[tuple[str, str, str]], arg(metavar="WORD WORD WORD")]
    top: int = 5

    def run(self) -> None:
        """Print one line with the answers."""
        whole_number("top", self.top, 1)
        words, vectors = load_vectors(self.file)
        found = analogy(*self.words, words.word_to_id, words.id_to_word, vectors, self.top)
        _tell("{} : {} = {} : ?".format(*self.words), found)


@dataclass(frozen=True)
class Plot(Command):
    """Plot words as points in the plane of the two directions of largest variance of their vectors (PCA).

    Example: rnnlm vectors plot vectors.txt alice tom kitchen garden --out words.png

    Attributes:
        file: word vectors, in word2vec's text format.
        words: words to plot. If not given: the first 60 of the file.
        out: the picture's file; its extension chooses the format.
        overwrite: replace an existing picture.
    """

    file: Annotated[Positional[Path], arg(metavar="VECTORS")]
    words: Annotated[Positional[tuple[str, ...]], arg(metavar="[WORD ...]")] = ()
    out: Path = Path("vectors.png")
    overwrite: bool = False

    def run(self) -> None:
        """Draw the picture."""
        expect_new_picture("out", self.out, self.overwrite)
        words, vectors = load_vectors(self.file)
        chosen = self.words or tuple(words.words[:60])
        places = [id_of("word", word, words.word_to_id) for word in chosen]
        points, share = in_a_plane(vectors[places])
        save_points(self.out, chosen, points, f"{share:.0%} of the variance of {len(chosen)} vectors")
        print(f"{self.out}: {len(chosen)} words")


@dataclass(frozen=True)
class Vectors(Command):
    """Train word vectors on a text, and look at them.

    Attributes:
        action: what to do.
    """

    action: OmitSubcommandPrefixes[Train | Similar | Analogy | Plot]

    @property
    def asked(self) -> Command:
        """The subcommand."""
        return self.action


def _tell(of: str, found: list[tuple[str, float]]) -> None:
    print(f"{of}: " + ", ".join(f"{word} {cosine:.3f}" for word, cosine in found))
