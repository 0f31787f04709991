"""Reads an argument of the command line: `key=value`, `group=choice` or `group/below=choice`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Typed:
    """An override as it was typed.

    Attributes:
        key: `data.n_clips.train`, `optimizer` or `data/synth_stems/unseen`; without a leading `+` or `~`.
        value: the text after `=`.
        added: whether `+` or `++` stood before it.
    """

    key: str
    value: str
    added: bool

    @property
    def is_choice(self) -> bool:
        """Whether it certainly chooses from a group, one below another; `optimizer=sgd` alone might also set a key."""
        return "/" in self.key

    @property
    def root(self) -> str:
        """The key or group at the root of the configuration that it belongs to; the last of `mode/test/class_map`."""
        return self.path[-1] if self.is_choice and self.path[0] == "mode" else self.path[0]

    @property
    def path(self) -> list[str]:
        """The names in its key: `["data", "n_clips", "train"]`."""
        return self.key.replace("/", ".").split(".")

    def is_below(self, key: str) -> bool:
        """Whether it sets this key or one below it."""
        names = key.split(".")
        return self.path[: len(names)] == names


def read(argument: str) -> Typed | None:
    """Return an argument as an override; `None` for a flag such as `-m`.

    Args:
        argument: such as `++data.seed=2`, `~callbacks.best` or `-m`.
    """
    if argument.startswith("-"):
        return None
    key, _, value = argument.partition("=")
    name = key.lstrip("+~").partition("@")[0]
    return Typed(name, value, added=key.startswith("+"))
