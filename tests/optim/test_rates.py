import pytest

from rnnlm.optim import (
    Constant,
    Cosine,
    DivideOnPlateau,
    Halving,
    StepDecay,
)


def rates(rule, losses):
    seen = []
    for loss in losses:
        seen.append(rule(0))
        rule.end_epoch(loss)
    return seen


def test_rules_by_epoch():
    assert rates(Constant(2.0), [3, 4, 5]) == [2, 2, 2]
    assert rates(DivideOnPlateau(16.0), [5, 4, 4.5, 3, 3, 2]) == [16, 16, 16, 4, 4, 1]
    assert rates(DivideOnPlateau(16.0), [5, None, None]) == [16, 16, 16]
    assert rates(StepDecay(8.0, 2.0, 2), [1] * 5) == [8, 8, 4, 2, 1]
    assert rates(StepDecay(8.0, 2.0, 0), [1] * 3) == [8, 4, 2]


def test_mikolovs_halving_goes_on_once_begun_and_ends_at_the_second_small_gain():
    rule = Halving(1.0)
    assert rates(rule, [6.0, 5.0, 5.5, 4.5, 4.0]) == [1, 1, 1, 0.5, 0.25]
    assert not rule.finished
    rule.end_epoch(3.999)
    assert rule.finished
    rule = Halving(1.0)
    rule.end_epoch(None)
    assert (rule(0), rule.finished) == (1, False)


def test_cosine_rises_and_falls():
    rule = Cosine(2.0, steps=110, warmup=10)
    assert [rule(k) for k in (0, 4, 9)] == pytest.approx([2 / 11, 10 / 11, 20 / 11])
    assert rule(10) == 2
    assert rule(60) == pytest.approx(1)
    assert 0 < rule(109) < 0.001
    assert 0 < rule(500) == rule(210) < 0.001  # it does not rise again
    values = [rule(k) for k in range(10, 110)]
    assert values == sorted(values, reverse=True)
