"""Training a network that begins with the features of another."""

from collections.abc import Mapping
from typing import Annotated

from torch import Tensor, nn

from src.errors import UserError
from src.options import Options
from src.rules import number, whole

HEAD = "head"
"""The attribute of every network that holds its output layer; all else are its features."""


class Transfer(Options):
    """How features are trained beside a new head.

    Args:
        frozen_epochs: for how many epochs they stay as they are, batch norms included.
        feature_rate: their learning rate, as a factor of the head's.

    Raises:
        UserError: a number is outside its range.
    """

    group = "transfer"

    frozen_epochs: Annotated[int, whole(0)] = 0
    feature_rate: Annotated[float, number(0, 1, above=True)] = 1.0

    def begin_epoch(self, network: nn.Module, epoch: int) -> None:
        """Freeze the features in the first epochs, and free them after."""
        if not self.frozen_epochs:
            return
        frozen = epoch < self.frozen_epochs
        for name, module in network.named_children():
            if name != HEAD:
                module.requires_grad_(not frozen).train(not frozen)

    def groups(self, network: nn.Module) -> list[tuple[list[nn.Parameter], float]]:
        """Give the parameters for an optimizer with the factors of their rates: one group, or features and head."""
        if self.feature_rate == 1:
            return [(list(network.parameters()), 1.0)]
        head = list(getattr(network, HEAD).parameters())
        known = {id(parameter) for parameter in head}
        features = [parameter for parameter in network.parameters() if id(parameter) not in known]
        return [(features, self.feature_rate), (head, 1.0)]


def load_features(network: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Take over all of a network but its head.

    Args:
        network: fresh.
        weights: of a checkpoint, by name, those of the network beginning with `network.`.
        source: names the checkpoint, for the error.

    Raises:
        UserError: the networks differ.
    """
    features = {
        name.removeprefix("network."): values
        for name, values in weights.items()
        if name.startswith("network.") and not name.startswith(f"network.{HEAD}.")
    }
    own = {
        name: values.shape for name, values in network.state_dict().items() if not name.startswith(f"{HEAD}.")
    }
    if own != {name: values.shape for name, values in features.items()}:
        raise UserError(
            f"init_from={source}: its network differs from this one; choose the same model and model.… options"
        )
    network.load_state_dict(features, strict=False)
