"""A model folder is one saving's or another's, whole, whatever happens while it is replaced."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rnnlm import load_model
from rnnlm.backend import NAME
from rnnlm.errors import ModelFileError
from rnnlm.files import beside, clear_away, put_back, write_atomic
from rnnlm.saving import generation
from rnnlm.saving.open_folder import OpenFolder
from tests.faults.subjects import Fault, hidden, read_model as generation_of, write_model as save

pytestmark = pytest.mark.skipif(NAME != "numpy", reason="files are written alike by all backends: runs on NumPy")


def raiser(error):
    def stop():
        raise error

    return stop


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_error_at_any_call_leaves_one_generation_and_nothing_else(tmp_path, monkeypatch, error, exchange):
    save(tmp_path / "m", 1)
    seen, at = set(), 0
    while True:
        at += 1
        with monkeypatch.context() as patch:
            if not exchange:
                patch.setattr(generation, "_exchanged", lambda one, other: False)
            fault = Fault(patch, at, raiser(error))
            try:
                save(tmp_path / "m", 2)
            except type(error):
                assert fault.left <= 0
        if fault.left > 0:
            break
        put_back(tmp_path / "m")
        seen.add(generation_of(tmp_path / "m"))
        if error.args:  # an interrupt in the middle of removing what is old may leave some of that
            assert len(hidden(tmp_path)) <= 1
        shutil.rmtree(tmp_path / "m")
        save(tmp_path / "m", 1)
        for path in hidden(tmp_path):
            shutil.rmtree(path)
    assert seen == {1, 2}
    assert at > 15


@pytest.mark.parametrize("exchange", [True, False])
def test_a_kill_at_any_call_leaves_one_generation(tmp_path, monkeypatch, exchange):
    save(tmp_path / "m", 1)
    seen, at = set(), 0
    while True:
        at += 1
        child = os.fork()
        if not child:
            if not exchange:
                monkeypatch.setattr(generation, "_exchanged", lambda one, other: False)
            Fault(monkeypatch, at, lambda: os._exit(9))
            save(tmp_path / "m", 2)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        seen.add(generation_of(tmp_path / "m"))
        clear_away(tmp_path)  # of the child, which is gone
        assert not hidden(tmp_path)
        if code == 0:
            break
        assert code == 9
        shutil.rmtree(tmp_path / "m")
        save(tmp_path / "m", 1)
    assert seen == {1, 2}
    assert at > 15


def test_a_reader_sees_whole_generations(tmp_path):
    save(tmp_path / "m", 0)
    stop, seen, wrong = threading.Event(), set(), []

    def read():
        while not stop.is_set():
            try:
                seen.add(generation_of(tmp_path / "m"))
            except BaseException as error:
                wrong.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 120):
        save(tmp_path / "m", number)
    stop.set()
    reader.join()
    assert not wrong
    assert len(seen) > 20


def test_a_folder_that_is_replaced_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    save(tmp_path / "m", 1)
    right, opened = OpenFolder.open, []

    def replaced_meanwhile(self, name, *more):
        if not opened:
            opened.append(name)
            save(tmp_path / "m", 2)
        return right(self, name, *more)

    monkeypatch.setattr(OpenFolder, "open", replaced_meanwhile)
    assert generation_of(tmp_path / "m") == 2


def test_a_damaged_manifest_leaves_no_folder_open(tmp_path):
    save(tmp_path / "m", 1)
    (tmp_path / "m" / "manifest.json").write_text("{}")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(ModelFileError, match="manifest.json is damaged"):
            load_model(tmp_path / "m")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_mixture_would_be_seen(tmp_path):
    """The reader above does tell: files that are replaced one after the other are not of one generation."""
    save(tmp_path / "m", 1)
    save(tmp_path / "n", 6)
    (tmp_path / "m" / "manifest.json").unlink()
    shutil.copy(tmp_path / "n" / "vocab.txt", tmp_path / "m")
    with pytest.raises(AssertionError):
        generation_of(tmp_path / "m")


def test_files_of_others_stay(tmp_path):
    save(tmp_path / "m", 1)
    (tmp_path / "m" / "notes.txt").write_text("mine")
    (tmp_path / "m" / "more").mkdir()
    (tmp_path / "m" / "more" / "notes.txt").write_text("mine, too")
    (tmp_path / "m" / "link").symlink_to("notes.txt")
    save(tmp_path / "m", 2)
    assert generation_of(tmp_path / "m") == 2
    assert (tmp_path / "m" / "link").read_text() == "mine"
    assert (tmp_path / "m" / "link").readlink().name == "notes.txt"
    assert (tmp_path / "m" / "more" / "notes.txt").read_text() == "mine, too"
    assert not hidden(tmp_path)


def test_a_folder_of_before_is_replaced(tmp_path):
    save(tmp_path / "m", 1)
    (tmp_path / "m" / "manifest.json").unlink()
    save(tmp_path / "m", 2)
    assert generation_of(tmp_path / "m") == 2


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    save(tmp_path / "m", 1)
    (tmp_path / "link").symlink_to("m")
    save(tmp_path / "link", 2)
    assert (tmp_path / "link").is_symlink()
    assert generation_of(tmp_path / "m") == 2


def flips(content, every=1):
    """The content with one bit flipped, for each bit, or for some."""
    for place in range(0, 8 * len(content), every):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.fault)])
def test_every_flipped_bit_is_seen(tmp_path, every, tried):
    times = 0
    save(tmp_path / "m", 1)
    names = sorted(path.name for path in (tmp_path / "m").iterdir())
    assert names == ["config.json", "manifest.json", "model.safetensors", "text.json", "vocab.txt"]
    for name in names:
        path = tmp_path / "m" / name
        content = path.read_bytes()
        for changed in flips(content, every):
            path.write_bytes(changed)
            with pytest.raises(ModelFileError):
                load_model(tmp_path / "m")
            times += 1
        path.write_bytes(content)
    tried("one bit of a model folder flipped, each of them", times, "seen")
    assert generation_of(tmp_path / "m") == 1


def test_what_the_living_are_writing_is_not_put_in_place(tmp_path, monkeypatch):
    """A reader that comes before the first saving is done finds no model, and takes none out of its writer's hands."""
    right = generation._put

    def with_a_reader(new, target):
        with pytest.raises(ModelFileError, match="is not a folder"):
            load_model(target)
        right(new, target)

    monkeypatch.setattr(generation, "_put", with_a_reader)
    save(tmp_path / "m", 1)
    assert generation_of(tmp_path / "m") == 1


def test_what_the_dead_left_goes_when_the_same_is_saved_again(tmp_path):
    for name in (".m.999999999-0123abcd.tmp", ".m.999999999-0123abcd.old", ".other.999999999-0123abcd.tmp"):
        (tmp_path / name).mkdir()
    save(tmp_path / "m", 1)
    (tmp_path / ".a.999999999-0123abcd.tmp").touch()
    write_atomic(tmp_path / "a", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.999999999-0123abcd.tmp", "a", "m"]


def test_leftovers_of_the_living_stay(tmp_path):
    """A name with this process's number that it has not given is of another container's process, which is gone."""
    mine, parents = beside(tmp_path / "m").name, f".m.{os.getppid()}-0123abcd.tmp"
    dead = [f".m.{os.getpid()}-0123abcd.tmp", ".m.999999999-0123abcd.tmp"]
    for name in (mine, parents, *dead, ".m.tmp", "m.1-0123abcd.tmp"):
        (tmp_path / name).mkdir()
    clear_away(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([mine, parents, ".m.tmp", "m.1-0123abcd.tmp"])


def test_a_signal_is_not_lost_when_a_file_has_just_been_renamed(tmp_path, signals_heard, monkeypatch):
    from rnnlm import files

    right = os.replace

    def interrupted(*names):
        right(*names)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


def test_permissions_of_a_file_that_is_replaced_stay(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o600)
    write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def order_of_calls(tmp_path, monkeypatch):
    """What a saving syncs and renames, in order, by the names of files."""
    done = []

    def noting(name, told):
        right = getattr(os, name)

        def call(*arguments, **named):
            done.append((name, *told(*arguments)))
            return right(*arguments, **named)

        monkeypatch.setattr(os, name, call)

    noting("fsync", lambda handle: [Path(os.readlink(f"/proc/self/fd/{handle}")).name])
    noting("rename", lambda one, other: [Path(one).name, Path(other).name])
    monkeypatch.setattr(generation, "_exchanged", lambda one, other: False)
    save(tmp_path / "m", 2)
    return done


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux for the names of open files")
def test_all_is_synced_before_it_takes_its_place(tmp_path, monkeypatch):
    """Each file, then the folder with their names, then it is renamed, and then the folder that it is in."""
    save(tmp_path / "m", 1)
    done = order_of_calls(tmp_path, monkeypatch)
    new = done[-3][1]
    assert [entry[1:] for entry in done[:-5]] == [
        (n,) for n in ("config.json", "vocab.txt", "text.json", "model.safetensors", "manifest.json")
    ]
    synced, moved, placed, _, at_last = done[-5:]
    assert synced == ("fsync", new)
    assert moved[:2] == ("rename", "m")
    assert placed == ("rename", new, "m")
    assert at_last == ("fsync", tmp_path.name)


MEASURED = """
import sys
from pathlib import Path
from rnnlm import LanguageModel, ModelConfig, Vocabulary, load_model, save_model
def held(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) << 10
config = ModelConfig("LanguageModel", 40_000, wordvec_size=256, hidden_size=256, cell="lstm")
words = Vocabulary(["<unk>", "<eos>", *(f"w{i}" for i in range(39_998))])
if sys.argv[1] == "make":
    save_model("m", LanguageModel(config), words)
    sys.exit()
load_model("small")  # all that is imported is
if sys.argv[1] == "save":
    model = LanguageModel(config)
    for p in model.params:
        p += 0  # all of it is memory by now
Path("/proc/self/clear_refs").write_text("5")  # forget the highest memory so far
begin = held("VmRSS")
if sys.argv[1] == "save":
    save_model("n", model, words)
else:
    model, _ = load_model("m")
size = sum(p.nbytes for p in model.params)
print((held("VmHWM") - begin) / size)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="asks Linux for the highest memory")
def test_saving_takes_little_memory_and_loading_little_more_than_the_weights(tmp_path):
    """Of 21 million parameters, 84 MB: less than half of that on top."""
    save(tmp_path / "small", 1)

    def measured(what):
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent.parent), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-c", MEASURED, what]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
        return done.stdout

    measured("make")
    assert float(measured("save")) < 0.5
    assert 0.9 < float(measured("load")) < 1.5


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's own call")
def test_folders_change_places_whether_their_names_begin_at_the_root_or_not(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    monkeypatch.chdir(tmp_path)
    if not generation._exchanged(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system can't let two folders change places")
    assert (tmp_path / "a" / "b").exists()
    assert generation._exchanged(Path("a"), Path("b"))
    assert (tmp_path / "a" / "a").exists()
    assert not generation._exchanged(Path("a"), Path("none"))
