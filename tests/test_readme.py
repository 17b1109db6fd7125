import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_a_reader_finishes_it():
    assert len(README.splitlines()) < 150
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len([line for line in code.splitlines() if line]) <= 20


def test_figures_that_move_with_the_threads_say_about():
    (table,) = re.findall(r"^\| what \| figure \| time \|\n.*?\n((?:\|.*\n)+)", README, re.M)
    assert [row for row in table.splitlines() if re.search(r"\d", row.split("|")[2])]
    assert not [row for row in table.splitlines() if "about" not in row.split("|")[2]]


def test_ci_runs_its_test_command():
    assert len(re.findall(r"&& python -m pytest$", README, re.M)) == 1
    assert "grep -m1 '&& python -m pytest$' README.md" in (ROOT / ".ci" / "run").read_text()


def test_its_links_lead_somewhere():
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*.ipynb")):
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            if target.startswith("https://"):
                continue
            file, _, heading = target.partition("#")
            assert (page.parent / file).exists(), f"{page.name}: {target}"
            headings = (page.parent / file if file else page).read_text() if heading else ""
            wanted = [re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in headings.splitlines()]
            assert not heading or heading in wanted, f"{page.name}: {target}"
