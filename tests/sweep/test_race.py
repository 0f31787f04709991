"""Whose turn it is in a race; no process is started."""

import io
import json
import random
from dataclasses import replace

import pytest
from rich.console import Console

from src.errors import UserError
from src.sweep.folder import TrialFolder
from src.sweep.grid import Grid
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import Plan
from src.sweep.race import Race, Rounds
from src.sweep.settings import Settings
from src.sweep.state import State
from src.sweep.table import Table

MEANS = {"a": 0.80, "b": 0.80, "c": 0.3, "d": 0.2}
ROUNDS = 4


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path, "none", seeds=ROUNDS, race=True, matters=0.0)


@pytest.fixture
def jobs(tmp_path):
    return [
        Job(f"{x}{seed}", {"seed": seed}, (f"x={x}", f"seed={seed}"), tmp_path, "none", "code")
        for x in MEANS
        for seed in range(1, ROUNDS + 1)
    ]


@pytest.fixture
def race(jobs, settings, tmp_path):
    """Return a race and what it prints; called again, one that begins again from its folders."""

    def begin(**changed):
        said = io.StringIO()
        table = Table([], Console(file=said, width=200))
        own = replace(settings, **changed)
        return Rounds(jobs, {}, own, Ledger(tmp_path / "jobs.jsonl"), table), said

    return begin


def end(job, state=State.FINISHED):
    """A trial ends; its figure depends on configuration and seed alone."""
    folder, x = TrialFolder(job.folder), job.signature[0]
    folder.begin(job.config, resume=False, code="code", state=State.QUEUED)
    value = MEANS[x] + 0.01 * random.Random(job.signature).random()
    objective = {"name": "f1", "value": value, "direction": "max"}
    (job.folder / "metrics.json").write_text(json.dumps({"objective": objective, "seed": job.config["seed"]}))
    folder.end(state, state.exit_code)


def run(rounds, slots=1, last_first=False, most=99):
    """Run a race on so many slots, up to so many trials; return the trials in the order in which they began."""
    placed, begun = [], []
    while len(begun) < most:
        while len(placed) < slots and rounds.more() and (job := rounds.next()):
            placed.append(job)
            begun.append(job.signature)
        if not placed:
            break
        job = placed.pop(-1 if last_first else 0)
        if TrialFolder(job.folder).state() is None:
            end(job)
        rounds.ended(job)
    return begun


ON_ONE_SLOT = ["a1", "b1", "c1", "d1", "a2", "b2", "c2", "d2", "a3", "b3", "a4", "b4"]


def test_each_round_has_one_seed_of_those_that_are_left(race):
    rounds, said = race()
    assert run(rounds) == ON_ONE_SLOT
    told = [line for line in said.getvalue().splitlines() if line.startswith("race: ")]
    assert told == [
        "race: c drops out after 2 seeds: told from the best on validation",
        "race: d drops out after 2 seeds: told from the best on validation",
    ]
    assert rounds.heading() == "race: 12 of up to 16 trainings done; 2 configurations left"


@pytest.mark.parametrize("slots", [2, 3, 8])
@pytest.mark.parametrize("last_first", [False, True])
def test_the_order_of_the_ends_changes_no_decision(race, slots, last_first):
    rounds, said = race()
    begun = run(rounds, slots, last_first)
    assert {each for each in begun if each[0] in "ab"} == {each for each in ON_ONE_SLOT if each[0] in "ab"}
    assert {each for each in begun if each[0] in "cd"} == {"c1", "c2", "d1", "d2"}
    assert said.getvalue().count("drops out after 2 seeds") == 2


def test_before_the_first_look_all_slots_are_busy(race):
    rounds, _ = race()
    placed = []
    while rounds.more():
        placed.append(rounds.next().signature)
    assert placed == ON_ONE_SLOT[:8]


def test_a_slot_does_not_wait_for_the_last_of_a_round(race):
    rounds, _ = race()
    placed = [rounds.next() for _ in range(8)]
    for job in placed[:-1]:
        end(job)
        rounds.ended(job)
    early = []
    while rounds.more():
        early.append(rounds.next().signature)
    assert early
    assert set(early) <= {"a3", "b3"}, "what is far behind waits"


@pytest.mark.parametrize("stopped_after", range(1, 12))
def test_a_stopped_race_goes_on_with_the_same_decisions(race, stopped_after):
    run(race()[0], most=stopped_after)
    rounds, _ = race()
    assert run(rounds) == ON_ONE_SLOT
    assert len(rounds.handed) == 12


@pytest.mark.parametrize("state", [State.NAN, State.OOM])
def test_one_that_diverged_or_failed_gets_no_more_seeds(race, jobs, state):
    end(jobs[0], state)
    rounds, said = race()
    begun = run(rounds)
    assert [each for each in begun if each[0] == "a"] == ["a1"]
    assert "race: a drops out after 1 seed: a trial diverged or failed" in said.getvalue()


def test_a_trial_that_is_lost_again_and_again_holds_up_nobody(race, jobs):
    TrialFolder(jobs[0].folder).begin({}, resume=False, code="code", state=State.QUEUED)
    TrialFolder(jobs[0].folder).end(State.KILLED, 137, "")
    rounds, _ = race()
    assert [each for each in run(rounds) if each[0] == "a"] == ["a1"]


def test_one_that_is_interrupted_does_not_drop_out(race):
    rounds, said = race()
    job = rounds.next()
    end(job, State.INTERRUPTED)
    rounds.ended(job)
    assert "drops out" not in said.getvalue()
    again, _ = race()
    assert job.signature in run(again)


def test_a_race_ends_where_the_rest_are_tied(race):
    rounds, _ = race(matters=0.2)
    assert run(rounds) == ON_ONE_SLOT[:8]


@pytest.fixture
def planned(jobs, monkeypatch):
    """A race of these jobs, of which two are known."""
    plan = Plan(jobs, [job.signature for job in jobs], [job.overrides for job in jobs])
    plan.actions = [("reuse", "finished")] * 2 + [("run", "new")] * (len(jobs) - 2)

    def check(self, sweep):
        self._plan = plan
        return plan

    monkeypatch.setattr(Grid, "check", check)
    return plan


def test_a_dry_run_tells_the_most_and_the_least(planned, settings):
    said = io.StringIO()
    work = Race([], settings)
    work.check("s")
    work.show(Console(file=said, width=200))
    assert "Race: 6 to 14 trainings. Each of 4 configurations has 2 seeds" in said.getvalue()
    assert work.slots == 8
    assert work.jobs() == []


def test_one_configuration_is_no_race(planned, settings):
    planned.jobs = planned.jobs[:ROUNDS]
    with pytest.raises(UserError, match="there is one configuration; give a key several values"):
        Race([], settings).check("s")
