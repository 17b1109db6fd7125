"""Checkpoints: what is kept, what is taken when one is damaged, and that nothing of them is read unchecked."""

import os

import numpy as np
import pytest

from rnnlm.backend import NAME, xp
from rnnlm.errors import InputError, ModelFileError
from rnnlm.saving import checkpoint_state
from rnnlm.saving.checkpoint import Checkpoints
from rnnlm.saving.open_folder import OpenFolder
from tests.saving.test_generation import flips


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def save(checkpoints, *steps, best=()):
    for step in steps:
        checkpoints.save(step, {"step": step, "a": np.full(3, step)}, step in best)


def test_what_is_saved_is_read(tmp_path):
    state = {
        "number": 3, "ratio": 0.1, "infinite": float("inf"), "none": None, "yes": True, "word": "ε",
        "of the device": xp.arange(6, dtype="float32").reshape(2, 3), "empty": np.empty((0, 4)),
        "inside": [1, [np.array(2.5)], {"more": np.array([True, False])}],
    }  # fmt: skip
    Checkpoints(tmp_path / "c").save(1, state)
    got = Checkpoints(tmp_path / "c").latest()
    for name in ("number", "ratio", "infinite", "none", "yes", "word"):
        assert got[name] == state[name]
    np.testing.assert_array_equal(got["of the device"], np.arange(6, dtype="float32").reshape(2, 3))
    assert got["empty"].shape == (0, 4)
    assert got["inside"][1][0] == 2.5
    np.testing.assert_array_equal(got["inside"][2]["more"], [True, False])


def test_the_last_two_and_the_best_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c")
    assert not checkpoints.any()
    assert checkpoints.latest() is None
    save(checkpoints, 1, 2, 3, 4, 5, best=[2])
    assert names(tmp_path / "c") == ["step-000000000002-best", "step-000000000004", "step-000000000005"]
    assert checkpoints.best()["step"] == 2
    save(checkpoints, 6, 7, best=[6])
    assert names(tmp_path / "c") == ["step-000000000006-best", "step-000000000007"]
    save(checkpoints, 8, 9)
    assert checkpoints.best()["step"] == 6
    assert checkpoints.latest()["step"] == 9


def test_the_best_one_is_written_again_in_its_place(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c")
    checkpoints.save(1, {"finished": False}, best=True)
    checkpoints.save(1, {"finished": True})
    assert names(tmp_path / "c") == ["step-000000000001-best"]
    assert checkpoints.latest() == {"finished": True}


def test_a_damaged_one_is_moved_aside_and_the_one_before_taken(tmp_path, capsys):
    checkpoints = Checkpoints(tmp_path / "c")
    save(checkpoints, 1, 2, best=[2])
    (tmp_path / "c" / "step-000000000002-best" / "state.json").write_text("{}")
    assert checkpoints.best() is None
    assert checkpoints.latest()["step"] == 1
    assert "state.json is damaged: it has 2 bytes, and had " in capsys.readouterr().err
    assert [name.startswith("damaged-step-000000000002-best-") for name in names(tmp_path / "c")] == [True, False]
    save(checkpoints, 2)
    assert checkpoints.latest()["step"] == 2
    for number in (1, 2):
        (tmp_path / "c" / f"step-00000000000{number}" / "manifest.json").unlink()
    with pytest.raises(ModelFileError, match="has no checkpoint that is whole: all 3 are damaged"):
        checkpoints.latest()
    with pytest.raises(ModelFileError, match="all 3 are damaged"):  # nor does it begin anew when it is asked again
        checkpoints.latest()


def test_one_that_can_not_be_read_is_passed_over_and_stays(tmp_path, monkeypatch, capsys):
    checkpoints = Checkpoints(tmp_path / "c")
    save(checkpoints, 1, 2)
    right, fails = OpenFolder.read, [1]

    def read(self, name, *more):
        if fails.pop() if fails else False:
            raise OSError(5, "Input/output error")
        return right(self, name, *more)

    monkeypatch.setattr(OpenFolder, "read", read)
    assert checkpoints.latest()["step"] == 1
    assert "Input/output error; the checkpoint before it is taken" in capsys.readouterr().err
    assert checkpoints.latest()["step"] == 2


def test_a_later_version_says_who_reads_it(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path / "c")
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_state, "FORMAT", 2)
        patch.setattr(checkpoint_state, "__version__", "7.1.0")
        save(checkpoints, 1)
    with pytest.raises(InputError, match="has format 2, and this rnnlm .* reads 1: take rnnlm 7.1.0"):
        checkpoints.latest()
    assert checkpoints.any()


@pytest.mark.parametrize("number", [0, -1, "1", True, 1.0, None])
def test_a_format_that_is_no_number_is_damage(tmp_path, monkeypatch, capsys, number):
    checkpoints = Checkpoints(tmp_path / "c")
    monkeypatch.setattr(checkpoint_state, "FORMAT", number)
    save(checkpoints, 1)
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match="has no checkpoint that is whole: all 1 are damaged"):
        checkpoints.latest()
    assert f"its format must be a whole number of at least 1, got {number!r}" in capsys.readouterr().err


def test_what_is_no_folder_of_checkpoints_is_refused(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c")
    save(checkpoints, 5)
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "c" / "step-000000000005"):
        with pytest.raises(InputError, match="checkpoints must be in a folder, and .* is a file or one of them"):
            Checkpoints(path).latest()
    with pytest.raises(InputError, match="c must not have checkpoints of another training: step-000000000005 is there"):
        save(checkpoints, 4)
    assert names(tmp_path / "c") == ["step-000000000005"]


def test_the_best_one_takes_the_place_of_the_same_step(tmp_path):
    checkpoints = Checkpoints(tmp_path / "c")
    save(checkpoints, 1, 2)
    save(checkpoints, 2, best=[2])
    assert names(tmp_path / "c") == ["step-000000000001", "step-000000000002-best"]


@pytest.mark.parametrize("file", ["manifest.json", "state.json", "arrays.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "a folder"])
def test_files_that_are_missing_or_cut_are_seen(tmp_path, file, damage):
    checkpoints = Checkpoints(tmp_path / "c")
    save(checkpoints, 1, 2)
    path = tmp_path / "c" / "step-000000000002" / file
    content = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "gone":
        path.write_bytes(content[: len(content) // 2 if damage == "cut" else 0])
    assert checkpoints.latest()["step"] == 1


def test_what_is_not_the_checkpoints_fault_moves_none_aside(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path / "c")
    save(checkpoints, 1, 2)

    def too_many(*_, **__):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", too_many)
        with pytest.raises(OSError, match="Too many open files"):
            checkpoints.latest()
    assert checkpoints.latest()["step"] == 2


def test_a_key_that_stands_for_an_array_is_refused(tmp_path):
    with pytest.raises(InputError, match="a key of a state must not be 'array'"):
        Checkpoints(tmp_path / "c").save(1, {"inside": {"array": 1}})
    assert not (tmp_path / "c").exists()


@pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy")
@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.fault)])
def test_every_flipped_bit_is_seen(tmp_path, every, tried, capfd):
    checkpoints, folder = Checkpoints(tmp_path / "c"), tmp_path / "c" / "step-000000000001"
    save(checkpoints, 1)
    times = 0
    for name in names(folder):
        content = (folder / name).read_bytes()
        for changed in flips(content, every):
            (folder / name).write_bytes(changed)
            with pytest.raises(ModelFileError, match="all 1 are damaged"):
                checkpoints.latest()
            next((tmp_path / "c").iterdir()).rename(folder)
            times += 1
        (folder / name).write_bytes(content)
    assert checkpoints.latest()["step"] == 1
    tried("one bit of a checkpoint flipped, each of them", times, "seen")


def test_an_old_one_that_can_not_be_removed_is_no_error(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path / "kept", keep=1)
    checkpoints.save(1, {"a": 1})

    def refused(*_, **__):
        raise PermissionError("not allowed")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", refused)
        checkpoints.save(2, {"a": 2})
    assert checkpoints.latest() == {"a": 2}


def test_a_folder_that_is_made_is_synced_in_the_one_that_it_is_in(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("rnnlm.saving.checkpoint.sync_folder", synced.append)
    for step in (1, 2):
        Checkpoints(tmp_path / "kept").save(step, {"a": step})
    assert synced == [tmp_path]
