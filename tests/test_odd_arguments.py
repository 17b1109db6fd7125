"""A part of `python -m tests.odd_arguments`, and whether it sees what it should."""

import gc
import time

import numpy as np
import pytest

from rnnlm.backend import NAME
from rnnlm.errors import InputError
from tests import odd_arguments
from tests.odd_arguments import Call, Entry, _expected, attempt, tries
from tests.odd_arguments.table import entries

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="odd arguments are arrays of NumPy")


@pytest.mark.parametrize("part", range(3))
def test_an_odd_argument_gives_no_wrong_number_and_no_bare_error(part):
    found = [str(one) for one in tries(100, seed=part) if one is not None]
    assert not found


def test_names_are_told_apart():
    assert len({one.name for one in entries}) == len(entries)


class Subject:
    """Has one of each fault."""

    def __init__(self):
        self.sum = 0.0

    def add(self, how_many, xs):
        if how_many == "unnamed":
            raise InputError("something must be something else")
        if how_many == "changed":
            self.sum += 1
            raise InputError("how_many must be a number")
        if how_many == "written to":
            xs += 1
        return self.sum + float(xs.sum()) * (2 if xs.flags.f_contiguous and xs.ndim > 1 else 1)


@pytest.mark.parametrize(
    ("argument", "value", "equal", "kind"),
    [
        ("how_many", "unnamed", False, "unnamed"),
        ("how_many", "changed", False, "state changed by an error"),
        ("how_many", "written to", False, "input written to"),
        ("how_many", "no", False, "taken"),
        ("xs", None, False, "AttributeError"),
        ("xs", np.asfortranarray(np.ones((2, 3))), True, "another result for the same value"),
        ("xs", np.array([["no"]]), False, None),
        ("xs", np.full((2, 3), 2.0), False, "none"),
    ],
)
def test_each_fault_is_seen(argument, value, equal, kind):
    one = Entry("add", lambda: Call(Subject().add, {"how_many": 1, "xs": np.ones((2, 3))}))
    found = attempt(one, {argument: ("it", value, equal)}, _expected(one))
    if kind == "none":
        assert found is None
    else:
        assert found is not None
        assert kind in (None, found.kind)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_call_is_ended_although_the_first_alarm_is_dropped(monkeypatch):
    monkeypatch.setattr(odd_arguments, "SECONDS", 0.1)
    alarms = []

    def collected(*_):  # Python drops what is raised in here
        if not alarms:
            time.sleep(0.3)
            alarms.append(time.monotonic())

    def endless(how_many):
        gc.callbacks.append(collected)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(collected)
        while time.monotonic() < alarms[0] + 10:
            pass

    found = attempt(Entry("endless", lambda: Call(endless, {"how_many": 1})), {"how_many": ("it", 2, False)}, None)
    assert found is not None
    assert found.kind == "takes long"
