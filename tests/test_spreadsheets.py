import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from src.spreadsheets import TableWriter, safe_cell, safe_csv


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a.wav", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["oboe", "a=b", "-0.25", "+1e-3", "-inf", -3, -0.5, "", None])
def test_numbers_and_other_text_stay(value: object) -> None:
    assert safe_cell(value) == value


def test_a_path_is_text() -> None:
    assert safe_cell(Path("=a.wav")) == "'=a.wav"


def test_header_and_rows_are_safe() -> None:
    file = io.StringIO(newline="")
    TableWriter(file, ["file", "@class"]).write([("-a.wav", -0.5), ("b,c.wav", "=x")])
    assert list(csv.reader(io.StringIO(file.getvalue()))) == [
        ["file", "'@class"],
        ["'-a.wav", "-0.5"],
        ["b,c.wav", "'=x"],
    ]


def test_a_data_frame_is_safe() -> None:
    table = pd.DataFrame({"=name": ["=a", None, "b"], "value": [-1.5, None, 2.0], "swept": ["-1", "-x", 3]})
    assert safe_csv(table) == "'=name,value,swept\n'=a,-1.5,-1\n,,'-x\nb,2.0,3\n"
