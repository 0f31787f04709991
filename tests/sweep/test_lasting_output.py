import io
import os

from rich.console import Console

from src.sweep.lasting_output import LastingOutput


def test_text_is_passed_on():
    stream = io.StringIO()
    Console(file=LastingOutput(stream), width=40).print("a line")
    assert stream.getvalue() == "a line\n"


def test_a_reader_that_has_gone_stops_nothing():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        output = LastingOutput(pipe)
        for _ in range(3):
            output.write("x" * 100_000)
            output.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), pipe.fileno())  # for what Python has kept to write


def test_there_may_be_no_output_at_all():
    assert LastingOutput(None).write("a line") == 6
    closed = io.StringIO()
    closed.close()
    LastingOutput(closed).write("a line")
