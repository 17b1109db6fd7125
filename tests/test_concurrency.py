"""A property that is computed once, without a lock."""

import threading

from rnnlm.concurrency import once


class Counted:
    """Its value takes until `go`."""

    def __init__(self, go):
        self.go, self.times, self.begun = go, 0, threading.Event()

    @once
    def value(self):
        self.times += 1
        self.begun.set()
        assert self.go.wait(60)
        return self.times


def test_what_is_computed_once_is_waited_for_by_no_other_object():
    go = threading.Event()
    slow, quick = Counted(go), Counted(threading.Event())
    quick.go.set()
    thread = threading.Thread(target=lambda: slow.value)
    thread.start()
    assert slow.begun.wait(60)
    found = []
    other = threading.Thread(target=lambda: found.append(quick.value), daemon=True)
    other.start()
    other.join(20)
    go.set()
    thread.join()
    assert found == [1]
    assert (slow.value, slow.value, slow.times, quick.times) == (1, 1, 1, 1)
