"""Resolves `auto` for this machine by a fixed table of device capabilities, never by timing."""

import os
from functools import cache

import torch

from src.errors import UserError

PRECISIONS = {
    **dict.fromkeys(("32", "32-true"), "32-true"),
    **dict.fromkeys(("bf16", "bf16-mixed"), "bf16-mixed"),
    **dict.fromkeys(("16", "16-mixed"), "16-mixed"),
}
"""By each of Lightning's names, the one that is used here."""
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")


def resolve_accelerator(accelerator: str) -> str:
    """Return the accelerator, `auto` and `gpu` resolved to `cuda`, `mps` or `cpu`.

    Raises:
        UserError: the name is unknown, or there is no such device here.
    """
    if accelerator not in ACCELERATORS:
        raise UserError(f"trainer.accelerator={accelerator}: choose one of {', '.join(ACCELERATORS)}.")
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    wanted = {"auto": ("cuda", "mps", "cpu"), "gpu": ("cuda", "mps")}.get(accelerator, (accelerator,))
    for name in wanted:
        if here[name]:
            return name
    raise UserError(f"trainer.accelerator={accelerator}: there is no such device here; use trainer=cpu.")


def resolve_precision(precision: str | int, accelerator: str) -> str:
    """Return the precision, `auto` resolved to what trains fastest at equal quality.

    That is bf16 where the processor computes with it (CUDA capability 8.0, AVX-512 bf16), fp16 with loss scaling on
    CUDA 7.x, full precision elsewhere.

    Args:
        precision: `auto` or one of `PRECISIONS`.
        accelerator: `cuda`, `mps` or `cpu`.

    Raises:
        UserError: there is no such precision.
    """
    if precision != "auto":
        named = PRECISIONS.get(str(precision))
        if named is None:
            known = ", ".join(dict.fromkeys(PRECISIONS.values()))
            raise UserError(f"trainer.precision={precision}: choose auto, {known}.")
        return named
    if accelerator == "cuda":
        capability = torch.cuda.get_device_capability()
        return "bf16-mixed" if capability >= (8, 0) else "16-mixed" if capability >= (7, 0) else "32-true"
    if accelerator == "cpu" and cpu_has_bf16():
        return "bf16-mixed"
    return "32-true"


@cache
def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 in hardware (AVX-512 bf16 or AMX)."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported and supported())


def visible_gpus() -> list[str]:
    """Return the names of the GPUs, as `CUDA_VISIBLE_DEVICES` takes them; empty if there are none."""
    if not torch.cuda.is_available():
        return []
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    return listed.split(",") if listed else [str(index) for index in range(torch.cuda.device_count())]


def device_name(accelerator: str) -> str:
    """Return a readable name of the device, e.g. `NVIDIA H200` or `cpu (AVX512)`."""
    if accelerator == "cuda":
        return torch.cuda.get_device_name()
    return f"cpu ({torch.backends.cpu.get_cpu_capability()})" if accelerator == "cpu" else accelerator
