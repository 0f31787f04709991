"""The task of piano rolls: predict the next step, and generate music."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from src.datamodules.base import DataModule
from src.errors import UserError
from src.generation.of_trial import music_of_trial
from src.generation.options import generation_options
from src.generation.roll_data import RollData
from src.losses.base import Loss
from src.models.generator import Generator
from src.models.learner import Learner
from src.tasks.base import Findings, Finished, Reader, Task, Trained, register


@register
class Rolls(Task):
    """Items (T, C), 0 or 1: a column of keys for each step."""

    name = "rolls"
    must_agree = ("grid", "rate")
    groups = ("generation",)

    def network_arguments(self, n_columns: int, item_shape: Sequence[int]) -> dict[str, int]:
        """Return the number of columns."""
        return {"n_keys": n_columns}

    def learner(
        self, network: nn.Module, loss: Loss, description: Mapping[str, Any], **options: Any
    ) -> Learner:
        """Return a `Generator`."""
        return Generator(network, loss, description=description, **options)

    def check(self, config: Mapping[str, Any], data: DataModule) -> None:
        """Refuse transfer from another checkpoint, and invalid options of generation.

        Raises:
            UserError: the configuration has one of these.
        """
        if config["init_from"]:
            raise UserError(
                "init_from is for classifiers, whose output layer is new; leave it out with piano rolls."
            )
        assert isinstance(data, RollData)
        if "generation" not in config:
            raise UserError(
                f"generation is not set: begin the YAML of data {data.name} with `defaults: [rolls/generation, _self_]`"
            )
        generation_options(config["generation"]).length(data.grid)

    def check_generates(self, trained: Trained) -> None:
        """Let every checkpoint of piano rolls make music."""

    def further_metrics(self, learner: Learner, data: DataModule) -> dict[str, float]:
        """Return the metrics of a network that looks ahead when it can't: `f1_micro_future_hidden` and so on."""
        assert isinstance(learner, Generator)
        return {} if learner.network.causal else learner.future_hidden(data.test_dataloader())

    def finish(self, finished: Finished) -> Findings:
        """Make music, write some of it, and return its distance from held-out music."""
        assert isinstance(finished.data, RollData)
        config = finished.config
        music = music_of_trial(
            finished.learner, finished.data, config["generation"], config["seed"], finished.samples
        )
        return Findings(music["distances"], {"markov": music["markov_distances"]}, {"music": music})

    def reader(self, trained: Trained) -> Reader:
        """Refuse to predict, since rolls have no classes.

        Raises:
            UserError: always.
        """
        raise UserError(
            f"{trained.path}: mode=predict names what sounds, but this checkpoint generates music; use mode=generate."
        )
