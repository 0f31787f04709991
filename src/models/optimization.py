"""Builds the configured optimizer and scheduler for Lightning."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn
from torch.optim import Optimizer

from src.errors import UserError
from src.metrics.kinds import direction

MakeOptimizer = Callable[[Iterable[Any]], Optimizer]
Groups = Sequence[tuple[Sequence[nn.Parameter], float]]
"""Groups of parameters, each with the factor of its learning rate."""

INTERVALS = ("step", "epoch")
STEPS = "training_steps"
"""As the value of a scheduler's option: the number of optimizer steps of the whole training."""
_OURS = ("_target_", "_partial_", "interval", "monitor")


def configure(
    make_optimizer: MakeOptimizer,
    scheduler: Mapping[str, Any],
    groups: Groups,
    *,
    training_steps: int,
    monitor: str,
    validated_every: int = 1,
) -> dict[str, Any]:
    """Build an optimizer and its scheduler.

    Args:
        make_optimizer: makes the optimizer for given parameters.
        scheduler: `_target_` (a class, or `None`), `interval` (`step` or `epoch`) and the options of the class; an
            option with the value `training_steps` becomes that number.
        groups: the parameters to train.
        training_steps: optimizer steps of the whole training.
        monitor: the logged metric in which a plateau is detected.
        validated_every: epochs from one of its values to the next.

    Returns:
        What `LightningModule.configure_optimizers` returns.

    Raises:
        UserError: there are too few steps for the scheduler.
    """
    optimizer = make_optimizer(_with_rates(make_optimizer, groups))
    if not scheduler.get("_target_"):
        return {"optimizer": optimizer}
    options = {key: value for key, value in scheduler.items() if key not in _OURS}
    options = {key: training_steps if value == STEPS else value for key, value in options.items()}
    if len(groups) > 1 and "max_lr" in options:
        options["max_lr"] = [options["max_lr"] * factor for _, factor in groups]
    make = partial(scheduler["_target_"], optimizer)
    if "monitor" in scheduler:
        options["mode"] = direction(monitor.removeprefix("val/"))
    try:
        built = make(**options)
    except ZeroDivisionError as error:
        raise UserError(
            f"the scheduler cannot divide {training_steps} steps into its phases: train for more steps, or choose "
            "scheduler=none."
        ) from error
    return {
        "optimizer": optimizer,
        "lr_scheduler": {
            "scheduler": built,
            "interval": scheduler["interval"],
            "frequency": validated_every if "monitor" in scheduler else 1,
            "monitor": monitor,
        },
    }


def _with_rates(make_optimizer: MakeOptimizer, groups: Groups) -> list[Any]:
    """Return the parameters, or dictionaries with the learning rate of each group where there are several."""
    if len(groups) == 1:
        return list(groups[0][0])
    rate = getattr(make_optimizer, "keywords", {}).get("lr")
    if rate is None:
        raise UserError("transfer.feature_rate needs optimizer.lr: set it, or leave feature_rate at 1")
    return [{"params": list(parameters), "lr": rate * factor} for parameters, factor in groups]
