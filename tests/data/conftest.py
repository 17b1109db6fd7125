import pytest

from tests.data.texts import of_text


@pytest.fixture
def pair(tmp_path, rng):
    """A text of 400 lines and the same encoded."""
    lines = [" ".join(rng.choice(list("abcdefgh"), rng.integers(0, 9))) for _ in range(400)]
    return of_text(tmp_path, "\n".join(lines))
