"""Each guard is taken away, one at a time: the test that is there for it must fail then, and for that reason."""

import inspect
import os
import stat
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from time import time
from unittest.mock import MagicMock

import pytest

import rnnlm
from rnnlm import drawing, files, opening
from rnnlm.backend import NAME
from rnnlm.book import pickles
from rnnlm.cli import process
from rnnlm.data import encoded, lines
from rnnlm.data.blocks import Blocks
from rnnlm.data.reading import Reading
from rnnlm.data.sources import InFile
from rnnlm.experiments import metrics, results, settings
from rnnlm.experiments.fitting import Fitting
from rnnlm.experiments.results import Results
from rnnlm.models.base import Model
from rnnlm.ngrams import unpacked
from rnnlm.optim import rates
from rnnlm.saving import checkpoint, generation, lock, model_folder, open_folder, reading_files
from rnnlm.saving.open_folder import OpenFolder
from rnnlm.training import trainer_folder
from rnnlm.training.keeper import Keeper
from rnnlm.training.run import Run
from rnnlm.training.save_every import SaveEvery
from tests.cli import test_plot, test_process
from tests.data import test_encoded, test_encoding
from tests.experiments import test_experiment, test_resume
from tests.faults.test_kills_and_signals import SHORT, here  # noqa: F401 - a fixture
from tests.hostile import test_pickles, test_places, test_sizes
from tests.hostile.test_sizes import model  # noqa: F401
from tests.saving import test_checkpoint, test_earlier_versions, test_generation, test_model_folder
from tests.saving.test_model_folder import folder  # noqa: F401
from tests.training import test_keeping, test_run
from tests.training.test_keeping import corpus  # noqa: F401

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy")


def nothing(*_, **__):
    """In place of what does something."""


def unsynced(path, target):
    return open(path, "xb")


def one_after_the_other(new, target):
    target.mkdir(exist_ok=True)
    for path in new.iterdir():
        os.replace(path, target / path.name)


class AlwaysEqual:
    def __ne__(self, other):
        return False


def opened_again(cls, path, file, dtype, offset, size, checks):
    with open(path, "rb") as other:
        return cls(
            name=str(path), dtype=dtype, file=rnnlm.data.blocks.OpenFile(str(path), other), offset=offset, size=size
        )


def best_so_far(self, loss):
    is_best = self.best is None or not loss > self.best
    self.best = loss if is_best else self.best
    return is_best


def appended(self, name, row):
    with files.naming(self.folder / name), open(self.folder / name, "ab", buffering=0) as file:
        line = (files.to_json(row) + "\n").encode()
        while line:
            line = line[file.write(line) :]


def pictured(path):
    return open(path, "wb")


def only_settings(self):
    self.results.write("settings.json", self.config.flat())


def by_the_wall_clock(self, steps):
    return steps % self.steps == 0 if self.steps else time() - self.begin >= self.seconds


FIRST = test_earlier_versions.FIXTURES / "0.1.0"  # what the first version wrote

GUARDS = {  # what is taken away: where, what is there instead, the test, its arguments, how it fails
    "files are synced": (generation, "new_file", unsynced, test_generation.test_all_is_synced_before_it_takes_its_place, {}, "assert"),
    "folders are synced": (generation, "sync_folder", nothing, test_generation.test_all_is_synced_before_it_takes_its_place, {}, "assert"),
    "folders change places as one": (generation, "_put", one_after_the_other, test_generation.test_a_kill_at_any_call_leaves_one_generation, {"exchange": True}, "damaged|does not exist|not named"),
    "what was moved away is put back": (model_folder, "put_back", nothing, test_generation.test_a_kill_at_any_call_leaves_one_generation, {"exchange": False}, "is not a folder"),
    "SHA-256 of files": (OpenFolder, "_check", nothing, test_generation.test_every_flipped_bit_is_seen, {"every": 7}, "DID NOT RAISE"),
    "SHA-256 of checkpoints": (OpenFolder, "_check", nothing, test_checkpoint.test_every_flipped_bit_is_seen, {"every": 7}, "DID NOT RAISE"),
    "a manifest has one spelling": (open_folder, "manifest_of", lambda _: AlwaysEqual(), test_generation.test_every_flipped_bit_is_seen, {"every": 1}, "DID NOT RAISE"),
    "what was replaced is read again": (OpenFolder, "replaced", lambda self: False, test_generation.test_a_folder_that_is_replaced_while_it_is_read_is_read_again, {}, "is missing"),
    "what the dead left goes": (files, "_left_behind", lambda *_: [], test_generation.test_what_the_dead_left_goes_when_the_same_is_saved_again, {}, "assert"),
    "what the living write stays": (files, "_is_running", lambda *_: False, test_generation.test_leftovers_of_the_living_stay, {}, "assert"),
    "an interrupt after a rename": (files, "suppress", lambda *_: nullcontext(), test_generation.test_a_signal_is_not_lost_when_a_file_has_just_been_renamed, {}, "No such file"),
    "permissions stay": (os, "chmod", nothing, test_generation.test_permissions_of_a_file_that_is_replaced_stay, {}, "assert"),
    "a full disk names the file": (files, "naming", lambda path: nullcontext(), test_encoding.test_a_full_disk_is_an_error_that_names_the_file, {}, "did not match"),
    "header and ids are of one file": (InFile, "of", classmethod(opened_again), test_encoded.test_a_file_that_is_replaced_while_it_is_opened_is_one_or_the_other, {}, "assert"),
    "weights are finite": (Model, "not_finite", nothing, test_model_folder.test_weights_that_are_not_finite_are_neither_saved_nor_read, {"bad": float("nan")}, "DID NOT RAISE"),
    "a last step that explodes": (Run, "give_up", nothing, test_experiment.test_weights_that_explode_in_the_last_step_are_not_kept, {"evaluate": ["--no-evaluate"]}, "invalid value"),
    "a loss that is no number is not the best": (Run, "note_valid", best_so_far, test_experiment.test_a_worse_model_is_never_kept_for_a_loss_that_is_no_number, {}, "assert"),
    "a smallest rate": (rates, "SMALLEST", 0.0, test_experiment.test_a_rate_that_falls_to_nothing_ends_the_training, {}, "assert"),
    "a damaged checkpoint is moved aside": (os, "rename", nothing, test_checkpoint.test_a_damaged_one_is_moved_aside_and_the_one_before_taken, {}, "No such file"),
    "errors of the system damage no checkpoint": (checkpoint, "DAMAGE", range(200), test_checkpoint.test_what_is_not_the_checkpoints_fault_moves_none_aside, {}, "whole"),
    "the best checkpoint is kept": (checkpoint, "BEST", "", test_checkpoint.test_the_last_two_and_the_best_are_kept, {}, "assert"),
    "a lock": (lock, "FileLock", lambda path: MagicMock(), test_resume.test_another_training_in_the_folder_is_refused, {}, "assert 0 == 4"),
    "a lock of the library's trainer": (trainer_folder, "locked", lambda _: MagicMock(), test_keeping.test_another_training_in_the_folder_is_refused, {}, "DID NOT RAISE"),
    "a signal waits for the step": (Keeper, "hearing", lambda self: nullcontext([]), test_keeping.test_a_signal_finishes_the_step_and_then_does_what_it_does, {}, "assert 0 == 1"),
    "an import is waited for": (process, "_imports", lambda frame: False, test_process.test_an_import_is_waited_for, {"number": 15, "code": 143}, "assert"),
    "what was an interrupt is told as one": (process, "_ended", lambda error, stopped, right=process._ended: right(error, []), test_process.test_an_interrupt_that_a_library_makes_another_error_of_is_one, {"notes": [], "said": "interrupted"}, "_lock"),
    "figures are cut back": (Results, "go_back", nothing, test_resume.test_figures_that_were_cut_or_lost_are_there_again, {}, "assert"),
    "a line is written or not": (Results, "append", appended, test_resume.test_a_line_that_there_is_no_room_for_is_not_written_by_half, {}, "assert"),
    "a first checkpoint": (Fitting, "begin", only_settings, test_resume.test_the_first_checkpoint_is_written_before_any_step, {}, "a step was made"),
    "results of others are not overwritten": (results, "_expect_nothing_in", nothing, test_resume.test_a_folder_whose_run_never_began_may_be_taken, {}, "out must be a new"),
    "a lost model is written again": (Fitting, "_expect_best", nothing, test_resume.test_a_model_that_is_lost_is_written_again_from_the_best_checkpoint, {"optimizer": []}, "assert"),
    "a finished run is left alone": (Fitting, "finish", nothing, test_resume.test_a_finished_run_is_left_as_it_is, {}, "is finished"),
    "settings stay": (settings, "expect_same", nothing, test_resume.test_what_may_not_change_is_refused_by_name, {}, "assert"),
    "saving goes by a clock that never jumps": (SaveEvery, "is_time", by_the_wall_clock, test_resume.test_a_time_to_save_is_by_a_clock_that_does_not_jump, {}, "assert"),
    "a picture is whole": (drawing, "atomic_file", pictured, test_plot.test_a_picture_is_whole_or_not_there, {}, "assert"),
    "blocks of ids": (Blocks, "damaged", nothing, test_encoded.test_damaged_ids_are_found_where_they_are_read, {}, "DID NOT RAISE"),
    "ids of the first format": (encoded, "_expect_ids_of_first_format", nothing, test_earlier_versions.test_each_changed_bit_of_the_ids_is_seen, {"written": FIRST}, "DID NOT RAISE"),
    "a manifest names its own files": (open_folder, "_is_entry", lambda *_: True, test_sizes.test_a_manifest_names_files_of_its_folder_alone, {"name": "a/b"}, "assert"),
    "a bound on words": (reading_files, "read_words", lambda file, *_: file.read(), test_sizes.test_more_words_than_the_configuration_says, {"content": b"a\n" * 25_000_000}, "assert|MB"),
    "weights are there before memory is taken": (model_folder, "bytes_in", lambda file: 1 << 100, test_sizes.test_sizes_that_the_weights_have_not, {}, "assert|MB|said nothing"),
    "JSON says a thing once": (opening, "_once", dict, test_sizes.test_json_that_says_too_much, {"case": "a key twice"}, "assert"),
    "numbers have an end": (opening, "_whole", int, test_sizes.test_json_that_says_too_much, {"case": "many digits"}, "assert"),
    "a small file stays small": (unpacked, "FOLD", 1 << 40, test_sizes.test_a_small_file_that_becomes_a_large_one, {}, "assert|MB|said nothing"),
    "lines have an end": (lines, "LONGEST_WORD", 1 << 60, test_sizes.test_a_device_without_an_end, {}, "MB|said nothing|assert"),
    "a long line comes in pieces": (Reading, "end_of_piece", None, test_sizes.test_a_text_that_is_one_line_takes_the_memory_of_its_ids, {"units": "word", "megabytes": 40}, "MB"),
    "no links in a run's folder": (results, "_expect_no_links", nothing, test_places.test_going_on_writes_through_no_link, {}, "assert"),
    "keys of a pickle are plain": (pickles, "expect_plain", nothing, test_pickles.test_a_few_bytes_take_little, {"bomb": "a key that takes for ever"}, "said nothing"),
    "a pickle's room": (pickles.Unpickler, "_built", nothing, test_pickles.test_the_same_bytes_do_not_become_many_arrays, {}, "MB|assert"),
    "a file is a file": (stat, "S_IFMT", lambda mode: stat.S_IFREG, test_places.test_what_is_no_file_is_refused_by_its_name, {"place": "a folder"}, "assert"),
    "a cut line of figures is left out": (metrics, "_is_json", lambda line: True, test_plot.test_a_line_that_was_cut_is_left_out, {}, "assert"),
}  # fmt: skip


def must_fail(test, arguments, request, match):
    """Run a test with its fixtures; it has to fail, with words that say why."""
    fixtures = {
        name: request.getfixturevalue(name) for name in inspect.signature(test).parameters if name not in arguments
    }
    with pytest.raises((Exception, pytest.fail.Exception), match=match):
        test(**fixtures, **arguments)


@pytest.mark.parametrize("guard", GUARDS)
def test_without_the_guard_its_test_fails(guard, request):
    where, name, instead, test, arguments, match = GUARDS[guard]
    for fixture in inspect.signature(test).parameters:  # made while the guard is there
        if fixture not in arguments:
            request.getfixturevalue(fixture)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, instead)
        must_fail(test, arguments, request, match)
        request.getfixturevalue("monkeypatch").undo()  # what the test has put in its place, before the guard is back


PARTS = {  # what a run that goes on forgets, and a kind of training that needs it
    "model.weights": "no rule",
    "model.state": "no rule",
    "model.train_steps": "dropout and momentum",
    "optimizer": "dropout and momentum",
    "rate": "dropout and momentum",
    "steps": "no rule",
    "totals": "no rule",
    "columns": "no rule",
    "reported": "no rule",
    "good_steps": "no rule",
    "kept": "no rule",
    "kept_step": "no rule",
    "best": "dropout and momentum",
    "waited": "dropout and momentum",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_run_that_forgets_a_part_is_not_the_one_that_was_never_stopped(part, monkeypatch):
    right = Run.load_state_dict

    def forgetful(self, state):
        fresh, (name, _, inner) = self.state_dict(), part.partition(".")
        lost = {**state[name], inner: fresh[name][inner]} if inner else fresh[name]
        right(self, {**state, name: lost})

    monkeypatch.setattr(Run, "load_state_dict", forgetful)
    with pytest.raises((AssertionError, rnnlm.TrainingDiverged, ZeroDivisionError, ValueError)):
        test_run.test_it_goes_on_from_any_step(PARTS[part])


@pytest.mark.parametrize(("stream", "ends"), [("io.FileIO", True), ("process._Unheard", False)])
def test_without_its_guard_a_full_standard_error_ends_a_training(here, stream, ends):  # noqa: F811
    program = (
        "import io, sys, rnnlm.cli.process as process; from rnnlm.__main__ import command; "
        f"process._Unheard = {stream}; sys.exit(command())"
    )
    env = os.environ | {"PYTHONPATH": str(Path(rnnlm.__file__).parent.parent), "OPENBLAS_NUM_THREADS": "1"}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", program, "train", *SHORT, "--out", "out"]
        done = subprocess.run(command, cwd=here, env=env, stdout=subprocess.PIPE, stderr=full)
    assert (done.returncode != 0) == ends
