import pytest

from src.commands import doctor


@pytest.mark.parametrize(
    ("mode", "answers", "words"),
    [
        ("online", True, "found: runs go online"),
        ("online", False, "does not answer: runs stay offline"),
        ("offline", False, "runs stay offline"),
        ("disabled", False, "no runs are recorded"),
    ],
)
def test_it_says_what_becomes_of_wandb_runs(
    monkeypatch: pytest.MonkeyPatch, mode: str, answers: bool, words: str
) -> None:
    monkeypatch.setenv("WANDB_MODE", mode)
    monkeypatch.setattr(doctor, "answers", lambda _: answers)
    told = doctor._wandb()
    assert words in str(told)
