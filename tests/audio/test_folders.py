import os
from pathlib import Path

import pytest

from src.audio.folders import audio_files, say_others
from src.audio.sound_file import SoundFile
from src.errors import UserError


def test_folders_are_searched(tmp_path: Path):
    (tmp_path / "b").mkdir()
    for name in ("b/2.FLAC", "1.wav", "notes.txt"):
        (tmp_path / name).touch()
    assert audio_files(tmp_path) == [tmp_path / "1.wav", tmp_path / "b" / "2.FLAC"]
    assert audio_files(tmp_path / "1.wav") == [tmp_path / "1.wav"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no sound file"):
        audio_files(tmp_path / "empty")
    with pytest.raises(UserError, match="does not exist"):
        audio_files(tmp_path / "gone")


def test_linked_folders_are_searched(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "1.wav").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "disk")
    assert audio_files(tmp_path / "root") == [tmp_path / "root" / "linked" / "1.wav"]


def test_what_is_no_regular_file_is_found_and_refused_when_it_is_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "link.wav").symlink_to("gone")
    link, pipe = audio_files(tmp_path)
    with pytest.raises(UserError, match=r"pipe\.wav is not a regular file; give a sound file"):
        audio_files(pipe)
    with pytest.raises(UserError, match=r"link\.wav is a link that leads nowhere; give"):
        SoundFile(link)
    with pytest.raises(UserError, match=r"pipe\.wav is not a regular file; give"):
        SoundFile(pipe)


def test_all_formats_are_found_and_hidden_files_are_not(tmp_path: Path):
    found = ["a.wav", "b.OPUS", "c.aiff", "d.Aif", "e.m4a", "f/g.Mp3", "h.ogg", "i.FLAC"]
    hidden = ["._a.wav", ".DS_Store", ".Trash/j.wav", "__MACOSX/._f.wav", "f/.k.mp3"]
    for name in (*found, *hidden):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert audio_files(tmp_path) == [tmp_path / name for name in found]


def test_other_files_are_counted_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name in ("a.wav", "b.txt", "c.pdf", "labels.csv", ".DS_Store"):
        (tmp_path / name).touch()
    say_others("folder", tmp_path, ("labels.csv",))
    assert capsys.readouterr().err == (
        f"folder: 2 of the files in {tmp_path} are no sound files and are passed over: b.txt, c.pdf\n"
    )
    for number in range(3):
        (tmp_path / f"{number}.mid").touch()
    say_others("folder", tmp_path, ("labels.csv",))
    assert "5 of the files" in (said := capsys.readouterr().err)
    assert said.endswith("passed over: 0.mid, 1.mid, 2.mid, …\n")
    say_others("folder", tmp_path / "nothing")
    assert capsys.readouterr().err == ""
