import json
from pathlib import Path
from typing import Any

import pytest

from src.errors import UserError
from src.sweep.search.history import History, Past, refuse_other_space
from src.sweep.search.space import Choice, Interval, Point, Space

SPACE = Space((Choice("kind", ("a", "b")), Interval("+x", 0, 1)), ("size=3",), ("kind", "size", "+x"))


def line(*overrides: str, state: str = "queued", **more: Any) -> dict[str, Any]:
    return {"overrides": list(overrides), "state": state, "signature": "s", **more}


def history(outputs: Path, *lines: dict[str, Any]) -> History:
    def whole(point: Point) -> bool:
        return len(point) == 2

    return History(lines, outputs, SPACE, whole)


def test_known_points_come_in_their_order_each_once(tmp_path: Path) -> None:
    for name, overrides in {"r2": ["kind=b", "x=0.75"], "r1": ["kind=a", "+x=0.5", "other=1"]}.items():
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "job.json").write_text(json.dumps({"overrides": overrides}))
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / "job.json").write_text("{")
    found = history(
        tmp_path,
        line("kind=b", "size=3", "+x=0.125", state="reused"),
        line("kind=a", "size=3", "+x=0.25", proposal=1, state="reused"),
        line("kind=a", "size=3", "+x=0.5", proposal=0),
        line("kind=a", "size=3", "+x=0.5", state="finished"),
        line("kind=c", "size=3", "+x=0.5", state="finished"),
        line("kind=a", "size=3"),
    )
    assert found.points() == [
        Past({"kind": "b", "+x": "0.125"}, ran=False, proposed=False),
        Past({"kind": "b", "+x": "0.75"}, ran=False, proposed=False),
        Past({"kind": "a", "+x": "0.5"}, ran=True, proposed=True, number=0),
        Past({"kind": "a", "+x": "0.25"}, ran=False, proposed=True, number=1),
    ]
    assert found.n_proposals() == 2


def test_a_new_search_knows_nothing(tmp_path: Path) -> None:
    assert history(tmp_path).points() == []
    assert history(tmp_path).n_proposals() == 0


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("kind=a", "size=4", "+x=0.5"), "size=3 size=4"),
        (("kind=a", "size=3", "+x=0.5", "+y=1"), "+y=1"),
        (("kind=a", "size=3", "+x=2"), "outside its axes"),
    ],
)
def test_another_space_is_refused(overrides: tuple[str, ...], told: str) -> None:
    same = ("kind=a", "size=3", "+x=0.5", "n_trials=3")
    for lines in ([line(*same, proposal=0)], [line(*overrides)]):
        refuse_other_space(lines, SPACE, "s", lambda key: key == "n_trials")
    with pytest.raises(UserError, match=r"choose another sweep\.name") as error:
        refuse_other_space([line(*overrides, proposal=0)], SPACE, "s", lambda key: key == "n_trials")
    assert told in str(error.value)
