import errno
import io
import os

import pytest
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


def test_there_may_be_no_output_at_all():
    assert LastingOutput(None).write("a line") == 6
    closed = io.StringIO()
    closed.close()
    LastingOutput(closed).write("a line")


def stream_that_raises(number):
    class Stream(io.StringIO):
        def write(self, text):
            if self.raises:
                raise OSError(number, os.strerror(number))
            return super().write(text)

    stream = Stream()
    stream.raises = True
    return stream


def test_a_terminal_that_has_gone_stops_nothing():
    stream = stream_that_raises(errno.EIO)
    output = LastingOutput(stream)
    assert output.write("a line") == 6
    stream.raises = False
    output.write("another")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_text_for_a_full_disk_is_dropped_until_there_is_room(number):
    stream = stream_that_raises(number)
    output = LastingOutput(stream)
    output.write("lost")
    stream.raises = False
    output.write("kept")
    assert stream.getvalue() == "kept"
