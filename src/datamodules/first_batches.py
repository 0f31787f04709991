"""A few fixed training batches, to see whether a network can learn them by heart."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from src.datamodules.base import DataModule
from src.errors import UserError

Batch = tuple[Tensor, ...]


class KeptBatches(Dataset[Batch]):
    """Batches kept in memory; each access returns a copy, so that changes to it do not last.

    Args:
        batches: of any tensors.
    """

    def __init__(self, batches: list[Batch]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, number: int) -> Batch:
        """Return a copy of a batch."""
        return tuple(tensor.clone() for tensor in self._batches[number])


def first_batches(data: DataModule, n_batches: int) -> DataLoader[Batch]:
    """Return a loader of the first training batches of the first epoch, kept in memory in their order.

    Args:
        data: set up.
        n_batches: >= 1.

    Raises:
        UserError: an epoch has fewer batches.
    """
    kept = [tuple(batch) for batch in islice(data.train_dataloader(), n_batches)]
    check_batches(n_batches, len(kept))
    return DataLoader(KeptBatches(kept), batch_size=None)


def check_batches(n_batches: int, available: int) -> None:
    """Check that an epoch has as many batches as are to be kept.

    Args:
        n_batches: number to keep.
        available: number of batches of an epoch.

    Raises:
        UserError: an epoch has fewer.
    """
    if n_batches > available:
        raise UserError(
            f"overfit_batches={n_batches}: an epoch has only {available}; choose at most {available}, or a smaller "
            "batch_size."
        )


@contextmanager
def overfitted(data: DataModule, n_batches: int | None) -> Iterator[None]:
    """Let a data module serve only its first training batches, for training and for validation.

    Args:
        data: set up; unchanged again when the context ends.
        n_batches: >= 1; `None` changes nothing.

    Raises:
        UserError: an epoch has fewer batches.
    """
    if n_batches is None:
        yield
        return
    kept = first_batches(data, n_batches)
    # Lightning asks the module itself, and callbacks check its class: so it is changed, not wrapped.
    replaced = dict.fromkeys(("train_dataloader", "val_dataloader"), lambda: kept)
    vars(data).update(replaced)
    try:
        yield
    finally:
        for name in replaced:
            del vars(data)[name]
