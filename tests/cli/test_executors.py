"""A sweep by an executor that is not this project's: the one of docs/extending.md."""

import os
import re
from pathlib import Path

import pytest
from conftest import FAKE, ROOT, ledger, read, states_of, trials

SECTION = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").partition("## An executor\n")[2]


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)[1]


@pytest.fixture(scope="module")
def swept(project, tmp_path_factory):
    """Two trials, one of which fails, with the launcher's YAML of the docs, too."""
    mine, outputs = tmp_path_factory.mktemp("mine"), tmp_path_factory.mktemp("outputs")
    (mine / "one_by_one.py").write_text(block("python"), encoding="utf-8")
    (mine / "hydra" / "launcher").mkdir(parents=True)
    options = block("yaml").replace("src.sweep.executors.one_by_one", "one_by_one")
    (mine / "hydra" / "launcher" / "one_by_one.yaml").write_text(options, encoding="utf-8")
    result = project.run(
        *FAKE, "+fake.fault=none,raise", "sweep.name=two", f"outputs={outputs}",
        "hydra/launcher=one_by_one", f"hydra.searchpath=[file://{mine}]",
        PYTHONPATH=f"{mine}{os.pathsep}{Path(__file__).resolve().parent}",
    )  # fmt: skip
    return outputs, result


@pytest.mark.slow
def test_states_are_those_of_any_sweep(swept):
    outputs, result = swept
    assert result.returncode == 1, result.stdout + result.stderr
    assert {row["fake.fault"]: row["state"] for row in trials(outputs, "two")} == {
        "none": "finished",
        "raise": "failed",
    }
    lines = ledger(outputs, "two")
    assert states_of(lines, "+fake.fault=none") == ["queued", "running", "finished"]
    assert states_of(lines, "+fake.fault=raise") == ["queued", "running", "failed"]
    assert {line["slot"] for line in lines if line["state"] == "running"} == {"cpu"}


@pytest.mark.slow
def test_the_folder_is_the_whole_interface(swept):
    outputs, _ = swept
    [*_, line] = ledger(outputs, "two")
    folder = outputs / "runs" / line["signature"]
    assert read(folder / "ticket.json")["executor"] == "one_by_one"
    assert read(folder / "job.json")["overrides"] == line["overrides"]
    status = read(folder / "status.json")
    assert (status["state"], status["exit_code"]) == (line["state"], line["exit_code"])
    assert len((folder / "progress.jsonl").read_text().splitlines()) == 2
