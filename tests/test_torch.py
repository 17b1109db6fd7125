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
    TimeGRU,
    TimeLSTM,
    TimeRNN,
)
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
