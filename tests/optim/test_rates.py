import pytest

from rnnlm.errors import InputError
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


@pytest.mark.parametrize("rule", [DivideOnPlateau(20.0), StepDecay(20.0, 2.0, 0), StepDecay(1e-3, 10.0, 2)])
def test_a_rate_that_nothing_changes_by_is_the_last_one(rule):
    first, epochs = rule.lr, 0
    while not rule.finished:
        rule.end_epoch(1.0)
        epochs += 1
    assert rule.lr == first * 1e-9
    assert 9 < epochs < 40
    for _ in range(2_000):  # it stays positive whoever goes on
        rule.end_epoch(1.0)
    assert rule.lr == first * 1e-9


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


@pytest.mark.parametrize(
    "make", [lambda: Constant(2.0), lambda: DivideOnPlateau(2.0), lambda: Halving(2.0), lambda: StepDecay(2.0)]
)
def test_a_rule_goes_on_from_what_it_has_come_to(make):
    losses = [5.0, 4.0, 4.1, 4.05, 4.2, 4.1]
    whole, first, second = make(), make(), make()
    want = rates(whole, losses)
    begun = rates(first, losses[:3])
    second.load_state_dict(first.state_dict())
    assert begun + rates(second, losses[3:]) == want
    assert second.state_dict() == whole.state_dict()
    assert (whole.epochs, first.epochs, whole.first) == (6, 3, 2.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: [*state.items()], "state must be what state_dict gave, with lr, first, .*decay, best, got "),
        (lambda state: state | {"full_epochs": 4}, "state must be what state_dict gave, with "),
        (lambda state: {name: state[name] for name in state if name != "best"}, "state must be what state_dict gave"),
        (lambda state: state | {"decay": 0.0}, r"state\['decay'\] must be positive and finite, got 0.0"),
        (lambda state: state | {"lr": -1.0}, r"state\['lr'\] must be positive and finite, got -1.0"),
        (lambda state: state | {"first": float("inf")}, r"state\['first'\] must be positive and finite, got inf"),
        (lambda state: state | {"epochs": -1}, r"state\['epochs'\] must be a whole number of at least 0, got -1"),
        (lambda state: state | {"finished": 1}, r"state\['finished'\] must be True or False, got 1"),
        (lambda state: state | {"best": "2"}, r"state\['best'\] must be a finite number, got '2'"),
    ],
    ids=["pairs", "more", "less", "decay", "lr", "first", "epochs", "finished", "best"],
)
def test_a_state_that_can_not_be_leaves_a_rule_as_it_was(change, message):
    rule, other = DivideOnPlateau(2.0), DivideOnPlateau(8.0)
    rates(other, [5.0, 6.0])
    before = rule.state_dict()
    with pytest.raises(InputError, match=message):
        rule.load_state_dict(change(other.state_dict()))
    assert rule.state_dict() == before
    with pytest.raises(InputError, match="state_dict gave"):
        Constant(2.0).load_state_dict(before)


def test_a_state_whose_values_do_not_go_together_is_refused():
    rule = Cosine(2.0, 10, 3)
    with pytest.raises(InputError, match="warmup must be shorter than the 3 steps of the training, got 3"):
        rule.load_state_dict(rule.state_dict() | {"steps": 3})
    assert rule.steps == 10


def test_places_where_rules_change():
    assert rates(Halving(1.0, ratio=2.0), [6.0, 3.0, 1.6]) == [1, 1, 1]  # of 6 over 3, which is not more than the ratio
    assert rates(StepDecay(16.0), [1] * 6) == [16, 16, 16, 16, 8, 4]  # the usual four epochs, and halves
    assert rates(DivideOnPlateau(16.0, 1.0), [1, 1, 1]) == [16, 16, 16]
    assert Cosine(2.0, 10, 9)(9) == 2
    assert Cosine(2.0, 1)(0) == 2
    assert Cosine(2.0, 10)(10) == 2e-6
