from rnnlm.backend.cpu import machine


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
