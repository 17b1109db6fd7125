"""Predictors and threads: right answers, or at once an error that says what to do; copies that share weights."""

import copy
import multiprocessing
import os
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from rnnlm import (
    SGD,
    Mixture,
    ModelConfig,
    Rnnlm,
    RnnlmTrainer,
    Seq2seq,
    Vocabulary,
    build_model,
    evaluate,
    generate,
    in_words_of,
    kneser_ney,
    score,
)
from rnnlm.backend import NAME
from rnnlm.errors import BusyError, InputError
from rnnlm.inference.predictor import one_thread, shared_copy_of
from rnnlm.models.nnlm import NNLM
from tests.gradcheck import host

V, EOS = 9, 0
IDS = np.random.default_rng(0).integers(0, V, 200)
REMEDY = "a model serves one thread at a time, and another thread uses this one: give each thread its own by"


def network(**options):
    return build_model(ModelConfig(vocab_size=V, wordvec_size=5, hidden_size=5, seed=1, **options))


def ngram():
    return kneser_ney(IDS, V, EOS, 3)


def other_words():
    return in_words_of(network(), Vocabulary(list("abcdefghi")), Vocabulary(list("ihgfedcba")))


MAKE = {
    "rnn": network,
    "tied lstm": lambda: network(cell="lstm", tied=True),
    "gru": lambda: network(cell="gru", layers=2),
    "nnlm": lambda: NNLM(V, 5, 5),
    "n-grams": ngram,
    "mixture": lambda: Mixture([network(), network(cell="lstm")], [0.5, 0.5]),
    "other words": other_words,
}
USES = {
    "evaluate": lambda model: evaluate(model, IDS).nats,
    "score": lambda model: [one.logprob for one in score(model, [[3, 1, 2, EOS], [4, EOS]])],
    "generate": lambda model: generate(model, 3, None, 20, seed=1),
    "losses": lambda model: host(model.losses(IDS[None, :4], IDS[None, 1:5])).tolist(),
    "next_scores": lambda model: host(model.next_scores(IDS[None, :4])).tolist(),
    "reset_state": lambda model: model.reset_state(),
}


def in_thread(function, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result(60)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", MAKE)
def test_a_model_in_use_refuses_another_thread(kind, use):
    model = MAKE[kind]()
    with one_thread(model):
        with pytest.raises(BusyError, match=REMEDY):
            in_thread(USES[use], model)
        USES[use](model)  # the thread that uses it may do as it likes
    model.reset_state()
    there = in_thread(USES[use], model)  # one after another they may, too
    model.reset_state()
    assert there == USES[use](model)


@pytest.mark.parametrize("kind", MAKE)
def test_copies_for_threads_are_right_at_once(kind):
    model = MAKE[kind]()
    right = [USES[use](model) for use in ("evaluate", "score", "generate")]

    def work(_):
        twin = shared_copy_of(model)
        return [[USES[use](twin) for use in ("evaluate", "score", "generate")] for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(work, range(8)):
            assert answers == [right] * 3


@pytest.mark.parametrize("use", ["evaluate", "score", "generate"])
def test_one_model_in_many_threads_is_right_or_refused(use):
    model = network(cell="lstm")
    right, outcomes = USES[use](model), []

    def work():
        for _ in range(10):
            try:
                outcomes.append(USES[use](model) == right)
            except BusyError:
                outcomes.append("busy")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 40
    assert set(outcomes) <= {True, "busy"}
    assert True in outcomes
    assert USES[use](model) == right


@pytest.mark.parametrize("kind", ["rnn", "tied lstm", "gru", "nnlm"])
def test_a_shared_copy_has_the_same_weights_and_another_state(kind):
    model = MAKE[kind]()
    model.losses(IDS[None, :5], IDS[None, 1:6])
    twin = model.shared_copy()
    assert type(twin) is type(model)
    assert twin.names == model.names
    assert twin.flat_params is model.flat_params
    model.params[-1][...] = 3
    assert (host(twin.params[-1]) == 3).all()
    before = model.get_state()
    assert all(state is None for state in twin.get_state())
    twin.losses(IDS[None, 50:60], IDS[None, 51:61])
    for ours, theirs in zip(model.get_state(), before):
        np.testing.assert_array_equal(host(ours[0]), host(theirs[0]))
    twin.flat_grads[...] = 1
    assert not host(model.flat_grads).any()


def test_a_shared_copy_of_a_network_that_no_configuration_describes():
    model = Seq2seq(V, 4, 6)
    questions = IDS[:24].reshape(4, 6)
    right = model.answers(questions, 1, 5)
    twin = model.shared_copy()
    assert twin.flat_params is model.flat_params
    with model.one_thread:
        np.testing.assert_array_equal(in_thread(twin.answers, questions, 1, 5), right)
        with pytest.raises(BusyError, match=REMEDY):
            in_thread(model.answers, questions, 1, 5)


def test_a_mixture_of_what_has_no_copies():
    class Own:
        vocab_size = V

        def losses(self, *_):
            """Nothing: none of these is called."""

        next_scores = reset_state = get_state = set_state = losses

    with pytest.raises(InputError, match="Own has no shared_copy, by which other threads could use it, too"):
        Mixture([Own(), network()], [0.5, 0.5]).shared_copy()


def test_a_backward_is_of_the_thread_of_its_forward():
    model = network()
    in_thread(model.forward, IDS[None, :5], IDS[None, 1:6])
    with pytest.raises(BusyError, match="a backward must follow a forward of the same thread"):
        model.backward()
    model.forward(IDS[None, :5], IDS[None, 1:6])
    model.backward()


def test_a_training_keeps_its_model_for_itself():
    model, heard = Rnnlm(V, 4, 4), []

    def hear(*_):
        evaluate(model, IDS)  # its own thread may
        with pytest.raises(BusyError, match=REMEDY):
            in_thread(evaluate, model, IDS)
        heard.append(evaluate(model.shared_copy(), IDS))

    RnnlmTrainer(model, SGD(0.1)).fit(IDS[:-1], IDS[1:], 1, 4, 5, on_report=hear)
    assert heard
    in_thread(evaluate, model, IDS)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_is_not_in_use(how):
    model = network()
    with model.one_thread:
        twin = how(model)
    with model.one_thread:
        assert in_thread(USES["evaluate"], twin) == USES["evaluate"](model)


def scored_in_threads(model):
    """In a process of a pool: a pool of threads, each with a model of its own."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda _: USES["score"](model.shared_copy()), range(3)))


@pytest.mark.skipif(NAME != "numpy", reason="other processes have no stand-in, and a GPU is not for forked ones")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_pools_of_threads_in_pools_of_processes(method):
    model = network(cell="lstm")
    right = USES["score"](model)
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        for answers in pool.map(scored_in_threads, [model, model]):
            assert answers == [right] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_what_another_thread_used_is_free_in_a_forked_process():
    model, inside, ended = network(), threading.Event(), threading.Event()

    def use():
        with one_thread(model):
            inside.set()
            ended.wait(60)

    thread = threading.Thread(target=use)
    thread.start()
    inside.wait(60)
    child = os.fork()
    if not child:
        code = 1
        try:
            evaluate(model, IDS)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(BusyError):
        evaluate(model, IDS)
    ended.set()
    thread.join()
