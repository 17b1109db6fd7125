"""Outputs and gradients of the recurrent layers are those of PyTorch.

A developer's test: it needs torch (extra `bench`), which the other tests do without.
"""

import numpy as np
import pytest

from rnnlm.layers import TimeGRU, TimeLSTM, TimeRNN
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
