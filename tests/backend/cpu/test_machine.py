import pytest

from rnnlm.backend.cpu import machine, output


def test_memory_is_what_the_machine_has_or_its_container_may_take(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("max\n")
    monkeypatch.setattr(machine, "LIMITS", (str(tmp_path / "max"), str(tmp_path / "nowhere")))
    whole = machine.memory()
    assert whole is not None
    assert 1 << 28 < whole < 1 << 50
    (tmp_path / "max").write_text("1000000\n")
    assert machine.memory() == 1_000_000
    monkeypatch.delattr("os.sysconf")
    assert machine.memory() == 1_000_000
    (tmp_path / "max").unlink()
    assert machine.memory() is None


def test_the_processor_has_the_name_that_the_system_gives_it(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("platform.processor", lambda: "x86_64")
    assert machine.processor() == "x86_64"
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast CPU @ 3 GHz\nmodel name\t: Other\n")
    assert machine.processor() == "Fast CPU @ 3 GHz"
    (tmp_path / "cpuinfo").write_text("no names\n")
    monkeypatch.setattr("platform.processor", lambda: "")
    assert machine.processor() is None


@pytest.mark.parametrize(("name", "small", "few"), [
    ("AMD EPYC 9B45", True, True), ("AMD EPYC 7B13", False, False), ("Intel(R) Xeon(R) Processor", True, False),
    (None, True, False),
])  # fmt: skip
def test_a_few_rows_at_a_time_are_for_processors_that_are_fast_at_them(name, small, few, monkeypatch):
    monkeypatch.setattr(output, "processor", lambda: name)
    monkeypatch.setattr(output, "small_kernels", lambda: small)
    assert output.few_at_a_time.__wrapped__() is few
