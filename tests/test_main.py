import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLOSED = """
import os, sys
os.close(1)
sys.stdout = None  # as Python has it where the stream is closed when it starts
from src.main import _open_closed_streams
_open_closed_streams()
print("to nowhere", flush=True)
assert sys.stdout.fileno() == 1
with open(sys.argv[1], "w") as file:
    assert file.fileno() > 2
    os.write(1, b"to nowhere")
"""


def test_what_is_printed_to_a_closed_stream_goes_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "file"
    done = subprocess.run([sys.executable, "-c", CLOSED, file], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert file.read_bytes() == b""
