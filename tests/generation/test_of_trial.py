from dataclasses import asdict
from pathlib import Path

import pytest

from src.generation import of_trial
from tests.generation.tiny_music import generation, generator, tunes


def test_music_that_cannot_be_written_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(of_trial, "write_pieces", full)
    data = tunes(tmp_path)
    music = of_trial.music_of_trial(generator(data), data, asdict(generation()), 1, tmp_path / "samples")
    assert "generated" in music
    [line] = [line for line in capsys.readouterr().err.splitlines() if "is not written" in line]
    assert "No space left on device" in line
