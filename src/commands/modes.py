"""Runs what `mode=` names, for commands without `-m`."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from src.commands.doctor import doctor
from src.commands.tee import tee
from src.configuration.settings import check_settings
from src.errors import UserError
from src.processes import CORES, cores
from src.sweep.folder import TrialFolder, what_to_do
from src.sweep.identity import changed_since_loaded, code, known_contents, signature
from src.sweep.job import Job
from src.sweep.offline_runs import sync_command
from src.sweep.state import State
from src.terminal import line_console

WAIT_S = 1.0
MODES = ("train", "prepare", "test", "predict", "generate", "doctor")


def run_mode(config: dict[str, Any], overrides: list[str]) -> int:
    """Run the command that `mode=` names, in this process.

    Args:
        config: composed, as plain values.
        overrides: as typed.

    Returns:
        The exit code.

    Raises:
        UserError: the configuration or an input is refused.
    """
    mode = config["mode"]
    if mode not in MODES:
        raise UserError(f"mode={mode}: choose one of {', '.join(MODES)}.")
    if mode == "doctor":
        return doctor(overrides)
    check_settings(config)
    config["outputs"] = str(Path(config["outputs"]).expanduser().absolute())
    if mode == "train":
        return train(config, overrides)
    if mode == "prepare":
        return prepare(config)
    if mode == "test":
        from src.commands.evaluation import test

        return test(config, overrides)
    if mode == "generate":
        from src.commands.generation import generate

        return generate(config, overrides)
    from src.commands.prediction import predict

    return predict(config)


def train(config: dict[str, Any], overrides: list[str]) -> int:
    """Run one trial in this process, unless its result exists; return the exit code."""
    from src.trial import freeze, roles

    console = line_console()
    if config.get("cores"):
        os.environ[CORES] = str(config["cores"])
    frozen = freeze(config)
    outputs = Path(config["outputs"])
    contents: dict[str, str] = {}
    name = signature(frozen, roles(frozen), known_contents(outputs, config["reuse"]), contents)
    job = Job(name, frozen, tuple(overrides), outputs, "src.trial", code(), inputs=contents)
    folder = TrialFolder(job.folder)
    if not config["dry_run"]:
        _wait_for(folder, console)
    action, reason = what_to_do(folder, job.code, retry=config["retry"], reuse=config["reuse"])
    if config["dry_run"]:
        console.print(f"{name}  {job.name}  {action}: {reason}")
        return 0
    if action in ("reuse", "leave"):
        console.print(f"{folder.path}: {reason}")
        _print_result(console, folder)
        return 0 if action == "reuse" else 1
    exit_code = _attempt(job, folder, config["timeout"], resume=action == "resume", console=console)
    if command := sync_command(folder.path.parent, [folder.path.name]):
        console.print(f"to Weights & Biases: {command}")
    return exit_code if exit_code in (0, State.INTERRUPTED.exit_code) else 1


def _wait_for(folder: TrialFolder, console: Console) -> None:
    """Lock the trial's folder; while another process runs the trial, wait for it."""
    if folder.lock():
        return
    console.print(f"{folder.path}: another process runs this trial; waiting for it")
    while not folder.lock():
        time.sleep(WAIT_S)


def prepare(config: dict[str, Any]) -> int:
    """Download what may be downloaded, build the data, and write a contact sheet to look at and listen to."""
    from src.configuration.build import build_data

    data = build_data(config)
    data.fetch()
    data.check()
    data.prepare_data()
    data.setup("fit")
    sheet = data.folder / "contact_sheet"
    data.contact_sheet(sheet)
    line_console().print(f"data: {data.folder}\nto look at and listen to: {sheet}")
    return 0


def _attempt(job: Job, folder: TrialFolder, timeout: float | None, *, resume: bool, console: Console) -> int:
    from src.sweep.attempt import attempt

    environment = {"OMP_NUM_THREADS": _threads(folder, resume=resume)}
    os.environ |= environment
    number = folder.begin(job.config, resume=resume, code=job.code, pid=os.getpid(), environment=environment)
    sys.argv = [str(Path(sys.argv[0]).resolve()), "--trial", str(folder.path)]

    def report(progress: dict[str, Any]) -> None:
        line = f"epoch {progress['epoch']}/{progress['epochs']}: objective {progress['objective']:.4f}"
        print(line, flush=True)

    with tee(folder.path / "train.log"):
        exit_code = attempt(job, folder, report, number, timeout)
    if changed := changed_since_loaded():
        console.print(
            f"{', '.join(changed)} changed meanwhile: the trial may have run some of it, and counts as other code."
        )
        folder.update(code=None)
    status = folder.status()
    console.print(f"{status['state']}: {folder.path}")
    if status["error"] and status["state"] != "failed":  # the attempt has printed what failed
        console.print(str(status["error"]))
    _print_result(console, folder)
    return exit_code


def _threads(folder: TrialFolder, *, resume: bool) -> str:
    """Return the number of threads; a resumed trial keeps its own, since sums in another order change its figures."""
    begun = folder.status().get("environment", {}) if resume else {}
    return str(begun.get("OMP_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or cores())


def _print_result(console: Console, folder: TrialFolder) -> None:
    metrics = folder.metrics()
    if not metrics:
        return
    objective = metrics["objective"]
    console.print(f"validation {objective['name']}: {objective['value']:.4f}")
    for name, value in metrics["test"].items():
        if isinstance(value, float):
            console.print(f"test {name}: {value:.4f}")
