"""Outputs and gradients of the recurrent layers are those of PyTorch.

A developer's test: it needs torch (extra `bench`), which the other tests do without.
"""

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.layers import (
    Affine,
    BinaryCrossEntropy,
    Embedding,
    MeanSquaredError,
    ReLU,
    Sigmoid,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    Tanh,
    TimeBiGRU,
    TimeBiLSTM,
    TimeBiRNN,
    TimeGRU,
    TimeLSTM,
    TimeRNN,
)
from rnnlm.models import LanguageModel, ModelConfig
from rnnlm.saving import from_torch, to_torch
from tests.gradcheck import dev, host

torch = pytest.importorskip("torch", reason="compares with PyTorch: pip install 'rnnlm[bench]'")
N, T, D, H = 20, 35, 100, 100
KINDS = {  # our class, its options, torch's class, which of our blocks (their blocks in our order), sign of our z
    "rnn": (TimeRNN, {}, torch.nn.RNN, [0]),
    "lstm": (TimeLSTM, {}, torch.nn.LSTM, [1, 2, 0, 3]),  # theirs: i f g o; ours: f g i o
    "gru": (TimeGRU, {"reset_after": True}, torch.nn.GRU, [1, 0, 2]),  # theirs: r z n; ours: z r g
}


def theirs_to_ours(kind, a):
    """An array (gH, ...) of theirs with the blocks in our order; our z is 1 - z of theirs, so its block is negated."""
    order = KINDS[kind][3]
    blocks = np.split(a, len(order))
    ours = [blocks[k] for k in order]
    if kind == "gru":
        ours[0] = -ours[0]
    return np.concatenate(ours)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_gradients_are_pytorchs(kind):
    """To 1e-5 of each array's largest entry: sums of float32 in another order."""
    cls, options, theirs, _ = KINDS[kind]
    torch.manual_seed(0)
    net = theirs(D, H, batch_first=True)
    Wih, Whh, bih, bhh = (dict(net.named_parameters())[f"{n}_l0"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))  # fmt: skip
    Wx, Wh, bx, bh = (theirs_to_ours(kind, p.detach().numpy()) for p in (Wih, Whh, bih, bhh))
    b = np.stack([bx, bh]) if kind == "gru" else bx + bh
    layer = cls(dev(Wx.T.copy()), dev(Wh.T.copy()), dev(b), stateful=True, **options)
    rng = np.random.default_rng(0)
    xs, dys = (rng.standard_normal((N, T, n)).astype(np.float32) for n in (D, H))
    state = [rng.standard_normal((N, H)).astype(np.float32) for _ in layer.states]
    txs = torch.from_numpy(xs).requires_grad_()
    tstate = [torch.from_numpy(s[None].copy()).requires_grad_() for s in state]
    tys, tlast = net(txs, tuple(tstate) if kind == "lstm" else tstate[0])
    (tys * torch.from_numpy(dys)).sum().backward()

    layer.set_state(*map(dev, state))
    ys = host(layer.forward(dev(xs)))
    last = [host(s) for s in layer.get_state()]
    pairs = {"ys": (ys, tys.detach().numpy())}
    pairs |= {
        f"last {n}": (a, t.detach().numpy()[0]) for n, a, t in zip("hc", last, tlast if kind == "lstm" else [tlast])
    }
    pairs["dxs"] = host(layer.backward(dev(dys))), txs.grad.numpy()
    pairs |= {f"d{n}": (host(getattr(layer, f"d{n}")), t.grad.numpy()[0]) for n, t in zip(layer.states, tstate)}
    dWx, dWh, db = map(host, layer.grads)
    pairs["dWx"] = dWx.T, theirs_to_ours(kind, Wih.grad.numpy())
    pairs["dWh"] = dWh.T, theirs_to_ours(kind, Whh.grad.numpy())
    pairs["db"] = (db[0] if kind == "gru" else db), theirs_to_ours(kind, bih.grad.numpy())
    pairs["dbh"] = (db[1] if kind == "gru" else db), theirs_to_ours(kind, bhh.grad.numpy())
    for name, (ours, want) in pairs.items():
        assert ours.shape == want.shape, name
        error = np.abs(ours - want).max() / np.abs(want).max()
        assert error <= 1e-5, f"{kind} {name}: {error:.1e}"
        print(f"{kind} {name}: {error:.1e}")


class Network(torch.nn.Module):
    """As PyTorch's word language model example."""

    def __init__(self, cell, layers, tied):
        super().__init__()
        D = 6 if tied else 5
        self.encoder, self.rnn = torch.nn.Embedding(9, D), getattr(torch.nn, cell)(D, 6, layers, batch_first=True)
        self.decoder = torch.nn.Linear(6, 9)
        if tied:
            self.decoder.weight = self.encoder.weight

    def forward(self, xs):
        return self.decoder(self.rnn(self.encoder(xs))[0])


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_weights_there_and_back(rng, cell, layers, tied):
    net, other, xs = Network(cell, layers, tied), Network(cell, layers, tied), rng.integers(0, 9, (2, 7))
    want = net(torch.from_numpy(xs)).detach().numpy()
    model = from_torch(net.state_dict())
    np.testing.assert_allclose(host(model.predict(xs)), want, atol=1e-5)
    other.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch(model).items()})
    np.testing.assert_allclose(other(torch.from_numpy(xs)).detach().numpy(), want, atol=1e-5)


@pytest.mark.skipif(NAME == "cupy" and not torch.cuda.is_available(), reason="takes a PyTorch with CUDA beside CuPy")
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_step_that_a_graph_captures_is_the_eager_one(cell):
    """Of the benchmark's PyTorch. The capture itself takes a GPU; what is captured does not."""
    from benchmarks import torch_contestants
    from benchmarks.cases import Sizes, Targets, Training

    stack = {} if cell == "gru" else {"layers": 2, "last_H": 8, "tied": True}
    sizes = Sizes("LanguageModel", cell, 8, 9, V=30, **stack)
    case = Training("small", sizes, 3, 4, Targets(1.0))
    weights = sizes.model().state_dict()
    eager, graph = (make(case, weights) for make in (torch_contestants.Torch, torch_contestants.TorchGraph))
    for xs, ts in case.inputs()[:4]:
        graph.xs, graph.ts = graph.place(xs, ts)
        loss = graph._step_in_place()
        assert float(loss) == pytest.approx(float(eager.step(*eager.place(xs, ts))), rel=1e-6)
    for one, other in zip(eager.net.parameters(), graph.net.parameters()):
        torch.testing.assert_close(one, other)


def leaf(a):
    """A tensor that gets a gradient."""
    return torch.tensor(np.array(a), requires_grad=True)


ACTIVATIONS = {"sigmoid": (Sigmoid, torch.sigmoid), "tanh": (Tanh, torch.tanh), "relu": (ReLU, torch.relu), "softmax": (Softmax, lambda x: torch.softmax(x, -1))}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_pytorchs(rng, name):
    ours, theirs = ACTIVATIONS[name]
    x, dy = rng.standard_normal((5, 4)), rng.standard_normal((5, 4))
    layer, given = ours(), leaf(x)
    y = theirs(given)
    y.backward(torch.tensor(dy))
    np.testing.assert_allclose(host(layer.forward(dev(x))), y.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(host(layer.backward(dev(dy))), given.grad.numpy(), rtol=1e-10, atol=1e-14)


LOSSES = {
    "squares": (MeanSquaredError, torch.nn.functional.mse_loss, "numbers"),
    "sigmoid": (SigmoidWithLoss, torch.nn.functional.binary_cross_entropy_with_logits, "yes or no"),
    "binary": (BinaryCrossEntropy, torch.nn.functional.binary_cross_entropy, "yes or no"),
    "softmax": (SoftmaxWithLoss, torch.nn.functional.cross_entropy, "ids"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_pytorchs(rng, name):
    ours, theirs, kind = LOSSES[name]
    x = rng.random((6, 4)) if name == "binary" else rng.standard_normal((6, 4))
    t = {
        "numbers": rng.standard_normal((6, 4)),
        "yes or no": (rng.random((6, 4)) < 0.5) * 1.0,
        "ids": rng.integers(0, 4, 6),
    }[kind]
    head, given = ours(), leaf(x)
    loss = theirs(given, torch.tensor(t))
    loss.backward()
    np.testing.assert_allclose(float(head.loss(dev(x), dev(t))), loss.item(), rtol=1e-7)
    np.testing.assert_allclose(host(head.backward()), given.grad.numpy(), rtol=1e-5, atol=1e-9)


def test_an_affine_layer_and_an_embedding_are_pytorchs(rng):
    W, b, x, dy = (rng.standard_normal(shape) for shape in ((4, 3), (3,), (5, 4), (5, 3)))
    layer, net = Affine(dev(W), dev(b)), torch.nn.Linear(4, 3, dtype=torch.float64)
    with torch.no_grad():
        net.weight[:], net.bias[:] = torch.tensor(W.T.copy()), torch.tensor(b)
    given = leaf(x)
    net(given).backward(torch.tensor(dy))
    layer.forward(dev(x))
    np.testing.assert_allclose(host(layer.backward(dev(dy))), given.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(host(layer.grads[0]), net.weight.grad.numpy().T, rtol=1e-12)
    np.testing.assert_allclose(host(layer.grads[1]), net.bias.grad.numpy(), rtol=1e-12)
    ids, table, rows = rng.integers(0, 4, 9), leaf(W), rng.standard_normal((9, 3))
    torch.nn.functional.embedding(torch.tensor(ids), table).backward(torch.tensor(rows))
    words = Embedding(dev(W))
    words.forward(dev(ids))
    words.backward(dev(rows))
    np.testing.assert_allclose(host(words.grads[0]), table.grad.numpy(), rtol=1e-12)


def test_an_rnn_of_rectified_linear_units_is_pytorchs(rng):
    net = torch.nn.RNN(4, 6, nonlinearity="relu", batch_first=True, dtype=torch.float64)
    Wih, Whh, bih, bhh = (p.detach().numpy() for p in net.parameters())
    layer = TimeRNN(dev(Wih.T.copy()), dev(Whh.T.copy()), dev(bih + bhh), activation="relu")
    xs = rng.standard_normal((3, 5, 4))
    want = net(torch.tensor(xs))[0].detach().numpy()
    np.testing.assert_allclose(host(layer.forward(dev(xs))), want, rtol=1e-12, atol=1e-14)


class TorchAnswers(torch.nn.Module):
    """Encoder and decoder of PyTorch's own layers, with the weights of one of ours."""

    def __init__(self, model, both):
        super().__init__()
        (V, D), H = model.encoder.embed.params[0].shape, model.decoder.lstm.params[1].shape[0]
        features, inputs = model.decoder.affine.params[0].shape[0], model.decoder.lstm.params[0].shape[0]
        self.read, self.write = (torch.nn.Embedding(V, D, dtype=torch.float64) for _ in range(2))
        self.encoder = torch.nn.LSTM(D, H // (1 + both), bidirectional=both, batch_first=True, dtype=torch.float64)
        self.decoder = torch.nn.LSTM(inputs, H, batch_first=True, dtype=torch.float64)
        self.out = torch.nn.Linear(features, V, dtype=torch.float64)
        halves = [model.encoder.lstm.ahead, model.encoder.lstm.back] if both else [model.encoder.lstm]
        with torch.no_grad():
            self.read.weight[:], self.write.weight[:] = (torch.tensor(host(layer.params[0])) for layer in (model.encoder.embed, model.decoder.embed))  # fmt: skip
            for net, suffixes, layers in (
                (self.encoder, ("", "_reverse"), halves),
                (self.decoder, ("",), [model.decoder.lstm]),
            ):
                for suffix, layer in zip(suffixes, layers):
                    Wx, Wh, b = (theirs_to_ours_back(host(p).T) for p in layer.params)
                    for name, value in (("weight_ih", Wx), ("weight_hh", Wh), ("bias_ih", b), ("bias_hh", 0 * b)):
                        getattr(net, f"{name}_l0{suffix}")[:] = torch.tensor(value)
            self.out.weight[:], self.out.bias[:] = (torch.tensor(host(p).T) for p in model.decoder.affine.params)

    def forward(self, xs, ts, lengths, kind):
        """The loss."""
        packed = torch.nn.utils.rnn.pack_padded_sequence(self.read(xs), lengths, batch_first=True, enforce_sorted=False)
        states, (h, _) = self.encoder(packed)
        hs, _ = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True, total_length=xs.shape[1])
        h = torch.cat(list(h), dim=1)
        vectors = self.write(ts[:, :-1])
        peek = h[:, None].expand(-1, vectors.shape[1], -1)
        inputs = torch.cat([peek, vectors], 2) if kind == "peeky" else vectors
        dec, _ = self.decoder(inputs, (h[None], torch.zeros_like(h[None])))
        if kind == "peeky":
            dec = torch.cat([peek, dec], 2)
        if kind == "attention":
            scores = (dec @ hs.transpose(1, 2)).masked_fill(torch.arange(xs.shape[1]) >= lengths[:, None, None], -torch.inf)  # fmt: skip
            dec = torch.cat([torch.softmax(scores, -1) @ hs, dec], 2)
        return torch.nn.functional.cross_entropy(self.out(dec).flatten(0, 1), ts[:, 1:].flatten())


def theirs_to_ours_back(a):
    """An array (4H, ...) of our blocks f g i o in PyTorch's order i f g o."""
    f, g, i, o = np.split(a, 4)
    return np.concatenate([i, f, g, o])


@pytest.mark.parametrize("both", [False, True], ids=["ahead", "both ways"])
@pytest.mark.parametrize("kind", ["plain", "peeky", "attention"])
def test_answers_to_padded_questions_are_pytorchs(rng, kind, both):
    """Loss, and gradients of word vectors, LSTMs and output, with questions of different lengths: float64."""
    from tests.models.test_seq2seq import LENGTHS, build, questions

    model, (xs, ts) = build(kind, rng, both), questions(rng)
    net = TorchAnswers(model, both)
    loss = net(torch.tensor(xs), torch.tensor(ts), torch.tensor(LENGTHS), kind)
    loss.backward()
    assert float(model.forward((xs, LENGTHS), ts)) == pytest.approx(float(loss.detach()), rel=1e-12)
    model.backward()
    ahead = model.encoder.lstm.ahead if both else model.encoder.lstm
    pairs = {
        "read": (model.encoder.embed.grads[0], net.read.weight.grad),
        "write": (model.decoder.embed.grads[0], net.write.weight.grad),
        "out": (model.decoder.affine.grads[0].T, net.out.weight.grad),
        "ahead": (ahead.grads[1], net.encoder.weight_hh_l0.grad),
        "decoder": (model.decoder.lstm.grads[0], net.decoder.weight_ih_l0.grad),
    }
    if both:
        pairs["back"] = model.encoder.lstm.back.grads[1], net.encoder.weight_hh_l0_reverse.grad
    for name, (ours, theirs) in pairs.items():
        mine = host(ours)
        mine = theirs_to_ours_back(mine.T) if name in ("ahead", "back", "decoder") else mine
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_last_states_of_padded_rows_are_pytorchs(rng, kind):
    """Both ways, by the lengths of the rows: what `pack_padded_sequence` gives."""
    cls = {"rnn": TimeBiRNN, "lstm": TimeBiLSTM, "gru": TimeBiGRU}[kind]
    options, theirs = KINDS[kind][1:3]
    torch.manual_seed(1)
    net = theirs(5, 6, batch_first=True, bidirectional=True).double()
    given = {name: p.detach().numpy() for name, p in net.named_parameters()}
    weights = []
    for way in ("", "_reverse"):
        parts = [theirs_to_ours(kind, given[f"{n}_l0{way}"]) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        b = np.stack(parts[2:]) if kind == "gru" else parts[2] + parts[3]
        weights += [dev(parts[0].T.copy()), dev(parts[1].T.copy()), dev(b)]
    layer = cls(*weights, return_sequences=False, **options)
    xs, lengths, dys = rng.standard_normal((4, 7, 5)), [3, 7, 1, 5], rng.standard_normal((4, 12))
    txs = torch.from_numpy(xs).requires_grad_()
    packed = torch.nn.utils.rnn.pack_padded_sequence(txs, lengths, batch_first=True, enforce_sorted=False)
    state = net(packed)[1]
    last = torch.cat(list(state[0] if kind == "lstm" else state), dim=1)
    last.backward(torch.from_numpy(dys))
    np.testing.assert_allclose(host(layer.forward(dev(xs), dev(lengths))), last.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(host(layer.backward(dev(dys))), txs.grad.numpy(), rtol=1e-9, atol=1e-14)
    dWx = net.weight_ih_l0_reverse.grad.numpy()
    np.testing.assert_allclose(host(layer.back.grads[0]).T, theirs_to_ours(kind, dWx), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("div_value", [1.5, 4.0])
def test_adaptive_softmax_is_pytorchs(rng, div_value):
    """Whose cutoffs and sizes of clusters are ours, and which has no biases: ours are 0, and words in order."""
    V, H, cutoffs = 50, 32, (10, 25)
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(H, V, list(cutoffs), div_value, dtype=torch.float64)
    shape = {"vocab_size": V, "hidden_size": H, "cutoffs": cutoffs, "div_value": div_value}
    head = LanguageModel(ModelConfig(dtype="float64", **shape)).head
    for name, p in zip(head.names, head.params):
        if name == "first.W":
            p[...] = dev(theirs.head.weight.detach().numpy().T)
        elif name.endswith(".W"):
            tail = theirs.tail[int(name[-3]) - 1][name.startswith("cluster")]
            p[...] = dev(tail.weight.detach().numpy().T)
    h, ts = leaf(rng.standard_normal((20, H))), rng.integers(0, V, 20)
    found = theirs(h, torch.from_numpy(ts))
    found.loss.backward()
    xs = dev(h.detach().numpy()[:, None])
    np.testing.assert_allclose(host(head.scores(xs))[:, 0], theirs.log_prob(h).detach().numpy(), rtol=1e-10)
    assert float(head.loss(xs, dev(ts[:, None]))) == pytest.approx(float(found.loss.detach()), rel=1e-12)
    np.testing.assert_allclose(host(head.nats)[:, 0], -found.output.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(host(head.backward())[:, 0], h.grad.numpy(), rtol=1e-9, atol=1e-15)
    for name, g in zip(head.names, head.grads):
        if name == "first.W":
            np.testing.assert_allclose(host(g).T, theirs.head.weight.grad.numpy(), rtol=1e-9, atol=1e-15)
        elif name.endswith(".W"):
            want = theirs.tail[int(name[-3]) - 1][name.startswith("cluster")].weight.grad
            np.testing.assert_allclose(host(g).T, want.numpy(), rtol=1e-9, atol=1e-15)
