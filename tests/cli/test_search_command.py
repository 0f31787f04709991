"""A search through the real command: budgets, slots, resumption, what is known already, conditional axes."""

import csv
import os
import signal

import pytest
from conftest import FAKE, ledger, read, states_of, trials, wait_until

SPACE = ("optimizer=adam,sgd,adamw", "+fake.x=interval(0,1)", "+fake.y=tag(log,interval(1e-3,1))")
ONE_SLOT = "hydra.launcher.gpus=[0]"
SEARCH = (*FAKE, "confirm=0")


def proposals(outputs, sweep):
    """The overrides of a search's proposals, in their order."""
    lines = [line for line in ledger(outputs, sweep) if "proposal" in line]
    assert [line["proposal"] for line in lines] == list(range(len(lines)))
    return [line["overrides"] for line in lines]


def points(outputs, sweep):
    """The proposals without what all have in common."""
    return [[text for text in overrides if "outputs=" not in text] for overrides in proposals(outputs, sweep)]


def attempts(outputs):
    return [read(path)["attempt"] for path in outputs.glob("runs/*/status.json")]


@pytest.fixture(scope="module")
def whole(project, tmp_path_factory):
    """A search by TPE on one slot, never stopped, and again."""
    outputs = tmp_path_factory.mktemp("whole")
    command = (*SEARCH, *SPACE, "search=tpe", "n_trials=14", "sweep.name=s", ONE_SLOT, f"outputs={outputs}")
    first = project.run(*command)
    return outputs, first, ledger(outputs, "s"), project.run(*command)


@pytest.mark.slow
def test_a_search_runs_its_budget(whole):
    outputs, first, lines, _ = whole
    assert first.returncode == 0, first.stderr
    assert len(proposals(outputs, "s")) == 14
    rows = trials(outputs, "s")
    assert len(rows) == 14
    assert {row["state"] for row in rows} == {"finished"}
    assert {"optimizer", "fake.x", "fake.y"} <= rows[0].keys()
    assert not {"search", "n_trials"} & rows[0].keys()
    assert all(0 <= float(row["fake.x"]) <= 1 and 1e-3 <= float(row["fake.y"]) <= 1 for row in rows)
    assert {line["slot"] for line in lines if line["state"] == "running"} == {"gpu:0"}


@pytest.mark.slow
def test_it_says_how_far_it_is(whole):
    _, first, *_ = whole
    assert "search: 5 done; left: 9 of 14 trials; best so far 0." in first.stdout.replace("; 0 running", "")
    best = [line.partition("best so far ")[2] for line in first.stdout.splitlines() if "best so far" in line]
    values = [float(text.partition(":")[0]) for text in best]
    assert values == sorted(values)


@pytest.mark.slow
def test_the_same_command_again_runs_nothing(whole):
    outputs, _, lines, again = whole
    assert again.returncode == 0, again.stderr
    assert {line["state"] for line in ledger(outputs, "s")[len(lines) :]} == {"reused"}
    assert attempts(outputs) == [1] * 14


@pytest.mark.slow
def test_a_killed_search_goes_on_as_if_it_had_not_been(whole, project, tmp_path):
    never_stopped = points(whole[0], "s")
    command = (*SEARCH, *SPACE, "search=tpe", "n_trials=14", "sweep.name=s", ONE_SLOT, f"outputs={tmp_path}")
    process = project.start(*command)
    wait_until(lambda: len(proposals(tmp_path, "s")) == 12)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    finished = [line["signature"] for line in ledger(tmp_path, "s") if line["state"] == "finished"]
    assert 11 <= len(finished) <= 12
    again = project.run(*command)
    assert again.returncode == 0, again.stdout + again.stderr
    assert points(tmp_path, "s") == never_stopped
    for signature in finished:
        assert read(tmp_path / "runs" / signature / "status.json")["attempt"] == 1, "nothing runs twice"
    of = {row["runs"]: row["val_f1_macro_mean"] for row in trials(whole[0], "s")}
    assert {row["runs"]: row["val_f1_macro_mean"] for row in trials(tmp_path, "s")} == of


@pytest.mark.slow
def test_a_larger_budget_goes_on(whole, project):
    outputs = whole[0]
    command = (*SEARCH, *SPACE, "search=tpe", "n_trials=16", "sweep.name=s", ONE_SLOT, f"outputs={outputs}")
    result = project.run(*command)
    assert result.returncode == 0, result.stderr
    assert len(proposals(outputs, "s")) == 16
    assert len(trials(outputs, "s")) == 16


@pytest.mark.slow
@pytest.mark.parametrize(
    ("others", "told"),
    [
        (("optimizer=adam,sgd,adamw", "+fake.x=interval(0,1)"), "+fake.y="),
        ((*SPACE, "batch_size=32"), "batch_size=32"),
        (("optimizer=adam,sgd", *SPACE[1:]), "outside its axes"),
    ],
)
def test_a_search_of_another_space_has_another_name(whole, project, others, told):
    outputs = whole[0]
    before = ledger(outputs, "s")
    result = project.run_warm(
        *SEARCH, *others, "search=tpe", "n_trials=16", "sweep.name=s", f"outputs={outputs}"
    )
    assert result.returncode == 2, result.stdout
    assert result.stderr.startswith("Error: sweep.name=s has a search of another space (")
    assert result.stderr.endswith("choose another sweep.name.\n")
    assert told in result.stderr
    assert ledger(outputs, "s") == before


@pytest.fixture(scope="module")
def after_a_grid(project, tmp_path_factory):
    """A grid, then a search over the same keys with all but the budget for one trial more."""
    outputs = tmp_path_factory.mktemp("grid")
    grid = project.run(*FAKE, "optimizer=adam,sgd", "+fake.x=0.1,0.9", "sweep.name=g", f"outputs={outputs}")
    assert grid.returncode == 0, grid.stderr
    command = (
        *SEARCH, "optimizer=adam,sgd,adamw", "+fake.x=interval(0,1)", "search=random", "n_trials=2", "sweep.name=s",
        f"outputs={outputs}",
    )  # fmt: skip
    planned = project.run(*command, "dry_run=true")
    return outputs, planned, project.run(*command)


@pytest.mark.slow
def test_a_search_after_a_grid_knows_its_trials(after_a_grid):
    outputs, planned, result = after_a_grid
    assert "Of this space 4 configurations have trials" in planned.stdout
    assert "begins with 4 finished trials" in result.stdout
    assert len(trials(outputs, "s")) == 6
    assert len(attempts(outputs)) == 6
    assert attempts(outputs) == [1] * 6
    assert [states_of(ledger(outputs, "s"), text)[0] for text in ("+fake.x=0.1", "+fake.x=0.9")] == [
        "reused"
    ] * 2


@pytest.mark.slow
def test_a_plan_shows_axes_and_budget_and_starts_nothing(project, tmp_path):
    result = project.run(
        *SEARCH, "optimizer=adam,sgd", "optimizer.momentum=interval(0,.9)", "search=auto", "max_hours=2",
        "dry_run=true", f"outputs={tmp_path}", COLUMNS="200",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "search=tpe" in result.stdout
    assert "numbers from 0 to 0.9" in result.stdout
    assert "for some choices" in result.stdout
    assert "Budget: 2 hours." in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_search_says_which_keys_matter(project, tmp_path):
    result = project.run(
        *SEARCH, "optimizer=adam,sgd", "+fake.x=tag(log,interval(.001,1))", "optimizer.momentum=interval(0,.9)",
        "+fake.epochs=1", "+fake.epoch_s=0", "search=random", "n_trials=40", "sweep.name=s", f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    with (tmp_path / "sweeps" / "s" / "importance.csv").open(newline="") as file:
        found = {row["key"]: row for row in csv.DictReader(file)}
    assert set(found) == {
        *("optimizer", "fake.x", "optimizer.momentum", "optimizer × fake.x"),
        *("optimizer × optimizer.momentum", "fake.x × optimizer.momentum"),
    }
    # .505 or .11 with even odds has a variance of .039; −.1 (x − .3)² at most .0005.
    assert float(found["optimizer"]["fanova"]) > 0.9
    assert float(found["fake.x"]["fanova"]) < 0.05
    assert found["optimizer"]["n_trials"] == "40"
    n_sgd = sum(row["optimizer"] == "sgd" for row in trials(tmp_path, "s"))
    assert found["optimizer.momentum"]["n_trials"] == str(n_sgd)
    assert (tmp_path / "sweeps" / "s" / "importance.png").stat().st_size > 5000
    [told] = [line for line in result.stdout.splitlines() if "(importance.csv)" in line]
    assert told.startswith("Variance of val_f1_macro over the space")
    assert "by 40 finished trials: optimizer 100%." in told


@pytest.mark.slow
def test_a_conditional_axis_holds_where_composition_has_its_key(project, tmp_path):
    result = project.run(
        *SEARCH, "optimizer=adam,sgd", "optimizer.momentum=interval(0,.9)", "search=qmc", "n_trials=6",
        "sweep.name=s", f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    rows = trials(tmp_path, "s")
    assert {row["optimizer"] for row in rows} == {"adam", "sgd"}
    assert all(bool(row["optimizer.momentum"]) == (row["optimizer"] == "sgd") for row in rows)
    assert len([row for row in rows if row["optimizer"] == "adam"]) == 1, "of adam there is one configuration"


@pytest.mark.slow
def test_a_finite_space_needs_no_budget(project, tmp_path):
    result = project.run(
        *SEARCH, "optimizer=adam,sgd,adamw", "+fake.x=range(0,1,0.5)", "search=random", "sweep.name=s",
        f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    found = {(row["optimizer"], row["fake.x"]) for row in trials(tmp_path, "s")}
    assert found == {(name, x) for name in ("adam", "sgd", "adamw") for x in ("0.0", "0.5")}
    assert len(attempts(tmp_path)) == 6
    assert "all configurations are known; it ends here" in result.stdout


@pytest.mark.slow
def test_a_refused_configuration_costs_no_trial(project, tmp_path):
    result = project.run(
        *SEARCH, "+fake.fault=refused,none", "+fake.x=interval(0,1)", "search=random", "n_trials=4", "sweep.name=s",
        f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(trials(tmp_path, "s")) == 4
    assert {row["state"] for row in trials(tmp_path, "s")} == {"finished"}
    assert "refused, another is proposed. fake.fault=refused: choose another." in result.stdout


@pytest.mark.slow
def test_what_fails_and_what_diverges_counts(project, tmp_path):
    result = project.run(
        *SEARCH, "+fake.fault=raise,nan", "search=random", "sweep.name=s", f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 1, result.stdout + result.stderr
    assert {row["fake.fault"]: row["state"] for row in trials(tmp_path, "s")} == {
        "raise": "failed",
        "nan": "nan",
    }


@pytest.mark.slow
def test_a_slot_waits_for_no_other(project, tmp_path):
    """One trial ends only when three others have: these run one after another in the other slot."""
    result = project.run(
        *SEARCH, "+fake.waits_at=0", "+fake.x=range(0,5)", "search=random", "sweep.name=s",
        "hydra.launcher.gpus=[0,1]", f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    order = ["+fake.x=0" in overrides for overrides in proposals(tmp_path, "s")]
    assert order.index(True) < 3, "it had to wait"
    slots = {line["slot"] for line in ledger(tmp_path, "s") if line["state"] == "running"}
    assert slots == {"gpu:0", "gpu:1"}


@pytest.mark.slow
def test_two_points_that_are_the_same_trial_cost_one_run(project, tmp_path):
    result = project.run(
        *SEARCH, "+fake.x=0.25", "optimizer.lr=0.25,${fake.x}", "search=random", "sweep.name=s",
        f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert attempts(tmp_path) == [1]
    assert len(proposals(tmp_path, "s")) == 2
    assert "known already, it is not run again" in result.stdout


@pytest.mark.slow
def test_epochs_are_a_budget(project, tmp_path):
    result = project.run(
        *SEARCH, "+fake.x=interval(0,1)", "+fake.epochs=3", "search=random", "max_epochs_total=10", "sweep.name=s",
        ONE_SLOT, f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(trials(tmp_path, "s")) == 3, "a fourth would make it 12 epochs"
    assert "left: 1 of 10 epochs" in result.stdout


@pytest.mark.slow
def test_hours_are_a_budget(project, tmp_path):
    result = project.run(
        *SEARCH, "+fake.x=interval(0,1)", "+fake.epoch_s=1", "search=random", "max_hours=0.0003", "sweep.name=s",
        ONE_SLOT, f"outputs={tmp_path}",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(trials(tmp_path, "s")) == 1, "the second would begin after two seconds"


@pytest.mark.slow
def test_axes_may_stand_in_the_parameters_of_the_sweeper(project, tmp_path):
    params = "hydra.sweeper.params={optimizer: 'adam,sgd', +fake.x: 'interval(0,1)'}"
    result = project.run(
        *SEARCH,
        params,
        "optimizer=adamw",
        "search=random",
        "n_trials=2",
        "sweep.name=s",
        f"outputs={tmp_path}",
    )
    assert result.returncode == 0, result.stdout + result.stderr
    for overrides in proposals(tmp_path, "s"):
        assert overrides[0].startswith("+fake.x=0.")
        assert [text for text in overrides if text.startswith("optimizer")] == ["optimizer=adamw"]


@pytest.fixture(scope="module")
def confirmed(project, tmp_path_factory):
    """A search that confirms its two best configurations; its sweep is killed in the second of six confirmations."""
    outputs = tmp_path_factory.mktemp("confirmed")
    command = (
        *FAKE, "optimizer=adam,sgd", "+fake.x=interval(0,1)", "search=random", "n_trials=6", "seed=5", "confirm=2",
        "sweep.name=s", ONE_SLOT, f"outputs={outputs}",
    )  # fmt: skip
    process = project.start(*command)
    wait_until(lambda: states_of(ledger(outputs, "s"), "seed=7").count("running"))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    return outputs, project.run(*command)


@pytest.mark.slow
def test_the_best_run_again_with_fresh_seeds(confirmed):
    outputs, result = confirmed
    assert result.returncode == 0, result.stdout + result.stderr
    rows = trials(outputs, "s")
    first, others = rows[:2], rows[2:]
    assert [row["rank"] for row in first] == ["1", "2"]
    assert {row["confirms"] for row in first} == {"True"}
    assert {row["n_seeds"] for row in first} == {"3"}
    assert len(others) == 6
    assert {(row["rank"], row["verdict"], row["confirms"], row["n_seeds"]) for row in others} == {
        ("", "", "False", "1")
    }
    best = sorted(others, key=lambda row: -float(row["val_f1_macro_mean"]))
    assert others == best
    assert {row["fake.x"] for row in first} == {row["fake.x"] for row in best[:2]}
    for row in first:
        metrics = [read(outputs / run / "metrics.json") for run in row["runs"].split()]
        assert {one["seed"] for one in metrics} == {6, 7, 8}, "without the seed that it was chosen by"
        [found] = [other for other in best if other["fake.x"] == row["fake.x"]]
        assert float(row["searched"]) == float(found["val_f1_macro_mean"])


@pytest.mark.slow
def test_only_those_that_confirm_are_measured_on_test(confirmed):
    outputs, _ = confirmed
    first, others = trials(outputs, "s")[:2], trials(outputs, "s")[2:]
    assert all(row["f1_macro_mean"] for row in first)
    assert not any(row["f1_macro_mean"] for row in others)
    tested = {path.parent.name: "test" in read(path) for path in outputs.glob("runs/*/metrics.json")}
    confirming = {line["signature"] for line in ledger(outputs, "s") if line.get("confirms")}
    assert {signature for signature, test in tested.items() if test} == confirming


@pytest.mark.slow
def test_the_maximum_of_the_search_stands_beside_them(confirmed):
    outputs, result = confirmed
    rows = trials(outputs, "s")
    maximum = max(float(row["val_f1_macro_mean"]) for row in rows[2:])
    assert f"The search's own maximum was {maximum:.4f} in val_f1_macro" in result.stdout
    assert "with fresh seeds it has 0." in result.stdout


@pytest.mark.slow
def test_a_killed_confirmation_goes_on(confirmed):
    outputs, _ = confirmed
    assert len(proposals(outputs, "s")) == 6
    assert len(attempts(outputs)) == 6 + 2 * 3
    assert sorted(attempts(outputs))[:-1] == [1] * 11


def test_the_best_so_far_is_told_with_its_sign(project, tmp_path):
    result = project.run(
        *SEARCH, "optimizer=sgd", "+fake.x=3,4", "search=random", "sweep.name=s", f"outputs={tmp_path}"
    )
    assert result.returncode == 0, result.stdout + result.stderr
    values = [read(path)["objective"]["value"] for path in tmp_path.glob("runs/*/metrics.json")]
    assert max(values) < 0
    assert f"2 done; 0 running; best so far {max(values):.4f}: " in result.stdout


@pytest.mark.slow
def test_a_grid_measures_what_a_search_left_out(confirmed, project):
    outputs, _ = confirmed
    row = trials(outputs, "s")[-1]
    one = (
        f"optimizer={row['optimizer']}",
        f"+fake.x={row['fake.x']}",
        "seed=5",
        "sweep.name=g",
        f"outputs={outputs}",
    )
    result = project.run(*FAKE, *one)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "finished, but not tested, goes on from its last checkpoint" in result.stdout
    assert trials(outputs, "g")[0]["f1_macro_mean"]
