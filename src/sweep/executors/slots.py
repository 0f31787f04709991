"""Slots in which trials run at the same time: on GPUs, or on a share of the cores."""

from collections.abc import Sequence
from dataclasses import dataclass

from src.errors import UserError


@dataclass(frozen=True)
class Slot:
    """A slot for one trial at a time.

    Args:
        name: as the ledger shows it, e.g. `gpu:1` or `cpu:0`.
        gpus: names of the GPUs that its trial may use, empty on a CPU.
        threads: number of threads that its trial may use.
    """

    name: str
    gpus: tuple[str, ...]
    threads: int

    def environment(self, threads: int | None = None) -> dict[str, str]:
        """Return the environment variables for a trial in this slot.

        Args:
            threads: in place of the slot's own number.
        """
        variables = {"OMP_NUM_THREADS": str(threads or self.threads)}
        if self.gpus:
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        return variables


def cpu_slots(trials: int, cores: int) -> list[Slot]:
    """Return slots that use all cores: one for each core, or fewer with several threads if there are fewer trials."""
    count = max(1, min(trials, cores))
    spare = cores % count
    return [Slot(f"cpu:{i}", (), max(1, cores // count + (i < spare))) for i in range(count)]


def gpu_slots(gpus: Sequence[str], trials_per_gpu: int, gpus_a_trial: int, cores: int) -> list[Slot]:
    """Return slots over GPUs: several on each GPU, or each over several GPUs.

    Args:
        gpus: names for `CUDA_VISIBLE_DEVICES`, e.g. `["0", "1"]`.
        trials_per_gpu: number of trials that share a GPU.
        gpus_a_trial: number of GPUs that a trial needs (`trainer.devices`).
        cores: number of cores that all slots share.

    Raises:
        UserError: a trial needs more GPUs than there are, or both numbers are above 1.
    """
    if trials_per_gpu < 1:
        raise UserError(f"hydra.launcher.trials_per_gpu={trials_per_gpu}: choose 1 or more.")
    if gpus_a_trial > len(gpus):
        raise UserError(
            f"trainer.devices={gpus_a_trial}: there are {len(gpus)} GPUs; choose at most that many."
        )
    if gpus_a_trial > 1 and trials_per_gpu > 1:
        raise UserError(
            "hydra.launcher.trials_per_gpu and trainer.devices cannot both be above 1; set one of them to 1."
        )
    groups = [tuple(gpus[i : i + gpus_a_trial]) for i in range(0, len(gpus) - gpus_a_trial + 1, gpus_a_trial)]
    count = len(groups) * trials_per_gpu
    threads = max(1, cores // count)
    return [
        Slot(f"gpu:{'+'.join(group)}" + (f"/{k}" if trials_per_gpu > 1 else ""), group, threads)
        for k in range(trials_per_gpu)
        for group in groups
    ]
