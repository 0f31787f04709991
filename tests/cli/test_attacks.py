"""Files that would run a command, given to the real command in every mode: one line, exit code 2, nothing runs."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
import torch
from conftest import ROOT

SHIPPED = ROOT / "checkpoints" / "instruments.ckpt"
MODES = {
    "predict": ("mode=predict", "input={sound}"),
    "test": ("mode=test",),
    "test on other data": ("mode=test", "data=folder", "data.root={folder}", "mode/test/class_map=recorded"),
    "generate": ("mode=generate",),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A checkpoint that would touch `mark`, and the shipped one."""
    folder = tmp_path_factory.mktemp("files")
    state = torch.load(SHIPPED, weights_only=True)
    command = {"_target_": "os.system", "command": f"touch {folder}/mark"}
    state["hyper_parameters"]["config"]["loss"] = command
    torch.save(state, folder / "evil.ckpt")
    shutil.copy(SHIPPED, folder / "good.ckpt")
    return folder


@pytest.fixture(scope="module")
def answers(project, files):
    evil, both = f"checkpoint={files}/evil.ckpt", f"checkpoint=[{files}/good.ckpt,{files}/evil.ckpt]"
    commands = {
        (mode, which): [
            *(word.format(sound=files / "a.wav", folder=files) for word in words), which, f"outputs={files}/outputs"
        ]
        for mode, words in MODES.items()
        for which in (evil, both)
    }  # fmt: skip
    commands["train", "init_from"] = [
        "experiment=debug",
        f"init_from={files}/evil.ckpt",
        f"outputs={files}/outputs",
    ]
    commands["rerun", ""] = [f"--experimental-rerun={files}/config.pickle"]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda name: project.run_warm(*commands[name]), commands)
        return dict(zip(commands, done, strict=True))


def test_no_mode_runs_what_a_checkpoint_names(answers, files):
    for name, answer in answers.items():
        assert answer.returncode == 2, (name, answer.stdout, answer.stderr)
        assert answer.stderr.startswith("Error: "), (name, answer.stderr)
        assert answer.stderr.count("\n") == 1, (name, answer.stderr)
    assert not (files / "mark").exists()
    assert not list(files.glob("outputs/[!c]*")), "at most the cache remembers hashes of files"


def test_the_script_that_shares_checkpoints_does_not_either(files):
    shared = subprocess.run(
        [sys.executable, "scripts/share_checkpoint.py", files / "evil.ckpt", files / "shared.ckpt"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert shared.returncode == 2
    assert shared.stderr.startswith("Error: ")
    assert "os.system is not of this project" in shared.stderr
    assert shared.stderr.count("\n") == 1
    assert not (files / "mark").exists()


@pytest.mark.slow
def test_the_shipped_checkpoint_answers_as_before(project, files):
    sine = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    soundfile.write(files / "a.wav", 0.5 * sine, 22050)
    answer = project.run(
        "mode=predict", f"checkpoint={files}/good.ckpt", f"input={files}/a.wav", f"outputs={files}/outputs"
    )
    assert answer.returncode == 0, answer.stderr
    rows = (files / "outputs" / "predicted" / "a.wav" / "predictions.csv").read_text().splitlines()
    assert len(rows) == 1 + 12, "a window, twelve instruments"


@pytest.mark.slow
def test_the_name_of_a_file_does_not_command_the_terminal(project, tmp_path):
    name, sine = "\x1b]0;owned\x07.wav", np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    soundfile.write(tmp_path / "a.wav", 0.5 * sine, 22050)
    (tmp_path / name).write_bytes(b"no sound")
    answer = project.run("mode=predict", f"input={tmp_path}", f"outputs={tmp_path}/outputs")
    assert answer.returncode == 1, answer.stderr
    assert "\x1b" not in answer.stdout + answer.stderr
    assert "\\x1b]0;owned\\x07.wav cannot be read as a sound file" in answer.stderr
