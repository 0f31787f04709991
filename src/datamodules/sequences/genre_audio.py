"""Any folder of music by genre, as mel and chroma features, beat by beat if wanted."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from src.audio.sound_file import decoders
from src.datamodules.class_folders import check_classes_of, labelled_files, say_passed_over
from src.datamodules.options import Folder
from src.datamodules.sequences.audio_maker import AudioClips, frames_of_clip
from src.datamodules.sequences.base import SequenceDataModule, SequenceOptions
from src.datamodules.sequences.export import write_feature_files, write_sound
from src.errors import UserError
from src.fingerprint import Memory, files_hash
from src.options import Role
from src.paths import no_folder
from src.rules import flag, null, seconds, words
from src.splitting.recording import Recording
from src.splitting.splits import SPLITS

_LIBRARIES = ("librosa", "numpy", "scipy", "soxr")


class GenreAudio(SequenceDataModule):
    """Sound files in `<root>/<genre>/…`, or anywhere below the root with a table that labels them.

    An item is the middle of a file. A table may fix the split, or keep all files of a group, such as an artist or an
    album, in one split; without a group each file is one of its own. Where the table has no file for `val` or `test`,
    that split is drawn from `train`.

    Args:
        root: the folder.
        table: name of a CSV file in it, see `src.datamodules.label_table`; `None`: the subfolders are the genres.
        clip_seconds: length of an item, s; a shorter file is used whole.
        feature_files: whether to also write the features in the published format, see
            `src.datamodules.sequences.export`.
        options: see `SequenceOptions`; without `max_frames` all frames of a clip are kept, with `beat_sync` 4.3 per
            second, as published.

    Raises:
        UserError: an option lies outside its range, or the table cannot be used.
    """

    name = "genre_audio"

    class Options(SequenceOptions):
        """See `GenreAudio`."""

        root: Folder
        table: Annotated[str | None, words("the name of a CSV file in data.root") | null()]
        clip_seconds: Annotated[float, seconds]
        feature_files: Annotated[bool, flag, Role.NO_EFFECT]

    options: Options

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        options = self.options
        self.root = None if options.root is None else Path(options.root).expanduser().resolve()
        self.table, self.clip_seconds, self.feature_files = (
            options.table,
            options.clip_seconds,
            options.feature_files,
        )
        self._files = labelled_files(self.root, self.table)
        self.classes = tuple(sorted({label for item in self._files for label in item.labels}))
        if self.shares is not None:
            fixed = {item.split for item in self._files}
            self.shares = {split: share for split, share in self.shares.items() if split not in fixed}

    def most_frames(self) -> int:
        """Return the number of frames of a clip; with `beat_sync` 4.3 per second, as published."""
        return frames_of_clip(self.options.clip_seconds, beat_sync=self.beat_sync)

    def check(self) -> None:
        """Check that the folder exists and has at least two genres, and that the labels allow the split.

        Raises:
            UserError: a check fails.
        """
        self._check_folder()
        self.check_items()

    def resolved(self) -> dict[str, Any]:
        """Return the folder as a full path, and the number of frames that are kept."""
        return {**super().resolved(), "root": str(self._folder_of_data())}

    def items(self) -> list[Recording]:
        """Return the sound files.

        Raises:
            UserError: the folder is missing, or has fewer than two genres.
        """
        self._check_folder()
        return self._files

    def maker(self) -> AudioClips:
        """Return the maker of the features of files."""
        return AudioClips(
            root=self._folder_of_data(),
            paths=tuple(item.path for item in self._files),
            seconds=self.clip_seconds,
            beat_sync=self.beat_sync,
            max_frames=self.max_frames,
        )

    def store_recipe(self) -> Mapping[str, Any]:
        """Return the clip's length, a hash of the files, and versions of libraries."""
        paths = [item.path for item in self._files]
        return {
            "files": files_hash(self._folder_of_data(), paths, self.cache_dir / Memory.LISTS),
            "clip_seconds": self.clip_seconds,
            **decoders(),
            "versions": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        }

    def prepare_data(self) -> None:
        """Build the features and, if wanted, the feature files in the data's folder.

        Raises:
            UserError: see `SequenceDataModule`.
        """
        if not self.store.cache.is_complete():
            say_passed_over(self.name, self._folder_of_data(), self.table)
        super().prepare_data()
        if self.feature_files:
            write_feature_files(
                self.folder / "feature_files",
                self.used_items(),
                np.concatenate([self.numbers[split] for split in SPLITS]).tolist(),
                self._features,
                beats=self.beat_sync,
            )

    def write_item(self, number: int, stem: Path) -> None:
        """Write the picture and the sound of an item.

        Args:
            number: of the item in the list of all.
            stem: path without suffix.
        """
        super().write_item(number, stem)
        write_sound(stem, self.maker().sound(number))

    def _check_folder(self) -> None:
        check_classes_of(self._folder_of_data(), self.table, len(self.classes))

    def _features(self, number: int) -> np.ndarray:
        frames = int(self._stored["frames"][number])
        return np.asarray(self._stored["features"][number, :, :frames], np.float32)

    def _folder_of_data(self) -> Path:
        root = self.root
        if not isinstance(root, Path) or not root.is_dir():
            problem = "data.root is not set" if root is None else no_folder(Path(root))
            raise UserError(f"{problem}: name a folder with a subfolder for each genre, data.root=FOLDER")
        return root
