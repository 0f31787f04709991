"""Any folder of sound files, with one subfolder for each class or a table of labels."""

from typing import Annotated, Any

from src.datamodules.class_folders import check_classes_of, labelled_files, say_passed_over
from src.datamodules.recordings.base import RecordingOptions, Recordings
from src.rules import null, one_of, words
from src.splitting.recording import Recording


class Folder(Recordings):
    """Sound files in `<root>/<class>/…`, or anywhere below the root with a table that labels them.

    A table may fix the split; where it has no file for `val` or `test`, that split is drawn from `train`. Without a
    table, or where its group is empty, each file is a group of its own.

    Args:
        root: the folder.
        table: name of a CSV file in it, see `src.datamodules.label_table`; `None`: the subfolders are the classes.
        target: `multiclass`, `multilabel`, or `auto`: multi-label where a file of the table has several labels.
        options: see `RecordingOptions`.

    Raises:
        UserError: an option lies outside its range, or the table cannot be used.
    """

    name = "folder"
    target = "multiclass"

    class Options(RecordingOptions):
        """See `Folder`."""

        table: Annotated[str | None, words("the name of a CSV file in data.root") | null()]
        target: Annotated[str, one_of("auto", "multiclass", "multilabel")]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.table = self.options.table
        self._files = labelled_files(self.root, self.table)
        max_labels = max((len(recording.labels) for recording in self._files), default=0)
        self.target = self.options.target
        if self.target == "auto":
            self.target = "multilabel" if max_labels > 1 else "multiclass"
        self.classes = tuple(sorted({label for recording in self._files for label in recording.labels}))
        if self.shares is not None:
            fixed = {recording.split for recording in self._files}
            self.shares = {split: share for split, share in self.shares.items() if split not in fixed}

    def check(self) -> None:
        """Check that the folder exists and has at least two classes.

        Raises:
            UserError: it does not.
        """
        check_classes_of(self.folder_of_data(), self.table, len(self.classes))

    def resolved(self) -> dict[str, Any]:
        """Return the folder as a full path, and the kind of targets."""
        return {**super().resolved(), "target": self.target}

    def prepare_data(self) -> None:
        """Prepare the data; when the files are decoded first, also print how many others lie in the folder.

        Raises:
            UserError: see `Recordings`.
        """
        if not self._survey.cache.is_complete():
            say_passed_over(self.name, self.folder_of_data(), self.table)
        super().prepare_data()

    def recordings(self) -> list[Recording]:
        """Return the sound files."""
        return self._files
