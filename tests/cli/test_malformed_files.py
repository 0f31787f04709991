"""Malformed checkpoints, given to the real command: exit code 2, one line that names the file and a remedy."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import ROOT

from tests.configuration.malformed import write

SHIPPED = ROOT / "checkpoints" / "instruments.ckpt"
CASES = {
    "predict, NaN": ("NaN", ("mode=predict", "checkpoint={file}", "input={folder}")),
    "predict, a bomb": ("a bomb", ("mode=predict", "checkpoint={file}", "input={folder}")),
    "predict, a renamed network": (
        "a network that was renamed", ("mode=predict", "checkpoint={file}", "input={folder}")
    ),
    "predict, one of two": ("no classes", ("mode=predict", "checkpoint=[{good},{file}]", "input={folder}")),
    "test, NaN": ("NaN", ("mode=test", "checkpoint={file}")),
    "test, a truncated archive": ("a truncated archive", ("mode=test", "checkpoint={file}")),
    "generate, NaN": ("NaN", ("mode=generate", "checkpoint={file}")),
    "train, NaN": ("NaN", ("experiment=debug", "init_from={file}")),
    "train, no weights": ("no weights", ("experiment=debug", "init_from={file}")),
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(project, tmp_path_factory):
    """By case: what the command answers, the file, and the part of the message."""
    commands, expected = {}, {}
    for name, (malformed, words) in CASES.items():
        folder = tmp_path_factory.mktemp("malformed")
        file = folder / "malformed.ckpt"
        expected[name] = file, write(malformed, SHIPPED, file)
        filled = [word.format(file=file, folder=folder, good=SHIPPED) for word in words]
        commands[name] = [*filled, f"outputs={folder / 'outputs'}"]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda name: project.run_warm(*commands[name]), commands)
        return {name: (answer, *expected[name]) for name, answer in zip(commands, done, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_malformed_checkpoint_is_one_line_in_every_mode(answers, name):
    answer, file, says = answers[name]
    assert answer.returncode == 2, answer.stderr
    assert answer.stderr.count("\n") == 1, answer.stderr
    option = "init_from" if name.startswith("train") else "checkpoint"
    assert answer.stderr.startswith(f"Error: {option}={file}: ")
    assert says in answer.stderr
    assert "; take a file that this" in answer.stderr
    assert not list((file.parent / "outputs").glob("[!c]*")), "at most the cache remembers hashes of files"
