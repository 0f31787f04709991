"""What pyproject.toml asks for, what constraints.txt pins, and what is loaded to see whether it works."""

import re
import tomllib

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from src import requirements
from src.paths import CONSTRAINTS, ROOT
from src.requirements import BUILT_FOR, MODULES, Check, complaint, may_be_a_broken_library, pinned_version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
PINS = [line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
NEEDED = [Requirement(text) for text in PROJECT["dependencies"]]


def pinned(name: str, python: str, platform: str) -> str:
    """The version that constraints.txt has of a library for a Python and a platform."""
    machine = {"linux": "x86_64", "darwin": "arm64"}[platform]
    where = {"python_full_version": f"{python}.1", "python_version": python, "sys_platform": platform}
    found = []
    for line in PINS:
        requirement = Requirement(line)
        applies = requirement.marker is None or requirement.marker.evaluate(
            where | {"platform_machine": machine}
        )
        if canonicalize_name(requirement.name) == canonicalize_name(name) and applies:
            found += [str(requirement.specifier)]
    assert len(found) == 1, (name, python, platform, found)
    return found[0].removeprefix("==")


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_requirement_is_pinned_within_its_range(python: str, platform: str) -> None:
    for requirement in [*NEEDED, *map(Requirement, EXTRAS)]:
        number = Version(pinned(requirement.name, python, platform))
        assert number in requirement.specifier, requirement


def test_pins_are_names_and_exact_versions() -> None:
    assert len(PINS) > 100
    for line in PINS:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.!]+( ; .+)?", line), line
        if ";" in line:
            Marker(line.partition(";")[2].strip())


def test_malicious_releases_are_excluded() -> None:
    [lightning] = [requirement for requirement in NEEDED if requirement.name == "lightning"]
    assert Version("2.6.2") not in lightning.specifier
    assert Version("2.6.3") not in lightning.specifier
    assert Version("2.6.1") in lightning.specifier


def test_each_library_that_is_needed_is_loaded_by_the_doctor() -> None:
    assert {canonicalize_name(name) for name in MODULES} == {r.name for r in map(_canonical, NEEDED)} - {
        "pyfluidsynth"
    }


def _canonical(requirement: Requirement) -> Requirement:
    requirement.name = canonicalize_name(requirement.name)
    return requirement


def test_the_pinned_version_is_that_of_this_python() -> None:
    for name in MODULES:
        assert pinned_version(name) is not None
    assert pinned_version("no-such-library") is None


def test_a_pair_that_must_fit_is_complained_of_with_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.11.0", "torchaudio": "2.11.1"}
    monkeypatch.setattr(requirements, "installed_version", versions.get)
    said = complaint(Check("torchaudio", False, "OSError: /a/b c/lib/x.so: undefined symbol: y"))
    assert said.startswith("torchaudio 2.11.1 does not load beside torch 2.11.0 (OSError: ")
    assert f"pip install torch=={pinned_version('torch')} torchaudio=={pinned_version('torchaudio')}`" in said
    assert BUILT_FOR.keys() <= MODULES.keys()


def test_a_missing_library_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "installed_version", lambda _: None)
    said = complaint(Check("librosa", False, "ModuleNotFoundError: No module named 'librosa'"))
    assert said.startswith("librosa is not installed: run `make setup`, or `pip install librosa==")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ImportError("x"), True),
        (ModuleNotFoundError("x"), True),
        (OSError("x.so: undefined symbol: y"), True),
        (EOFError(), True),
        (ConnectionResetError(), True),
        (FileNotFoundError(2, "No such file", "a.wav"), False),
        (OSError(28, "No space left on device"), False),
        (ValueError("x"), False),
    ],
)
def test_errors_of_loading_are_told_from_others(error: Exception, expected: bool) -> None:
    assert may_be_a_broken_library(error) is expected
