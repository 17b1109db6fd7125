"""`rnnlm data`: show where corpora are, download one, encode a text, check an encoded corpus."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitSubcommandPrefixes, Positional, arg

from rnnlm.cli.commands.base import Command
from rnnlm.cli.effects import ENCODING
from rnnlm.cli.folders import words_of
from rnnlm.data.corpora import ptb
from rnnlm.data.encoded import verify
from rnnlm.data.encoded_header import Header
from rnnlm.data.encoding import encode_corpus
from rnnlm.errors import InputError
from rnnlm.progress import bytes_bar, note

__all__ = ["Data"]


@dataclass(frozen=True)
class Encode(Command):
    """Convert a text to an encoded corpus: one file with token ids and vocabulary, which is never loaded whole.

    Example: rnnlm data encode book.txt && rnnlm train --corpus book.txt.ids

    Attributes:
        text: a UTF-8 text file.
        out: the file to write. If not given: TEXT.ids.
        vocab: use this vocabulary: that of a model, a run, an encoded corpus or an ARPA file, or a file with one word
            per line.
        max_words: vocabulary size without vocab: the most frequent words.
        overwrite: replace an existing file.
    """

    effects = ENCODING
    text: Annotated[Positional[Path], arg(metavar="TEXT")]
    out: Path | None = None
    vocab: Path | None = None
    max_words: int = 10_000
    overwrite: bool = False

    def run(self) -> None:
        """Write the encoded corpus and print what is in it."""
        words = None if self.vocab is None else words_of(self.vocab)
        out = Path(f"{self.text}.ids") if self.out is None else self.out
        size = self.text.stat().st_size if self.text.is_file() else 0
        with bytes_bar(size if words else 2 * size) as bar:
            header = encode_corpus(self.text, out, words, self.max_words, self.overwrite, bar.update)
        _tell(out, header)
        if words is not None and not words.reading.plain:
            note(
                f"{out} does not say how its text was read: use it to evaluate {self.vocab}, not to train other models"
            )


@dataclass(frozen=True)
class Check(Command):
    """Check every id of an encoded corpus.

    Example: rnnlm data check book.txt.ids

    Attributes:
        file: a file that `rnnlm data encode` wrote.
    """

    file: Annotated[Positional[Path], arg(metavar="FILE")]

    def run(self) -> None:
        """Check it and print its contents."""
        with bytes_bar(self.file.stat().st_size if self.file.is_file() else 0) as bar:
            header = verify(self.file, bar.update)
        _tell(self.file, header)


@dataclass(frozen=True)
class Where:
    """Print where corpora are; the same as `rnnlm data` alone."""


@dataclass(frozen=True)
class Data(Command):
    """Print where corpora are, download one, or encode a text.

    Example: rnnlm data --fetch ptb

    Attributes:
        fetch: download this corpus (needs the extra 'data').
        data_dir: folder that holds ptb/, or will. If not given: $RNNLM_DATA, or the download cache.
        action: what to do.
    """

    fetch: Literal["ptb"] | None = None
    data_dir: Path | None = None
    action: OmitSubcommandPrefixes[Encode | Check | Where] = Where()

    @property
    def asked(self) -> Command:
        """The subcommand, or this command if none was named; a subcommand does not take these options."""
        if not isinstance(self.action, Command):
            return self
        if self.fetch is not None or self.data_dir is not None:
            raise InputError("encode and check take files: leave out fetch and data_dir")
        return self.action

    def run(self) -> None:
        """Download a corpus, or print where corpora are."""
        if self.fetch is not None:
            note(ptb.LICENCE)
            print(f"ptb is in {ptb.fetch(self.data_dir) / 'ptb'}")
        else:
            _show_where(self.data_dir)


def _show_where(data_dir: Path | None) -> None:
    """Print the folders that are searched for corpora, and which files are missing in them."""
    print("story: built in, made when it is used")
    folders = ptb.folders_to_look_in(data_dir)
    for folder in folders:
        missing = [name for name in ptb.FILES.values() if not (folder / "ptb" / name).is_file()]
        print(f"ptb: {folder / 'ptb'}: {'missing ' + ', '.join(missing) if missing else 'complete'}")
    if not folders:
        print("ptb: no folder is named by --data-dir or RNNLM_DATA, and without the extra 'data' there is no cache")


def _tell(path: Path, header: Header) -> None:
    """Print what an encoded corpus holds."""
    print(
        f"{path}: {header.tokens:,} tokens, of which {header.unknown:,} are not among its "
        f"{len(header.vocabulary):,} words; {header.dtype.itemsize} bytes a token"
    )
