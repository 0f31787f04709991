"""Any folder of sound files: a folder a class, or a table of labels."""

from pathlib import Path
from typing import Any

from src.audio.files import SUFFIXES
from src.datamodules.recordings import Recordings
from src.errors import UserError
from src.recordings.label_table import check_against_files, read_labels
from src.recordings.options import one_of
from src.recordings.recording import Recording
from src.recordings.visible import visible_files


class Folder(Recordings):
    """Sound files in `<root>/<class>/…`, or anywhere below the root with a table that labels them.

    A table may fix the split; where no file of it is to validate or to test, that share is taken from `train`.
    Without a table, or with an empty group in it, each file is a group of its own.

    Args:
        root: the folder.
        table: name of a CSV file in it, see `src.recordings.label_table`; `None` takes folders as classes.
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
        self._files = _files(None if root is None else Path(root).expanduser().resolve(), table)
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
        root = self.folder_of_data()
        if len(self.classes) < 2:
            where = f"labels in {self.table}" if self.table else "folders with sound files in it"
            raise UserError(f"{root} has {len(self.classes)} {where}; give two classes or more to tell apart")

    def resolved(self) -> dict[str, Any]:
        """Give the folder as a full path, and the kind of targets."""
        return {**super().resolved(), "target": self.target}

    def recordings(self) -> list[Recording]:
        """List the sound files."""
        return self._files


def _files(root: Path | None, table: str | None) -> list[Recording]:
    """List the sound files below a folder; none where it is missing."""
    if root is None or not root.is_dir():
        return []
    paths = [path.as_posix() for path in visible_files(root) if path.suffix.lower() in SUFFIXES]
    if table is None:
        return [_in_its_folder(path) for path in paths]
    if not (root / table).is_file():
        raise UserError(f"data.table={table}: there is no such file in {root}; name a CSV file there")
    recordings = read_labels(root / table)
    check_against_files(root / table, recordings, paths)
    return recordings


def _in_its_folder(path: str) -> Recording:
    folder, slash, _ = path.partition("/")
    problem = "" if slash else "lies in no class's folder"
    return Recording(path=path, labels=(folder,) if slash else (), group=path, problem=problem)
