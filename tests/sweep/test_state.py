import pytest

from src.sweep.state import State, StopReason

KNOWN = {
    # state: (final, good, retried, resumable, exit code)
    "queued": (False, False, False, True, 0),
    "running": (False, False, False, True, 0),
    "finished": (True, True, False, False, 0),
    "pruned": (True, True, False, True, 0),
    "paused": (True, True, False, True, 0),
    "failed": (True, False, True, False, 1),
    "oom": (True, False, True, False, 1),
    "nan": (True, False, True, False, 1),
    "timeout": (True, False, True, False, 124),
    "killed": (True, False, False, True, 137),
    "interrupted": (True, False, False, True, 130),
    "damaged": (True, False, False, True, 0),
}


@pytest.mark.parametrize("state", State)
def test_what_each_state_means(state):
    assert (state.final, state.good, state.retried, state.resumable, state.exit_code) == KNOWN[state]


def test_every_state_is_written_as_its_name():
    assert [f"{state}" for state in State] == [state.name.lower() for state in State]
    assert set(KNOWN) == set(State)


@pytest.mark.parametrize("reason", StopReason)
def test_every_reason_to_stop_ends_in_a_state_and_says_why(reason):
    assert reason.state.final
    assert reason.explanation
    assert reason.state == {"budget": "paused"}.get(reason, reason)
