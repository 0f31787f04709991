"""From the configuration's optimizer and scheduler to what Lightning wants."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn
from torch.optim import Optimizer

from src.errors import UserError
from src.metrics.kinds import direction

MakeOptimizer = Callable[[Iterable[Any]], Optimizer]
Groups = Sequence[tuple[Sequence[nn.Parameter], float]]
"""Parameters, and the factor of the learning rate that each group of them is trained with."""

INTERVALS = ("step", "epoch")
STEPS = "training_steps"
"""In a scheduler's options: the number of optimizer steps of the whole training."""
_OURS = ("_target_", "_partial_", "interval", "monitor")


def configure(
    make_optimizer: MakeOptimizer,
    scheduler: Mapping[str, Any],
    groups: Groups,
    *,
    training_steps: int,
    monitor: str,
) -> dict[str, Any]:
    """Build an optimizer and its scheduler.

    Args:
        make_optimizer: the optimizer but for its parameters.
        scheduler: `_target_` (a class, None for none), `interval` (`step` or `epoch`) and the class's own options;
            an option with the value `training_steps` gets that number.
        groups: what is trained.
        training_steps: optimizer steps of the whole training.
        monitor: the logged metric that a plateau is seen in.

    Returns:
        What `LightningModule.configure_optimizers` returns.

    Raises:
        UserError: the scheduler cannot make anything of so few steps.
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
            "monitor": monitor,
        },
    }


def _with_rates(make_optimizer: MakeOptimizer, groups: Groups) -> list[Any]:
    """Give parameters, or groups of them with rates of their own where there are several."""
    if len(groups) == 1:
        return list(groups[0][0])
    rate = getattr(make_optimizer, "keywords", {}).get("lr")
    if rate is None:
        raise UserError("transfer.feature_rate needs optimizer.lr: set it, or leave feature_rate at 1")
    return [{"params": list(parameters), "lr": rate * factor} for parameters, factor in groups]
