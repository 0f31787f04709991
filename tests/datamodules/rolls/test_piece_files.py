import numpy as np
import pytest

from src.datamodules.rolls.piece import Piece
from src.datamodules.rolls.piece_files import PieceFiles, build_rolls
from src.errors import UserError
from tests.datamodules.rolls.slow_rolls import roll


def make(piece_id: str) -> Piece:
    if piece_id == "bad":
        raise UserError("bad.mid has no notes")
    sounding = roll(int(piece_id), seed=1)
    return Piece(name=piece_id, group="g", sounding=sounding, onsets=sounding & False)


def test_a_file_holds_the_piece(tmp_path):
    pieces = build_rolls(tmp_path / "parts", make, ["30"], 1, "rolls")
    arrays = pieces.arrays(0)
    np.testing.assert_array_equal(np.unpackbits(arrays["sounding"], axis=1)[:, :12], roll(30, seed=1))
    assert not arrays["onsets"].any()
    assert {"name": "30", "group": "g", "split": "", "length": 30}.items() <= pieces.about(0).items()


@pytest.mark.parametrize(
    ("piece_id", "reason"), [("bad", "bad.mid has no notes"), ("1", "fewer than 2 steps")]
)
def test_a_piece_that_cannot_be_made_has_a_reason(tmp_path, piece_id, reason):
    about = build_rolls(tmp_path / "parts", make, [piece_id], 1, "rolls").about(0)
    assert about["name"] == piece_id
    assert reason in about["left_out"]


def test_a_damaged_file_is_noticed(tmp_path):
    pieces = PieceFiles(tmp_path, ("40",))
    assert not pieces.is_intact(0)
    pieces.write_chunk(0, make)
    assert pieces.is_intact(0)
    content = pieces.path(0).read_bytes()
    for position in range(0, len(content), 37):
        damaged = bytearray(content)
        damaged[position] ^= 1
        pieces.path(0).write_bytes(damaged)
        assert not pieces.is_intact(0)
