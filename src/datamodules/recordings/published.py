"""What published data sets of recordings have in common: a card, and a number of files that should be there."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from src.datamodules.options import Incomplete
from src.datamodules.recordings.base import RecordingOptions, Recordings
from src.messages import say
from src.preparation.card import Card, Part
from src.splitting.recording import Recording


class PublishedOptions(RecordingOptions):
    """Options of every published data set.

    Args:
        incomplete: whether fewer files than were published are enough.
    """

    incomplete: Incomplete = False


class Published(Recordings):
    """A published data set; a subclass sets `card`, lists the files and knows how many there should be.

    Attributes:
        remedy: what a user can do about missing files besides getting them, followed by a comma; or empty.
    """

    card: ClassVar[Card]
    remedy: ClassVar[str] = ""

    Options = PublishedOptions
    options: PublishedOptions

    @abstractmethod
    def listed(self) -> list[Recording]:
        """Return the files that are there, see `Recordings.recordings`.

        Raises:
            UserError: the folder does not have the layout of the data set.
        """

    @abstractmethod
    def found(self, listed: Sequence[Recording]) -> list[Part]:
        """Return how many files of each part that is used were published, and how many of them are listed."""

    def recordings(self) -> list[Recording]:
        """Return the files.

        Raises:
            UserError: files are missing, unless the options say that this does not matter; or as `listed`.
        """
        listed = self.listed()
        if not self.options.incomplete:
            self.card.check_complete(self.found(listed), self.folder_of_data(), self.remedy)
        return listed

    def prepare_data(self) -> None:
        """Prepare the data; before the files are decoded first, print how many there are, and should be.

        Raises:
            UserError: see `Recordings`.
        """
        if not self._survey.cache.is_complete():
            say(f"{self.name}: found {', '.join(map(str, self.found(self._survey.listed)))}")
        super().prepare_data()
