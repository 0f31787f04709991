"""Turns changes of the files in a trial's folder into events."""

from src.sweep.executors.base import Event, Progressed, Started, Ticket
from src.sweep.folder import TrialFolder
from src.sweep.progress import ProgressReader
from src.sweep.state import State


class FolderWatch:
    """Watches the folder of a placed job: the start of its process, and each epoch.

    Args:
        ticket: of the job.
    """

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._folder = TrialFolder(ticket.folder)
        self._progress = ProgressReader(ticket.folder)
        self.started = False

    def news(self) -> list[Event]:
        """Return `Started` and `Progressed` for all that is new in the files since the last call."""
        events: list[Event] = []
        if not self.started and self._folder.status().get("state", State.QUEUED) != State.QUEUED:
            self.started = True
            events.append(Started(self._ticket))
        return [*events, *(Progressed(self._ticket, line) for line in self._progress.new_lines())]
