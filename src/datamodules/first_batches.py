"""A few training batches, always the same, to see whether a network can learn them by heart."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from src.datamodules.base import DataModule
from src.errors import UserError

Batch = tuple[Tensor, ...]


class KeptBatches(Dataset[Batch]):
    """Gives batches by their numbers, each time anew, so that what is done to one is not done to the next.

    Args:
        batches: of any tensors.
    """

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> Batch:
        """Give a copy of a batch."""
        return tuple(part.clone() for part in self._batches[number])


def first_batches(data: DataModule, k: int) -> DataLoader[Batch]:
    """Keep the first k training batches of the first epoch, in memory and in their order.

    Args:
        data: set up.
        k: >= 1.

    Raises:
        UserError: there are fewer.
    """
    kept = [tuple(batch) for batch in islice(data.train_dataloader(), k)]
    check_batches(k, len(kept))
    return DataLoader(KeptBatches(kept), batch_size=None)


def check_batches(k: int, there: int) -> None:
    """Refuse to keep more batches than there are.

    Raises:
        UserError: `there` is less than `k`.
    """
    if k > there:
        raise UserError(
            f"overfit_batches={k}: an epoch has only {there}; choose at most {there}, or a smaller batch_size."
        )


@contextmanager
def overfitted(data: DataModule, k: int | None) -> Iterator[None]:
    """Let a data module give its first k training batches for training and for validation.

    Args:
        data: set up; as before when the context ends.
        k: None changes nothing.

    Raises:
        UserError: there are fewer batches.
    """
    if k is None:
        yield
        return
    kept = first_batches(data, k)
    # Lightning asks the module; callbacks know it by its class, so it is not wrapped in another.
    replaced = dict.fromkeys(("train_dataloader", "val_dataloader"), lambda: kept)
    vars(data).update(replaced)
    try:
        yield
    finally:
        for name in replaced:
            del vars(data)[name]
