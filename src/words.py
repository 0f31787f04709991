"""Words in messages: those near one that was typed, and lists."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any


def did_you_mean(word: str, known: Any) -> str:
    """` Did you mean …?`, or nothing where no known word is near."""
    near = get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def listed(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def is_text(value: str) -> bool:
    """Whether text can be written to a file: names of files that are not UTF-8 can, other halves of a pair cannot."""
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
