import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.long
def test_its_code_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    (tmp_path / "README.md").write_text(README)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    shown = capsys.readouterr().out
    assert "perplexity" in shown
    assert names["trainer"].ppl_list[-1] < names["trainer"].ppl_list[0] / 4
    assert names["scores"].shape == (1, 2, len(names["words"]))
    assert len([line for line in code.splitlines() if line]) <= 20


def test_ci_runs_its_test_command():
    assert len(re.findall(r"&& python -m pytest$", README, re.M)) == 1
    assert "grep -m1 '&& python -m pytest$' README.md" in (ROOT / ".ci" / "run").read_text()


def test_its_links_lead_somewhere():
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            file, _, heading = target.partition("#")
            assert (page.parent / file).exists(), f"{page.name}: {target}"
            headings = (page.parent / file if file else page).read_text() if heading else ""
            wanted = [re.sub(r"[^\w -]", "", line.lower()).strip().replace(" ", "-") for line in headings.splitlines()]
            assert not heading or heading in wanted, f"{page.name}: {target}"
