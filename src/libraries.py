"""Settings of libraries that this project relies on."""

import logging
import warnings

import torch


def configure_libraries() -> None:
    """Silence warnings that users can't act on, allow TF32 matrix products, and flush denormal numbers to 0.

    Gradients of recurrent networks decay to denormals (below 1e-38), with which a CPU computes many times slower.
    """
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
    warnings.filterwarnings("ignore", message=".*Trying to infer the `batch_size`.*")
    warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*before.*optimizer.step.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*`srun` command is available.*")
    warnings.filterwarnings("ignore", message=".*overridden `on_after_batch_transfer`.*")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)
