import pytest

from src.errors import UserError
from src.sweep.folder import TrialFolder
from src.sweep.job import Job


def test_a_job_is_read_from_its_folder(tmp_path):
    config = {"seed": 1, "lr": 1e-3, "text": "1e-3", "none": None, "nested": {"list": [1, 2.0, "x"]}}
    job = Job(
        "0123456789ab",
        config,
        ("seed=1", "lr=1e-3"),
        tmp_path,
        "a.trial",
        "c0de",
        "a sweep",
        inputs={"/a": "b"},
    )
    TrialFolder(job.folder).begin(job.config, resume=False, code=job.code)
    job.write()
    assert Job.read(job.folder, "a.trial") == job


def test_no_file_says_what_is_imported(tmp_path):
    job = Job("0123456789ab", {}, (), tmp_path, "a.trial", "c0de")
    job.write()
    assert "a.trial" not in (job.folder / "job.json").read_text()


def test_a_folder_without_a_job_is_refused(tmp_path):
    with pytest.raises(UserError, match="no sweep has placed a trial here"):
        Job.read(tmp_path, "a.trial")
