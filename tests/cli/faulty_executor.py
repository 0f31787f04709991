"""An executor with a fault of its own."""

from collections.abc import Sequence

from src.sweep.executors.base import Event, Progressed, Ticket
from src.sweep.executors.local import LocalExecutor


class FaultyExecutor(LocalExecutor):
    """Raises when the first epoch is done."""

    def poll(self, tickets: Sequence[Ticket]) -> list[Event]:
        events = super().poll(tickets)
        if any(isinstance(event, Progressed) for event in events) and not hasattr(self, "_raised"):
            self._raised = True
            raise RuntimeError("a fault of the executor")
        return events
