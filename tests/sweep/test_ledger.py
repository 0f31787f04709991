import json
import resource
import shutil
import signal
from datetime import datetime

import pytest

from src.sweep.job import Job
from src.sweep.ledger import Ledger


def test_a_proposal_has_its_number(tmp_path):
    ledger = Ledger(tmp_path / "jobs.jsonl")
    ledger.write("abc", "queued", overrides=["seed=1"], proposal=0)
    assert ledger.lines()[0]["proposal"] == 0


def test_lines_are_those_of_the_contract(tmp_path):
    ledger = Ledger(tmp_path / "jobs.jsonl")
    ledger.write("abc", "queued", overrides=["seed=1"])
    ledger.write("abc", "failed", overrides=["seed=1"], attempt=2, slot="gpu:0", exit_code=3)
    lines = [json.loads(line) for line in (tmp_path / "jobs.jsonl").read_text().splitlines()]
    assert [list(line) for line in lines] == [
        ["time", "signature", "attempt", "overrides", "state", "slot", "exit_code"]
    ] * 2
    assert lines[1] | {"time": ""} == {
        "time": "",
        "signature": "abc",
        "attempt": 2,
        "overrides": ["seed=1"],
        "state": "failed",
        "slot": "gpu:0",
        "exit_code": 3,
    }
    assert datetime.fromisoformat(lines[0]["time"]).utcoffset() is not None


def test_it_appends_and_survives_half_a_line(tmp_path):
    path = tmp_path / "jobs.jsonl"
    Ledger(path).write("abc", "queued", overrides=[])
    with path.open("a") as file:
        file.write('{"time": "2026')
    ledger = Ledger(path)
    ledger.write("def", "queued", overrides=["é=1"])
    ledger.write("def", "running", overrides=["é=1"])
    assert [line["state"] for line in ledger.lines()] == ["queued", "queued", "running"]
    assert ledger.lines()[-1]["overrides"] == ["é=1"]


def test_damaged_lines_are_left_out(tmp_path):
    path = tmp_path / "jobs.jsonl"
    Ledger(path).write("abc", "queued", overrides=[])
    with path.open("ab") as file:
        file.write(b'{"signature": "\xff\xfe", \n[]\n"text"\n{"time": 1}\n')
    Ledger(path).write("def", "queued", overrides=[])
    assert [line["signature"] for line in Ledger(path).lines()] == ["abc", "def"]


def test_a_line_that_the_disk_has_no_room_for_leaves_nothing(tmp_path):
    path = tmp_path / "jobs.jsonl"
    ledger = Ledger(path)
    ledger.write("abc", "queued", overrides=[])
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limit[1]))
        with pytest.raises(OSError, match="too large"):
            ledger.write("def", "queued", overrides=[])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before


def test_a_job_is_named_by_what_tells_it_from_the_others(tmp_path):
    job = Job("abc", {}, ("a=1", "b=2"), tmp_path, "src.trial", "c0de", shared=("b=2",))
    assert job.name == "a=1"
    assert job.folder == tmp_path / "runs" / "abc"
    assert Job("abc", {}, ("b=2",), tmp_path, "m", "c", shared=("b=2",)).name == "b=2"
    assert Job("abc", {}, (), tmp_path, "m", "c").name == "defaults"


def test_separators_of_lines_in_an_override_separate_nothing(tmp_path):
    ledger = Ledger(tmp_path / "jobs.jsonl")
    overrides = ["name=a\u2028b", "name=a\x85b", "name=a\nb"]
    for override in overrides:
        ledger.write("abc", "queued", overrides=[override])
    assert [line["overrides"] for line in ledger.lines()] == [[override] for override in overrides]


def test_a_folder_that_is_deleted_meanwhile_is_made_again(tmp_path):
    ledger = Ledger(tmp_path / "sweep" / "jobs.jsonl")
    assert ledger.lines() == []
    ledger.write("abc", "queued", overrides=[])
    shutil.rmtree(tmp_path / "sweep")
    ledger.write("abc", "running", overrides=[])
    assert [line["state"] for line in ledger.lines()] == ["running"]
