"""Questions and answers generated from a seed: additions, and dates in many spellings.

They are the tasks of Deep Learning from Scratch 2, chapters 7 and 8, whose own files are not needed.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

from rnnlm.checks import whole_number
from rnnlm.data.pairs import BETWEEN, Pairs
from rnnlm.randomness import stream

__all__ = ["additions", "dates"]

ADDITIONS, DATES = 0, 1  # parts of the random stream
LARGEST = 999
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2029, 12, 31)  # a two-digit year is unambiguous
CASES: tuple[Callable[[str], str], ...] = (str.lower, str.title, str.upper)
SPELLINGS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{MONTHS[d.month - 1][:3]} {d.day}, {d.year}",
    lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{d.day} {MONTHS[d.month - 1][:3]} {d.year}",
    lambda d: f"{DAYS[d.weekday()]}, {MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{DAYS[d.weekday()][:3]} {d.day} {MONTHS[d.month - 1][:3]} {d.year}",
    lambda d: f"{d.month}/{d.day}/{d.year % 100:02d}",  # with strokes: the month first
    lambda d: f"{d.month:02d}/{d.day:02d}/{d.year}",
    lambda d: f"{d.day}.{d.month}.{d.year}",  # with full stops: the day first
    lambda d: f"{d.year}/{d.month:02d}/{d.day:02d}",
    lambda d: f"{d.year}{d.month:02d}{d.day:02d}",
    lambda d: f"{MONTHS[d.month - 1][:3]} {d.day} '{d.year % 100:02d}",
)


def additions(count: int = 50_000, seed: int = 0) -> Pairs:
    """Return sums of two numbers of up to three digits, "57+5" to "62", without duplicates.

    Each number is below 10, 100 or 1,000 with equal probability.
    """
    return _additions(whole_number("count", count, 1, 200_001), whole_number("seed", seed, 0, 2**64))


@cache  # of about a million possible questions; most have two three-digit numbers
def _additions(count: int, seed: int) -> Pairs:
    rng = stream(seed, "made pairs", part=ADDITIONS)
    made: dict[str, str] = {}
    while len(made) < count:
        a, b = (int(rng.integers(0, 10 ** rng.integers(1, 4))) for _ in range(2))
        made.setdefault(f"{a}+{b}", str(a + b))
    return Pairs.of([f"{question}{BETWEEN}{answer}" for question, answer in made.items()])


def dates(count: int = 50_000, seed: int = 0) -> Pairs:
    """Return dates from 1970 to 2029 in a dozen spellings, "Sep 27, 1994" to "1994-09-27", without duplicates."""
    return _dates(whole_number("count", count, 1, 200_001), whole_number("seed", seed, 0, 2**64))


@cache
def _dates(count: int, seed: int) -> Pairs:
    rng = stream(seed, "made pairs", part=DATES)
    made: dict[str, str] = {}
    while len(made) < count:
        day = FIRST_DAY + timedelta(days=int(rng.integers(0, (LAST_DAY - FIRST_DAY).days + 1)))
        spelled = SPELLINGS[rng.integers(0, len(SPELLINGS))](day)
        made.setdefault(CASES[rng.integers(0, len(CASES))](spelled), day.isoformat())
    return Pairs.of([f"{question}{BETWEEN}{answer}" for question, answer in made.items()])
