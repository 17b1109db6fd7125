"""What `rnnlm data` does: tell where corpora are, download one, encode a text, check an encoded corpus."""

import sys
from pathlib import Path

from rnnlm.data import Vocabulary, encode_corpus, open_corpus, ptb
from rnnlm.data.encoded import Header, is_encoded, verify
from rnnlm.progress import bytes_bar

__all__ = ["check_file", "encode_text", "show_data"]


def show_data(fetch: bool, data_dir: Path | None) -> None:
    """Print where corpora are; download Penn Treebank if that is asked for."""
    if fetch:
        print(f"rnnlm: {ptb.LICENCE}", file=sys.stderr)
        print(f"ptb is in {ptb.fetch(data_dir) / 'ptb'}")
        return
    print("story: built in, made when it is used")
    folders = ptb.folders_to_look_in(data_dir)
    for folder in folders:
        missing = [name for name in ptb.FILES.values() if not (folder / "ptb" / name).is_file()]
        print(f"ptb: {folder / 'ptb'}: {'missing ' + ', '.join(missing) if missing else 'complete'}")
    if not folders:
        print("ptb: no folder is named by --data-dir or RNNLM_DATA, and without the extra 'data' there is no cache")


def encode_text(text: Path, out: Path | None, vocab: Path | None, max_words: int, overwrite: bool) -> None:
    """Write a text as an encoded corpus and print what is in it."""
    words = None if vocab is None else _words_of(vocab)
    out = Path(f"{text}.ids") if out is None else out
    size = text.stat().st_size if text.is_file() else 0
    with bytes_bar(size if words else 2 * size) as bar:
        header = encode_corpus(text, out, words, max_words, overwrite, bar.update)
    _tell(out, header)


def check_file(path: Path) -> None:
    """Check an encoded corpus to its last id and print what is in it."""
    with bytes_bar(path.stat().st_size if path.is_file() else 0) as bar:
        header = verify(path, bar.update)
    _tell(path, header)


def _tell(path: Path, header: Header) -> None:
    """Print what an encoded corpus holds."""
    print(
        f"{path}: {header.tokens:,} tokens, of which {header.unknown:,} are not among its "
        f"{len(header.vocabulary):,} words; {header.dtype.itemsize} bytes a token"
    )


def _words_of(path: Path) -> Vocabulary:
    """The words of a model, of a run, of an encoded corpus or of a list, one a line."""
    if path.is_dir():
        inner = path / "model"
        return Vocabulary.load((inner if inner.is_dir() else path) / "vocab.txt")
    if path.is_file() and is_encoded(path):
        return open_corpus(path)[1]
    return Vocabulary.load(path)
