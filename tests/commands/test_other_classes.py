"""Which classes of other data a checkpoint knows, and what becomes of targets and outputs."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from src.commands.other_classes import (
    ClassMap,
    check_compatible,
    class_map,
    known_items,
    with_trained_features,
)
from src.errors import UserError
from tests.conftest import CONF

CHECKPOINT = ("piano", "nylon_guitar", "violin", "trumpet")


def trained(data: dict[str, Any] | None = None, **description: Any) -> Any:
    usual = {"target": "multilabel", "item_shape": [1, 32, 16], "classes": list(CHECKPOINT)}
    return SimpleNamespace(
        config={"data": data or {}}, description=usual | description, path=Path("best.ckpt")
    )


def module(**attributes: Any) -> Any:
    return SimpleNamespace(
        **({"name": "folder", "target": "multiclass", "item_shape": (1, 32, 16)} | attributes),
        groups=lambda split: np.arange(10, 14),
    )


@st.composite
def maps(draw: st.DrawFn) -> ClassMap:
    """Any mapping, several classes of the data leading to one or to none."""
    columns = sorted(draw(st.sets(st.integers(0, 9), min_size=2, max_size=5)))
    further = draw(st.lists(st.integers(-1, len(columns) - 1), max_size=5))
    of_data = draw(st.permutations([*range(len(columns)), *further]))
    return ClassMap(tuple(columns), tuple(f"class {column}" for column in columns), tuple(of_data))


def reference(mapping: ClassMap, labels: set[int]) -> tuple[list[int], bool]:
    """What one item with these classes of the data becomes, and whether it is kept."""
    led = [mapping.positions[label] for label in labels]
    return [int(column in led) for column in range(len(mapping.columns))], bool(led) and -1 not in led


@given(mapping=maps(), data=st.data())
def test_one_class_targets_are_translated(mapping: ClassMap, data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, len(mapping.positions) - 1), max_size=12))
    kind = data.draw(st.sampled_from([torch.int64, torch.int32, torch.uint8]))
    translated, known = mapping.targets(torch.tensor(numbers, dtype=kind))
    expected = [reference(mapping, {number}) for number in numbers]
    assert translated.dtype == torch.uint8
    assert translated.shape == (len(numbers), len(mapping.columns))
    assert translated.tolist() == [marks for marks, _ in expected]
    assert known.tolist() == [kept for _, kept in expected]


@given(mapping=maps(), data=st.data())
def test_labels_are_translated(mapping: ClassMap, data: st.DataObject) -> None:
    width = len(mapping.positions)
    row = st.lists(st.integers(0, 1), min_size=width, max_size=width)
    rows = data.draw(st.lists(row, max_size=12))
    kind = data.draw(st.sampled_from([torch.uint8, torch.int64, torch.float32]))
    translated, known = mapping.targets(torch.tensor(rows, dtype=kind).reshape(len(rows), width))
    expected = [reference(mapping, {number for number, mark in enumerate(row) if mark}) for row in rows]
    assert translated.dtype == torch.uint8
    assert translated.tolist() == [marks for marks, _ in expected]
    assert known.tolist() == [kept for _, kept in expected]


def test_outputs_are_those_of_the_datas_classes() -> None:
    mapping = class_map({}, ["trumpet", "piano"], CHECKPOINT)
    outputs = torch.arange(8.0).reshape(2, 4)
    assert mapping.names == ("piano", "trumpet")
    assert mapping.outputs(outputs).tolist() == [[0, 3], [4, 7]]


def test_several_classes_lead_to_one_and_unknown_ones_to_none() -> None:
    names = {"viola": "violin", "flugelhorn": "trumpet"}
    mapping = class_map(names, ["cello", "flugelhorn", "trumpet", "viola", "violin"], CHECKPOINT)
    assert mapping == ClassMap((2, 3), ("violin", "trumpet"), (-1, 1, 1, 0, 0))
    translated, known = mapping.targets(torch.tensor([[0, 0, 0, 1, 1], [0, 1, 1, 1, 0], [1, 0, 0, 0, 1]]))
    assert translated.tolist() == [[1, 0], [1, 1], [1, 0]]
    assert known.tolist() == [True, True, False]


@pytest.mark.parametrize("entry", ["trumpet in c", "Trumpet in C", "TRUMPET_IN_C", " trumpet - in--c "])
@pytest.mark.parametrize("of_data", ["Trumpet in C", "trumpet_in_c", "trumpet-In-C", "_TRUMPET  IN C "])
def test_case_spaces_hyphens_and_underscores_do_not_count(entry: str, of_data: str) -> None:
    mapping = class_map({entry: "trumpet"}, [of_data, "Nylon-Guitar"], CHECKPOINT)
    assert mapping.names == ("nylon_guitar", "trumpet")
    assert mapping.positions == (1, 0)


def test_other_letters_count() -> None:
    assert class_map({"größe": "piano"}, ["Größe", "Grösse", "violin"], CHECKPOINT).positions == (0, -1, 1)


def test_the_checkpoints_own_names_need_no_entry_and_an_entry_comes_first() -> None:
    assert class_map({}, ["Piano", "VIOLIN"], CHECKPOINT).names == ("piano", "violin")
    assert class_map({"Piano": "trumpet"}, ["piano", "violin"], CHECKPOINT).names == ("violin", "trumpet")


def test_names_that_are_numbers_are_names() -> None:
    names: Any = {56: "trumpet", 40: "violin"}
    assert class_map(names, ["40", "56"], CHECKPOINT).positions == (0, 1)


@pytest.mark.parametrize(
    "known", ["tuba", "Trumpet", "nylon guitar", None, 3, ["violin"], {"in c": "trumpet"}]
)
def test_a_class_that_the_checkpoint_lacks_is_refused(known: Any) -> None:
    with pytest.raises(
        UserError, match=r"the checkpoint has no class .*; it has piano, nylon_guitar, violin"
    ):
        class_map({"piano": "piano", "a": known, "b": "also missing"}, ["piano", "violin"], CHECKPOINT)


@pytest.mark.parametrize(
    ("of_data", "n"), [(["cello", "oboe"], 0), (["cello", "violin"], 1), (["viola", "Violin"], 1)]
)
def test_fewer_than_two_known_classes_are_refused(of_data: list[str], n: int) -> None:
    with pytest.raises(
        UserError, match=rf"{of_data[0]}, {of_data[1]} the checkpoint knows {n}, and a test needs two;"
    ):
        class_map({"viola": "violin", "trumpet": "trumpet"}, of_data, CHECKPOINT)


def test_the_mapping_that_comes_along_leads_to_classes_of_synth_instruments() -> None:
    names = OmegaConf.load(CONF / "mode" / "test" / "class_map" / "recorded.yaml")
    classes = [one.name for one in OmegaConf.load(CONF / "data" / "synth_instruments.yaml").classes]
    tinysol = [one.name for one in OmegaConf.load(CONF / "data" / "notes" / "single_notes.yaml").instruments]
    assert set(class_map(dict(names), tinysol, classes).names) == {
        "piccolo", "acoustic_bass", "trumpet", "violin", "soprano_sax",
    }  # fmt: skip
    irmas = ["cel", "cla", "flu", "gac", "gel", "org", "pia", "sax", "tru", "vio", "voi"]
    assert class_map(dict(names), irmas, classes).positions.count(-1) == 4


FEATURES = {"sample_rate": 8000, "n_mels": 32}


def test_features_and_length_of_clips_are_the_checkpoints() -> None:
    data = {"root": "/x", "features": {"sample_rate": 22050, "n_mels": 128}, "clip_seconds": 3.0, "seed": 7}
    own = {"root": "/y", "features": FEATURES, "clip_seconds": 0.5, "seed": 1, "n_clips": {"train": 1}}
    config = {"data": data, "batch_size": 4}
    expected = {"root": "/x", "features": FEATURES, "clip_seconds": 0.5, "seed": 7}
    assert with_trained_features(config, trained(own)) == expected
    assert data["clip_seconds"] == 3.0


@pytest.mark.parametrize("missing", ["features", "clip_seconds"])
def test_data_without_such_options_are_refused(missing: str) -> None:
    data = {"features": FEATURES, "clip_seconds": 1.0}
    del data[missing]
    with pytest.raises(UserError, match=rf"data\.{missing} is no option of this data set"):
        with_trained_features({"data": data}, trained({"features": FEATURES, "clip_seconds": 0.5}))


def test_items_of_unknown_classes_are_left_out() -> None:
    mapping = class_map({}, ["cello", "piano", "violin"], CHECKPOINT)
    outputs = torch.rand(4, 4)
    got, truth, groups = known_items(mapping, module(), outputs, torch.tensor([1, 0, 2, 1]), one_class=False)
    assert groups.tolist() == [10, 12, 13]
    assert torch.equal(got, outputs[[0, 2, 3]])
    assert truth.tolist() == [[1, 0], [0, 1], [1, 0]]


def test_a_checkpoint_of_one_class_an_item_is_asked_for_items_of_one() -> None:
    mapping = class_map({}, ["cello", "piano", "violin"], CHECKPOINT)
    outputs = torch.rand(4, 4)
    labels = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [0, 1, 0]])
    got, truth, groups = known_items(mapping, module(), outputs, labels, one_class=True)
    assert groups.tolist() == [10, 13]
    assert torch.equal(got, outputs[[0, 3]])
    assert truth.tolist() == [1, 0]


def test_data_without_a_known_item_are_refused() -> None:
    mapping = class_map({}, ["cello", "piano", "violin"], CHECKPOINT)
    with pytest.raises(UserError, match="folder: no item of the test split"):
        known_items(mapping, module(), torch.rand(2, 4), torch.tensor([0, 0]), one_class=False)


def test_what_has_classes_and_fits_is_taken() -> None:
    check_compatible(trained(), module())
    check_compatible(trained(target="multiclass"), module(target="multilabel"))


@pytest.mark.parametrize(
    ("of_checkpoint", "of_data", "said"),
    [
        ({"target": "rolls"}, {}, r"best\.ckpt has no classes of sounds, but rolls"),
        ({}, {"target": "regression"}, "data folder has no classes of sounds, but regression"),
        (
            {"item_shape": [2, 32, 16]},
            {},
            r"\[2, 32, 16\] \(.*\), but data folder has \[1, 32, 16\].*data\.channels",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    of_checkpoint: dict[str, Any], of_data: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        check_compatible(trained(**of_checkpoint), module(**of_data))
