"""Does a test fail if the code is wrong? Small faults are planted in rnnlm/, one at a time, and the tests run.

    python -m tests.mutations --sample 300 --seed 0
    python -m tests.mutations --sample 50 --rooms layers optim --out survivors.txt

The faults (mutants) are drawn at random from all those of the rooms in `ROOMS`; the same seed draws the same ones from
the same text. Each runs the tests of its own room's folder that execute the changed line, in a copy of the repository.
A mutant that no test notices, a survivor, is a hole in the tests: it gets one. Or it changes nothing but speed, or
nothing at all: then it stands in `tests/mutations_kept.toml`, with the reason.

`mutants.py` lists the changes, `reach.py` finds out which tests execute a line, `trial.py` runs them, `kept.py` has
those that may survive. rnnlm/backend/cuda is left out: it needs a device.
"""
