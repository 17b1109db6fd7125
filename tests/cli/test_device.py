import os
import subprocess
import sys

import pytest

from rnnlm.backend import NAME, SETTINGS
from rnnlm.cli.device import choose
from rnnlm.cli.main import main
from rnnlm.errors import BackendError, InputError
from tests.backend.test_backend import NO_GPU

ONE_GPU = NO_GPU.replace("lambda: False", "lambda: True").replace(
    "getDeviceCount=lambda: 0", "getDeviceCount=lambda: 1"
)


@pytest.mark.parametrize(
    ("arguments", "environment", "before", "said"),
    [
        (["--device", "cpu"], {"RNNLM_BACKEND": "cupy"}, NO_GPU, "NumPy "),
        (["--device=cpu"], {}, NO_GPU, "NumPy "),
        (["--device", "cuda"], {}, NO_GPU, "CuPy needs an NVIDIA GPU"),
        (["--device", "cuda:1"], {}, ONE_GPU, "RNNLM_DEVICE must be one of the 1 GPUs, cuda:0 to cuda:0, got cuda:1"),
        ([], {"RNNLM_DEVICE": "cuda:x"}, ONE_GPU, "cuda:0 to cuda:0, got cuda:x: set another"),
        (["--device", "gpu"], {}, NO_GPU, "device must be cpu, cuda, or cuda:1 and so on, got 'gpu'"),
        (["--device", "cpu:1"], {}, NO_GPU, "device must be cpu, cuda, or cuda:1 and so on, got 'cpu:1'"),
        ([], {"RNNLM_DEVICE": "tpu"}, NO_GPU, "RNNLM_DEVICE must be cpu, cuda, or cuda:1 and so on, got 'tpu'"),
        ([], {"RNNLM_DEVICE": "cpu", "RNNLM_BACKEND": "cupy"}, NO_GPU, "NumPy "),
        ([], {"RNNLM_PRECISION": "fp8"}, NO_GPU, "RNNLM_PRECISION must be one of fp32, tf32, bf16, got 'fp8'"),
        (["--precision", "tf32"], {}, NO_GPU, "precision tf32 is for a GPU: add --device cuda"),
        (["--precision", "bf16"], {}, NO_GPU, "precision bf16 is for a GPU: add --device cuda"),
        ([], {"RNNLM_PRECISION": "tf32"}, NO_GPU, "RNNLM_PRECISION tf32 is for a GPU"),
        ([], {"RNNLM_PRECISION": "bf16"}, NO_GPU, "RNNLM_PRECISION bf16 is for a GPU"),
    ],
)
def test_a_command_runs_where_it_is_told_to(clean_env, tmp_path, arguments, environment, before, said):
    (tmp_path / "sitecustomize.py").write_text(before)
    env = clean_env | environment | {"PYTHONPATH": f"{tmp_path}:{clean_env['PYTHONPATH']}"}
    command = [sys.executable, "-m", "rnnlm", "train" if "--precision" in arguments else "info", *arguments]
    result = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said in (result.stderr if result.returncode else result.stdout)
    assert result.stderr.count("\n") == (result.returncode != 0)
    assert result.returncode == (
        0 if said == "NumPy " else 2 if said.startswith(("device must be", "precision")) else 1
    )


def test_a_process_that_has_begun_stays_where_it_is(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    other, own = ("cpu", "cuda") if NAME == "cupy" else ("cuda", "cpu")
    choose(own, "fp32")
    choose(None, None)
    with pytest.raises(
        BackendError, match=f"RNNLM_DEVICE must be '{other}' from the start: this process has begun with"
    ):
        choose(other, None)
    with pytest.raises(InputError, match="precision must be fp32, tf32 or bf16, got 'fp8'"):
        choose(None, "fp8")
    assert os.environ["RNNLM_DEVICE"] == SETTINGS["RNNLM_DEVICE"] == own


def test_a_recipe_does_not_say_where(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text('[about]\nsummary = "x"\n[settings]\ndevice = "cuda"\n')
    assert main(["train", "--recipe", str(tmp_path / "mine.toml")]) == 2
    assert "a setting must be one of" in capsys.readouterr().err


OUT = "Out of memory allocating 8 bytes (allocated so far: 2 bytes)"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "out of memory"),
        (MemoryError(f"{OUT}."), OUT),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED"), "the GPU is out of memory (CUBLAS_STATUS_ALLOC_FAILED)"),
    ],
)
def test_out_of_memory_is_one_sentence_with_a_remedy(monkeypatch, capsys, error, told):
    def fail(*_):
        raise error

    monkeypatch.setattr("rnnlm.cli.commands.info.show_machine", fail)
    assert main(["info"]) == 1
    remedy = "take smaller sizes (batch_size, time_size, hidden_size), or fewer lanes"
    assert capsys.readouterr().err == f"rnnlm: {told}: {remedy}\n"


def test_another_error_is_not_taken_for_it(monkeypatch):
    def fail(*_):
        raise RuntimeError("cudaErrorIllegalAddress")

    monkeypatch.setattr("rnnlm.cli.commands.info.show_machine", fail)
    with pytest.raises(RuntimeError, match="cudaErrorIllegalAddress"):
        main(["info"])
