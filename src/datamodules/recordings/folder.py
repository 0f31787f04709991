"""Any folder of sound files: a folder a class, or a table of labels."""

from pathlib import Path
from typing import Any

from src.datamodules.class_folders import check_classes_of, labelled_files
from src.datamodules.options import one_of
from src.datamodules.recordings.base import Recordings
from src.splitting.recording import Recording


class Folder(Recordings):
    """Sound files in `<root>/<class>/…`, or anywhere below the root with a table that labels them.

    A table may fix the split; where no file of it is to validate or to test, that share is taken from `train`.
    Without a table, or with an empty group in it, each file is a group of its own.

    Args:
        root: the folder.
        table: name of a CSV file in it, see `src.datamodules.label_table`; `None` takes folders as classes.
        target: `multiclass`, `multilabel`, or `auto`: multi-label where a file of the table has several labels.
        options: see `Recordings`.

    Raises:
        UserError: an option lies outside its range, or the table cannot be used.
    """

    name = "folder"
    target = "multiclass"

    def __init__(self, *, root: str | Path | None, table: str | None, target: str, **options: Any) -> None:
        one_of("target", target, ("auto", "multiclass", "multilabel"))
        self.table = table
        self._files = labelled_files(None if root is None else Path(root).expanduser().resolve(), table)
        most = max((len(recording.labels) for recording in self._files), default=0)
        self.target = target if target != "auto" else "multilabel" if most > 1 else "multiclass"
        classes = sorted({label for recording in self._files for label in recording.labels})
        super().__init__(root=root, classes=classes, **options)
        if self.shares is not None:
            fixed = {recording.split for recording in self._files}
            self.shares = {part: share for part, share in self.shares.items() if part not in fixed}

    def check(self) -> None:
        """Refuse a missing folder, and fewer than two classes.

        Raises:
            UserError: one of those.
        """
        check_classes_of(self.folder_of_data(), self.table, len(self.classes))

    def resolved(self) -> dict[str, Any]:
        """Give the folder as a full path, and the kind of targets."""
        return {**super().resolved(), "target": self.target}

    def recordings(self) -> list[Recording]:
        """List the sound files."""
        return self._files
