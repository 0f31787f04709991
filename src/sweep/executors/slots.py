"""Places for trials to run at the same time: GPUs, or shares of the cores."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.errors import UserError


@dataclass(frozen=True)
class Slot:
    """A place for one trial at a time.

    Args:
        name: as the ledger shows it, e.g. `gpu:1` or `cpu:0`.
        gpus: the devices its trial may see, empty on a CPU.
        threads: threads its trial may use.
    """

    name: str
    gpus: tuple[str, ...]
    threads: int

    def environment(self, threads: int | None = None) -> dict[str, str]:
        """The variables that a trial in this slot starts with."""
        variables = {"OMP_NUM_THREADS": str(threads or self.threads)}
        if self.gpus:
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        return variables


def cpu_slots(trials: int, cores: int) -> list[Slot]:
    """As many slots as keep all cores busy: one a core, or more threads each where trials are fewer."""
    count = max(1, min(trials, cores))
    spare = cores % count
    return [Slot(f"cpu:{i}", (), max(1, cores // count + (i < spare))) for i in range(count)]


def gpu_slots(gpus: Sequence[str], trials_per_gpu: int, gpus_a_trial: int, cores: int) -> list[Slot]:
    """Slots over GPUs: several on each, or one over several.

    Args:
        gpus: what `CUDA_VISIBLE_DEVICES` names, e.g. `["0", "1"]`.
        trials_per_gpu: trials side by side on one GPU.
        gpus_a_trial: devices that one trial needs (`trainer.devices`).
        cores: cores shared by all slots.

    Raises:
        UserError: a trial needs more GPUs than there are, or the numbers exclude each other.
    """
    if trials_per_gpu < 1:
        raise UserError(f"hydra.launcher.trials_per_gpu={trials_per_gpu}: choose 1 or more.")
    if gpus_a_trial > len(gpus):
        raise UserError(
            f"trainer.devices={gpus_a_trial}: there are {len(gpus)} GPUs; choose at most that many."
        )
    if gpus_a_trial > 1 and trials_per_gpu > 1:
        raise UserError(
            "trials_per_gpu and several devices a trial exclude each other; set one of them to 1."
        )
    groups = [tuple(gpus[i : i + gpus_a_trial]) for i in range(0, len(gpus) - gpus_a_trial + 1, gpus_a_trial)]
    count = len(groups) * trials_per_gpu
    threads = max(1, cores // count)
    return [
        Slot(f"gpu:{'+'.join(group)}" + (f"/{k}" if trials_per_gpu > 1 else ""), group, threads)
        for k in range(trials_per_gpu)
        for group in groups
    ]
