import io

from rich.table import Table

from src.terminal import PrintableConsole, line_console

HOSTILE = "\x1b]0;owned\x07oboe\x1b[2J\x9b1m"
SHOWN = "\\x1b]0;owned\\x07oboe\\x1b[2J\\x9b1m"


def test_text_commands_no_terminal() -> None:
    written = io.StringIO()
    console = PrintableConsole(file=written, width=60)
    table = Table("class")
    table.add_row(HOSTILE)
    console.print(HOSTILE, markup=False)
    console.print(table)
    assert written.getvalue().startswith(SHOWN + "\n")
    assert written.getvalue().count(SHOWN) == 2
    assert "\x1b" not in written.getvalue()
    assert "\x9b" not in written.getvalue()


def test_the_console_still_draws_colours_and_moves_the_cursor() -> None:
    written = io.StringIO()
    console = PrintableConsole(file=written, force_terminal=True, color_system="standard", width=60)
    console.print("[red]red[/red]")
    console.clear()
    assert written.getvalue() == "\x1b[31mred\x1b[0m\n\x1b[2J\x1b[H"


def test_a_line_is_printed_as_it_is() -> None:
    written = io.StringIO()
    line_console(written, width=20).print("[bold] a folder's name that is longer than the terminal is wide")
    assert written.getvalue() == "[bold] a folder's name that is longer than the terminal is wide\n"
