"""word2vec: its losses, gradients, trainings, and the fast one on a real text."""

import numpy as np
import pytest

from rnnlm.backend import NAME, ops
from rnnlm.data.corpora import story
from rnnlm.errors import InputError
from rnnlm.optim import Adam
from rnnlm.training.trainer import Trainer
from rnnlm.wordvec import (
    CBOW,
    SimpleCBOW,
    SimpleSkipGram,
    SkipGram,
    Word2vecOptions,
    convert_one_hot,
    create_contexts_target,
    most_similar,
    preprocess,
    train_word2vec,
)
from rnnlm.wordvec.training import _Vectors
from tests.gradcheck import assert_gradients, host

CORPUS, WORD_TO_ID, ID_TO_WORD = preprocess("You say goodbye and I say hello.")
CONTEXTS, TARGET = create_contexts_target(CORPUS, 1)
MODELS = {
    "cbow-softmax": lambda: SimpleCBOW(7, 5, seed=1),
    "skip-gram-softmax": lambda: SimpleSkipGram(7, 5, seed=1),
    "cbow": lambda: CBOW(7, 5, 1, CORPUS, 3, seed=1),
    "skip-gram": lambda: SkipGram(7, 5, 1, CORPUS, 3, seed=1),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


def softmax_loss(h, W_out, ids):
    s = h @ W_out
    return np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(ids)), ids]


def test_the_losses_of_the_softmax_models():
    """CBOW: the mean of the context's vectors; skip-gram: the sum over the context, averaged over targets."""
    for kind in (SimpleCBOW, SimpleSkipGram):
        net = kind(7, 5, seed=2)
        for p in net.params:
            p *= 100
        W_in, W_out = map(host, net.params)
        if kind is SimpleCBOW:
            want = softmax_loss(W_in[CONTEXTS].mean(axis=1), W_out, TARGET).mean()
        else:
            want = sum(softmax_loss(W_in[TARGET], W_out, CONTEXTS[:, c]) for c in range(2)).mean()
        np.testing.assert_allclose(float(net.forward(CONTEXTS, TARGET)), want, rtol=1e-5)


def test_ids_and_one_hot_rows_are_the_same(model):
    losses = []
    for contexts, target in ((CONTEXTS, TARGET), (convert_one_hot(CONTEXTS, 7), convert_one_hot(TARGET, 7))):
        for part in (
            getattr(model.stack.head, "sampler", None),
            getattr(getattr(model.stack.head, "head", None), "sampler", None),
        ):
            if part is not None:
                part.draws = 0
        losses.append(float(model.forward(contexts, target)))
    assert losses[0] == losses[1]


def test_backward_is_the_derivative(model, rng, monkeypatch):
    """In float64, with the same negatives each time."""
    from rnnlm.wordvec import word2vec

    def drawn(seed, part, V, H, turned=False):
        return ops.asarray(rng.standard_normal((H, V) if turned else (V, H)))

    monkeypatch.setattr(word2vec, "drawn", drawn)
    original = word2vec.Sequential
    monkeypatch.setattr(word2vec, "Sequential", lambda layers, head, seed: original(layers, head, "float64", seed))
    name = next(name for name, make in MODELS.items() if type(make()) is type(model))
    net = MODELS[name]()
    head = getattr(net.stack.head, "head", net.stack.head)

    def loss():
        if hasattr(head, "sampler"):
            head.sampler.draws = 0
        return float(net.forward(CONTEXTS, TARGET))

    loss()
    net.backward()
    grads = {n: g.copy() for n, g in zip(net.names, net.grads)}
    assert_gradients(loss, dict(zip(net.names, net.params)), grads, rng)


def test_a_short_text_is_learned(model):
    """The book's experiment: the loss of the seven words falls by far."""
    trainer = Trainer(model, Adam(0.01))
    trainer.fit(CONTEXTS, TARGET, max_epoch=300, batch_size=3, eval_interval=None, verbose=0)
    assert trainer.loss_list[-1] < 0.6 * trainer.loss_list[0]
    assert model.word_vecs.shape == (7, 5)
    model.word_vecs[:] = 0
    assert model.word_vecs.any()


# ---------------------------------------------------------------- a whole text


@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
def test_a_step_is_that_of_the_loss(rng, method):
    """The gradient by hand, in float64, with the words that the block has drawn."""
    V, D, B = 9, 4, 12
    text = rng.integers(0, V, 40)
    o = Word2vecOptions(size=D, window=2, negative=3, block=B, seed=3)
    vectors = _Vectors(V, method, o, np.bincount(text, minlength=V))
    vectors.W_out[...] = ops.asarray(rng.standard_normal((V, D)).astype("float32"))
    W_in, W_out = host(vectors.W_in).astype(float), host(vectors.W_out).astype(float)
    seen = {}

    def spy(block):
        seen.update({name: host(value) for name, value in vars(block).items()})
        (_Vectors._skip_gram if method == "skip-gram" else _Vectors._cbow)(vectors, block)

    setattr(vectors, "_skip_gram" if method == "skip-gram" else "_cbow", spy)
    lr = 0.003  # too little for any word's rates to add up to 1
    vectors.learn(text, 20, B, lr)
    dW_in, dW_out = np.zeros((V, D)), np.zeros((V, D))
    rows = [seen["around"][seen["which"] == b] for b in range(B)]
    if method == "skip-gram":
        told = [([c], w) for b, c in enumerate(seen["center"]) for w in rows[b]]
    else:
        told = [(rows[b], c) for b, c in enumerate(seen["center"])]
    assert len(seen["drawn"]) == B
    for inputs, right in told:
        h, dh = W_in[inputs].mean(axis=0), np.zeros(D)
        for word, label, share in [(right, 1, 1.0), *((w, 0, o.negative / B) for w in seen["drawn"])]:
            g = lr * share * (label - 1 / (1 + np.exp(-h @ W_out[word])))
            dW_out[word] += g * h
            dh += g * W_out[word]
        for word in inputs:  # the whole of it to each, as word2vec's own program has it
            dW_in[word] += dh
    np.testing.assert_allclose(host(vectors.W_in), W_in + dW_in, atol=1e-6)
    np.testing.assert_allclose(host(vectors.W_out), W_out + dW_out, atol=1e-6)


@pytest.mark.skipif(
    NAME != "numpy", reason="takes minutes on the stand-in, whose single steps are tested: runs on NumPy"
)
@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
def test_words_of_a_kind_come_together(method):
    """On the built-in corpus: names are like names, rooms like rooms."""
    ids, word_to_id, id_to_word = story.load_data("valid")
    told = []
    options = Word2vecOptions(size=30, window=3, epochs=3, subsample=0, lr=0.05, seed=1)
    vectors = train_word2vec(ids, len(id_to_word), method, options, told.append)
    assert abs(sum(told) - 3 * len(ids)) < 0.01 * len(ids)
    assert vectors.shape == (len(id_to_word), 30)
    assert np.isfinite(vectors).all()
    names = {"alice", "arthur", "clara", "edith", "felix", "flora", "hugo", "nora", "oscar", "ralph", "ruth", "victor"}
    query = min(names)
    near = [word for word, _ in most_similar(query, word_to_id, id_to_word, vectors, 4)]
    assert len(set(near) & names) == 4, near


def test_it_is_the_same_again_and_another_with_another_seed():
    ids, _, id_to_word = story.load_data("valid")
    V = len(id_to_word)
    one, same, other = (
        train_word2vec(ids[:5000], V, "skip-gram", Word2vecOptions(size=8, epochs=1, seed=s)) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "glove"}, "method must be one of skip-gram, cbow, got 'glove'"),
        ({"window": 0}, "window must be a whole number of at least 1, got 0"),
        ({"window": 8}, "window_size must be less than half the 8 words of the corpus, got 8"),
        ({"lr": 0}, "lr must be positive and finite, got 0"),
        ({"subsample": -1}, "subsample must be"),
        ({"negative": 0}, "negative must be a whole number of at least 1, got 0"),
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
    ],
)
def test_options_out_of_range(options, message):
    options = dict(options)
    method = options.pop("method", "cbow")
    with pytest.raises(InputError, match=message):
        train_word2vec(CORPUS, 7, method, Word2vecOptions(**{"window": 2, **options}))
    with pytest.raises(InputError, match=r"corpus must hold ids in \[0, 6\), got 6"):
        train_word2vec(CORPUS, 6, "cbow", Word2vecOptions(window=2))


@pytest.mark.parametrize(
    ("contexts", "target", "message"),
    [
        ([[0, 9]], [1], r"contexts must hold ids in \[0, 7\), got 9"),
        (np.zeros((1, 2, 6)), [1], r"one-hot contexts must have 7 columns, got shape \(1, 2, 6\)"),
        ([[0, 1]], [[1, 2, 3]], "target must"),
    ],
)
def test_what_is_no_context(contexts, target, message):
    with pytest.raises(InputError, match=message):
        SimpleCBOW(7, 5).forward(contexts, np.array(target))


@pytest.mark.parametrize("cls", [CBOW, SkipGram])
def test_contexts_are_of_the_window(cls):
    contexts, target = create_contexts_target(CORPUS, 2)
    with pytest.raises(InputError, match="contexts must be 2 words of each target, as window_size is 1, got 4"):
        cls(7, 5, 1, CORPUS).forward(contexts, target)


def test_more_ids_than_words():
    with pytest.raises(InputError, match=r"corpus must hold ids in \[0, 3\), got 6"):
        CBOW(3, 5, 1, CORPUS)
