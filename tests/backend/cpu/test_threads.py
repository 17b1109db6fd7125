"""The threads of the NumPy backend; they are plain Python, so that these tests run with any backend."""

import signal
import threading
from queue import SimpleQueue
from time import sleep

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.backend.cpu import output, products, threads
from rnnlm.backend.cpu.parts import Part, own
from rnnlm.backend.cpu.threads import in_parallel, join, joined, later, scratch
from tests.layers import test_recurrent as recurrent
from tests.layers.heads import test_affine_softmax
from tests.models import test_general


@pytest.fixture
def three(monkeypatch):
    """Three threads, whatever the machine has."""
    monkeypatch.setattr(threads, "thread_count", lambda: 3)


@pytest.fixture
def cut_all(three, monkeypatch):
    """Threads and blocks for the smallest of products."""
    for name, value in {
        "SHARED": 0,
        "BLOCKED": 0,
        "TALL": 2,
        "COLUMNS": 2,
        "MULTIPLICATIONS": 25,
        "OFTEN": 1,
        "AT_ONCE": 4,
    }.items():
        monkeypatch.setattr(products, name, value)


@pytest.fixture(params=[False, True], ids=["large kernels alone", "small kernels"])
def kernels(request, monkeypatch):
    """What BLAS may have for small products or not."""
    monkeypatch.setattr(products, "small_kernels", lambda: request.param)
    monkeypatch.setattr(output, "few_at_a_time", lambda: request.param)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 64, 65, 1000])
@pytest.mark.parametrize("unit", [1, 8, 64])
def test_parts_cover_everything_once(three, size, unit):
    parts = min(3, -(-size // unit))
    seen, together = np.zeros(size, int), threading.Barrier(parts, timeout=60)

    def part(start, stop):
        assert start % unit == 0
        seen[start:stop] += 1
        together.wait()  # each in a thread of its own, or they wait in vain

    in_parallel(part, size, unit)
    assert (seen == 1).all()


def test_workers_have_a_name_and_end_with_the_program(three):
    in_parallel(lambda *_: None, 3)
    assert len(threads._workers) >= 2
    assert {(worker.name, worker.daemon) for worker in threads._workers} == {("rnnlm", True)}


def test_one_worker_fewer_than_threads_is_started_and_no_more_later(three, monkeypatch):
    """Here they never begin, and who asks does all by itself."""
    started, done = [], []

    class Thread(threading.Thread):
        def start(self):
            started.append(self)

    for name, value in {"Thread": Thread, "_workers": [], "_tasks": SimpleQueue()}.items():
        monkeypatch.setattr(threads, name, value)
    for size in (2, 3, 3):
        in_parallel(lambda *part: done.append(part), size)
    assert started == threads._workers
    assert [(worker.name, worker.daemon) for worker in started] == [("rnnlm", True)] * 2
    assert done == [(0, 1), (1, 2), *[(0, 1), (1, 2), (2, 3)] * 2]


def test_what_is_not_worth_it_stays_in_one_thread(three):
    calls = []
    in_parallel(lambda *part: calls.append((part, threading.get_ident())), 100, worth=False)
    assert calls == [((0, 100), threading.get_ident())]


@pytest.mark.parametrize("guilty", [0, 1, 2])
def test_an_error_in_any_part_is_raised_when_all_have_ended(three, guilty):
    ended = []

    def part(start, stop):
        if start == guilty:
            raise ValueError(f"part {start}")
        sleep(0.05)
        ended.append(start)

    with pytest.raises(ValueError, match=f"part {guilty}"):
        in_parallel(part, 3)
    assert len(ended) == 2
    in_parallel(lambda *_: None, 3)  # and the threads live on


class Stopped(BaseException):
    """What a program may make of a signal."""


def in_another_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join(60)


def test_a_part_is_done_by_whoever_claims_it_first():
    done = []
    mine, theirs = (Part(lambda *part: done.append(part), start, start + 3) for start in (0, 3))
    assert mine.claimed()
    assert mine.claimed()
    in_another_thread(mine.run)
    assert (done, mine.ended) == ([], False)
    mine.run()
    assert (done, mine.ended, mine.error, mine.running.locked()) == ([(0, 3)], True, None, False)
    in_another_thread(theirs.run)
    assert (done, theirs.ended) == ([(0, 3), (3, 6)], True)
    for part in (mine, theirs):
        part.settle()
    assert not theirs.claimed()
    theirs.run()
    assert len(done) == 2


def test_a_part_runs_once():
    """Even if it is left in the queue and the number of the thread that ran it is another's by then."""
    done = []
    part = Part(lambda *given: done.append(given), 0, 1)
    part.run()
    part.run()
    assert done == [(0, 1)]


def test_a_part_that_is_given_up_is_never_begun():
    done = []
    part = Part(lambda *_: done.append(1), 0, 1)
    part.settle()
    in_another_thread(part.run)
    assert (done, part.ended) == ([], True)


def test_a_part_keeps_its_error_and_a_thread_that_has_done_one_shares_work_again(three):
    part, seen = Part(lambda *_: seen.append(own.in_part) or 1 / 0, 0, 1), []
    part.run()
    assert isinstance(part.error, ZeroDivisionError)
    assert (part.ended, part.running.locked(), own.in_part, seen) == (True, False, False, [True])


def test_a_forked_process_has_no_workers_and_no_work_of_the_other(monkeypatch):
    told, tasks, starting = [], SimpleQueue(), threading.Lock()
    starting.acquire()
    for name, value in {"_workers": [object()], "_tasks": tasks, "_starting": starting}.items():
        monkeypatch.setattr(threads, name, value)
    monkeypatch.setattr(threads.one_blas_thread, "alone", lambda: told.append("alone"), raising=False)
    threads._after_fork()
    assert (threads._workers, told) == ([], ["alone"])
    assert threads._tasks is not tasks
    assert not threads._starting.locked()


def test_a_signal_waits_for_the_others(three):
    """It comes while the first part is done and the others, who write into the caller's arrays, are not."""
    ended, begun = [], threading.Barrier(3, timeout=60)

    def stop(*_):
        raise Stopped

    def part(start, _):
        begun.wait()
        if start:
            sleep(0.5)
        else:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
        ended.append(start)

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(Stopped):
            in_parallel(part, 3)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert sorted(ended) == [0, 1, 2]


def test_what_a_signal_finds_not_yet_begun_is_given_up(three, monkeypatch):
    """It comes while parts are handed out."""
    ended = []

    def interrupted(_count):
        raise Stopped

    monkeypatch.setattr(threads, "_start_workers", interrupted)
    with pytest.raises(Stopped):
        in_parallel(lambda start, _: ended.append(start), 3)
    assert not ended


def test_what_is_to_be_done_about_overflow_holds_in_all_threads(three):
    with np.errstate(over="ignore"):
        in_parallel(lambda *_: np.float32(1e38) * np.float32(1e38), 3)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        in_parallel(lambda start, _: np.float32(1e38 if start == 2 else 1) * np.float32(1e38), 3)


def test_two_threads_of_the_user_may_share_work_at_once(three):
    sums = np.zeros(8)

    def user(number):
        parts = np.zeros(3)

        def part(start, _):
            parts[start] += 1

        for _ in range(50):
            in_parallel(part, 3)
        sums[number] = parts.sum()

    users = [threading.Thread(target=user, args=(number,)) for number in range(8)]
    for thread in users:
        thread.start()
    for thread in users:
        thread.join()
    assert sums.tolist() == [150] * 8


def test_scratch_is_the_same_memory_for_a_name_and_each_threads_own():
    first = scratch("test", (3, 4), np.float32)
    assert np.shares_memory(scratch("test", (2, 5), np.float32), first)
    assert not np.shares_memory(scratch("other", (3, 4), np.float32), first)
    assert scratch("test", (3, 4), np.float64).dtype == np.float64
    assert scratch("test", (30, 40), np.float64).shape == (30, 40)
    mine, theirs = scratch("test", (5,), np.float64), []
    thread = threading.Thread(target=lambda: theirs.append(scratch("test", (5,), np.float64)))
    thread.start()
    thread.join()
    assert not np.shares_memory(mine, theirs[0])


def test_parts_of_a_part_stay_in_its_thread(three):
    """A worker that waited for others would wait for itself."""
    seen = []

    def part(start, stop):
        in_parallel(lambda *inner: seen.append((start, inner, threading.get_ident())), 5)

    in_parallel(part, 3)
    assert sorted((start, inner) for start, inner, _ in seen) == [(k, (0, 5)) for k in range(3)]
    in_parallel(lambda *_: seen.clear(), 3)
    in_parallel(lambda *outer: seen.append(outer), 3)
    assert len(seen) == 3


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 200), (26, 100, 1000), (26, 100, 995), (20, 900, 70)])
@pytest.mark.parametrize("order", "CF")
def test_products_of_few_rows(rng, kernels, shape, order):
    """Widths below, at and above those of a block, and weights that are a transpose."""
    M, K, N = shape
    a, W, out = rng.standard_normal((M, K)), np.array(rng.standard_normal((K, N)), order=order), np.full((M, N), np.nan)
    products.few_rows(a, W, out)
    np.testing.assert_allclose(out, a @ W, atol=1e-11)


@pytest.mark.parametrize("M", [1, 2, 3])
def test_a_row_has_the_same_bits_alone_and_beside_another(rng, M):
    a, W = rng.standard_normal((3, 50)).astype(np.float32), rng.standard_normal((50, 300)).astype(np.float32)
    alone, out = np.empty((1, 300), np.float32), np.empty((M, 300), np.float32)
    products.matmul(a[:1], W, alone)
    products.matmul(a[:M], W, out)
    np.testing.assert_array_equal(out[:1], alone)


def test_what_is_put_off_is_done_when_it_is_asked_for(three):
    """By any thread; in the same parts and so with the same bits."""
    done, order = np.zeros(1000, int), []

    def part(start, stop):
        done[start:stop] += 1

    def work():
        in_parallel(part, 1000)
        order.append("asked")

    with joined:
        later(work)
        order.append("on")
        assert len(own.waiting) == threads.PIECES
        join()
        assert (done == 1).all()
        later(work)
        later(lambda: in_parallel(part, 1000, worth=False))
        assert (done >= 2).all()  # what is not worth sharing is not worth putting off
    assert (done == 3).all()
    assert (order, own.waiting, own.joined, own.gathering) == (["asked", "on", "asked"], [], 0, False)


@pytest.mark.parametrize("count", [1, 3])
def test_what_nobody_will_join_is_done_at_once(monkeypatch, count):
    monkeypatch.setattr(threads, "thread_count", lambda: count)
    done = []
    later(lambda: in_parallel(lambda *part: done.append(part), 6))
    assert sorted(done) == [(k * 6 // count, (k + 1) * 6 // count) for k in range(count)]
    if count == 1:
        with joined:
            later(lambda: done.append("alone"))
            assert done[-1] == "alone"


def test_an_error_in_what_was_put_off_is_raised_by_who_joins(three):
    def part(start, stop):
        if start == 2:
            raise ValueError("part 2")

    with pytest.raises(ValueError, match="part 2"), joined:
        later(lambda: in_parallel(part, 8))
    assert (own.waiting, own.joined) == ([], 0)


def test_after_an_error_what_was_put_off_is_given_up(three, monkeypatch):
    """None of it begins, and none is at work, when the error is seen. What has begun ends when it is waited for."""
    begun, ended, waited_for, settle = [], [], threading.Event(), Part.settle

    def part(start, stop):
        begun.append(start)
        assert waited_for.wait(60)
        ended.append(start)

    def settled(self):
        waited_for.set()
        settle(self)

    monkeypatch.setattr(Part, "settle", settled)

    def interrupted():
        with joined:
            later(lambda: in_parallel(part, 100))
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert sorted(begun) == sorted(ended)
    assert len(begun) < threads.PIECES
    sleep(0.1)
    assert (len(begun), own.waiting) == (len(ended), [])


def test_there_are_no_fewer_parts_of_what_is_put_off_than_threads(monkeypatch):
    monkeypatch.setattr(threads, "thread_count", lambda: 12)
    monkeypatch.setattr(threads, "_start_workers", lambda count: None)
    with joined:
        later(lambda: in_parallel(lambda *_: None, 100))
        assert len(own.waiting) == 12


def test_a_forked_process_does_itself_what_was_put_off(monkeypatch):
    """Whoever has claimed a part of it is a thread of the other process."""
    for name, value in {"_workers": [], "_tasks": SimpleQueue(), "_starting": threading.Lock()}.items():
        monkeypatch.setattr(threads, name, value)
    done = []
    parts = [Part(lambda *part: done.append(part), k, k + 1) for k in range(3)]
    parts[0].run()
    in_another_thread(parts[1].claimed)
    monkeypatch.setattr(own, "waiting", parts)
    threads._after_fork()
    join()
    assert (sorted(done), own.waiting) == ([(0, 1), (1, 2), (2, 3)], [])


def test_within_itself_it_is_joined_at_each_end(three):
    done = []
    with joined:
        with joined:
            later(lambda: in_parallel(lambda *part: done.append(part), 8))
        assert len(done) == 8
        later(lambda: in_parallel(lambda *part: done.append(part), 8))
        assert own.waiting
    assert (len(done), own.joined) == (16, 0)


@pytest.mark.skipif(NAME != "numpy", reason="the plain text has no threads of its own")
@pytest.mark.parametrize("kind", ["lstm", "better"])
def test_gradients_are_whole_when_a_model_has_gone_back(rng, cut_all, monkeypatch, kind):
    """Those of which workers have put off parts are those that one thread computes."""
    model, found = test_general.build(kind), []
    xs = np.arange(12).reshape(3, 4) % model.config.vocab_size
    for count in (3, 1):
        monkeypatch.setattr(threads, "thread_count", lambda count=count: count)
        model.reset_state()
        model.forward(xs, xs[::-1], train_flg=False)
        model.backward()
        found.append(model.flat_grads.copy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shape", [(1, 3, 50), (3, 5, 40), (40, 4, 11)])
def test_products_that_are_added_some_columns_at_a_time(rng, cut_all, shape):
    M, K, N = shape
    a, W, out = rng.standard_normal((M, K)), rng.standard_normal((K, N)), rng.standard_normal((M, N))
    want = out + a @ W
    products.matmul(a, W, out, add=True)
    np.testing.assert_allclose(out, want, atol=1e-12)


@pytest.mark.parametrize("tied", [False, True])
def test_gradients_of_the_output_cut_as_small_as_can_be(rng, cut_all, kernels, tied):
    test_affine_softmax.test_backward_is_the_derivative(rng, None, tied, 1)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "gru-after"])
def test_gradients_of_recurrent_layers_cut_as_small_as_can_be(rng, cut_all, kernels, kind):
    recurrent.check_gradients(*recurrent.build(rng, kind), rng)


@pytest.mark.skipif(NAME != "numpy", reason="the plain text has no threads of its own")
def test_reruns_are_bit_for_bit_equal(cut_all, kernels):
    def gradient():
        model = test_general.build("better")
        xs = np.arange(12).reshape(3, 4) % model.config.vocab_size
        model.forward(xs, xs[::-1])
        model.backward()
        return model.flat_grads.copy()

    first = gradient()
    assert first.any()
    for _ in range(5):
        np.testing.assert_array_equal(gradient(), first)
