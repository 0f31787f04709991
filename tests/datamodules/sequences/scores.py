"""Small scores for tests."""

from pathlib import Path


def write_tune(path: Path, notes: str, number: int = 1) -> Path:
    """Write or append a tune in ABC: quarter notes, in C."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"X:{number}\nT:Tune {path.stem} {number}\nM:4/4\nL:1/4\nK:C\n{notes}\n\n")
    return path


def write_parts(path: Path, parts: list[list[tuple[str, int]]]) -> Path:
    """Write MusicXML: of each part, pitches such as `C4` or `rest` with their lengths in crotchets, in one measure."""
    heads = "".join(
        f'<score-part id="P{n}"><part-name>{n}</part-name></score-part>' for n in range(len(parts))
    )
    bodies = "".join(
        f'<part id="P{n}"><measure number="1"><attributes><divisions>1</divisions></attributes>'
        f"{''.join(_note(*note) for note in notes)}</measure></part>"
        for n, notes in enumerate(parts)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1">'
        f"<part-list>{heads}</part-list>{bodies}</score-partwise>"
    )
    return path


def _note(pitch: str, crotchets: int) -> str:
    place = f"<pitch><step>{pitch[0]}</step><octave>{pitch[1:]}</octave></pitch>"
    return f"<note>{'<rest/>' if pitch == 'rest' else place}<duration>{crotchets}</duration></note>"
