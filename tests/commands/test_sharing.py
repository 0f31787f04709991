"""Checkpoints that are passed on: light, without paths, and with the same answers."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pretty_midi
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.commands import sharing
from src.commands.checkpoint import load
from src.commands.sharing import default_checkpoint, share, without_paths
from src.configuration.build import build_data
from src.configuration.checks import freeze
from src.errors import UserError
from src.trial import run
from tests.conftest import CONF, TINY

INFO = {"signature": "abc", "attempt": 1, "sweep": "", "overrides": [], "test": True}
FONT = Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"
WHERE = "ein Ordner, [1] é"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, Path]:
    """A trial's configuration, its best checkpoint, and what is passed on of it."""
    outputs = tmp_path_factory.mktemp("outputs") / WHERE
    font = outputs / "fonts" / "A Font.v2.sf2"
    font.parent.mkdir(parents=True)
    shutil.copy(FONT, font)
    options = [*TINY, f"outputs='{outputs}'", f"data.soundfonts=['{font}']", "trainer.max_epochs=1"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("config", options)
    config = freeze(OmegaConf.to_container(composed, resolve=True))  # type: ignore[arg-type]
    folder = outputs / "runs" / "abc"
    folder.mkdir(parents=True)
    run(config, folder, lambda _: None, INFO)
    best, target = folder / "checkpoints" / "best.ckpt", outputs / "new" / "folder" / "light.ckpt"
    share(best, target)
    return config, best, target


def unzipped(path: Path) -> bytes:
    with zipfile.ZipFile(path) as parts:
        return b"".join(parts.read(name) for name in parts.namelist())


def test_no_optimizer_and_no_loops_are_passed_on(shared: tuple[dict[str, Any], Path, Path]) -> None:
    _, best, target = shared
    assert "optimizer_states" in torch.load(best, weights_only=True)
    state = torch.load(target, weights_only=True)
    assert set(state) == {"hyper_parameters", "state_dict", "pytorch-lightning_version"}
    assert target.stat().st_size < best.stat().st_size / 3


def test_no_path_is_passed_on(shared: tuple[dict[str, Any], Path, Path]) -> None:
    config, best, target = shared
    before, after = unzipped(best), unzipped(target)
    for folder in (str(Path(config["outputs"]).parent), Path(config["outputs"]).parent.name):
        assert folder.encode() in before
        assert folder.encode() not in after
    own = load(target).config
    assert own["data"]["soundfonts"] == ["A Font.v2"]
    assert own["outputs"] == Path(WHERE).stem


def test_it_loads_and_answers_as_the_original(shared: tuple[dict[str, Any], Path, Path]) -> None:
    config, best, target = shared
    data = build_data(config)
    data.setup("test")
    features = torch.from_numpy(data.arrays("test")[0].copy())
    original, light = load(best), load(target)
    with torch.inference_mode():
        expected, got = original.learner.predict(features), light.learner.predict(features)
    assert got.dtype == expected.dtype == torch.float32
    assert torch.allclose(got, expected, rtol=0, atol=1e-2)
    assert got.std() > 0
    for name in ("threshold", "mean", "std"):
        assert torch.equal(getattr(light.learner, name), getattr(original.learner, name)), name
    for key in ("kind", "classes", "inputs", "target", "item_shape", "pool", "level"):
        assert light.description[key] == original.description[key], key


def test_what_was_shared_can_be_shared_again(
    shared: tuple[dict[str, Any], Path, Path], tmp_path: Path
) -> None:
    share(shared[2], tmp_path / "again.ckpt")
    first, again = (torch.load(path, weights_only=True) for path in (shared[2], tmp_path / "again.ckpt"))
    assert first["hyper_parameters"] == again["hyper_parameters"]
    for name, value in first["state_dict"].items():
        assert torch.equal(value, again["state_dict"][name]), name


def test_the_source_is_not_overwritten(shared: tuple[dict[str, Any], Path, Path]) -> None:
    _, best, _ = shared
    before = best.read_bytes()
    with pytest.raises(UserError, match=r"best\.ckpt would be overwritten.*another file"):
        share(best, best.parent / "." / best.name)
    assert best.read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint", {"state_dict": {}}, [1, 2]])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: Any) -> None:
    source, target = tmp_path / "source.ckpt", tmp_path / "target.ckpt"
    if isinstance(content, bytes):
        source.write_bytes(content)
    elif content is not None:
        torch.save(content, source)
    with pytest.raises(UserError, match="checkpoint="):
        share(source, target)
    assert not target.exists()


def test_only_absolute_paths_are_shortened() -> None:
    value = {
        "outputs": "/home/me/out",
        "fonts": ["TimGM6mb", "/usr/share/My Font.v2.sf2", ["fonts/rel.sf2", None, 3, 0.5, True, ("/a/b.mid",)]],
        "nested": {"deep": [{"root": "/data/Größe [1]"}], "relative": "../x/y.wav", "empty": ""},
        "number": 1e-3,
        "nothing": None,
    }  # fmt: skip
    assert without_paths(value) == {
        "outputs": "out",
        "fonts": ["TimGM6mb", "My Font.v2", ["fonts/rel.sf2", None, 3, 0.5, True, ["b"]]],
        "nested": {"deep": [{"root": "Größe [1]"}], "relative": "../x/y.wav", "empty": ""},
        "number": 1e-3,
        "nothing": None,
    }


@pytest.mark.parametrize("named", ["a.ckpt", ["a.ckpt", "b.ckpt"]])
@pytest.mark.parametrize("there", [False, True])
def test_a_named_checkpoint_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: Any, there: bool
) -> None:
    monkeypatch.setattr(sharing, "SHARED", tmp_path / "shipped.ckpt")
    if there:
        sharing.SHARED.touch()
    assert default_checkpoint(named) == named


@pytest.mark.parametrize("named", [None, "", []])
def test_the_shipped_checkpoint_is_taken_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: Any
) -> None:
    monkeypatch.setattr(sharing, "SHARED", tmp_path / "shipped.ckpt")
    with pytest.raises(UserError, match=r"checkpoint= is missing, and .*shipped\.ckpt is not there"):
        default_checkpoint(named)
    sharing.SHARED.touch()
    assert default_checkpoint(named) == str(tmp_path / "shipped.ckpt")
