"""`rnnlm ngram`: train n-gram models, and convert their files."""

from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional, arg

from rnnlm.cli.commands.base import Command
from rnnlm.cli.effects import NGRAMS
from rnnlm.cli.folders import words_of
from rnnlm.data.cleaning import TextOptions
from rnnlm.data.corpora.named import BUILT_IN, load_corpus, load_part
from rnnlm.data.reading import Reading
from rnnlm.data.sentences import Sentences
from rnnlm.data.vocabulary import Vocabulary
from rnnlm.errors import InputError
from rnnlm.files import expect_apart, expect_writable
from rnnlm.progress import note, words_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rnnlm.ngrams.model import NGram

__all__ = ["Ngram"]


@dataclass(frozen=True)
class Train(Command):
    """Count the n-grams of a text, line by line, and save a smoothed model.

    Examples: rnnlm ngram train --corpus ptb --out ptb.arpa |
    rnnlm ngram train --corpus book.txt --part train --out book-lm

    Attributes:
        corpus: story (built in) or ptb (Penn Treebank), of which the train part is used; or a UTF-8 text file or an
            encoded corpus (`rnnlm data encode`).
        part: the part of a file that is counted. If not given: all of it. train leaves out what `rnnlm train` holds
            out, so that the two models can be compared and mixed.
        out: where to save: an ARPA file if the name ends in .arpa or .arpa.gz, else a folder, which loads faster.
        order: length of the longest n-grams, 1 to 255.
        smoothing: kneser-ney (interpolated, modified), or none: relative frequencies, which give many texts
            probability 0.
        cutoffs: leave out n-grams that occur at most this often: a number for each order from 2 on; the last one also
            holds for all higher orders.
        max_words: vocabulary size for a text file: the most frequent words.
        vocab: use this vocabulary: that of a model, a run, an encoded corpus or an ARPA file, or a file with one word
            per line.
        data_dir: folder that holds ptb/. If not given: $RNNLM_DATA, or the download cache.
        overwrite: replace existing files.
        text: how the text is read.
    """

    effects = NGRAMS
    corpus: str = "story"
    part: Literal["train"] | None = None
    out: Path = Path("lm.arpa")
    order: int = 5
    smoothing: Literal["kneser-ney", "none"] = "kneser-ney"
    cutoffs: tuple[int, ...] = ()
    max_words: int = 10_000
    vocab: Path | None = None
    data_dir: Path | None = None
    overwrite: bool = False
    text: TextOptions = field(default_factory=TextOptions)

    def run(self) -> None:
        """Save the model; print its size and, for a built-in corpus, its perplexity on the other parts."""
        from rnnlm.saving.ngram_files import expect_words, save_ngram

        self._check()
        begin = perf_counter()
        ids, words = self._text()
        expect_words(self.out, words)
        model = self._model(ids, words)
        save_ngram(self.out, model, words)
        model.summary()
        print(f"{self.out}: from {len(ids):,} tokens in {perf_counter() - begin:.1f} seconds")
        if self.part is None and self.corpus not in BUILT_IN:
            note(f"all of {self.corpus} was counted; --part train leaves out what `rnnlm train` holds out")
        if self.corpus in BUILT_IN:
            self._evaluate(model, words)

    def _check(self) -> None:
        """Raise an InputError for mistakes that can be found before a text is read."""
        from rnnlm.ngrams.smoothing import cutoff_limits
        from rnnlm.saving.ngram_files import expect_new, expect_reading

        cutoff_limits(self.cutoffs, self.order)
        if self.smoothing == "none" and self.cutoffs:
            raise InputError("cutoffs are for kneser-ney, which gives what they take to shorter n-grams")
        expect_new(self.out, self.overwrite)
        expect_apart("out", self.out, self.corpus)
        expect_writable("out", self.out)
        self.text.check()
        if self.vocab is None:
            expect_reading(self.out, Reading(self.text))
        elif self.text != TextOptions():
            raise InputError(
                "with vocab, it decides how the text is read: leave out units, column and cleaning options"
            )

    def _text(self) -> "tuple[NDArray[Any], Vocabulary]":
        """Return the text as ids, and its vocabulary."""
        import numpy as np

        from rnnlm.saving.ngram_files import expect_reading

        if self.vocab is not None:
            words = words_of(self.vocab)
            expect_reading(self.out, words.reading)
            part = "train" if self.corpus in BUILT_IN else self.part
            return self._lines(np.asarray(load_part(self.corpus, part, words, self.data_dir).ids), words)
        found = load_corpus(self.corpus, self.data_dir, self.max_words, self.text)
        whole = self.part is None and self.corpus not in BUILT_IN
        parts = [found.train, found.valid, found.test] if whole else [found.train]
        ids = np.concatenate([np.asarray(part) for part in parts])
        return self._lines(ids, found.vocabulary.read_by(self.text))

    def _lines(self, ids: "NDArray[Any]", words: Vocabulary) -> "tuple[NDArray[Any], Vocabulary]":
        """Return the ids and the vocabulary; for a model of sentences without the blank lines."""
        import numpy as np

        if not words.reading.options.sentences or words.eos_id is None:
            return ids, words
        return np.concatenate(list(Sentences(ids, words.eos_id))), words

    def _model(self, ids: "NDArray[Any]", words: Vocabulary) -> "NGram":
        from rnnlm.ngrams.frequencies import maximum_likelihood
        from rnnlm.ngrams.smoothing import kneser_ney

        assert words.eos_id is not None  # `expect_words`
        with words_bar(self.order * len(ids)) as bar:
            if self.smoothing == "none":
                return maximum_likelihood(ids, len(words), words.eos_id, self.order, bar.update)
            return kneser_ney(ids, len(words), words.eos_id, self.order, self.cutoffs, bar.update)

    def _evaluate(self, model: "NGram", words: Vocabulary) -> None:
        """Print the perplexities of the other parts; for the stories also by class of word."""
        from rnnlm.experiments.stories import class_rows, told
        from rnnlm.inference.evaluation import evaluate, token_nats

        for part in ("valid", "test"):
            print(f"{part}: {evaluate(model, load_part(self.corpus, part, words, self.data_dir).ids)}")
        if self.corpus == "story":
            print(told(class_rows(token_nats(model, load_part("story", "test", words).ids)[1:])))


@dataclass(frozen=True)
class Convert(Command):
    """Convert an ARPA file to a folder, which loads faster, or a folder to an ARPA file.

    Example: rnnlm ngram convert book.arpa.gz book-lm

    Attributes:
        model: an n-gram model: an ARPA file or a folder.
        out: where to save: an ARPA file if the name ends in .arpa or .arpa.gz, else a folder.
        overwrite: replace existing files.
    """

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    out: Annotated[Positional[Path], arg(metavar="FILE")]
    overwrite: bool = False

    def run(self) -> None:
        """Load the model and save it in the other format."""
        from rnnlm.saving.ngram_files import expect_new, expect_reading, load_ngram, save_ngram

        expect_new(self.out, self.overwrite)
        model, words = load_ngram(self.model)
        expect_reading(self.out, words.reading)
        save_ngram(self.out, model, words)
        model.summary()
        print(f"{self.out}: {len(words):,} words")


@dataclass(frozen=True)
class Ngram(Command):
    """Train n-gram models, to compare with neural networks or mix with them in eval, score, rescore and generate.

    Examples: rnnlm ngram train --corpus ptb --out ptb.arpa && rnnlm eval ptb.arpa --corpus ptb

    Attributes:
        action: what to do.
    """

    action: OmitSubcommandPrefixes[Train | Convert]

    @property
    def asked(self) -> Command:
        """The subcommand."""
        return self.action
