"""What an argument of the command line sets: `key=value`, `group=choice` or `group/below=choice`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Typed:
    """An override as it was typed.

    Attributes:
        key: `data.n_clips.train`, `optimizer` or `data/synth_stems/unseen`; without what stands before it (`+`, `~`).
        value: as text.
        added: whether `+` or `++` stood before it.
    """

    key: str
    value: str
    added: bool

    @property
    def is_choice(self) -> bool:
        """Whether it is surely a choice of a group below another; `optimizer=sgd` may be a key as well."""
        return "/" in self.key

    @property
    def root(self) -> str:
        """The key or group at the root of the configuration that it belongs to; of `mode/test/class_map` the last."""
        return self.path[-1] if self.is_choice and self.path[0] == "mode" else self.path[0]

    @property
    def path(self) -> list[str]:
        """Its parts: `["data", "n_clips", "train"]`."""
        return self.key.replace("/", ".").split(".")

    def is_below(self, key: str) -> bool:
        """Whether it is a key, or one of those within."""
        parts = key.split(".")
        return self.path[: len(parts)] == parts


def read(argument: str) -> Typed | None:
    """Read an argument; `None` for a flag.

    Args:
        argument: such as `++data.seed=2`, `~callbacks.best` or `-m`.
    """
    if argument.startswith("-"):
        return None
    key, _, value = argument.partition("=")
    name = key.lstrip("+~").partition("@")[0]
    return Typed(name, value, added=key.startswith("+"))
