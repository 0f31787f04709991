"""A library that does not load: one line with its version, the other's and the remedy, never a traceback."""

import os
import signal
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import ROOT

UNDEFINED = "undefined symbol: torch_exception_get_what_without_backtrace"
COMMANDS = {
    "sweep": ("-m", "experiment=debug", "optimizer=adam,sgd"),
    "trial": ("experiment=debug",),
    "predict": ("mode=predict", "input=a.wav"),
}


def broken(folder: Path, module: str, number: str, body: str) -> Path:
    """Make a library whose import fails, to be found before the one that is installed."""
    package, card = folder / module, folder / f"{module}-{number}.dist-info"
    package.mkdir(parents=True)
    card.mkdir()
    (package / "__init__.py").write_text(body)
    (card / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {number}\n")
    return folder


@pytest.fixture(scope="module")
def torchaudio(tmp_path_factory):
    body = f'raise OSError("/home/me/lib/torchaudio/lib/_torchaudio.so: {UNDEFINED}")\n'
    return broken(tmp_path_factory.mktemp("broken"), "torchaudio", "2.99.1", body)


def paths(folder):
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_says_so_in_one_line(project, torchaudio, tmp_path, command):
    result = project.run(*COMMANDS[command], f"outputs={tmp_path / 'outputs'}", **paths(torchaudio))
    assert result.returncode == 2, result.stdout + result.stderr
    [line] = result.stderr.splitlines()
    assert line.startswith(
        f"Error: torchaudio 2.99.1 does not load beside torch {version('torch').split('+')[0]}"
    )
    for words in (UNDEFINED, "run `make setup`", "pip install torch==", "mode=doctor"):
        assert words in line
    assert "/home/me" not in line
    assert not (tmp_path / "outputs" / "sweeps").exists()


@pytest.mark.slow
def test_the_doctor_says_so_and_goes_on(project, torchaudio):
    result = project.run("mode=doctor", **paths(torchaudio))
    assert result.returncode == 2
    [bad] = [line for line in result.stdout.splitlines() if line.startswith(("✗", "!!"))]
    assert "torchaudio 2.99.1 does not load beside torch" in bad
    for name in ("torch ", "lightning", "FluidSynth", "note", "free disk", "W&B", "Slurm", "Ray"):
        assert any(name in line for line in result.stdout.splitlines() if line != bad)
    assert result.stderr == ""


@pytest.mark.slow
def test_without_hydra_the_doctor_still_answers(project, tmp_path):
    folder = broken(tmp_path, "hydra", "1.3.0", "raise ImportError('no module named antlr4')\n")
    for command, stream in (("mode=doctor", "stdout"), ("experiment=debug", "stderr")):
        result = project.run(command, **paths(folder))
        assert result.returncode == 2
        assert "hydra-core" in getattr(result, stream)
        assert "no module named antlr4" in getattr(result, stream)
        assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.slow
def test_a_library_that_crashes_is_named(project, tmp_path):
    body = f"import os, signal\nos.kill(os.getpid(), signal.{signal.SIGSEGV.name})\n"
    result = project.run(
        "-m", "experiment=debug", "seed=1,2", **paths(broken(tmp_path, "torchmetrics", "9.9", body))
    )
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Error: torchmetrics 9.9 does not load (it ends Python by SIGSEGV)" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.slow
def test_all_is_well_here(project):
    result = project.run("mode=doctor")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "middle C of TimGM6mb" in result.stdout
    assert result.stdout.splitlines()[-1] == "Everything that a run needs is here."


def test_the_doctor_takes_no_other_argument(project):
    result = project.run("mode=doctor", "optimizer=adam")
    assert result.returncode == 2
    assert result.stderr == "Error: optimizer=adam has no effect with mode=doctor; leave it out.\n"
