import json
import math

import pytest

from src.sweep.folder import TrialFolder
from src.sweep.progress import ProgressReader, ProgressWriter, Stopped
from src.sweep.state import StopReason


@pytest.fixture
def folder(tmp_path):
    return TrialFolder(tmp_path)


def epoch(number, objective=0.5):
    return {"epoch": number, "epochs": 3, "objective": objective}


def test_a_line_an_epoch(folder):
    told = []
    write = ProgressWriter(folder, told.append)
    write(epoch(1))
    write(epoch(2, math.nan))
    lines = [json.loads(line) for line in (folder.path / "progress.jsonl").read_text().splitlines()]
    times = [line.pop("time_s") for line in lines]
    assert lines == [epoch(1) | {"direction": "max"}, epoch(2, None) | {"direction": "max"}]
    assert 0 <= times[0] <= times[1]
    assert [line["epoch"] for line in told] == [1, 2]


def test_stop_json_stops_it_after_the_line_is_written(folder):
    write = ProgressWriter(folder, lambda _: None)
    folder.ask_to_stop(StopReason.BUDGET)
    with pytest.raises(Stopped) as stopped:
        write(epoch(1))
    assert stopped.value.reason is StopReason.BUDGET
    assert not isinstance(stopped.value, Exception), "a trial's `except Exception` swallows it"
    assert len(ProgressReader(folder.path).new_lines()) == 1


def test_the_reader_returns_each_whole_line_once(folder):
    reader = ProgressReader(folder.path)
    assert reader.new_lines() == []
    path = folder.path / "progress.jsonl"
    lines = [json.dumps(epoch(number)) for number in (1, 2, 3)]
    path.write_text(f"{lines[0]}\n{lines[1]}\n{lines[2][:5]}")
    assert reader.new_lines() == [epoch(1), epoch(2)]
    assert reader.new_lines() == []
    with path.open("a") as file:
        file.write(f"{lines[2][5:]}\n")
    assert reader.new_lines() == [epoch(3)]
    assert reader.new_lines() == []


def test_damaged_lines_are_left_out(folder):
    reader = ProgressReader(folder.path)
    (folder.path / "progress.jsonl").write_bytes(b'\xff\xfe\nnull\n{"epoch": 1}\n{"epoch": 1, "ep')
    assert reader.new_lines() == []
    with (folder.path / "progress.jsonl").open("a") as file:
        file.write('ochs": 3, "objective": null}\n')
    assert reader.new_lines() == [{"epoch": 1, "epochs": 3, "objective": None}]
