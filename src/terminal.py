"""Consoles for what is printed on the terminal, whatever the text quotes."""

from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from src.errors import printable_lines


class PrintableConsole(Console):
    """A console that commands the terminal itself, but lets no text do so.

    Names of files and classes come from data of others, and may hold the terminal's escape codes: to set its title,
    move its cursor or hide what was printed. They are shown as escapes.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a string, whose width is that of its printable form."""
        return super().render_str(printable_lines(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render an object to segments in which text is printable."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable_lines(segment.text), segment.style)


def line_console(
    file: IO[str] | None = None, width: int | None = None, *, stderr: bool = False
) -> PrintableConsole:
    """Return a console that prints text as it is, without wrapping, colours or markup.

    Args:
        file: to print to; by default the standard output.
        width: of tables, in characters; by default that of the terminal.
        stderr: whether to print to the standard error output.
    """
    options: dict[str, Any] = {"highlight": False, "soft_wrap": True, "markup": False}
    return PrintableConsole(file=file, width=width, stderr=stderr, **options)
