"""A folder of anyone's: its manifest, its files, and what happens if it is replaced while it is read."""

import hashlib
import json
import os

import pytest

from rnnlm.errors import DataError, ModelFileError
from rnnlm.opening import LARGEST
from rnnlm.saving import open_folder
from rnnlm.saving.open_folder import OpenFolder, expect_whole, manifest_of, read_folder


def entry(content):
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def write(folder, **contents):
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    said = {name: entry(content) for name, content in contents.items()}
    (folder / "manifest.json").write_bytes(manifest_of(said))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "m", one=b"some words", none=b"")


@pytest.fixture(params=[True, False])
def opened(request, folder, monkeypatch):
    """The folder as systems read it that can hold one open, and as the others do."""
    monkeypatch.setattr(open_folder, "BY_NUMBER", request.param and open_folder.BY_NUMBER)
    found = OpenFolder(folder)
    yield found
    found.close()


def test_files_are_read_that_are_what_the_manifest_says(opened, folder, monkeypatch):
    monkeypatch.setattr(open_folder, "BLOCK", 3)
    assert opened.files == {"one": entry(b"some words"), "none": entry(b"")}
    assert (opened.read("one"), opened.read("none"), opened.read("one", 10)) == (b"some words", b"", b"some words")
    with opened.open("one") as file:
        assert file.read(4) == b"some"
    with pytest.raises(ModelFileError, match="one must have at most 9 bytes, got 10"):
        opened.read("one", 9)
    (folder / "other").write_bytes(b"x")
    with pytest.raises(ModelFileError, match="other is not named in manifest.json: it was put there by someone else"):
        opened.read("other")
    with pytest.raises(FileNotFoundError, match="nothing"):
        opened.read("nothing")
    (folder / "one").write_bytes(b"some word")
    with pytest.raises(ModelFileError, match="one is damaged: it has 9 bytes, and had 10 when it was saved"):
        opened.read("one")
    (folder / "one").write_bytes(b"some wordz")
    with pytest.raises(ModelFileError, match="one is damaged: it has SHA-256"):
        opened.read("one")
    with opened.unchecked("one") as file:
        assert file.read() == b"some wordz"
    (folder / "one").unlink()
    with pytest.raises(ModelFileError, match="one is missing: manifest.json names it"):
        opened.read("one")
    (folder / "one").mkdir()
    with pytest.raises(ModelFileError, match="one is not a file, but a folder"):
        opened.read("one")


@pytest.mark.parametrize("name", ["../one", "/one", "..", ".", "", "a/b", "a\0b"])
def test_a_manifest_names_files_of_its_folder_alone(folder, name):
    (folder / "manifest.json").write_bytes(manifest_of({"one": entry(b"some words"), name: entry(b"x")}))
    with pytest.raises(ModelFileError, match="manifest.json is damaged: it is not as it was written"):
        OpenFolder(folder)


@pytest.mark.parametrize(
    "said",
    [
        {"bytes": "1"}, {"bytes": True}, {"bytes": 1.0}, {"bytes": -1}, {"bytes": None}, {"sha256": "0" * 63},
        {"sha256": "0" * 65}, {"sha256": "F" * 64}, {"sha256": None}, {"mode": 3},
    ],
)  # fmt: skip
def test_a_manifest_says_numbers_and_digests(folder, said):
    (folder / "manifest.json").write_bytes(manifest_of({"one": {**entry(b"some words"), **said}}))
    with pytest.raises(ModelFileError, match="manifest.json is damaged"):
        OpenFolder(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files":5}', b'{"files":{"a":5}}', b"\xff", b'{"files":[]}'])
def test_what_is_no_manifest(folder, content):
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(ModelFileError, match="manifest.json is damaged"):
        OpenFolder(folder)


def test_a_manifest_is_written_in_one_way_and_is_no_large_file(folder):
    content = (folder / "manifest.json").read_bytes()
    assert manifest_of(json.loads(content)["files"]) == content
    (folder / "manifest.json").write_bytes(content + b"\n")
    with pytest.raises(ModelFileError, match="is damaged: it is not as it was written"):
        OpenFolder(folder)
    os.truncate(folder / "manifest.json", LARGEST + 7)
    with pytest.raises(ModelFileError, match="it must have at most 1,000,000 bytes, got 1,000,001"):
        OpenFolder(folder)


def test_a_folder_without_a_manifest_is_of_an_earlier_version(folder):
    (folder / "manifest.json").unlink()
    (folder / "one").write_bytes(b"anything")
    opened = OpenFolder(folder)
    assert opened.files is None
    assert opened.read("one") == b"anything"
    with pytest.raises(FileNotFoundError):
        opened.read("other")
    opened.close()
    with pytest.raises(ModelFileError, match=r"m has no manifest.json"):
        expect_whole(folder)


@pytest.mark.parametrize("by_number", [True, False])
def test_a_folder_that_is_replaced_is_read_again_and_not_for_ever(folder, tmp_path, monkeypatch, by_number):
    monkeypatch.setattr(open_folder, "BY_NUMBER", by_number and open_folder.BY_NUMBER)
    monkeypatch.setattr(open_folder, "TRIES", 3)
    tries = []

    def read(opened, times, error=None):
        tries.append(opened.path)
        if len(tries) <= times:
            os.rename(folder, tmp_path / f"before {len(tries)}")
            write(folder, one=f"try {len(tries)}".encode())
            if error is not None:
                raise error
        return opened.read("one")

    for error in (ModelFileError("damaged"), DataError("no word"), OSError(5, "Input/output error")):
        tries.clear()
        assert read_folder(folder, lambda opened, error=error: read(opened, 2, error)) == b"try 2"
        assert tries == [folder] * 3
        for number in (1, 2):
            os.rename(tmp_path / f"before {number}", tmp_path / f"{number} {os.urandom(4).hex()}")
    tries.clear()
    with pytest.raises(ModelFileError, match="m was replaced 3 times while it was read"):
        read_folder(folder, lambda opened: read(opened, 9, DataError("no word")))
    assert len(tries) == 3
    with pytest.raises(DataError, match="of its own"):  # not replaced: the error is the folder's
        read_folder(folder, lambda opened: read(opened, 0) and (_ for _ in ()).throw(DataError("of its own")))
    assert len(tries) == 4


def test_a_folder_that_is_gone_was_replaced(opened, folder, tmp_path):
    assert not opened.replaced()
    os.rename(folder, tmp_path / "elsewhere")
    assert opened.replaced()
    write(folder, one=b"another")
    assert opened.replaced()


def test_a_folder_is_let_go(folder):
    opened = OpenFolder(folder)
    os.fstat(opened.number)
    opened.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened.number)
