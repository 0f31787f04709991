"""The wheel, installed: `polysweep` in an empty folder has its configuration, checkpoint and soundfont."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT, Project

SOURCES = (
    "src", "conf", "hydra_plugins", "checkpoints", "constraints.txt",
    "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE",
)  # fmt: skip
MAIN = "import sys; from src.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the wheel's contents, as pip lays them."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"  # setuptools leaves files beside what it builds
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        sources.mkdir(exist_ok=True)
        copy(ROOT / name, sources / name)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    command = [sys.executable, "-m", "pip", "wheel", *options, sources]
    subprocess.run(command, check=True, timeout=240)
    [wheel] = folder.glob("polysweep-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def polysweep(site, tmp_path):
    """Runs the console command's function out of the wheel, in an empty folder beside a `src` of somebody else's."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "__init__.py").write_text("raise ImportError('this src is of the user')\n")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-P", "-c", MAIN, *map(str, arguments)],
            cwd=tmp_path,
            env=Project().environment({"PYTHONPATH": str(site)}),
            capture_output=True,
            text=True,
            timeout=240,
        )

    return run


@pytest.mark.slow
def test_a_trial_runs_in_an_empty_folder(polysweep, tmp_path):
    done = polysweep("-m", "experiment=debug", "optimizer=adam,sgd", "sweep.name=two")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "outputs" / "sweeps" / "two" / "leaderboard.csv").is_file()
    assert len(list(tmp_path.glob("outputs/runs/*/metrics.json"))) == 2


@pytest.mark.slow
def test_the_doctor_finds_the_tested_versions(polysweep, site):
    done = polysweep("mode=doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (site / "src" / "shipped" / "constraints.txt").read_text() == (
        ROOT / "constraints.txt"
    ).read_text()


@pytest.mark.slow
def test_the_shipped_checkpoint_is_found(polysweep):
    answer = polysweep("mode=predict")
    assert answer.returncode == 2
    assert "input= is missing" in answer.stderr, "so a checkpoint was there"


def test_the_wheel_has_all_of_the_configuration(site):
    shipped = {
        path.relative_to(site / "src" / "shipped") for path in (site / "src" / "shipped").rglob("*.yaml")
    }
    assert shipped == {path.relative_to(ROOT) for path in (ROOT / "conf").rglob("*.yaml")}
    entry = next(site.glob("*.dist-info")) / "entry_points.txt"
    assert "polysweep = src.main:main" in entry.read_text()
    assert not (site / "tests").exists()
    assert os.listdir(site / "hydra_plugins") == ["polysweep"]  # noqa: PTH208
