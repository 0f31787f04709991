"""What a person types, and what Hydra's grammar makes of it: paths are quoted, errors name the remedy."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from src.configuration.choices import choices
from src.configuration.known_keys import holders, known_keys
from src.configuration.words import listed

PATHS = (
    "checkpoint",
    "input",
    "outputs",
    "init_from",
    "data.root",
    "data.soundfont",
    "data.soundfonts",
    "data.val_soundfonts",
    "data.test_soundfonts",
)
"""Keys whose values are paths."""
NEVER_LISTS = ("input", "outputs", "data.root")
LISTS = ("augment", "callbacks", "logger")
"""Groups of which several choices, or none, are taken."""

_OF_CHECKPOINTS = ("mode=test", "mode=predict", "mode=generate")
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


def quote_paths(arguments: Sequence[str]) -> list[str]:
    """Quote values that are paths, so that brackets, commas, `#`, spaces and accents reach the program as typed.

    A value that exists as it stands is one path, whatever it looks like. Otherwise `[a,b]` is a list, and
    `a,b` or `[a],[b]` alternatives of a sweep, of which each is quoted where it needs to be. A path like
    `2024` stays text.

    Args:
        arguments: of the command line.
    """
    return [_quoted_argument(argument) for argument in arguments]


def _quoted_argument(argument: str) -> str:
    key, equals, value = argument.partition("=")
    name = key.lstrip("+")
    if not equals or name not in PATHS or not value or value == "null" or _QUOTED.fullmatch(value):
        return argument
    if name in NEVER_LISTS or _exists(value):
        return f"{key}={_quoted(value)}"
    return f"{key}={','.join(_quoted_alternative(part) for part in _parts(value, lists=True))}"


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
