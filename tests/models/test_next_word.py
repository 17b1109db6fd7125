"""Many to one: next-word models and classifiers over padded rows."""

from math import log

import numpy as np
import pytest

from rnnlm import (
    Adam,
    Dense,
    Embedding,
    MeanOverTime,
    ReLU,
    RMSprop,
    Sequential,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    Split,
    TimeBiGRU,
    TimeBiLSTM,
    TimeBiRNN,
    TimeDropout,
    TimeGRU,
    TimeLSTM,
    TimeRNN,
    Tokenizer,
    Trainer,
    next_word_samples,
    pad_sequences,
    right_or_wrong,
    sentence_generation,
    who_is_meant,
)
from rnnlm.data.corpora import story
from rnnlm.errors import InputError
from rnnlm.layers.heads.losses import BinaryCrossEntropy
from rnnlm.layers.lengths import without_pads
from tests.data.test_tokenizer import LINES
from tests.gradcheck import assert_gradients, dev, host

CELLS = {"rnn": TimeRNN, "lstm": TimeLSTM, "gru": TimeGRU}
BOTH = {"rnn": TimeBiRNN, "lstm": TimeBiLSTM, "gru": TimeBiGRU}


def next_word_model(cell, seed=0, **options):
    layers = [Embedding.of_size(12, 10), CELLS[cell].of_size(10, 32, return_sequences=False), Dense(32, 12)]
    return Sequential(layers, head=SoftmaxWithLoss(), seed=seed, **options)


@pytest.fixture(scope="module")
def tokenizer():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(LINES)
    return tokenizer


@pytest.mark.long
@pytest.mark.parametrize(
    ("cell", "epochs", "mask_zero"), [("rnn", 200, False), ("rnn", 200, True), ("lstm", 400, False), ("gru", 400, True)]
)
def test_three_lines_are_learned_and_given_back(tokenizer, cell, epochs, mask_zero):
    model = next_word_model(cell, mask_zero=mask_zero)
    x, y = next_word_samples(tokenizer.texts_to_sequences(LINES))
    trainer = Trainer(model, Adam(0.001))
    trainer.fit(x, y, max_epoch=epochs, eval_interval=None, accuracy=True, verbose=0)
    assert abs(trainer.loss_list[0] - log(12)) < 0.05
    assert trainer.loss_list[-1] < 0.2
    assert trainer.accuracy_list[-1] == 1.0
    texts = [sentence_generation(model, tokenizer, word, n) for word, n in (("경마장에", 4), ("그의", 2), ("가는", 5))]
    assert texts == [line for line in LINES if line]


def test_how_many_parameters():
    assert sum(p.size for p in next_word_model("rnn").params) == 1892
    headlines = [Embedding.of_size(3494, 10), TimeLSTM.of_size(10, 128, return_sequences=False), Dense(128, 3494)]
    assert sum(p.size for p in Sequential(headlines, head=SoftmaxWithLoss()).params) == 556_834


def test_a_prompt_that_is_too_long_is_cut_and_a_pad_never_written(tokenizer):
    model = next_word_model("rnn")
    model.params[-1][...] = dev([100.0] + [0.0] * 11)  # the pad is by far the likeliest
    model.sample_shape = (5,)
    with pytest.warns(UserWarning, match="padded for 5 words: of the 6 given the first 1 are not read"):
        text = sentence_generation(model, tokenizer, "가는 말이 고와야 오는 말이 곱다", 3)
    assert len(text.split()) == 9
    assert all(word in tokenizer.word_index for word in text.split())


def test_wrong_tokenizers_and_words(tokenizer):
    other = Tokenizer()
    other.fit_on_texts(["a b c"])
    model = next_word_model("rnn")
    with pytest.raises(InputError, match="tokenizer must be the model's own: it has 4 ids, and the model takes 12"):
        sentence_generation(model, other, "a", 1)
    with pytest.raises(InputError, match="must have a word that the tokenizer knows, got 'zebra'"):
        sentence_generation(model, tokenizer, "zebra", 1)
    with pytest.raises(InputError, match="n must be a whole number"):
        sentence_generation(model, tokenizer, "그의", 0)
    sequences = Sequential([Embedding.of_size(12, 10), TimeRNN.of_size(10, 12)])
    with pytest.raises(InputError, match="model must give a row of 12 scores"):
        sentence_generation(sequences, tokenizer, "그의", 1)


# ---------------------------------------------------------------- pads that leave the state alone


def test_rows_are_shifted_to_their_first_words():
    shifted, lengths = without_pads(dev([[0, 0, 3, 4], [5, 0, 0, 0], [0, 6, 0, 7], [0, 0, 0, 0], [1, 2, 3, 4]]))
    assert host(shifted).tolist() == [[3, 4, 0, 0], [5, 0, 0, 0], [6, 0, 7, 0], [0, 0, 0, 0], [1, 2, 3, 4]]
    assert host(lengths).tolist() == [2, 1, 3, 0, 4]


def stacks():
    for name, cell in CELLS.items():
        yield name, lambda cell=cell: [cell.of_size(5, 6, return_sequences=False)]
    for name, cell in BOTH.items():
        yield f"both-{name}", lambda cell=cell: [cell.of_size(5, 6), cell.of_size(12, 4, return_sequences=False)]
    yield "mean", lambda: [TimeGRU.of_size(5, 6), MeanOverTime()]


STACKS = dict(stacks())


def masked(kind, **options):
    layers = STACKS[kind]()
    H = {"both": 8}.get(kind.partition("-")[0], 6)
    return Sequential(
        [Embedding.of_size(12, 5), *layers, Dense(H, 3)],
        SoftmaxWithLoss(),
        "float64",
        seed=3,
        mask_zero=True,
        **options,
    )


@pytest.mark.parametrize("kind", STACKS)
def test_pads_leave_the_state_alone(rng, kind):
    """Wherever the pads are, a row is what it is by itself; its gradient is the mean of those of single rows."""
    model = masked(kind)
    rows = [rng.integers(1, 12, n).tolist() for n in (1, 4, 7, 2)]
    targets = dev(rng.integers(0, 3, 4))
    want, grads = [], 0.0
    for row, t in zip(rows, targets):
        want.append(model.predict(np.array([row]))[0])
        model.loss(dev([row]), t[None])
        model.backward()
        grads = grads + host(model.flat_grads) / 4
    for padding in ("pre", "post"):
        x = pad_sequences(rows, 9, padding)
        np.testing.assert_allclose(model.predict(x), want, rtol=1e-12)
        model.loss(dev(x), targets)
        model.backward()
        np.testing.assert_allclose(host(model.flat_grads), grads, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", STACKS)
def test_a_row_of_pads_is_zeros(kind):
    """Whatever the vector of the pad, which is not trained."""
    model = masked(kind)
    vectors, bias = model.params[0], host(model.params[-1])
    vectors[0] = 7
    np.testing.assert_allclose(model.predict(np.array([[0, 0, 0], [0, 1, 2]]))[0], bias, atol=1e-12)
    model.loss(dev([[0, 0, 0], [0, 1, 2]]), dev([1, 2]))
    model.backward()
    assert not host(model.grads[0])[0].any()
    assert host(model.grads[0])[1].any()


@pytest.mark.parametrize("kind", STACKS)
def test_backward_is_the_derivative(rng, kind):
    model = masked(kind)
    x = dev(pad_sequences([rng.integers(1, 12, n).tolist() for n in (1, 4, 7, 2, 0)]))
    t = dev(rng.integers(0, 3, 5))

    def loss():
        return model.loss(x, t)

    loss()
    model.backward()
    grads = {name: g.copy() for name, g in zip(model.names, model.grads)}
    assert_gradients(loss, dict(zip(model.names, model.params)), grads, rng)


def test_where_pads_cannot_be_left_out():
    with pytest.raises(InputError, match="mask_zero needs ids for inputs"):
        Sequential([TimeRNN.of_size(5, 6, return_sequences=False)], mask_zero=True)
    with pytest.raises(InputError, match="must not return sequences"):
        Sequential([Embedding.of_size(12, 5), TimeRNN.of_size(5, 6)], mask_zero=True)
    for layers in (
        [Split(TimeLSTM.of_size(5, 6, return_sequences=False), MeanOverTime())],
        [Split(TimeLSTM.of_size(5, 6), TimeLSTM.of_size(5, 6))],
    ):
        with pytest.raises(InputError, match="mask_zero needs layers that take the lengths of rows, and split1"):
            Sequential([Embedding.of_size(12, 5), *layers], mask_zero=True)
    layer = TimeRNN.of_size(5, 6, stateful=True, dtype="float64")
    with pytest.raises(InputError, match="lengths are for layers that begin with zeros"):
        layer.forward(dev(np.zeros((2, 3, 5))), dev([1, 2]))


def test_weights_that_layers_draw_are_the_seeds():
    def make(seed):
        layers = [Embedding.of_size(12, 5), TimeBiLSTM.of_size(5, 6, return_sequences=False), Dense(12, 3)]
        return Sequential(layers, SoftmaxWithLoss(), seed=seed)

    one, same, other = (host(make(seed).flat_params) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01
    assert TimeBiGRU.of_size(4, 3, reset_after=True).params[2].shape == (2, 9)
    state = make(1).state_dict()
    b, Wh = state["timebilstm1.ahead.b"], state["timebilstm1.back.Wh"].astype(float)
    assert b.tolist() == [1.0] * 6 + [0.0] * 18
    np.testing.assert_allclose(Wh[:, 6:12] @ Wh[:, 6:12].T, np.eye(6), atol=1e-6)


# ---------------------------------------------------------------- classifiers


@pytest.mark.long
def test_a_classifier_of_reviews_has_the_shape_of_the_example(rng):
    layers = [Embedding.of_size(10_000, 32), TimeRNN.of_size(32, 32, return_sequences=False), Dense(32, 1), Sigmoid()]
    model = Sequential(layers, head=BinaryCrossEntropy())
    assert sum(p.size for p in model.params) == 10_000 * 32 + 32 * 65 + 33
    x = pad_sequences([rng.integers(1, 10_000, n) for n in rng.integers(3, 60, 64)], maxlen=40)
    t = (x[:, -1:] > 5_000).astype(int)
    trainer = Trainer(model, RMSprop(0.001))
    trainer.fit(x, t, max_epoch=15, batch_size=16, validation_split=0.2, accuracy=True, verbose=0)
    assert trainer.loss_list[-1] < trainer.loss_list[0]
    assert trainer.accuracy_list[-1] > 0.9  # learned by heart: the words are never seen again
    assert len(trainer.val_accuracy_list) == 15


@pytest.mark.long
def test_numbers_in_and_a_yes_out(rng):
    """LSTM(10) over (50, 1), Dense(10, ReLU), Dense(1, sigmoid)."""
    layers = [TimeLSTM.of_size(1, 10, return_sequences=False), Dense(10, 10, "he"), ReLU(), Dense(10, 1)]
    model = Sequential(layers, head=SigmoidWithLoss(), seed=1)
    x = rng.standard_normal((200, 50, 1)) + rng.choice([-0.4, 0.4], (200, 1, 1))
    trainer = Trainer(model, Adam(0.01))
    trainer.fit(x, (x.mean(axis=1) > 0).astype(int), max_epoch=12, accuracy=True, verbose=0)
    assert trainer.accuracy_list[-1] > 0.9


def test_four_layers_both_ways_the_last_without_sequences(rng):
    stack = [TimeBiRNN.of_size(4, 5), TimeBiLSTM.of_size(10, 6), TimeDropout(0.2), TimeBiGRU.of_size(12, 5)]
    last = TimeBiRNN.of_size(10, 4, return_sequences=False, activation="relu")
    model = Sequential([*stack, last, Dense(8, 2)], head=SoftmaxWithLoss(), seed=0)
    x = rng.standard_normal((120, 9, 4))
    trainer = Trainer(model, Adam(0.01))
    trainer.fit(x, (x[:, 0, 0] > 0).astype(int), max_epoch=25, accuracy=True, verbose=0)
    assert trainer.accuracy_list[-1] > 0.95


def test_training_stops_where_it_gets_no_better(rng):
    model = Sequential([Dense(3, 20), ReLU(), Dense(20, 1)], head=SigmoidWithLoss(), seed=1)
    x, t = rng.standard_normal((40, 3)), rng.integers(0, 2, (40, 1))
    trainer = Trainer(model, Adam(0.05))
    trainer.fit(x, t, max_epoch=200, validation_split=0.5, patience=3, verbose=0)
    losses = trainer.val_loss_list
    assert len(losses) < 200
    best = int(np.argmin(losses))
    assert len(losses) == best + 4
    np.testing.assert_allclose(trainer.evaluate(x[20:], t[20:])[0], losses[best], rtol=1e-6)
    with pytest.raises(InputError, match="patience needs samples or a text held out"):
        trainer.fit(x, t, patience=3)


def test_right_and_wrong_sentences():
    questions = right_or_wrong(400, seed=1)
    assert [story.accepts(text) for text in questions.texts] == questions.answers.astype(bool).tolist()
    assert 150 < questions.answers.sum() < 250
    assert questions.best == 1.0
    assert right_or_wrong(400, seed=1).texts == questions.texts != right_or_wrong(400, seed=2).texts


def test_who_is_meant():
    questions = who_is_meant(4_000, seed=1)
    names = {name: gender for gender, some in story.NAMES.items() for name in some}
    right = 0.0
    for text, answer in zip(questions.texts, questions.answers):
        *words, pronoun = text.split()
        host_, visitor = (names[word] for word in words if word in names)
        meant = "m" if pronoun == "he" else "f"
        assert (host_, visitor)[answer] == meant
        right += 0.5 if host_ == visitor else 1
    assert abs(right / 4_000 - questions.best) < 0.02  # three standard errors
    assert abs(questions.answers.mean() - 0.5) < 0.03


def test_a_stateful_network_reads_each_prefix_from_zeros():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["a b c d e", "c b a e d"])
    x, y = next_word_samples(tokenizer.texts_to_sequences(["a b c d e", "c b a e d"]))
    found = []
    for stateful in (False, True):
        lstm = TimeLSTM.of_size(8, 16, return_sequences=False, stateful=stateful)
        layers = [Embedding.of_size(tokenizer.size, 8), lstm, Dense(16, tokenizer.size)]
        net = Sequential(layers, head=SoftmaxWithLoss(), seed=2)
        Trainer(net, Adam(0.05)).fit(x, y, 30, verbose=0)
        found.append(sentence_generation(net, tokenizer, "a", 4))
    assert found == ["a b c d e"] * 2
