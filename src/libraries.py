"""How the libraries behave below this project."""

import logging
import warnings

import torch


def settle() -> None:
    """Silence hints that no user of this project can act on, and let matrix products use what the GPU has for them.

    Numbers below 1e-38 become 0: the gradients of recurrent networks fade into them, and a CPU computes with them
    many times slower.
    """
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
    warnings.filterwarnings("ignore", message=".*Trying to infer the `batch_size`.*")
    warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*before.*optimizer.step.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*overridden `on_after_batch_transfer`.*")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)
