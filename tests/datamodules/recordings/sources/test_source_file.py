import json
import os
from pathlib import Path

import pytest
import soundfile

from src.datamodules.recordings.sources.entry import Passage
from src.datamodules.recordings.sources.source_file import read_sources
from src.errors import UserError
from tests.datamodules.recordings.sources.films import chirps, write_media

CLASSES = ("gong", "erhu", "dizi", "pipa")
RATE = 8000


@pytest.fixture
def root(tmp_path) -> Path:
    root = tmp_path / "root"
    (root / "deep er").mkdir(parents=True)
    soundfile.write(root / "a.wav", chirps(10, RATE).T, RATE)
    soundfile.write(root / "deep er" / "[b], é.flac", chirps(4, RATE).T, RATE)
    soundfile.write(tmp_path / "outside.wav", chirps(1, RATE).T, RATE)
    return root


@pytest.fixture
def read(root):
    def read_it(*entries, on_error="stop", text=None):
        path = root / "sources.json"
        path.write_text(json.dumps(entries) if text is None else text, encoding="utf-8")
        return read_sources(path, root, CLASSES, on_error=on_error)

    return read_it


def entry(*passages, file="a.wav", labels=("erhu",), **more):
    return {"file": file, "labels": list(labels), "time_stamps_to_extract": list(passages), **more}


GOOD = entry(["0:01", "0:02.5"], [3, "0:00:04"])


def test_entries_are_read(read, root):
    write_media(root / "film.mp4", chirps(3), video=True)
    film = {"video": "film.mp4", "labels": ["dizi", "pipa"], "description": "a duet"}
    entries, problems = read(GOOD, entry(file="deep er/[b], é.flac"), film)
    assert problems == []
    assert [found.number for found in entries] == [1, 2, 3]
    assert [found.source for found in entries] == ["a.wav", "deep er/[b], é.flac", "film.mp4"]
    assert entries[0].passages == (Passage(1, 2.5), Passage(3, 4))
    assert entries[1].passages == (Passage(0, 4),)
    assert entries[2].labels == ("dizi", "pipa")
    assert entries[2].description == "a duet"
    assert entries[2].passages is not None
    assert entries[2].passages[0].end_s == pytest.approx(3, abs=0.03)


WRONG = {
    "no object": ("gong", "it is not an object"),
    "no path": ({"labels": ["gong"]}, "either file"),
    "two paths": (entry(video="a.mp4"), "either file"),
    "a number as path": (entry(file=3), "give a path"),
    "an empty path": (entry(file=""), "give a path"),
    "a null character": (entry(file="a\0.wav"), "give a path"),
    "an unknown suffix": (entry(file="a.txt"), r"ends in \.txt; known are \.wav"),
    "no suffix": (entry(file="a"), "ends in no suffix"),
    "a film as sound": (entry(file="a.mp4"), "write it as video"),
    "an absolute path": (entry(file="/a.wav"), "absolute"),
    "a Windows path": (entry(file="C:\\a.wav"), "absolute"),
    "the folder above": (entry(file="../outside.wav"), r"'\.\.'"),
    "back again": (entry(file="deep er/../a.wav"), r"'\.\.'"),
    "the folder above in Windows": (entry(file="..\\outside.wav"), r"'\.\.'"),
    "a missing file": (entry(file="gone.wav"), "its path does not exist; put the file into"),
    "a very long name": (entry(file="x" * 5000 + ".wav"), "its path does not exist; put the file into"),
    "an unknown key": (entry(lables=[]), "unknown lables; the keys are file, video, labels"),
    "no labels": ({"file": "a.wav"}, "give at least one label"),
    "empty labels": (entry(labels=()), "give at least one label"),
    "text as labels": ({"file": "a.wav", "labels": "gong"}, "labels is not a list"),
    "an unknown label": (
        entry(labels=("gong", "viola")),
        "label 'viola' is unknown; the classes are gong, erhu",
    ),
    "a number as label": (entry(labels=(1,)), "label 1 is unknown"),
    "a list as label": (entry(labels=([],)), r"label \[\] is unknown"),
    "a label twice": (entry(labels=("gong", "gong")), "twice"),
    "a description that is no text": (entry(description=3), "description is not text"),
    "time stamps that are no list": (
        {**GOOD, "time_stamps_to_extract": "0:01"},
        "time_stamps_to_extract is no",
    ),
    "null": ({**GOOD, "time_stamps_to_extract": None}, "time_stamps_to_extract is not a list"),
    "three times": (entry(["0:01", "0:02", "0:03"]), r"give \[start, end\]"),
    "a passage that is no list": (entry("0:01"), r"passage '0:01': give \[start, end\]"),
    "no time": (entry(["0:01", "0:61"]), "'0:61' is not a time"),
    "a negative time": (entry([-1, 2]), "-1 is not a time"),
    "backwards": (entry(["0:05", "0:04"]), "the start is not before the end"),
    "nothing": (entry([4, "0:04"]), "the start is not before the end"),
    "past the end": (entry(["0:09", "0:10.5"]), "0:09–0:10.5 ends after the sound, which is 0:10 long"),
    "an overlap": (entry(["0:05", "0:07"], ["0:06", "0:08"]), "0:06–0:08 overlaps 0:05–0:07 of entry 2"),
    "an overlap with another entry": (
        entry(["0:02", "0:06"], labels=["gong"]),
        "overlaps 0:01–0:02.5 of entry 1",
    ),
    "the same file otherwise written": (entry([3.5, 5], file="./a.wav"), "overlaps 0:03–0:04 of entry 1"),
    "all of a file in parts": (entry(), "0:00–0:10 overlaps"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_entry(read, wrong, message):
    with pytest.raises(UserError, match=message) as caught:
        read(GOOD, wrong)
    head, line = str(caught.value).split("\n  ")
    assert "sources.json: 1 problem(s); correct them, or leave them out with data.on_error=skip" in head
    assert line.startswith("entry 2")
    if isinstance(wrong, dict) and wrong.get("file") == "a.wav" and "video" not in wrong:
        assert line.startswith("entry 2 (a.wav): ")


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_skipping_leaves_out_what_is_wrong_and_nothing_else(read, wrong, message):
    entries, problems = read(GOOD, wrong, entry(["0:08", "0:09"]), on_error="skip")
    assert len(problems) == 1
    assert problems[0].startswith("entry 2")
    numbers = [found.number for found in entries]
    if wrong == WRONG["an overlap"][0]:
        assert numbers == [1, 2, 3]
        assert entries[1].passages == (Passage(5, 7),)
    else:
        assert numbers == [1, 3]
    assert entries[0].passages == (Passage(1, 2.5), Passage(3, 4))


def test_one_wrong_passage_leaves_the_others_of_its_entry(read):
    entries, problems = read(
        entry(["0:01", "0:02"], ["0:03", "x"], ["0:04", "0:05"], ["0:06", "1:00"]), on_error="skip"
    )
    assert entries[0].passages == (Passage(1, 2), Passage(4, 5))
    assert len(problems) == 2


def test_all_problems_are_listed(read):
    with pytest.raises(UserError) as caught:
        read(entry(file="gone.wav", labels=("viola",)), GOOD, entry(["0:01", "9:00"], ["a", "b"]))
    head, *lines = str(caught.value).split("\n  ")
    assert "4 problem(s)" in head
    assert [line.split(" (")[0] for line in lines] == ["entry 1", "entry 1", "entry 3", "entry 3"]


def test_files_without_sound_are_named(read, root):
    (root / "broken.wav").write_bytes(b"nothing")
    write_media(root / "mute.mp4", None, video=True)
    mute = {"video": "mute.mp4", "labels": ["gong"]}
    entries, problems = read(entry(file="broken.wav"), mute, GOOD, on_error="skip")
    assert [found.number for found in entries] == [3]
    assert "broken.wav cannot be read as an audio or video file" in problems[0]
    assert "mute.mp4 has no audio track" in problems[1]


def test_what_is_no_regular_file_is_not_opened(read, root):
    os.mkfifo(root / "pipe.wav")
    (root / "zero.wav").symlink_to("/dev/zero")
    _, problems = read(entry(file="pipe.wav"), entry(file="zero.wav"), GOOD, on_error="skip")
    assert ["its path is not a regular file" in problem for problem in problems] == [True, True]
    os.mkfifo(root / "pipe.json")
    with pytest.raises(UserError, match=r"pipe\.json is not a regular file; name a list of sources"):
        read_sources(root / "pipe.json", root, CLASSES)


def test_links_must_not_lead_out(read, root, tmp_path):
    (root / "link.wav").symlink_to(tmp_path / "outside.wav")
    (root / "inside.wav").symlink_to(root / "a.wav")
    (root / "circle.wav").symlink_to(root / "circle.wav")
    entries, problems = read(
        entry([1, 2], file="inside.wav"), entry(file="link.wav"), entry(file="circle.wav"), on_error="skip"
    )
    assert [found.source for found in entries] == ["a.wav"]
    assert "a link leads out" in problems[0]
    assert "circle.wav" in problems[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[\n  {"file": "a.wav",}\n]', r"sources\.json: line 2, column (19|20): "),
        ("", "line 1, column 1"),
        ("{}", "has no list of sources"),
        ("[]", "has no list of sources"),
        ('[{"file": "a.wav", "labels": ["gong"], "labels": ["erhu"]}]', "the key 'labels' occurs twice"),
        ("[" * 100_000, r"is not JSON in UTF-8 \(it is nested too deeply\); correct it"),
        ("[" + "1" * 5000 + "]", r"is not JSON in UTF-8 \(a number has thousands of digits\); correct it"),
        (
            '[{"file": "a.wav", "labels": ["gong"], "description": "\\ud800"}]',
            "is not JSON in UTF-8 .*surrogates",
        ),
    ],
)
@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_what_is_no_list_in_json_is_refused(read, text, message, on_error):
    with pytest.raises(UserError, match=message) as caught:
        read(text=text, on_error=on_error)
    assert len(str(caught.value).splitlines()) == 1


def test_other_encodings_and_missing_files_are_refused(root):
    path = root / "sources.json"
    with pytest.raises(UserError, match=r"sources\.json cannot be read \(No such file"):
        read_sources(path, root, CLASSES)
    path.write_bytes(b'[{"file": "\xe9.wav"}]')
    with pytest.raises(UserError, match="is not JSON in UTF-8"):
        read_sources(path, root, CLASSES)
    path.write_text(json.dumps([GOOD]), encoding="utf-8-sig")
    assert len(read_sources(path, root, CLASSES)[0]) == 1


def test_skipping_everything_is_refused(read):
    with pytest.raises(UserError, match=r"1 problem\(s\); correct them\n  entry 1"):
        read(entry(labels=("viola",)), on_error="skip")


@pytest.mark.parametrize(
    "classes", [(), "gong", ("gong", "gong"), ("a]b",), ("a|b",), ("a/b",), (" ",), (3,)]
)
def test_classes_must_be_plain_names(root, classes):
    with pytest.raises(UserError, match=r"data\.classes"):
        read_sources(root / "sources.json", root, classes)


def test_on_error_is_one_of_two(root):
    with pytest.raises(UserError, match=r"data\.on_error=ignore: choose stop or skip"):
        read_sources(root / "sources.json", root, CLASSES, on_error="ignore")
