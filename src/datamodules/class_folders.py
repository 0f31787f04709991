"""Sound files below a folder, labelled by their folders or by a table."""

from dataclasses import replace
from pathlib import Path

from src.audio.folders import is_sound, say_others
from src.datamodules.label_table import check_against_files, read_labels
from src.errors import UserError
from src.paths import not_a_file, visible_names
from src.splitting.recording import Recording


def labelled_files(root: Path | None, table: str | None) -> list[Recording]:
    """List the sound files below a folder; none where it is missing. Those that are no regular files have a `problem`.

    Args:
        root: the folder.
        table: name of a CSV file in it, see `src.datamodules.label_table`; `None`: `<root>/<class>/…`.

    Raises:
        UserError: the table does not exist or cannot be used, or does not name exactly the files that exist.
    """
    if root is None or not root.is_dir():
        return []
    paths = [path.as_posix() for path in visible_names(root) if is_sound(path)]
    if table is None:
        return _checked(root, [_in_its_folder(path) for path in paths])
    if not (root / table).is_file():
        raise UserError(f"data.table={table}: {root} has no such file; name a CSV file in that folder")
    recordings = read_labels(root / table)
    check_against_files(root / table, recordings, paths, root)
    return _checked(root, recordings)


def say_passed_over(name: str, root: Path, table: str | None) -> None:
    """Print how many files below a folder are neither sound files nor the table; print nothing where all are.

    Args:
        name: of the data set.
        root: the folder.
        table: see `labelled_files`.
    """
    say_others(name, root, () if table is None else (Path(table).as_posix(),))


def check_classes_of(root: Path, table: str | None, n_classes: int) -> None:
    """Check that there are at least two classes.

    Args:
        root: the folder.
        table: see `labelled_files`.
        n_classes: number of classes.

    Raises:
        UserError: there are fewer.
    """
    if n_classes < 2:
        where = f"labels in {table}" if table else "folders with sound files in it"
        raise UserError(f"{root} has {n_classes} {where}; give two classes or more to tell apart")


def _checked(root: Path, recordings: list[Recording]) -> list[Recording]:
    return [replace(item, problem=item.problem or not_a_file(root / item.path)) for item in recordings]


def _in_its_folder(path: str) -> Recording:
    folder, slash, _ = path.partition("/")
    problem = "" if slash else "lies in no class's folder"
    return Recording(path=path, labels=(folder,) if slash else (), group=path, problem=problem)
