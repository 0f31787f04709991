"""Transfer learning: training a network that starts with the features of another one."""

from collections.abc import Mapping
from typing import Annotated

from torch import Tensor, nn

from src.errors import UserError
from src.models.weights import misfit
from src.options import Options
from src.rules import number, whole

HEAD = "head"
"""The attribute of every network that holds its output layer; everything else is its features."""


class Transfer(Options):
    """How transferred features are trained with a new head.

    Args:
        frozen_epochs: number of epochs in which the features, batch norms included, stay frozen.
        feature_rate: their learning rate as a factor of the head's.

    Raises:
        UserError: a number is outside its range.
    """

    group = "transfer"

    frozen_epochs: Annotated[int, whole(0)] = 0
    feature_rate: Annotated[float, number(0, 1, above=True)] = 1.0

    def begin_epoch(self, network: nn.Module, epoch: int) -> None:
        """Freeze the features in the first epochs, and unfreeze them afterwards."""
        if not self.frozen_epochs:
            return
        frozen = epoch < self.frozen_epochs
        for name, module in network.named_children():
            if name != HEAD:
                module.requires_grad_(not frozen).train(not frozen)

    def groups(self, network: nn.Module) -> list[tuple[list[nn.Parameter], float]]:
        """Return groups of parameters with factors of the learning rate: one group, or features and head."""
        if self.feature_rate == 1:
            return [(list(network.parameters()), 1.0)]
        head = list(getattr(network, HEAD).parameters())
        in_head = {id(parameter) for parameter in head}
        features = [parameter for parameter in network.parameters() if id(parameter) not in in_head]
        return [(features, self.feature_rate), (head, 1.0)]


def load_features(network: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Copy all weights of a checkpoint's network but its head.

    Args:
        network: newly built; changed in place.
        weights: of the checkpoint, by name; those of the network begin with `network.`.
        source: name of the checkpoint, for the error message.

    Raises:
        UserError: the networks differ.
    """
    features = {
        name.removeprefix("network."): values
        for name, values in weights.items()
        if name.startswith("network.") and not name.startswith(f"network.{HEAD}.")
    }
    own = {name: values for name, values in network.state_dict().items() if not name.startswith(f"{HEAD}.")}
    if difference := misfit(own, features):
        raise UserError(
            f"init_from={source}: its network differs from this one ({difference}); choose the same model and model.… "
            "options"
        )
    network.load_state_dict(features, strict=False)
