"""Distributed training on one machine whose processes listen to that machine only."""

import atexit
import os
import socket
from datetime import timedelta

import torch.distributed as dist
from lightning.pytorch.strategies import DDPStrategy, StrategyRegistry
from torch.distributed import TCPStore  # type: ignore[attr-defined]

LOOPBACK = "127.0.0.1"
_INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
"""Environment variables that name the network interface which a backend of `torch.distributed` uses."""


class LocalDDPStrategy(DDPStrategy):
    """Lightning's DDP, except that processes on one machine listen to no other.

    The store by which PyTorch's processes find each other, and gloo's sockets, listen on all interfaces otherwise, and
    believe whoever connects.
    """

    def setup_distributed(self) -> None:
        """Join the process group."""
        environment = self.cluster_environment
        assert environment is not None
        if environment.main_address == LOOPBACK and not dist.is_initialized():
            self.set_world_ranks()
            self._join(environment.main_port)
        super().setup_distributed()

    def _join(self, port: int) -> None:
        if interface := _loopback_interface():
            for name in _INTERFACES:
                os.environ.setdefault(name, interface)
        device = self.root_device
        timeout = self._timeout or dist.default_pg_timeout
        dist.init_process_group(
            self._get_process_group_backend(),
            store=_store(port, self.global_rank, self.world_size, timeout),
            rank=self.global_rank,
            world_size=self.world_size,
            timeout=timeout,
            device_id=device if device.type != "cpu" else None,
        )
        atexit.register(_leave)


def listen_locally() -> None:
    """Let Lightning's names for DDP mean `LocalDDPStrategy`, which it then takes also where it chooses DDP itself."""
    for entry in StrategyRegistry.values():
        if entry["strategy"] is DDPStrategy:
            entry["strategy"] = LocalDDPStrategy


def _store(port: int, rank: int, world_size: int, timeout: timedelta) -> TCPStore:
    listening = socket.create_server((LOOPBACK, port)).detach() if rank == 0 else None
    return TCPStore(
        LOOPBACK, port, world_size, is_master=rank == 0, timeout=timeout, master_listen_fd=listening
    )


def _loopback_interface() -> str:
    """Return the name of the loopback interface, such as `lo`; empty where it is not known."""
    return next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), "")


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
