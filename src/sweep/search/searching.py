"""A sweep that searches: what is checked before it starts, what it would run, and where it goes on."""

from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from src.errors import SeveralProblemsError, UserError
from src.processes import call
from src.sweep.job import Job
from src.sweep.ledger import Ledger
from src.sweep.plan import Plan, Request, plan
from src.sweep.search.budget import Budget, Spent
from src.sweep.search.conditions import Composition, Conditions
from src.sweep.search.confirming import N_FRESH
from src.sweep.search.history import History, refuse_other_space
from src.sweep.search.promoting import Promotion
from src.sweep.search.proposals import Proposals
from src.sweep.search.proposing import Proposer, Search
from src.sweep.search.pruners.by_name import pruner
from src.sweep.search.recalling import recall
from src.sweep.search.samplers import check_sampler, resolve_auto, seed_of
from src.sweep.search.space import Point, Space, name
from src.sweep.search.study import Study
from src.sweep.search.trials import Trials
from src.sweep.settings import Settings
from src.sweep.source import Source
from src.sweep.table import Table

MOST_SLOTS = 1024
"""Slots that a search without a number of trials may have, if there are so many."""


class Searching:
    """The trials that a search proposes.

    Args:
        space: of the search.
        composition: of its configurations.
        settings: of the sweep; the search is not `grid`.
        unimportant: whether a key may differ between commands of the same search, such as the budget's.

    Raises:
        UserError: there is nothing to search for, or no end of it.
    """

    def __init__(
        self, space: Space, composition: Composition, settings: Settings, unimportant: Callable[[str], bool]
    ) -> None:
        self._space = space
        self._composition = composition
        self._settings = settings
        self._unimportant = unimportant
        self._budget = Budget(settings.n_trials, settings.max_hours, settings.max_epochs_total)
        self._refuse_space()
        self._conditions = Conditions(space, composition)
        conditional = self._conditions.conditional
        self._budget.check(settings.search, space, len(conditional))
        check_sampler(settings.search, space.axes, conditional)
        automatic = resolve_auto(space, settings.n_trials, conditional=bool(conditional))
        self._sampler = automatic if settings.search == "auto" else settings.search
        self._sweep = ""
        self._trials: Trials | None = None

    def probes(self) -> list[Request]:
        """Return the trials that are checked before the search starts: each axis at each choice, or at its ends.

        Raises:
            UserError: one of them can't be composed, or an axis of numbers has a key that is none.
        """
        points = self._conditions.probes()
        return [self._composition.request(self._space.overrides(point)) for point in points]

    def check(self, sweep: str) -> Plan:
        """Plan the probes. Single choices may be refused, which the search will find out.

        Raises:
            UserError: all are refused, an axis has no effect, or the sweep has a search of another space.
        """
        self._sweep = sweep
        refuse_other_space(self._ledger().lines(), self._space, sweep, self._unimportant)
        planned = call(plan, self.probes(), self._settings, sweep, self._space.fixed)
        if planned.unfit or not planned.jobs:
            raise SeveralProblemsError(planned.unfit or planned.refused)
        return planned

    @property
    def slots(self) -> int:
        """The most trials that can run at once; the same for each command of a search."""
        return min(each for each in (self._budget.n_trials, self._space.size, MOST_SLOTS) if each is not None)

    def jobs(self) -> list[Job]:
        """Return the trials proposed so far."""
        return list(self._trials.jobs.values()) if self._trials else []

    def show(self, console: Console) -> None:
        """Print the axes, what is known of them, and the budget."""
        table = RichTable(title=f"search={self._sampler}", title_justify="left")
        for column in ("key", "values", "holds"):
            table.add_column(column, overflow="fold")
        for axis in self._space.axes:
            holds = "for some choices" if axis in self._conditions.conditional else "always"
            table.add_row(escape(name(axis)), escape(str(axis)), holds)
        console.print(table)
        known = self._history(self._ledger()).points()
        begun = sum(past.ran for past in known)
        confirm = self._settings.confirm
        again = f"; then the {confirm} best again, with {N_FRESH} fresh seeds each" if confirm else ""
        console.print(
            f"Of this space {len(known)} configurations have trials in {self._settings.outputs}, {begun} of them "
            f"begun by this search. Budget: {self._budget}{self._pruned()}{again}.",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip

    def _pruned(self) -> str:
        return "" if self._settings.pruner == "none" else f", with pruner={self._settings.pruner}"

    def begin(self, ledger: Ledger, table: Table) -> tuple[Source, int]:
        """Learn what is known, and return the source of the trials, and how many may run at once."""
        history = self._history(ledger)
        study = Study(self._conditions.axes, self._conditions.holds, self._sampler, self._settings.seed)
        spent, settings = Spent(self._budget), self._settings
        search = Search(
            self._space,
            spent,
            self._composition.request,
            self._untried(study),
            self._settings,
            self._sweep,
        )
        self._trials = trials = Trials(study, ledger, table)
        left = recall(history.points(), search, trials)
        rule = pruner(settings.pruner, settings.min_epochs, settings.reduction_factor)
        promotion = Promotion(trials, spent, rule, max(1, settings.confirm))
        proposals = Proposals(trials, Proposer(search, trials, history.n_proposals()), promotion, left)
        table.heading = proposals.heading
        n_known = sum(not record.proposed for record in study)
        if n_known:
            table.say(f"search: begins with {n_known} finished trials that are known already")
        return proposals, self.slots

    def _refuse_space(self) -> None:
        names = [name(axis) for axis in self._space.axes]
        if not names:
            raise UserError(
                f"search={self._settings.search}: there is nothing to search; give a key several values or an "
                "interval, such as 'optimizer.lr=tag(log,interval(1e-4,1e-1))'."
            )
        for key in filter(self._unimportant, names):
            raise UserError(f"{key} can't be swept: it does not tell trials apart; give it one value.")
        if "seed" in names:
            raise UserError(
                "seed is nothing to search for, the best would be the luckiest: give one, such as seed=1, and run "
                "the best configurations again with -m seed=2,3,4."
            )

    def _ledger(self) -> Ledger:
        return Ledger(self._settings.outputs / "sweeps" / self._sweep / "jobs.jsonl")

    def _history(self, ledger: Ledger) -> History:
        return History(ledger.lines(), self._settings.outputs, self._space, self._conditions.fits)

    def _untried(self, study: Study) -> Callable[[int, int], Point | None]:
        def untried(number: int, attempt: int) -> Point | None:
            points = [self._conditions.complete(point) for point in self._space.all()]
            new = [point for point in points if point not in study]
            return new[seed_of(self._settings.seed, number, attempt) % len(new)] if new else None

        return untried
