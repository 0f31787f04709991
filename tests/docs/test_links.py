"""What README.md, CONTRIBUTING.md and docs/ refer to exists, and docs/index.md leads to all of it."""

import re
from pathlib import Path

import pytest

from src.paths import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md"), *(ROOT / "checkpoints").glob("*.md")]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"(?<![\w/.])(?:src|conf|tests|scripts|docs|benchmarks)/[\w./]*\w/?(?![\w./<…*])")
MOST_BYTES_OF_A_PICTURE, MOST_BYTES_OF_ALL = 150_000, 700_000


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """Where a page's links and pictures point to, without those to other sites."""
    return [target for target in LINK.findall(prose(page)) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """What GitHub names the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def linked_files(page: Path) -> set[Path]:
    return {(page.parent / target.partition("#")[0]).resolve() for target in links(page)}


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "extending.md"], ids=shown)
def test_named_files_exist(page: Path) -> None:
    """docs/extending.md names files that its reader is to write."""
    named = FILE.findall(page.read_text(encoding="utf-8"))

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_index_leads_to_every_page() -> None:
    reached, new = set(), {DOCS / "index.md"}
    while new:
        reached |= new
        new = {file for page in new for file in linked_files(page) if file.suffix == ".md"} - reached

    assert set(DOCS.rglob("*.md")) - reached == set()
    assert DOCS / "index.md" in linked_files(ROOT / "README.md")


def test_pictures_are_shown_and_small() -> None:
    pictures = {file for file in DOCS.rglob("*") if file.suffix in (".png", ".svg")}
    sizes = [file.stat().st_size for file in pictures]

    assert pictures - {file for page in PAGES for file in linked_files(page)} == set()
    assert max(sizes) <= MOST_BYTES_OF_A_PICTURE
    assert sum(sizes) <= MOST_BYTES_OF_ALL


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_tables_end_before_text_and_other_tables_begin(page: Path) -> None:
    """What follows a table without an empty line would be a row of it."""
    lines = [*(line.strip() for line in prose(page).splitlines()), ""]

    assert [
        line
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False)
        if before.startswith("|") and line and (not line.startswith("|") or after.startswith("| ---"))
    ] == []
