"""Classes of options that check themselves, and the roles of options.

An option is annotated with its type, its rule and its roles, if it has any:

    class Options(DataOptions):
        root: Annotated[str | None, path | null(), Role.PATH, Role.INPUT]
        channels: Annotated[int, one_of(1, 2)]
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from typing import Any, ClassVar, ParamSpec, Self, dataclass_transform, get_type_hints

from src.errors import UserError
from src.rules import Rule
from src.words import did_you_mean

P = ParamSpec("P")


class Role(Enum):
    """What an option is to the command line and to a trial's identity."""

    PATH = auto()
    """One path, taken from the command line as it is typed."""
    PATHS = auto()
    """A name or path, or a list of them; commas separate the alternatives of a sweep."""
    TEXT = auto()
    """Text, taken from the command line as it is typed, unless it is in quotes."""
    INPUT = auto()
    """Names a file or folder whose content counts for the trial, wherever it lies."""
    NO_EFFECT = auto()
    """Can't change a trial's result."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
class Options:
    """A frozen dataclass whose options are checked by their rules when it is made; so are its subclasses.

    Attributes:
        group: that its keys lie in, such as `data`; empty for keys of the root.

    Raises:
        UserError: a rule does not accept a value, or two values do not fit each other.
    """

    group: ClassVar[str] = ""
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        for name, value in _checked(self.key(), hints(type(self)), vars(self)):
            object.__setattr__(self, name, value)
        self.check()

    def check(self) -> None:
        """Refuse values that do not fit each other.

        Raises:
            UserError: there are such.
        """

    @classmethod
    def key(cls, name: str = "") -> str:
        """Return the key of an option as it is typed."""
        return f"{cls.group}.{name}" if cls.group else name

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Self:
        """Make the options from a group of a configuration.

        Args:
            options: by name.

        Raises:
            UserError: one is unknown, missing or refused.
        """
        own = [field for field in dataclasses.fields(cls) if field.init]
        names = [field.name for field in own]
        for name in options:
            if name not in names:
                raise UserError(f"{cls.key(name)}: there is no such option.{did_you_mean(name, names)}")
        for field in own:
            needed = field.default is field.default_factory is dataclasses.MISSING
            if needed and field.name not in options:
                raise UserError(f"{cls.key(field.name)} is missing: give {cls.key(field.name)}=VALUE.")
        return cls(**options)


def checks(group: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Have the annotated arguments of a constructor checked by their rules; a decorator.

    Args:
        group: that their keys lie in, such as `model`.
    """

    def decorate(make: Callable[P, None]) -> Callable[P, None]:
        signature = inspect.signature(make)

        @functools.wraps(make)
        def checked(*positional: P.args, **named: P.kwargs) -> None:
            bound = signature.bind(*positional, **named)
            bound.arguments.update(_checked(f"{group}.", hints(make), bound.arguments))
            make(*bound.args, **bound.kwargs)

        return checked

    return decorate


def hints(of: Any) -> dict[str, Any]:
    """Return the annotations of a class of options or of a constructor, by name."""
    return get_type_hints(of, include_extras=True)


@functools.cache
def roles(of: type) -> dict[str, frozenset[Role]]:
    """Return the roles of the options of a class, those that have one.

    Args:
        of: a class of options, one with such a class as `Options`, one whose constructor `checks` decorates, or any
            other.
    """
    options: Any = of if issubclass(of, Options) else getattr(of, "Options", None)
    if not (isinstance(options, type) and issubclass(options, Options)):
        options = getattr(of.__init__, "__wrapped__", None)  # type: ignore[misc]
    annotated = hints(options) if options else {}
    found = {name: frozenset(_annotations(hint, Role)) for name, hint in annotated.items()}
    return {name: of_name for name, of_name in found.items() if of_name}


def _checked(prefix: str, annotated: Mapping[str, Any], values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, rule(prefix + name, value))
        for name, value in values.items()
        for rule in _annotations(annotated.get(name), Rule)
    ]


def _annotations(hint: Any, kind: type) -> Iterator[Any]:
    return (found for found in getattr(hint, "__metadata__", ()) if isinstance(found, kind))
