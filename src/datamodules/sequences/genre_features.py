"""The genre of clips of the Free Music Archive, from published feature files."""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from src.datamodules.sequences.label_files import Label, LabelledFile, read_genres
from src.datamodules.sequences.label_pictures import draw_merging
from src.datamodules.sequences.merging import check_genres, merging
from src.datamodules.sequences.published_features import FeatureFileDataModule, FeatureFileOptions
from src.errors import UserError
from src.preparation.card import Card
from src.rules import each, null, table, words
from src.splitting.recording import Recording


class GenreFeatures(FeatureFileDataModule):
    """Clips of 30 s of 20 genres, merged into 10 classes as published, with the published test split.

    Args:
        merge: the genres of each class; classes that do not occur are ignored. `None`: each genre is a class.
        drop: genres that are left out.
        options: see `FeatureFileOptions`.

    Raises:
        UserError: an option lies outside its range, a table cannot be used, or a genre is neither merged nor dropped.
    """

    name = "genre_features"
    target = "multiclass"
    folder_name = "fma_genre_spectrograms"
    card = Card(
        name="FMA genre feature files (patreco3)",
        url="https://www.kaggle.com/datasets/geoparslp/patreco3-multitask-affective-music",
        size="3,834 clips; one archive with the mood set",
        licence="FMA's metadata CC BY 4.0, its sound under each artist's own licence",
        citation=(
            "M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson: FMA: A Dataset for Music Analysis, ISMIR 2017; "
            "feature files of the Pattern Recognition course of NTUA, lab 3"
        ),
        layout="fma_genre_spectrograms and fma_genre_spectrograms_beat",
    )

    class Options(FeatureFileOptions):
        """See `GenreFeatures`."""

        merge: Annotated[Mapping[str, Sequence[str]] | None, table | null("for each genre as it is")]
        drop: Annotated[tuple[str, ...], each(words("a genre"), least=0)]

        def check(self) -> None:
            """Check that no genre is merged or dropped twice.

            Raises:
                UserError: one is.
            """
            merging(self.merge or {}, self.drop)

    options: Options

    @functools.cached_property
    def merging(self) -> dict[str, str | None]:
        """The class of each genre, `None` for those that are dropped."""
        return merging(self.options.merge or {}, self.options.drop)

    def check_folder(self) -> None:
        """Check that the folder exists and has training labels of at least two classes.

        Raises:
            UserError: a check fails.
        """
        super().check_folder()
        if len(self.classes) < 2:
            raise UserError(
                f"data.merge leaves {len(self.classes)} class(es) of the genres that occur; name at least two"
            )

    def read_labels(self, table: Path) -> list[Label]:
        """Read a table of genres.

        Raises:
            UserError: the table cannot be used, or a genre is neither merged nor dropped.
        """
        labels = read_genres(table)
        genres = [label.values[0] for label in labels]
        if self.options.merge is None:
            self.merging = {**{genre: genre for genre in genres}, **self.merging}
        check_genres(str(table), genres, self.merging)
        return labels

    def names(self) -> list[str]:
        """Return the classes that occur, sorted; all classes if there are no labels."""
        return sorted({name for genre in self._genres() or self.merging if (name := self.merging[genre])})

    def item(self, clip: LabelledFile, split: str | None) -> Recording | None:
        """Return a clip as an item with its class; `None` if its genre is dropped."""
        classes = [self.merging[genre] for genre in clip.values]
        if None in classes:
            return None
        labels = tuple(name for name in classes if name)
        return Recording(path=clip.path, labels=labels, group=clip.clip, split=split, problem=clip.problem)

    def contact_sheet(self, folder: Path) -> None:
        """Write a few training items of each class to be looked at, and how often each class and genre occurs.

        Args:
            folder: gets pictures, `classes.csv`/`.png`, and `merging.png`: all labels by genre and by class.
        """
        super().contact_sheet(folder)
        draw_merging(self._genres(), self.merging, folder / "merging.png")

    def _genres(self) -> Counter[str]:
        return Counter(label.values[0] for labels in self.labels.values() for label in labels)
