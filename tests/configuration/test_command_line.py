from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from src.configuration.command_line import explain, open_data_keys, quote_paths

CONF = Path(__file__).resolve().parents[2] / "conf"
PARSER = OverridesParser.create()
# What a file may be called: anything but NUL; quotes around the whole mean that the user has quoted.
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: (
        name != "null" and not name.startswith("${") and not (name[0] == name[-1] and name[0] in "'\"")
    )
)


def parsed(argument):
    [quoted] = quote_paths([argument])
    override = PARSER.parse_override(quoted)
    return override.key_or_group, override.value()


def resolved(argument):
    key, value = parsed(argument)
    return key, OmegaConf.to_container(OmegaConf.create({"value": value}), resolve=True)["value"]


@settings(max_examples=500, deadline=None)  # the first path of data imports its classes
@given(st.sampled_from(["input", "outputs", "data.root"]), NAMES)
@example("input", "a[1],b #3 (é).wav")
@example("input", "it's")
@example("input", "back\\")
@example("input", "back\\'slash\\\\")
@example("outputs", "2024")
@example("outputs", "1e3")
@example("outputs", "True")
@example("outputs", "~/out")
@example("input", "a\nb")
@example("input", "\\\n")
@example("input", "{x: 1}")
@example("input", " padded ")
@example("input", "glob(*)")
def test_hydra_reads_back_what_was_typed(key, value):
    assert parsed(f"{key}={value}") == (key, value)


@settings(max_examples=300, deadline=None)
@given(NAMES)
@example("a, b's [live] #2.ckpt")
@example("[a,b].ckpt")
@example("]")
@example("a,[b")
def test_a_file_that_exists_is_one_path_whatever_it_looks_like(tmp_path_factory, name):
    assume("/" not in name and name not in (".", "..") and len(name.encode()) < 200 and name[0] != "~")
    folder = tmp_path_factory.getbasetemp() / "names"
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text("")
    other = folder / "other.ckpt"
    other.write_text("")
    assert resolved(f"checkpoint={file}") == ("checkpoint", str(file))
    assert resolved(f"checkpoint=[{file},{other}]") == ("checkpoint", [str(file), str(other)])
    assert resolved(f"data.soundfonts=[{other},{file}]") == ("data.soundfonts", [str(other), str(file)])


@pytest.mark.parametrize(
    "name", ["${oc.env:HOME}", "a${seed}b's", "back\\${seed}", "${", "a${b c", "${a}${b}.wav"]
)
@pytest.mark.parametrize("key", ["input", "outputs", "data.root", "checkpoint"])
def test_a_folder_named_like_a_key_is_a_folder(tmp_path, monkeypatch, key, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    assert resolved(f"{key}={tmp_path / name}") == (key, str(tmp_path / name))
    assert resolved(f"{key}={name}") == (key, name)


def test_commas_are_alternatives_of_a_sweep():
    [quoted] = quote_paths(["data.soundfonts=a b.sf2,c.sf2"])
    assert [str(e) for e in PARSER.parse_override(quoted).sweep_string_iterator()] == ["'a b.sf2'", "c.sf2"]


def test_lists_are_alternatives_of_a_sweep():
    [quoted] = quote_paths(["data.soundfonts=[TimGM6mb],[a b,c]"])
    override = PARSER.parse_override(quoted)
    assert override.is_sweep_override()
    assert [PARSER.parse_override(f"x={text}").value() for text in override.sweep_string_iterator()] == [
        ["TimGM6mb"],
        ["a b", "c"],
    ]


@pytest.mark.parametrize(
    "argument",
    [
        "seed=1,2",
        "-m",
        "optimizer=adam",
        "checkpoint='a b'",
        "input=null",
        "outputs=${oc.env:HOME}",
        "--help",
    ],
)
def test_other_arguments_stay(argument):
    assert quote_paths([argument]) == [argument]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Could not find 'optimizer/adma'", ["optimizer=adma", "Did you mean adam?", "rmsprop"]),
        ("Could not override 'optimiser'.", ["optimiser", "Did you mean optimizer?"]),
        ("Key 'sede' is not in struct\n    full_key: sede\n", ["sede", "Did you mean seed?"]),
        ("Key 'lr' is not in struct\n    full_key: lr\n", ["lr", "optimizer.lr"]),
        ("Key 'zzz' is not in struct\n    full_key: zzz\n", ["zzz", "--cfg job"]),
        ("Could not override 'data.n_stems'.", ["the data that was chosen", "data=synth_stems"]),
        (
            "Could not override 'generation.pieces'.",
            ["data=chorales, midi_folder or poly_music and mode=generate", "leave generation.pieces out"],
        ),
        (
            "Could not override 'data/synth_stems/unseen'.",
            ["data/synth_stems/unseen", "for data=synth_stems"],
        ),
        ("Could not override 'mode/test/class_map'.", ["mode/test/class_map", "for mode=test"]),
        ("Ambiguous value for argument 'seed=1,2'\n1. …", ["seed=1,2", "add -m"]),
        ("no viable alternative at input 'a{'", ["quotes"]),
        ("something else\nwith more lines", ["something else", "--help"]),
    ],
)
def test_errors_are_one_line_with_a_remedy(text, parts):
    message = explain(HydraException(text), CONF)
    assert "\n" not in message
    assert all(part in message for part in parts), message


def test_with_a_checkpoint_any_key_of_data_can_be_typed():
    typed = ["mode=test", "checkpoint=a.ckpt", "data.crop=64", "+data.x=1", "seed=2"]
    assert open_data_keys(typed) == [
        "mode=test",
        "checkpoint=a.ckpt",
        "++data.crop=64",
        "+data.x=1",
        "seed=2",
    ]
    assert open_data_keys(["data.crop=64"]) == ["data.crop=64"]


def test_choices_below_data_are_added_to_a_checkpoint_s_data_but_not_to_a_set_that_is_chosen():
    unseen = "data/synth_stems/unseen=opl3"
    assert open_data_keys(["mode=test", unseen]) == ["mode=test", f"+{unseen}"]
    for chosen in (
        ["mode=test", "data=synth_stems", unseen],
        ["mode=test", "experiment=debug", unseen],
        [unseen],
    ):
        assert open_data_keys(chosen) == chosen


def test_a_checkpoint_to_begin_with_is_swept_beside_none(tmp_path):
    checkpoint = tmp_path / "a [1], b.ckpt"
    checkpoint.touch()
    [quoted] = quote_paths([f"init_from=null,{checkpoint}"])
    swept = PARSER.parse_override(quoted)
    assert swept.is_sweep_override()
    nothing, path = swept.sweep_iterator()
    assert (nothing, path.text) == (None, str(checkpoint))


@pytest.mark.parametrize("typed", ["optimizer=adam loss=bce", "'optimizer=adam loss=bce'"])
def test_the_values_of_a_reference_need_no_quotes(typed):
    assert quote_paths(["-m", f"sweep.reference={typed}"]) == [
        "-m",
        "sweep.reference='optimizer=adam loss=bce'",
    ]
