from src.paths import ROOT
from src.preparation.sources import sources


def test_imports_are_followed():
    found = {path.relative_to(ROOT).as_posix() for path in sources("src.datamodules.synthesized.synth_clips")}
    assert found >= {
        "src/datamodules/synthesized/synth_clips.py",
        "src/audio/score.py",
        "src/audio/synthesis.py",
        "src/audio/fluid.py",  # imported by synthesis only
        "src/audio/mel.py",
    }
    assert "src/datamodules/base.py" not in found
    assert "src/audio/soundfonts/installed.py" not in found


def test_imports_of_every_kind(tmp_path, monkeypatch):
    monkeypatch.setattr("src.preparation.sources.ROOT", tmp_path)
    files = {
        "a": "import src.b\nimport numpy",
        "b": "from src import c\ndef f():\n    from src.d import x",
        "c": "import src.a",
        "d": "",
        "e": "",
    }
    (tmp_path / "src").mkdir()
    for name, text in files.items():
        (tmp_path / "src" / f"{name}.py").write_text(text)
    assert {path.stem for path in sources("src.a")} == {"a", "b", "c", "d"}
