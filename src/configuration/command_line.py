"""What a person types, and what Hydra's grammar makes of it: paths are quoted, errors name the remedy."""

import os
import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from src.configuration.choices import choices
from src.configuration.known_keys import holders, known_keys
from src.configuration.settings import LISTS, root_roles
from src.configuration.trust import trust
from src.options import Role
from src.paths import CONF
from src.processes import WANDB_SERVICE, call
from src.words import listed

_OF_CHECKPOINTS = ("mode=test", "mode=predict", "mode=generate")
_TARGET = re.compile(r"^ *_target_: *(\S+)", re.MULTILINE)
_PLAIN = re.compile(r"[\w./:@%+-]*", re.ASCII)
_NOT_TEXT = re.compile(
    r"[+-]?[\d_.]+(e[+-]?[\d_]+)?|[+-]?(inf|nan)|true|false|null", re.ASCII | re.IGNORECASE
)
_QUOTED = re.compile(r"'.*'|\".*\"", re.DOTALL)


def open_data_keys(arguments: Sequence[str]) -> list[str]:
    """With a checkpoint there is no data set to begin with: what is typed of `data` is added, to change its own.

    Args:
        arguments: of the command line.
    """
    if not any(argument in _OF_CHECKPOINTS for argument in arguments):
        return list(arguments)
    chosen = any(argument.startswith(("data=", "experiment=")) for argument in arguments)
    added = {"data.": "++"} if chosen else {"data.": "++", "data/": "+"}
    return [f"{added.get(argument[:5], '')}{argument}" for argument in arguments]


def quote_paths(arguments: Sequence[str], conf: Path = CONF) -> list[str]:
    """Quote values that are paths, so that brackets, commas, `#`, spaces and accents reach the program as typed.

    A value that exists as it stands is one path, whatever it looks like. Otherwise `[a,b]` is a list, and
    `a,b` or `[a],[b]` alternatives of a sweep, of which each is quoted where it needs to be. A path like
    `2024` stays text.

    Which keys are paths their classes say (`src.options.Role`). They are asked only about values that Hydra would not
    read as they are typed: by a child process in a sweep, which keeps this one small.

    Args:
        arguments: of the command line.
        conf: the folder of the configuration.
    """
    return [_quoted_argument(argument, arguments, conf) for argument in arguments]


def _quoted_argument(argument: str, arguments: Sequence[str], conf: Path) -> str:
    key, equals, value = argument.partition("=")
    if not equals or value == "null" or _quoted(value) == value:
        return argument
    roles = _roles(key.lstrip("+"), arguments, conf)
    if Role.PATH in roles or (Role.PATHS in roles and _exists(value)):
        return f"{key}={_quoted(value)}"
    if Role.PATHS not in roles:
        return argument
    return f"{key}={','.join(_quoted_alternative(part) for part in _parts(value, lists=True))}"


def _roles(key: str, arguments: Sequence[str], conf: Path) -> frozenset[Role]:
    """What a key is: one of the root, or an option of a class that its group may name."""
    if "." not in key:
        return root_roles().get(key, frozenset())
    group, *between, name = key.split(".")
    if len(between) != (group in LISTS):
        return frozenset()
    texts = [file.read_text(encoding="utf-8") for file in sorted((conf / group).glob("*.yaml"))]
    targets = _typed(f"{'.'.join((group, *between))}._target_", arguments)
    if not targets and not any(_may_be_path(name, text) for text in texts):
        return frozenset()
    for packages in _typed("trust", arguments):
        trust(yaml.safe_load(packages))
    targets += [target for text in texts for target in _TARGET.findall(text)]
    if _is_sweep(arguments) and "wandb" in (_typed("logger", arguments) or ["wandb"])[-1]:
        # The child process that is asked starts the fork server that the trials will have.
        os.environ[WANDB_SERVICE] = "1"
    return _roles_of_options(group, tuple(targets), _is_sweep(arguments)).get(name, frozenset())


def _may_be_path(name: str, text: str) -> bool:
    """Whether a YAML file has a key of that name whose default is neither a number nor a table."""
    defaults = re.findall(rf"^ *{re.escape(name)}:([^#\n]*)", text, re.MULTILINE)
    return any(not re.match(r"\[?-?[\d{]|true|false", default.strip()) for default in defaults)


def _typed(key: str, arguments: Sequence[str]) -> list[str]:
    pairs = (argument.partition("=") for argument in arguments)
    return [value for typed, _, value in pairs if typed.lstrip("+") == key]


def _is_sweep(arguments: Sequence[str]) -> bool:
    return "-m" in arguments or "--multirun" in arguments


@cache
def _roles_of_options(group: str, targets: tuple[str, ...], sweep: bool) -> dict[str, frozenset[Role]]:
    return call(_ask, group, targets) if sweep else _ask(group, targets)


def _ask(group: str, targets: tuple[str, ...]) -> dict[str, frozenset[Role]]:
    from src.configuration.roles import option_roles  # imports all that classes import

    return option_roles(group, targets)


def _quoted_alternative(text: str) -> str:
    if text == "null":
        return text
    if text.startswith("[") and text.endswith("]") and not _exists(text):
        return f"[{','.join(_quoted(part) for part in _parts(text[1:-1]))}]"
    return _quoted(text)


def _parts(text: str, *, lists: bool = False) -> list[str]:
    """Split at commas, but not inside a path that exists: `a,b.wav,c` is `a,b.wav` and `c` where that is a file.

    Args:
        text: of a value.
        lists: `[a,b]` within it is one part too.
    """
    pieces, parts = text.split(","), []
    while pieces:
        joined = [",".join(pieces[:count]) for count in range(1, len(pieces) + 1)]
        whole = [part for part in reversed(joined) if _exists(part)]
        if not whole and lists:
            whole = _lists(joined)
        parts.append((whole or joined)[0])
        pieces = pieces[parts[-1].count(",") + 1 :]
    return parts


def _lists(candidates: Sequence[str]) -> list[str]:
    """Those that may be lists, likeliest first: of paths that exist, with as many `[` as `]`, the others."""
    lists = [text for text in candidates if text.startswith("[") and text.endswith("]")]
    of_files = [text for text in lists if all(_exists(part) for part in _parts(text[1:-1]))]
    balanced = [text for text in lists if text.count("[") == text.count("]")]
    return [*reversed(of_files), *balanced, *reversed(lists)]


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError):
        return False


def _quoted(value: str) -> str:
    plain = _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value)
    if plain or _QUOTED.fullmatch(value) or value.startswith("${"):
        return value
    # In Hydra's grammar backslashes escape only a quote that follows them, so these are doubled too.
    escaped = re.sub(r"(\\*)('|\Z)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"'{escaped}'"


def explain(error: HydraException | OmegaConfBaseException, conf: Path) -> str:
    """Turn an error of Hydra or OmegaConf into one line that names the remedy.

    Args:
        error: what was raised while the configuration was composed.
        conf: the folder of the configuration, for 'did you mean'.
    """
    text = _whole_text(error)
    if found := re.search(r"Could not find '([^']+)'", text):
        return _unknown_option(found[1], conf)
    if found := re.search(r"Could not override '([^']+)'", text):
        return _unknown_key(found[1], conf)
    if found := re.search(r"Key '([^']+)' is not in struct\s+full_key: (\S+)", text):
        return _unknown_key(found[2], conf)
    if found := re.search(r"Interpolation key '([^']+)' not found\s+full_key: (\S+)", text):
        return _unset(found[1], found[2])
    if "Ambiguous value for argument" in text:
        argument = re.search(r"argument '([^']+)'", text)
        return f"{argument[1] if argument else 'a value'} holds several values: add -m to sweep over them."
    if "no viable alternative" in text or "mismatched input" in text or "token recognition" in text:
        return f"cannot read {_first_line(str(error))}; put the value in quotes: \"key='value'\"."
    return f"{_first_line(text)}; see `python run.py --help`."


def _unknown_option(path: str, conf: Path) -> str:
    group, _, option = path.rpartition("/")
    if not (conf / group).is_dir() or not group:
        return _unknown_key(group or option, conf)
    options = choices(group, conf)
    return (
        f"{group}={option}: there is no such choice.{_near(option, options)} There are: {', '.join(options)}."
    )


def _unknown_key(key: str, conf: Path) -> str:
    if having := holders(key, conf):
        group = key.replace("/", ".").partition(".")[0]
        fits = " and ".join(f"{name}={listed(options)}" for name, options in having.items())
        what = f"the {group} that was chosen has" if group in having else "what was chosen has"
        return f"{key}: {what} no such key, it is for {fits}: choose that, or leave {key} out."
    near = _near(key, sorted(known_keys(conf)))
    return f"{key}: there is no such key.{near or ' `python run.py --cfg job` prints all keys.'}"


def _unset(source: str, key: str) -> str:
    """What a key is taken from is not there: a learning rate of its own, or data of another kind."""
    group, _, rest = key.partition(".")
    part = rest.partition(".")[0]
    remedy = f"leave {part} out of {group}=[…]" if group in LISTS else f"give {key}=VALUE"
    return f"{key} is taken from {source}, which is not set here: {remedy}."


def _near(word: str, known: Sequence[str]) -> str:
    """The nearest known word: by the whole, else one that ends alike (`lr` for `optimizer.lr`)."""
    ends = [name for name in known if name.rpartition(".")[2] == word.rpartition(".")[2]]
    near = get_close_matches(word, known, n=1, cutoff=0.6) or ends[:1]
    if not near:
        leaves = {name.rpartition(".")[2]: name for name in known}
        near = [leaves[leaf] for leaf in get_close_matches(word.rpartition(".")[2], leaves, n=1, cutoff=0.7)]
    return f" Did you mean {near[0]}?" if near else ""


def _whole_text(error: BaseException) -> str:
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        texts.append(str(cause))
        cause = cause.__cause__
    return "\n".join(texts)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "the configuration"
