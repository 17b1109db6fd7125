"""Steps whose launches are recorded and replayed, against steps that are launched one by one: the same bits."""

import gc
import pickle
from threading import Thread

import numpy as np
import pytest

from rnnlm.backend import NAME, ops
from rnnlm.data.batches import Batches, RandomBatches
from rnnlm.data.sentence_batches import SentenceBatches
from rnnlm.data.sentences import Sentences
from rnnlm.errors import InputError
from rnnlm.inference.evaluation import evaluate
from rnnlm.layers.embedding import TimeEmbedding
from rnnlm.layers.state import Stateful
from rnnlm.models import AwdLstm, BetterRnnlm, LanguageModel, ModelConfig, SimpleRnnlm
from rnnlm.optim import SGD, Adam
from rnnlm.training.run import Run
from rnnlm.training.steps import Steps
from tests.gradcheck import dev, host

pytestmark = [
    pytest.mark.skipif(NAME == "numpy", reason="on a CPU to launch is to compute: --strict-cupy, or a GPU"),
    pytest.mark.usefixtures("recording"),
]
V, N, T = 23, 3, 6
CORPUS = np.random.default_rng(0).integers(0, V, 1000)
MODELS = {
    "simple": lambda: SimpleRnnlm(V, 5, 7),
    "better": lambda: BetterRnnlm(V, 6, 6, seed=4),
    "gru": lambda: LanguageModel(ModelConfig("LanguageModel", V, wordvec_size=5, hidden_size=7, cell="gru")),
    "gru, reset after": lambda: LanguageModel(
        ModelConfig("LanguageModel", V, wordvec_size=5, hidden_size=7, cell="gru", reset_after=True)
    ),
    "awd": lambda: AwdLstm(V, 5, 8, seed=3),
}
WINDOWS = {
    "text": lambda: Batches(CORPUS[:-1], CORPUS[1:], N, T),
    "random lengths": lambda: RandomBatches(CORPUS[:-1], CORPUS[1:], N, 10, seed=5),
    "sentences": lambda: SentenceBatches(Sentences(np.append(CORPUS, 0), 0), 4, 20),
}


def trained(model, windows, steps=14, records=True):
    """All that a training leaves, with an evaluation and a going on from what was written down in its midst."""
    made, optimizer = MODELS[model](), Adam(0.01)
    run = Run(made, optimizer, WINDOWS[windows](), 0.25)
    if not records:
        run._compute.trouble = "it is told not to"
    for step in range(steps):
        run.step()
        if step == 5:
            evaluate(made, CORPUS[:200], lanes=2, window=15)
        if step == 9:
            run.load_state_dict(run.state_dict())
    state = made.get_state()
    arrays = [made.flat_params, made.flat_grads, run.totals, *(a for entry in state for a in entry or ())]
    return b"".join(host(a).tobytes() for a in arrays), made.train_steps, run


@pytest.mark.parametrize(
    ("model", "windows"),
    [*((model, "text") for model in MODELS), *((model, "random lengths") for model in ("gru", "awd")),
     ("better", "sentences"), ("awd", "sentences")],
)  # fmt: skip
def test_replayed_steps_leave_the_same_bits(model, windows):
    recorded, steps, run = trained(model, windows)
    padded_and_regularised = windows == "sentences" and model == "awd"  # which pads count is asked of the host
    assert bool(run._compute._recordings) is not padded_and_regularised
    launched, other_steps, run = trained(model, windows, records=False)
    assert not run._compute._recordings
    assert steps == other_steps
    assert recorded == launched


FAULTS = {
    "masks that come again": ("rnnlm.backend.cuda.graphs.launch", lambda *_: None, "better", "text"),
    "a state of the wrong window": (Stateful, "as_found", "gru", "random lengths"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_left_out_is_seen(monkeypatch, fault):
    where, what, model, windows = FAULTS[fault]
    if isinstance(where, str):
        monkeypatch.setattr(where, what)
    else:
        monkeypatch.setattr(where, what, lambda self, found: None)
    recorded, *_ = trained(model, windows, steps=40)
    assert recorded != trained(model, windows, steps=40, records=False)[0]


def test_memory_that_is_no_longer_used_is_not_written_to():
    """A longer window takes larger buffers: what was recorded with the small ones is recorded anew."""
    model = SimpleRnnlm(V, 5, 7)
    run = Run(model, SGD(0.1), WINDOWS["text"](), 0.25)
    for _ in range(5):
        run.step()
    (before,) = run._compute._recordings.values()
    model.forward(*(np.zeros((N, 2 * T), int) for _ in range(2)))
    model.backward()
    run.step()
    assert not run._compute._recordings
    for _ in range(5):
        run.step()
    (after,) = run._compute._recordings.values()
    assert after is not before


class Weighed(SimpleRnnlm):
    """A loss of one's own."""

    def forward(self, xs, ts, train_flg=True, keep=True):
        return super().forward(xs, ts, train_flg, keep)


class Asking(TimeEmbedding):
    """Asks the device for a value."""

    repeatable = True

    def forward(self, ids):
        ids = super().forward(ids)
        float(ids.sum())
        return ids


def test_what_is_not_known_is_launched_as_it_is():
    run = Run(Weighed(V, 5, 7), SGD(0.1), WINDOWS["text"](), 0.25)
    assert "not all windows" in run._compute.trouble


def test_what_asks_for_a_value_is_launched_as_it_is():
    results = []
    for kind in (TimeEmbedding, Asking):
        model = SimpleRnnlm(V, 5, 7, seed=1)
        model.stack.layers["embed"].__class__ = kind
        run = Run(model, SGD(0.1), WINDOWS["text"](), 0.25)
        for _ in range(6):
            run.step()
        assert bool(run._compute._recordings) is (kind is TimeEmbedding)
        assert (run._compute.trouble is None) is (kind is TimeEmbedding)
        results.append(host(model.flat_params).tobytes())
    assert results[0] == results[1]


def begun(model="simple", windows="text", steps=5):
    """A training whose windows are replayed."""
    run = Run(MODELS[model](), SGD(0.1), WINDOWS[windows](), 0.25)
    for _ in range(steps):
        run.step()
    assert run._compute._recordings
    return run


CHANGES = {
    "ar": ("awd", lambda run: setattr(run.model.layers["ar"], "ar", 7.0)),
    "stateful": ("simple", lambda run: setattr(run.model.layers["rnn"], "stateful", False)),
    "ignore_label": ("simple", lambda run: setattr(run.model.head, "ignore_label", 3)),
    "seed": ("better", lambda run: run.model.layers["input_dropout"].mask.seed(99, 0)),
    "max_grad": ("simple", lambda run: setattr(run, "max_grad", 0.01)),
    "train_steps": ("better", lambda run: setattr(run.model, "train_steps", 0)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_in_between_counts(change):
    model, act = CHANGES[change]
    results = []
    for records in (True, False):
        run = begun(model)
        if not records:
            run._compute.trouble = "it is told not to"
        act(run)
        for _ in range(4):
            run.step()
        results.append(host(run.model.flat_params).tobytes())
    assert results[0] == results[1]


def test_a_recording_is_of_one_thread():
    """What another thread does meanwhile is done, not recorded."""
    from rnnlm.backend.cuda import graphs

    done, model = [], SimpleRnnlm(V, 5, 7)

    class Beside(Steps):
        def _compute(self, xs, ts, max_grad):
            if graphs._now.graph is not None:
                thread = Thread(target=lambda: ops.later(lambda: done.append(graphs._now.graph)))
                thread.start()
                thread.join()
            return super()._compute(xs, ts, max_grad)

    run = Run(model, SGD(0.1), WINDOWS["text"](), 0.25)
    run._compute = Beside(model)
    for _ in range(5):
        run.step()
    assert done == [None]


def test_a_state_of_another_batch_size_is_refused_as_ever():
    run = begun()
    run.model.set_state([(dev(np.zeros((N + 1, 7), np.float32)),)])
    with pytest.raises(InputError, match="reset_state"):
        run.step()


def test_a_backward_after_a_replay_is_refused_as_ever():
    run = begun()
    run.model.forward(np.zeros((N, T), int), np.zeros((N, T), int), train_flg=False)
    run.step()
    with pytest.raises(InputError, match="needs a forward of its own"):
        run.model.backward()


class Skipping(TimeEmbedding):
    """Made of another layer, which says of itself that it does the same each time."""

    def parts(self):
        return {"inner": self._inner}


def test_a_layer_made_of_others_has_to_say_so_itself():
    model = SimpleRnnlm(V, 5, 7)
    assert model.stack.repeatable
    layer = model.stack.layers["embed"]
    layer.__class__ = Skipping
    assert not model.stack.repeatable


def test_no_more_are_kept_than_there_is_room_for(monkeypatch):
    from rnnlm.training import steps

    monkeypatch.setattr(steps, "MOST", 2)
    run = begun("simple", "random lengths", 60)
    assert len(run._compute._recordings) == 2


def test_weights_that_were_moved_are_not_those_of_a_recording():
    run, other = begun(), SimpleRnnlm(V, 5, 7, seed=9)
    run.model.stack.share(other.stack)
    run.model.set_stack(run.model.stack)
    run.step()
    assert not run._compute._recordings


def test_a_copy_records_anew():
    run = begun()
    twin = pickle.loads(pickle.dumps(run._compute))
    assert not twin._recordings
    assert twin.trouble is None


def test_a_replayed_step_neither_waits_nor_copies(request):
    if not request.config.getoption("--strict-cupy"):
        pytest.skip("counts what the strict stand-in for CuPy sees: --strict-cupy")
    from tests.strict_cupy import stats

    run = begun("better")
    stats.reset()
    run.step()
    assert (stats.syncs, stats.copies, stats.uploads) == (0, 0, 0)
    assert stats.launches < 10


def test_the_third_window_of_a_shape_is_recorded():
    made = SimpleRnnlm(V, 5, 7)
    run = Run(made, SGD(0.1), WINDOWS["text"](), 0.25)
    counts = []
    for _ in range(4):
        run.step()
        counts.append(len(run._compute._recordings))
    assert counts == [0, 0, 1, 1]
    assert run.unrecorded is None


class Forgetful(Steps):
    """Drops another training, in a circle as trainers have them, while its own launches are recorded."""

    def _compute(self, xs, ts, max_grad):
        from rnnlm.backend.cuda import graphs

        if graphs._now.graph is not None:
            self.others.clear()
            gc.collect()
        return super()._compute(xs, ts, max_grad)


def test_a_training_that_is_dropped_meanwhile_ends_no_recording():
    """To give a handle or memory back waits for the device, which a recording does not stand: it is put off."""
    from rnnlm.backend.cuda import still

    other = begun()
    pool, circle = other._compute._recorder.memory, [other]
    circle.append(circle)
    run = Run(SimpleRnnlm(V, 5, 7), SGD(0.1), WINDOWS["text"](), 0.25)
    run._compute = Forgetful(run.model)
    run._compute.others = [circle]
    del other, circle
    for _ in range(4):
        run.step()
    assert run.unrecorded is None
    assert run._compute._recordings
    assert pool.total_bytes()
    still.give_back()
    assert not pool.total_bytes()


def test_memory_that_is_still_in_use_is_given_back_later():
    from rnnlm.backend.cuda import still

    asked = []
    still.when_still(lambda: asked.append("in use") or len(asked) > 1)
    with still.recording():
        still.give_back()
        assert len(asked) == 1  # before the recording began
    still.give_back()
    still.give_back()
    assert len(asked) == 2


def test_a_gpu_without_memory_ends_a_recording_and_nothing_else(monkeypatch):
    """CuPy's pool would answer CUDA's own error by freeing what recorded launches use."""
    import cupy

    from rnnlm.backend.cuda import graphs

    class OutOfMemory(RuntimeError):
        pass

    def none_left(size):
        raise OutOfMemory("cudaErrorMemoryAllocation: out of memory")

    monkeypatch.setattr(cupy.cuda, "Memory", none_left, raising=False)
    monkeypatch.setattr(cupy.cuda, "MemoryPointer", None, raising=False)
    monkeypatch.setattr(cupy.cuda.runtime, "CUDARuntimeError", OutOfMemory, raising=False)
    with pytest.raises(MemoryError, match="no 512 bytes are left on the GPU"):
        graphs._from_device(512)
