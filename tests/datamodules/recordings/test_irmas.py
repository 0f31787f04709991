import zlib

import pytest

from src.datamodules.recordings.irmas import CLASSES, PUBLISHED
from src.errors import UserError
from tests.datamodules.of_yaml import CONF, of_yaml
from tests.datamodules.sounds import noise, write

RATE = 8000
NAMES = {
    "gel": "[gel][dru][pop_roc]{:04d}__{}.wav",
    "cla": "[cla][cla]{:04d}__{}.wav",  # clarinet, classical
    "voi": "008__[voi][nod][cou_fol]{:04d}__{}.wav",
}
TESTS = {
    "01 - Song, one (live)-1": "gel\t\r\nvoi\t\r\n",
    "01 - Song, one (live)-12": " voi \n\n",
    "Ünder [x] 7-3": "cla",
}


@pytest.fixture
def root(tmp_path):
    """Ten recordings a class, of one to three excerpts, and a part of the test data, as the zips give them."""
    for label, name in NAMES.items():
        for recording in range(10):
            for excerpt in range(1, 2 + recording % 3):
                seed = zlib.crc32(f"{label} {recording} {excerpt}".encode())
                path = tmp_path / "irmas" / "IRMAS-TrainingData" / label / name.format(recording, excerpt)
                write(path, noise(3.0, RATE, 2, seed), RATE)
    for number, (name, text) in enumerate(TESTS.items()):
        part = tmp_path / "irmas" / "IRMAS-TestingData-Part1" / "Part1"
        write(part / f"{name}.wav", noise(5.0 + 3 * number, RATE, 2, number), RATE)
        (part / f"{name}.txt").write_bytes(text.encode())
    (tmp_path / "irmas" / "IRMAS-TrainingData" / "README.txt").write_text("IRMAS")
    return tmp_path / "irmas"


@pytest.fixture
def irmas(tmp_path, root):
    def make(**changes):
        return of_yaml("irmas", tmp_path / "cache", **{"root": str(root), "incomplete": True, **changes})

    return make


def listed(data):
    return {item.path.rpartition("/")[2]: item for item in data.recordings()}


def test_labels_groups_and_parts_are_those_of_names_and_text_files(irmas):
    found = listed(irmas())
    assert len(found) == 3 * 19 + 3
    assert not any(item.problem for item in found.values())
    clarinet = found["[cla][cla]0002__3.wav"]
    assert (clarinet.labels, clarinet.split) == (("cla",), None)
    assert clarinet.group == found["[cla][cla]0002__1.wav"].group != found["[cla][cla]0003__1.wav"].group
    assert found["008__[voi][nod][cou_fol]0001__1.wav"].labels == ("voi",)
    one, twelve = found["01 - Song, one (live)-1.wav"], found["01 - Song, one (live)-12.wav"]
    assert (one.labels, one.split, one.group) == (("gel", "voi"), "test", twelve.group)
    assert twelve.labels == ("voi",)
    assert found["Ünder [x] 7-3.wav"].labels == ("cla",)


def test_excerpts_of_a_recording_stay_together_and_tests_are_tests(irmas):
    data = irmas()
    data.prepare_data()
    data.setup("fit")
    assert data.classes == CLASSES
    sides = {}
    for item in data._plan.recordings:
        sides.setdefault(item.group, set()).add(item.split)
    assert all(len(side) == 1 for side in sides.values())
    recordings = data.summary()["recordings"]
    assert recordings["test"] == 3
    assert recordings["val"] == pytest.approx(0.15 * 57, abs=2)
    assert data.counts("test").tolist() == [2, 3, 4]
    assert data.arrays("test")[1].sum(axis=1).tolist() == [2, 1, 1]
    x, y, counts = next(iter(data.test_dataloader()))
    assert (len(x), len(y), counts.tolist()) == (2, 1, [2])
    assert x.shape[1:] == (2, 8, 61)


@pytest.mark.parametrize(
    "folder",
    [
        "IRMAS-TestingData-Part2",
        "IRMAS-TestingData-Part2/Part2",
        "IRMAS-TestingData-Part2/IRTestingData-Part2",
        "IRTestingData-Part2",
        "Part2",
    ],
)
def test_a_part_lies_as_it_is_unpacked(irmas, root, folder):
    """As mirdata leaves it, as its zip file unpacks into the root, or without the inner folder."""
    inner, outer = root / "IRMAS-TestingData-Part1" / "Part1", root / folder
    outer.mkdir(parents=True)
    for path in list(inner.iterdir()):
        path.rename(outer / path.name)
    found = listed(irmas(parts=[2]))
    assert len(found) == 60
    assert found["01 - Song, one (live)-1.wav"].path == f"{folder}/01 - Song, one (live)-1.wav"
    assert [str(part) for part in irmas(parts=[1, 2]).found([])] == [
        "57 of 6,705 in IRMAS-TrainingData",
        "0 of 807 in IRMAS-TestingData-Part1",
        "3 of 1,301 in IRMAS-TestingData-Part2",
    ]
    with pytest.raises(UserError, match=r"IRMAS-TestingData-Part3 is missing; get it from https://zenodo"):
        irmas(parts=[3]).recordings()


def test_what_is_missing_of_the_published_files_is_an_error(irmas, root, monkeypatch, capsys):
    with pytest.raises(UserError) as error:
        irmas(incomplete=False).check()
    assert str(error.value) == (
        f"IRMAS: {root} has 57 of 6,705 in IRMAS-TrainingData, 3 of 807 in IRMAS-TestingData-Part1, 0 of 1,301 in "
        "IRMAS-TestingData-Part2, 0 of 766 in IRMAS-TestingData-Part3; get the others from "
        "https://zenodo.org/records/1290750, choose the parts that are there with data.parts, or use what is there "
        "with data.incomplete=true"
    )
    counts = {"IRMAS-TrainingData": 57, "IRMAS-TestingData-Part1": 3}
    monkeypatch.setattr("src.datamodules.recordings.irmas.PUBLISHED", counts)
    irmas(incomplete=False, parts=[1]).prepare_data()
    said = "irmas: found 57 of 57 in IRMAS-TrainingData, 3 of 3 in IRMAS-TestingData-Part1\n"
    assert said in capsys.readouterr().err
    assert irmas(incomplete=False, parts=[1]).signature == irmas(parts=[1]).signature


def test_the_published_counts_are_those_of_the_data_sets_site():
    assert sum(PUBLISHED.values()) == 6705 + 2874


def test_wrong_labels_are_problems(irmas, root):
    training, part = root / "IRMAS-TrainingData", root / "IRMAS-TestingData-Part1" / "Part1"
    write(training / "gel" / "[cla][pop_roc]0100__1.wav", noise(3.0))
    write(training / "cla" / "0101__1.wav", noise(3.0))
    write(training / ".Trash" / "0102__1.wav", noise(3.0))
    for name, text in (("a-1", "gui\ncla\n"), ("b-1", " \r\n"), ("c-1", None)):
        write(part / f"{name}.wav", noise(5.0))
        if text is not None:
            (part / f"{name}.txt").write_text(text)
    problems = {name: item.problem for name, item in listed(irmas()).items() if item.problem}
    assert problems == {
        "[cla][pop_roc]0100__1.wav": "is named [cla] but lies in the folder gel",
        "0101__1.wav": "is named [None] but lies in the folder cla",
        "a-1.wav": "is labelled gui, which is not one of the classes",
        "b-1.wav": "has an empty label file",
        "c-1.wav": "has no label file c-1.txt",
    }


def test_label_files_count_for_the_signature(irmas, root):
    before = irmas().signature
    (root / "IRMAS-TestingData-Part1" / "Part1" / "Ünder [x] 7-3.txt").write_text("sax")
    assert irmas().signature != before


def test_features_are_those_of_the_description(tmp_path, root):
    from omegaconf import OmegaConf

    options = OmegaConf.load(CONF / "irmas.yaml")
    data = of_yaml("irmas", tmp_path, root=str(root), features=OmegaConf.to_container(options.features))
    assert data.item_shape == (2, 128, 301)


def test_too_few_recordings_are_one_line(irmas, root):
    for path in list((root / "IRMAS-TrainingData").glob("*/*.wav"))[1:]:
        path.unlink()
    with pytest.raises(
        UserError, match=r"irmas: the val split has no recording \(train has 1, val has 0, test has 3"
    ):
        irmas().prepare_data()


def test_a_missing_folder_names_the_remedy(irmas, tmp_path):
    with pytest.raises(UserError, match=r"zenodo.*10 GB.*NonCommercial|zenodo.*10 GB.*no commercial use"):
        irmas(root=str(tmp_path / "gone")).check()
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no WAV files in IRMAS-TrainingData"):
        irmas(root=str(tmp_path / "empty")).check()


def test_a_wrong_layout_is_refused_before_work(irmas, root):
    irmas().check()
    (root / "IRMAS-TestingData-Part1").rename(root / "Test")
    with pytest.raises(UserError, match="IRMAS-TestingData-Part1 is missing"):
        irmas().check()


@pytest.mark.parametrize("parts", [[], [4], [1, "a"]])
def test_unknown_parts_are_refused(irmas, parts):
    with pytest.raises(UserError, match=r"none twice, of 1, 2, 3"):
        irmas(parts=parts)
