import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.errors import UserError
from src.sweep.executors.slots import cpu_slots, gpu_slots


@given(st.integers(1, 40), st.integers(1, 64))
def test_cpu_slots_use_all_cores_and_no_more(trials, cores):
    slots = cpu_slots(trials, cores)
    assert len(slots) == min(trials, cores)
    assert sum(slot.threads for slot in slots) == cores
    assert len({slot.name for slot in slots}) == len(slots)
    assert all(slot.gpus == () and "CUDA_VISIBLE_DEVICES" not in slot.environment() for slot in slots)


def test_each_trial_sees_one_gpu():
    slots = gpu_slots(["0", "1"], 1, 1, 8)
    assert [slot.environment() for slot in slots] == [
        {"OMP_NUM_THREADS": "4", "CUDA_VISIBLE_DEVICES": "0"},
        {"OMP_NUM_THREADS": "4", "CUDA_VISIBLE_DEVICES": "1"},
    ]


def test_two_trials_on_each_gpu_fill_different_gpus_first():
    slots = gpu_slots(["0", "1"], 2, 1, 8)
    assert [slot.gpus for slot in slots] == [("0",), ("1",), ("0",), ("1",)]
    assert len({slot.name for slot in slots}) == 4


def test_several_gpus_a_trial():
    assert [slot.gpus for slot in gpu_slots(["3", "5", "7"], 1, 2, 8)] == [("3", "5")]


@pytest.mark.parametrize(
    ("gpus", "trials_per_gpu", "a_trial", "remedy"),
    [
        (["0"], 0, 1, "choose 1 or more"),
        (["0"], 1, 2, "at most that many"),
        ([], 1, 1, "at most that many"),
        (["0", "1"], 2, 2, "set one of them to 1"),
    ],
)
def test_impossible_wishes_are_refused(gpus, trials_per_gpu, a_trial, remedy):
    with pytest.raises(UserError, match=remedy):
        gpu_slots(gpus, trials_per_gpu, a_trial, 8)


def test_a_resumed_trial_keeps_its_threads():
    [slot] = cpu_slots(1, 8)
    assert slot.environment(3)["OMP_NUM_THREADS"] == "3"
