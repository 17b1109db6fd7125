"""What the checks of plain arguments say, and that they raise nothing else."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rnnlm import checks
from rnnlm.errors import InputError


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (checks.positive, 10**400, "x must be positive and finite, got 1" + "0" * 76 + "..."),
        pytest.param(
            checks.positive, 10**5000, "x must be positive and finite, got a value of type int", id="many digits"
        ),
        (checks.finite, -(10**400), "x must be a finite number, got -1"),
        (checks.not_negative, Fraction(10**400, 3), "x must be at least 0 and finite, got Fraction"),
        (checks.share, float("nan"), "x must be in [0, 1), got nan"),
        (checks.share, True, "x must be in [0, 1), got True"),
        (checks.size, 2**31, "x must be a whole number below 2^31, got 2147483648"),
        (checks.size, np.timedelta64(1), "x must be a whole number of at least 1, got np.timedelta64(1)"),
        (checks.size, np.array(1), "x must be a whole number of at least 1, got array(1)"),
        (checks.flag, "no", "x must be True or False, got 'no'"),
        (checks.flag, 1, "x must be True or False, got 1"),
        (checks.text, b"no", "x must be a string, got b'no'"),
        (checks.path_of, "", "x must be a path, as a string or a pathlib.Path, got ''"),
        (checks.path_of, "a\0b", r"x must be a path without a NUL character, got 'a\x00b'"),
        (checks.path_of, "\ud800", r"x must be a path of characters that file names can have, got '\ud800'"),
        (checks.path_of, 3, "x must be a path, as a string or a pathlib.Path, got 3"),
        (checks.function, "no", "x must be a function, got 'no'"),
        (checks.sequence, "no", "x must be a list of values, got 'no'"),
        (checks.array_of, [[1], [2, 3]], "x must be an array of numbers, its rows of one length, got [[1], [2, 3]]"),
        (checks.array_of, np.ma.masked_array([1], [True]), "x must be an array without a mask"),
        (checks.array_of, ["no"], "x must be an array of numbers, got dtype <U2 of ['no']"),
    ],
)
def test_what_is_refused_is_said_in_one_sentence(check, value, message):
    with pytest.raises(InputError) as error:
        check("x", value)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_name_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match="x must be one of a, b, got 'c'"):
        checks.one_of("x", "c", ("a", "b"))


@pytest.mark.parametrize(
    ("check", "value", "result"),
    [
        (checks.positive, np.float16(0.5), 0.5),
        (checks.share, Fraction(1, 4), 0.25),
        (checks.size, np.uint64(3), 3),
        (checks.flag, np.bool_(False), False),
        (checks.path_of, Path("a"), Path("a")),
        (checks.sequence, (1, 2), [1, 2]),
    ],
)
def test_what_is_taken_is_python_s_own(check, value, result):
    given = check("x", value)
    assert given == result
    assert type(given) is type(result)


def test_a_value_whose_repr_fails_is_refused_like_any_other():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(InputError, match="x must be a string, got a value of type Broken"):
        checks.text("x", Broken())
