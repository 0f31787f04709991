from pathlib import Path

from src.preparation.visible import visible_files


def test_hidden_names_and_folders_are_passed_over(tmp_path):
    root = tmp_path / ".data" / "root"  # what lies above the root does not count
    for name in ("b.wav", "a/é.wav", ".c.wav", ".Trash/d.wav", "a/.thumbs/e.wav", "a/f.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "folder.wav").mkdir()
    assert visible_files(root, "*.wav") == [Path("a/é.wav"), Path("b.wav")]
    assert visible_files(root) == [Path("a/f.txt"), Path("a/é.wav"), Path("b.wav")]
