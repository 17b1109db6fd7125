"""What all the others are checked by."""

from rnnlm import checks
from tests.odd_arguments import entry

for name, valid in (
    ("size", 3), ("positive", 0.5), ("finite", 0.5), ("not_negative", 0.5), ("share", 0.5), ("flag", True), ("text", "a"),
    ("path_of", "a"), ("function", print), ("sequence", [1, 2]), ("array_of", checks.np.ones((2, 3))),
):  # fmt: skip
    welcome = {"value": (list, tuple, range, checks.np.ndarray)} if name == "sequence" else {}
    if name == "path_of":
        welcome = {"value": (checks.Path,)}
    if name == "array_of":
        welcome = {"value": (object,)}
    entry(
        name,
        lambda value, check=name: getattr(checks, check)("value", value),
        lambda valid=valid: {"value": valid},
        takes=welcome,
    )
entry("whole_number", lambda value: checks.whole_number("value", value, 1, 5), lambda: {"value": 3})
entry("one_of", lambda value: checks.one_of("value", value, ("cat", "dog")), lambda: {"value": "cat"})
