"""Which BLAS runs, and whether the environment forces other kernels than it would take."""

import os
import subprocess
import sys

import pytest

from rnnlm.backend.cpu import blas

ASK = "import numpy; from rnnlm.backend.cpu.blas import describe_blas, forced_kernels, kernels; "


def ask(code, env, **variables):
    """What a process of its own prints: BLAS reads its environment once."""
    done = subprocess.run([sys.executable, "-c", ASK + code], env=env | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def free(clean_env):
    """An environment in which BLAS takes its own kernels."""
    return {name: value for name, value in clean_env.items() if name != blas.FORCING}


@pytest.mark.long  # asks processes of their own, which no stand-in reaches
def test_kernels_are_named(free):
    own = ask("print(kernels())", free)
    if not own:
        pytest.skip("this BLAS does not say which kernels it has: only OpenBLAS and BLIS do")
    assert ask("print(describe_blas())", free).endswith(f"with {own} kernels")
    assert ask("print(forced_kernels())", free) == "None"


@pytest.mark.long  # asks processes of their own, which no stand-in reaches
def test_other_kernels_are_told(free):
    own, forced = ask("print(kernels())", free), "Nehalem"
    if ask("print(kernels())", free, **{blas.FORCING: forced}) in ("", own):
        pytest.skip("this BLAS can't be told which kernels to take")
    told = ask("print(forced_kernels())", free, **{blas.FORCING: forced})
    assert (
        told == f"{blas.FORCING}=Nehalem forces Nehalem kernels; without it BLAS takes {own}: unset it to measure speed"
    )
    assert ask("print(forced_kernels())", free, **{blas.FORCING: own}) == "None"


def test_a_process_that_cannot_be_asked_tells_nothing(monkeypatch):
    monkeypatch.setitem(os.environ, blas.FORCING, "Nehalem")
    monkeypatch.setattr(blas, "ASKING", "raise SystemExit")
    assert blas.forced_kernels() is None


def test_a_blas_that_nobody_knows(monkeypatch):
    monkeypatch.setattr(blas, "libraries", list)
    assert blas.describe_blas() == "BLAS unknown"


@pytest.mark.parametrize(("own", "forces"), [("Haswell", True), ("Nehalem", False), ("", False)])
def test_kernels_that_are_forced_are_compared_with_those_that_blas_would_take(monkeypatch, own, forces):
    monkeypatch.setitem(os.environ, blas.FORCING, "Nehalem")
    monkeypatch.setattr(blas, "kernels", lambda: "Nehalem")
    monkeypatch.setattr(blas, "ASKING", f"import os; print('x' if {blas.FORCING!r} in os.environ else {own!r})")
    told = f"{blas.FORCING}=Nehalem forces Nehalem kernels; without it BLAS takes Haswell: unset it to measure speed"
    assert blas.forced_kernels() == (told if forces else None)
