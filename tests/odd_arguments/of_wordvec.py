"""Word vectors: counts, word2vec, neighbours, files."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rnnlm import (
    CBOW,
    SimpleCBOW,
    SimpleSkipGram,
    SkipGram,
    Vocabulary,
    Word2vecOptions,
    analogy,
    convert_one_hot,
    cos_similarity,
    create_co_matrix,
    create_contexts_target,
    most_similar,
    normalize,
    pmi,
    ppmi,
    preprocess,
    svd_vectors,
    train_word2vec,
)  # fmt: skip
from rnnlm.wordvec.neighbours import nearest
from rnnlm.wordvec.plane import in_a_plane
from rnnlm.wordvec.vector_file import load_vectors, save_vectors
from tests.odd_arguments import entry, method

FOLDER = tempfile.mkdtemp()
WORDS = ("cat", "dog", "cow", "hen", "pig", "rat")
V = len(WORDS)
LISTS = (list, tuple, range, memoryview, np.matrix)


def corpus() -> Any:
    return np.arange(24) % V


def vectors(*shape: int) -> Any:
    return np.random.default_rng(0).uniform(-1, 1, shape or (V, 3)).astype(np.float32)


def numbers_too(*names: str) -> dict[str, tuple[type, ...]]:
    """Arrays of any type of number, and lists of them."""
    return dict.fromkeys(names, (np.ndarray, *LISTS))


entry("preprocess", lambda text: list(preprocess(text)), lambda: {"text": "You say goodbye."})
entry(
    "create_contexts_target",
    create_contexts_target,
    lambda: {"corpus": corpus(), "window_size": 1},
    takes={"corpus": LISTS},
    also={"corpus": ("window_size",)},
)
entry(
    "convert_one_hot",
    convert_one_hot,
    lambda: {"corpus": corpus(), "vocab_size": V},
    takes={"corpus": LISTS},
    also={"vocab_size": ("corpus",)},
)
entry(
    "create_co_matrix",
    create_co_matrix,
    lambda: {"corpus": corpus(), "vocab_size": V, "window_size": 1, "sparse": False},
    takes={"corpus": LISTS, "sparse": (type(None),)},
    also={"vocab_size": ("corpus",), "corpus": ("window_size",)},
)
entry(
    "pmi",
    lambda **given: max(pmi(**given), -1e9),
    lambda: {"count_xy": 2.0, "count_x": 3.0, "count_y": 4.0, "total": 9.0},
)
entry("ppmi", ppmi, lambda: {"C": create_co_matrix(corpus(), V)}, takes=numbers_too("C"))
entry(
    "svd_vectors",
    lambda M, size, seed: np.abs(svd_vectors(M, size, seed)),
    lambda: {"M": vectors(V, V), "size": 2, "seed": 1},
    takes=numbers_too("M"),
)
entry(
    "cos_similarity",
    cos_similarity,
    lambda: {"x": vectors(3), "y": vectors(3), "eps": 1e-8},
    takes=numbers_too("x", "y"),
)
entry("normalize", normalize, lambda: {"x": vectors()}, takes=numbers_too("x"))
entry(
    "nearest",
    nearest,
    lambda: {"vector": vectors(3), "word_matrix": vectors(), "top": 2, "leave_out": [1]},
    takes=numbers_too("vector", "word_matrix", "leave_out") | {"leave_out": (set, frozenset, dict, *LISTS, np.ndarray)},
)


def words() -> dict[str, Any]:
    return {
        "word_to_id": {word: i for i, word in enumerate(WORDS)},
        "id_to_word": dict(enumerate(WORDS)),
        "word_matrix": vectors(),
        "top": 2,
    }


WELCOME = numbers_too("word_matrix") | {"id_to_word": (list, tuple)}
entry("most_similar", most_similar, lambda: {"query": "cat", **words()}, takes=WELCOME)
entry("analogy", analogy, lambda: {"a": "cat", "b": "dog", "c": "cow", **words()}, takes=WELCOME)
entry(
    "in_a_plane",
    lambda vectors: [np.abs(one) for one in in_a_plane(vectors)],
    lambda: {"vectors": vectors()},
    takes=numbers_too("vectors"),
)


def in_a_folder(path: Any) -> Any:
    """A path that a file may have, in a folder of its own: nothing is written elsewhere."""
    if not isinstance(path, (str, Path)) or path in ("", "\0", "\ud800"):
        return path
    return Path(FOLDER) / Path(path).name


def saved(words: Any, vectors: Any) -> Any:
    save_vectors(in_a_folder("vectors.txt"), words, vectors)
    return load_vectors(in_a_folder("vectors.txt"))[1]


def vector_file() -> Path:
    path = in_a_folder("vectors.txt")
    save_vectors(path, Vocabulary(WORDS), vectors())
    return path


entry("save_vectors", saved, lambda: {"words": Vocabulary(WORDS), "vectors": vectors()}, takes=numbers_too("vectors"))
entry(
    "save_vectors(path)",
    lambda path: save_vectors(in_a_folder(path), Vocabulary(WORDS), vectors()),
    lambda: {"path": vector_file()},
    errors=(OSError,),
)
entry(
    "load_vectors",
    lambda path: load_vectors(path)[1],
    lambda: {"path": vector_file()},
    takes={"path": (str,)},
    also={"path": ("can't be read",)},
)
SMALL = {"size": 3, "window": 1, "negative": 2, "epochs": 1, "lr": 0.05, "subsample": 0.0, "block": 8, "seed": 1}
entry(
    "Word2vecOptions",
    lambda **given: train_word2vec(corpus(), V, "cbow", Word2vecOptions(**given)),
    lambda: dict(SMALL),
)
entry(
    "train_word2vec",
    train_word2vec,
    lambda: {
        "corpus": corpus(),
        "vocab_size": V,
        "method": "skip-gram",
        "options": Word2vecOptions(**SMALL),
        "advance": abs,
    },
    takes={"corpus": LISTS, "options": (type(None),), "advance": (type(None),)},
    also={"vocab_size": ("corpus",), "corpus": ("window_size",)},
)
for cls in (SimpleCBOW, SimpleSkipGram):
    entry(cls.__name__, lambda cls=cls, **given: cls(**given), lambda: {"vocab_size": V, "hidden_size": 3, "seed": 1})
for cls in (CBOW, SkipGram):
    entry(
        cls.__name__,
        lambda cls=cls, **given: cls(**given),
        lambda: {"vocab_size": V, "hidden_size": 3, "window_size": 1, "corpus": corpus(), "sample_size": 2, "seed": 1},
        takes={"corpus": LISTS},
        also={"vocab_size": ("corpus",)},
    )


def contexts() -> dict[str, Any]:
    found, target = create_contexts_target(corpus())
    return {"contexts": found, "target": target}


for cls in (SimpleCBOW, SimpleSkipGram):
    method(
        f"{cls.__name__}.forward",
        lambda cls=cls: cls(V, 3),
        "forward",
        contexts,
        takes={"contexts": LISTS, "target": LISTS},
    )
for cls in (CBOW, SkipGram):
    method(
        f"{cls.__name__}.forward",
        lambda cls=cls: cls(V, 3, 1, corpus()),
        "forward",
        contexts,
        takes={"contexts": LISTS, "target": LISTS},
    )
method(
    "SimpleCBOW.forward, one-hot",
    lambda: SimpleCBOW(V, 3),
    "forward",
    lambda: {key: convert_one_hot(value, V) for key, value in contexts().items()},
    takes=numbers_too("contexts", "target"),
)
