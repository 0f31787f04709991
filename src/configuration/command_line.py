"""Prepares what a user types for Hydra's grammar, and turns Hydra's errors into messages with a remedy."""

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
from src.configuration.known_keys import choices_with, known_keys
from src.configuration.settings import LISTS, SweepOptions, root_roles
from src.configuration.trust import trust
from src.options import Role
from src.options import roles as option_roles
from src.paths import CONF
from src.processes import WANDB_SERVICE, call
from src.words import listed

_CHECKPOINT_MODES = ("mode=test", "mode=predict", "mode=generate")
_TARGET = re.compile(r"^ *_target_: *(\S+)", re.MULTILINE)
_PLAIN = re.compile(r"[\w./:@%+-]*", re.ASCII)
_NOT_TEXT = re.compile(
    r"[+-]?[\d_.]+(e[+-]?[\d_]+)?|[+-]?(inf|nan)|true|false|null", re.ASCII | re.IGNORECASE
)
_QUOTED = re.compile(r"'.*'|\".*\"", re.DOTALL)


def open_data_keys(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with `+` where a mode for checkpoints needs it.

    With a checkpoint no data set is composed; what is typed of `data` is added, and changes the checkpoint's own.

    Args:
        arguments: of the command line.
    """
    if not any(argument in _CHECKPOINT_MODES for argument in arguments):
        return list(arguments)
    chosen = any(argument.startswith(("data=", "experiment=")) for argument in arguments)
    added = {"data.": "++"} if chosen else {"data.": "++", "data/": "+"}
    return [f"{added.get(argument[:5], '')}{argument}" for argument in arguments]


def quote_paths(arguments: Sequence[str], conf: Path = CONF) -> list[str]:
    """Return the arguments with quoted paths: brackets, commas, `#`, spaces and accents reach the program as typed.

    If a file or folder of exactly this name exists, the value is one path, even where it looks like `${key}`.
    Otherwise `[a,b]` is a list, and `a,b` or `[a],[b]` are alternatives of a sweep; each is quoted if it has to be. A
    path such as `2024` stays text.

    The class of an option says whether it is a path (`src.options.Role`). It is imported only for values that Hydra
    would not read as they are typed; in a sweep a child process does this, so that this process stays small.

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
    if Role.TEXT in roles:
        return argument if value[:1] in ("'", '"') else f"{key}={_quoted(value)}"
    if Role.PATH in roles or (Role.PATHS in roles and _exists(value)):
        return f"{key}={_quoted(value)}"
    if Role.PATHS not in roles:
        return argument
    return f"{key}={','.join(_quoted_alternative(piece) for piece in _split_at_commas(value, lists=True))}"


def _roles(key: str, arguments: Sequence[str], conf: Path) -> frozenset[Role]:
    """Return the roles of a key: of the root, or of an option of any class that its group may name."""
    if "." not in key:
        return root_roles().get(key, frozenset())
    group, *between, name = key.split(".")
    if group == SweepOptions.group:
        return option_roles(SweepOptions).get(name, frozenset())
    if len(between) != (group in LISTS):
        return frozenset()
    texts = [file.read_text(encoding="utf-8") for file in sorted((conf / group).glob("*.yaml"))]
    targets = _values_of(f"{'.'.join((group, *between))}._target_", arguments)
    if not targets and not any(_may_be_path(name, text) for text in texts):
        return frozenset()
    for packages in _values_of("trust", arguments):
        trust(yaml.safe_load(packages))
    targets += [target for text in texts for target in _TARGET.findall(text)]
    if _is_sweep(arguments) and "wandb" in (_values_of("logger", arguments) or ["wandb"])[-1]:
        # The child process starts the fork server from which the trials are forked later.
        os.environ[WANDB_SERVICE] = "1"
    return _roles_of_options(group, tuple(targets), _is_sweep(arguments)).get(name, frozenset())


def _may_be_path(name: str, text: str) -> bool:
    """Whether a YAML file has a key of that name whose default is neither a number, a truth value nor a table."""
    defaults = re.findall(rf"^ *{re.escape(name)}:([^#\n]*)", text, re.MULTILINE)
    return any(not re.match(r"\[?-?[\d{]|true|false", default.strip()) for default in defaults)


def _values_of(key: str, arguments: Sequence[str]) -> list[str]:
    pairs = (argument.partition("=") for argument in arguments)
    return [value for typed, _, value in pairs if typed.lstrip("+") == key]


def _is_sweep(arguments: Sequence[str]) -> bool:
    return "-m" in arguments or "--multirun" in arguments


@cache
def _roles_of_options(group: str, targets: tuple[str, ...], sweep: bool) -> dict[str, frozenset[Role]]:
    return call(_import_roles, group, targets) if sweep else _import_roles(group, targets)


def _import_roles(group: str, targets: tuple[str, ...]) -> dict[str, frozenset[Role]]:
    from src.configuration.roles import option_roles  # imports all that classes import

    return option_roles(group, targets)


def _quoted_alternative(text: str) -> str:
    if text == "null":
        return text
    if text.startswith("[") and text.endswith("]") and not _exists(text):
        return f"[{','.join(_quoted(piece) for piece in _split_at_commas(text[1:-1]))}]"
    return _quoted(text)


def _split_at_commas(text: str, *, lists: bool = False) -> list[str]:
    """Split a value, but not inside paths that exist: `a,b.wav,c` is `a,b.wav` and `c` if there is a file `a,b.wav`.

    Args:
        text: the value.
        lists: whether to keep lists such as `[a,b]` whole, too.
    """
    words, found = text.split(","), []
    while words:
        # All that may come next, shortest first: `a`, `a,b.wav`, `a,b.wav,c`.
        candidates = [",".join(words[:count]) for count in range(1, len(words) + 1)]
        # The longest existing path wins, so that `a,b.wav` is preferred to a file `a`.
        whole = [candidate for candidate in reversed(candidates) if _exists(candidate)]
        if not whole and lists:
            whole = _lists(candidates)
        # Without either, the text up to the next comma stands alone.
        found.append((whole or candidates)[0])
        # Skip the words that were taken: one more than they have commas between them.
        words = words[found[-1].count(",") + 1 :]
    return found


def _lists(candidates: Sequence[str]) -> list[str]:
    """Return the candidates that may be lists, likeliest first.

    First come lists of paths that exist, the longest first; then those with as many `[` as `]`; then all others.
    """
    lists = [text for text in candidates if text.startswith("[") and text.endswith("]")]
    of_files = [text for text in lists if all(_exists(path) for path in _split_at_commas(text[1:-1]))]
    balanced = [text for text in lists if text.count("[") == text.count("]")]
    return [*reversed(of_files), *balanced, *reversed(lists)]


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError):
        return False


def _quoted(value: str) -> str:
    plain = _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value)
    is_name = "${" in value and _exists(value)
    if plain or _QUOTED.fullmatch(value) or (value.startswith("${") and not is_name):
        return value
    if is_name:  # of a file or folder, not of a key
        value = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    # In Hydra's grammar backslashes escape only a quote that follows them, so these are doubled too.
    escaped = re.sub(r"(\\*)('|\Z)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"'{escaped}'"


def explain(error: HydraException | OmegaConfBaseException, conf: Path) -> str:
    """Return an error of Hydra or OmegaConf as one line that names the remedy.

    Args:
        error: it was raised while the configuration was composed.
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
    if found := choices_with(key, conf):
        group = key.replace("/", ".").partition(".")[0]
        wanted = " and ".join(f"{name}={listed(options)}" for name, options in found.items())
        chosen = f"the {group} that was chosen has" if group in found else "what was chosen has"
        return f"{key}: {chosen} no such key, it is for {wanted}: choose that, or leave {key} out."
    near = _near(key, sorted(known_keys(conf)))
    return f"{key}: there is no such key.{near or ' `python run.py --cfg job` prints all keys.'}"


def _unset(source: str, key: str) -> str:
    """Return the message where the key that an interpolation names is not set, such as a learning rate."""
    group, _, rest = key.partition(".")
    name = rest.partition(".")[0]
    remedy = f"leave {name} out of {group}=[…]" if group in LISTS else f"give {key}=VALUE"
    return f"{key} is taken from {source}, which is not set here: {remedy}."


def _near(word: str, known: Sequence[str]) -> str:
    """Return a hint at the nearest known word: similar as a whole, or in its last part (`lr` for `optimizer.lr`)."""
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
