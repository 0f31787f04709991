import pytest

from src.errors import printable


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("loss=foo: choose bce.", "loss=foo: choose bce."),
        ("Violine für Anfänger, 二胡", "Violine für Anfänger, 二胡"),
        ("one\nError: two", "one\nError: two"),
        ("\x1b[32mok\x1b[0m", "\\x1b[32mok\\x1b[0m"),
        ("a\rb\x00", "a\\rb\\x00"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
    ],
)
def test_what_could_command_the_terminal_is_written_as_escapes(message: str, printed: str) -> None:
    assert printable(message) == printed
