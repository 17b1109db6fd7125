"""How many threads: what is set, and that BLAS takes one while ours are at work, whoever asks and in what order."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rnnlm.backend.cpu import limits
from rnnlm.backend.cpu.blas import libraries
from rnnlm.backend.cpu.limits import one_blas_thread, thread_count
from rnnlm.errors import BackendError


def blas_threads():
    """Of NumPy's BLAS; other libraries in the process, as SciPy after other tests, bring one of their own."""
    return [library.get_num_threads() for library in libraries()]


def test_blas_takes_one_thread_inside_and_what_it_had_outside():
    before = blas_threads()
    assert before
    with one_blas_thread:
        assert set(blas_threads()) == {1}
        with one_blas_thread:
            pass
        assert set(blas_threads()) == {1}
    assert blas_threads() == before


@pytest.mark.parametrize("first", ["nobody", "another thread"])
def test_whichever_thread_has_set_a_limit_first(first):
    """threadpoolctl 3.8 hears that one alone, as long as it lives."""
    before, done = blas_threads(), threading.Event()
    if first == "another thread":
        claimed = threading.Event()
        threading.Thread(target=lambda: (claim(), claimed.set(), done.wait(60))).start()
        claimed.wait(60)
    try:
        with one_blas_thread:
            assert set(blas_threads()) == {1}
        assert blas_threads() == before
        assert in_thread(inside) == [1] * len(before)
        assert blas_threads() == before
    finally:
        done.set()


def claim():
    for library in libraries():
        library.set_num_threads(library.get_num_threads())


def inside():
    with one_blas_thread:
        return blas_threads()


def in_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(60)


@pytest.mark.parametrize("order", ["abAB", "abBA", "aAbB"])
def test_threads_come_and_go_in_any_order(order):
    """Small letters enter, large ones leave, each in a thread of its own."""
    before = blas_threads()
    with ThreadPoolExecutor(1) as a, ThreadPoolExecutor(1) as b:
        present = set()
        for step in order:
            pool = a if step in "aA" else b
            pool.submit(one_blas_thread.__enter__ if step.islower() else one_blas_thread.__exit__).result(60)
            present ^= {step.lower()}
            assert blas_threads() == ([1] * len(before) if present else before)


def taken(monkeypatch, own=(), shared=()):
    """Those libraries for this process's own, those that limit each thread by itself and those that limit all."""
    limited = {True: [limits._Limited(library) for library in own], False: [limits._Limited(one) for one in shared]}
    monkeypatch.setattr(limits, "_blas", lambda each_thread: limited[each_thread])


class OfEachThread:
    """A BLAS library with OpenMP's threads, of which each thread of a program may ask for another number."""

    def __init__(self):
        self.own = threading.local()

    def info(self):
        return {"threading_layer": "openmp"}

    def get_num_threads(self):
        return getattr(self.own, "count", 7)

    def set_num_threads(self, count):
        self.own.count = count


def test_where_each_thread_has_a_limit_of_its_own(monkeypatch):
    library = OfEachThread()
    taken(monkeypatch, own=[library])

    def counts():
        with one_blas_thread:
            return library.get_num_threads()

    library.set_num_threads(5)
    with one_blas_thread:
        assert library.get_num_threads() == 1
        assert in_thread(counts) == 1
    assert library.get_num_threads() == 5


class Library:
    """A BLAS of so many threads."""

    def __init__(self, count):
        self.count = count

    def get_num_threads(self):
        return self.count

    def set_num_threads(self, count):
        self.count = count


def test_every_library_gets_back_the_threads_that_it_had(monkeypatch):
    several = [Library(5), Library(2), Library(None)]  # the last does not say
    taken(monkeypatch, shared=several)
    with one_blas_thread:
        assert [library.count for library in several] == [1, 1, 1]
        with one_blas_thread:
            several[0].count = 7  # of somebody else inside: no concern of the context
    assert [library.count for library in several] == [5, 2, 1]


# what runs in a process of its own, which no stand-in reaches, is marked as long
PROGRAM = """
import os, sys, threading, warnings
import numpy as np
from rnnlm import SGD, RnnlmTrainer, SimpleRnnlm
from rnnlm.backend.cpu.blas import libraries
from rnnlm.backend.cpu.limits import one_blas_thread
from rnnlm.backend.cpu.threads import in_parallel

warnings.simplefilter("ignore")

def limits():
    return [library.get_num_threads() for library in libraries()]

def trained(results, place):
    model = SimpleRnnlm(1000, 64, 64)
    ids = np.random.default_rng(0).integers(0, 1000, 2000)
    RnnlmTrainer(model, SGD(0.1)).fit(ids[:-1], ids[1:], 1, 10, 35)
    results[place] = model.flat_params

def in_child(function):
    child = os.fork()
    if not child:
        try:
            function()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

before = limits()
assert max(before) > 1, "needs two cores"
"""


def run(clean_env, code):
    """A program in a process of its own, with three threads of ours, and more than one of BLAS outside of them."""
    environment = clean_env | {"OPENBLAS_NUM_THREADS": "3", "RNNLM_THREADS": "3"}
    subprocess.run([sys.executable, "-c", PROGRAM + code], env=environment, check=True, timeout=60)


@pytest.mark.long
def test_a_training_has_the_same_bits_in_any_thread(clean_env):
    run(
        clean_env,
        """
results = {}
trained(results, "main")
for names in (["second"], ["third", "fourth"]):
    threads = [threading.Thread(target=trained, args=(results, name)) for name in names]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert limits() == before, limits()
for name, weights in results.items():
    assert (weights == results["main"]).all(), name
""",
    )


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@needs_fork
@pytest.mark.long
def test_a_forked_process_has_threads_of_its_own(clean_env):
    run(clean_env, "in_parallel(lambda *_: None, 3); in_child(lambda: in_parallel(lambda *_: None, 3))")


@needs_fork
@pytest.mark.long
def test_a_process_may_fork_while_another_thread_computes(clean_env):
    """Its child would wait for threads of BLAS that it has not."""
    run(
        clean_env,
        """
results, a, ended = {}, np.ones((300, 300)), threading.Event()

def compute():
    while not ended.is_set():
        trained(results, "other")

def first():  # it claims what threadpoolctl hears
    with one_blas_thread:
        pass

first()
trained(results, "first")  # a process must not be forked while another thread imports something, says Python
other = threading.Thread(target=compute)
other.start()
for _ in range(10):
    in_child(lambda: a @ a)
    in_child(lambda: trained(results, "child"))
ended.set()
other.join()
""",
    )


@needs_fork
@pytest.mark.long
def test_what_another_thread_had_limited_is_not_for_a_forked_process(clean_env):
    run(
        clean_env,
        """
inside, ended = threading.Event(), threading.Event()

def other():
    with one_blas_thread:
        inside.set()
        ended.wait(60)

def child():
    assert limits() == before, limits()
    with one_blas_thread:
        assert set(limits()) == {1}
    assert limits() == before, limits()

thread = threading.Thread(target=other)
thread.start()
inside.wait(60)
in_child(child)
with one_blas_thread:
    in_child(lambda: None if set(limits()) == {1} else 1 / 0)
ended.set()
thread.join()
assert limits() == before, limits()
""",
    )


@pytest.mark.long
def test_without_a_thread_to_be_had_who_asks_does_all(clean_env):
    run(
        clean_env,
        """
def refused(self):
    raise RuntimeError("can't start new thread")

start, threading.Thread.start = threading.Thread.start, refused
done = []
in_parallel(lambda *part: done.append(part), 3)
assert done == [(0, 1), (1, 2), (2, 3)], done
results = {}
trained(results, "alone")
threading.Thread.start = start
trained(results, "together")
assert (results["alone"] == results["together"]).all()
""",
    )


@pytest.mark.parametrize(("value", "count"), [("1", 1), ("7", 7), ("", None)])
def test_the_setting(monkeypatch, value, count):
    monkeypatch.setenv("RNNLM_THREADS", value)
    assert limits._setting() == count


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_a_wrong_setting_is_refused(monkeypatch, value):
    monkeypatch.setenv("RNNLM_THREADS", value)
    with pytest.raises(BackendError, match=f"RNNLM_THREADS must be a whole number from 1 on, got '{value}'"):
        limits._setting()


def test_unless_set_there_are_as_many_threads_as_blas_takes():
    if limits.SETTING is None:
        assert thread_count() == max(blas_threads())
    else:
        assert thread_count() == limits.SETTING


class OfOneThread(Library):
    """A BLAS that hears the first thread alone that has set its threads, until it is told to forget that one."""

    def __init__(self, count, owner):
        super().__init__(count)
        self.owner = owner

    def set_num_threads(self, count):
        me = threading.get_ident()
        if self.owner in (None, me):
            self.count, self.owner = count, me

    def clear_controlling_thread(self, force=False):
        if force or self.owner == threading.get_ident():
            self.owner = None


def test_a_library_that_hears_one_thread_alone_hears_this_one_and_is_free_afterwards(monkeypatch):
    library = OfOneThread(5, owner=-1)  # no thread of this program
    taken(monkeypatch, shared=[library])
    with one_blas_thread:
        assert (library.count, library.owner) == (1, None)
        library.owner = -1
    assert (library.count, library.owner) == (5, None)


def other_thread_inside(context):
    """Ends inside."""
    thread = threading.Thread(target=context.__enter__)
    thread.start()
    thread.join()


def test_of_a_forked_process_other_threads_are_not_inside(monkeypatch):
    """Nor do they hold the lock any more; what was limited for them is given back, unless this thread is inside too."""
    library, own = Library(5), Library(7)
    taken(monkeypatch, own=[own], shared=[library])
    context = limits._OneBlasThread()
    context.alone()
    assert library.count == 5  # nobody was inside
    other_thread_inside(context)
    context.lock.acquire()
    context.alone()
    assert (library.count, context.times, context.own) == (5, {}, {})
    own.count = 7  # this thread's
    with context:
        other_thread_inside(context)
        context.alone()
        assert (library.count, own.count, [*context.times.values()]) == (1, 1, [1])
    assert (library.count, own.count, context.times, context.own) == (5, 7, {}, {})


@pytest.mark.parametrize(
    ("setting", "counts", "want"),
    [(None, [3, None], 3), (None, [None], 1), (None, [2, 6, 4], 6), (None, [], os.cpu_count() or 1), (7, [3], 7)],
)
def test_how_many_threads_there_are(monkeypatch, setting, counts, want):
    monkeypatch.setattr(limits, "SETTING", setting)
    monkeypatch.setattr(limits, "libraries", lambda: [Library(count) for count in counts])
    assert thread_count.__wrapped__() == want


def test_libraries_are_told_apart_by_who_has_the_limit(monkeypatch):
    openmp = OfEachThread()
    others = [Library(2), Library(3)]
    for library, layer in zip(others, ({"threading_layer": "pthreads"}, {})):
        library.info = lambda layer=layer: layer
    monkeypatch.setattr(limits, "libraries", lambda: [others[0], openmp, others[1]])
    monkeypatch.setattr(limits, "_blas", limits._blas.__wrapped__)
    assert [library.count() for library in limits._blas(each_thread=False)] == [2, 3]
    openmp.set_num_threads(4)
    assert limits.limit_own() == [4]
    assert (openmp.get_num_threads(), others[0].count) == (1, 2)
