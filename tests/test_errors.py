import pickle

import pytest

from src import main
from src.errors import SeveralProblemsError, printable
from src.messages import say


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("loss=foo: choose bce.", "loss=foo: choose bce."),
        ("Violine für Anfänger, 二胡", "Violine für Anfänger, 二胡"),
        ("x.wav\nError: your disk is broken", "x.wav\\nError: your disk is broken"),
        ("2 problems\n  entry 1: a\n  entry 2: b", "2 problems\n  entry 1: a\n  entry 2: b"),
        ("\x1b[32mok\x1b[0m", "\\x1b[32mok\\x1b[0m"),
        ("a\rb\x00", "a\\rb\\x00"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
    ],
)
def test_what_could_command_the_terminal_is_written_as_escapes(message: str, printed: str) -> None:
    assert printable(message) == printed


def test_several_problems_survive_the_way_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(SeveralProblemsError(["one; a", "two; b"])))
    assert error.problems == ["one; a", "two; b"]
    assert str(error) == "one; a\ntwo; b"


def test_a_name_adds_no_line_to_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    say("skipped: x.wav\nError: your disk is broken")
    assert capsys.readouterr().err == "skipped: x.wav\\nError: your disk is broken\n"


def test_each_problem_is_printed_as_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise SeveralProblemsError(["one\nError: none", "two"])

    monkeypatch.setattr(main, "_compose_and_run", fail)
    monkeypatch.setattr("sys.argv", ["polysweep"])
    assert main.main() == main.REFUSED
    assert capsys.readouterr().err == "Error: one\\nError: none\nError: two\n"
