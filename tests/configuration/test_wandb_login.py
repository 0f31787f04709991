"""Whether W&B runs are sent: a login, the environment, and a server that answers."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from src.configuration import wandb_login
from src.configuration.wandb_login import possible_mode, wandb_mode

VARIABLES = ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "NETRC")


@pytest.fixture(autouse=True)
def nobody_has_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def logged_in(nobody_has_logged_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setattr(wandb_login, "WAIT_S", 0.3)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(params=[200, 404, 503])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """The address of a server that answers, and with which status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", request.param
        server.shutdown()


def test_wandb_is_offline_unless_a_login_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert wandb_mode("auto") == "offline"
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine api.wandb.ai\n  login user\n  password secret\n")
    netrc.chmod(0o600)
    assert wandb_mode("auto") == "online"
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert wandb_mode("auto") == "offline"
    assert wandb_mode("online") == "online"


@pytest.mark.parametrize(
    ("value", "mode"), [("disabled", "disabled"), ("run", "online"), ("dryrun", "offline")]
)
def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, value: str, mode: str) -> None:
    monkeypatch.setenv("WANDB_MODE", value)
    assert wandb_mode("auto") == mode


@pytest.mark.usefixtures("logged_in")
@pytest.mark.parametrize("mode", ["auto", "online"])
def test_runs_stay_offline_where_the_server_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], silent: str, mode: str
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", silent)
    assert [possible_mode(mode) for _ in range(3)] == ["offline"] * 3
    [line] = capsys.readouterr().err.splitlines()
    assert f"{silent} does not answer" in line
    assert "wandb sync" in line


@pytest.mark.usefixtures("logged_in")
def test_runs_stay_offline_where_no_name_is_found_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def look_up(*_: object, **__: object) -> None:
        ended.wait()
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("WANDB_BASE_URL", "http://nowhere.invalid")
    assert possible_mode("auto") == "offline"
    ended.set()


@pytest.mark.usefixtures("logged_in")
def test_runs_are_sent_to_a_server_that_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answering: tuple[str, int]
) -> None:
    address, status = answering
    monkeypatch.setattr(wandb_login, "WAIT_S", 10.0)
    monkeypatch.setenv("WANDB_BASE_URL", address)
    assert possible_mode("auto") == ("online" if status < 500 else "offline")
    assert bool(capsys.readouterr().err) == (status >= 500)


def test_nothing_is_asked_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_login, "answers", lambda _: pytest.fail("it was asked"))
    assert possible_mode("auto") == possible_mode("offline") == "offline"
