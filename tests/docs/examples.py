"""The examples of docs/extending.md, word for word."""

import re
from pathlib import Path

EXTENDING = Path(__file__).resolve().parents[2] / "docs" / "extending.md"


def code_blocks(heading: str, language: str = "python") -> list[str]:
    """Return the blocks of a language below a heading of docs/extending.md, in their order.

    Args:
        heading: as it stands there, such as `A metric`.
        language: `python` or `yaml`.

    Raises:
        KeyError: there is no such heading.
    """
    sections = re.split(r"^## (.+)\n", EXTENDING.read_text(encoding="utf-8"), flags=re.MULTILINE)
    by_heading = dict(zip(sections[1::2], sections[2::2], strict=True))
    return re.findall(rf"^```{language}\n(.*?)^```", by_heading[heading], flags=re.MULTILINE | re.DOTALL)
