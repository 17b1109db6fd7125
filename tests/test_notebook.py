"""docs/first-model.ipynb runs, and shows what it was saved with, figures apart."""

from pathlib import Path

import pytest

from rnnlm.backend import NAME
from tests.pages import after, on_a_terminal

NOTEBOOK = Path(__file__).parent.parent / "docs" / "first-model.ipynb"


def shown(cell):
    """What a cell has printed, and kinds of pictures that it shows; no progress, which is on standard error."""
    printed = "".join(part.text for part in cell.get("outputs", ()) if part.get("name") == "stdout")
    return printed, sorted(
        kind for part in cell.get("outputs", ()) for kind in part.get("data", ()) if kind.startswith("image/")
    )


@pytest.mark.skipif(NAME != "numpy", reason="runs in a process of its own, on NumPy")
def test_the_notebook_shows_what_it_was_saved_with(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="needs the extra 'dev'")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra 'dev'")
    pytest.importorskip("ipykernel", reason="needs the extra 'dev'")
    saved, notebook = nbformat.read(NOTEBOOK, as_version=4), nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(saved)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for was, now in zip(saved.cells, notebook.cells):
        (wanted, pictures), (printed, drawn) = shown(was), shown(now)
        assert drawn == pictures, was.source
        if "made-up" in was.metadata.get("tags", ()):
            assert printed.strip(), was.source
            assert wanted.strip(), was.source
        else:
            assert after(wanted, on_a_terminal(printed)) == ([], False), was.source
    assert sum(len(shown(cell)[1]) for cell in saved.cells) == 2
