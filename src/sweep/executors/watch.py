"""From the files in a trial's folder to events."""

from src.sweep.executors.base import Event, Progressed, Started, Ticket
from src.sweep.folder import TrialFolder
from src.sweep.progress import ProgressReader
from src.sweep.state import State


class FolderWatch:
    """Sees in a placed job's folder that its process has begun, and each epoch.

    Args:
        ticket: the job's.
    """

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._folder = TrialFolder(ticket.folder)
        self._progress = ProgressReader(ticket.folder)
        self.started = False

    def news(self) -> list[Event]:
        """Return `Started` and `Progressed` for what the files say now and did not say before."""
        events: list[Event] = []
        if not self.started and self._folder.status().get("state", State.QUEUED) != State.QUEUED:
            self.started = True
            events.append(Started(self._ticket))
        return [*events, *(Progressed(self._ticket, line) for line in self._progress.new_lines())]
