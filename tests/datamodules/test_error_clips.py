import torch

from src.datamodules.error_clips import write_error_clips

CLASSES = ("piano", "slide whistle", "violin", "gong")


def test_the_worst_miss_of_each_class(tmp_path):
    written = {}
    outputs = torch.tensor(
        [[0.9, 0.1, 0.8, 0.1], [0.2, 0.9, 0.1, 0.1], [0.1, 0.2, 0.9, 0.9], [0.1, 0.1, 0.1, 0.1]]
    )
    targets = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    folder = tmp_path / "errors"
    write_error_clips(folder, lambda i, stem: written.update({stem.name: i}), CLASSES, outputs, targets, 0.5)
    assert written == {
        "missed_piano_answered_violin+gong_test00002": 2,
        "missed_slide-whistle_answered_nothing_test00000": 0,
        "missed_violin_answered_nothing_test00003": 3,
    }  # and no clip has a gong
    assert folder.is_dir()


def test_nothing_is_written_where_nothing_is_missed(tmp_path):
    outputs = torch.tensor([[0.9, 0.6, 0.8, 0.7]])
    write_error_clips(tmp_path / "errors", None, CLASSES, outputs, torch.ones(1, 4), 0.5)
    assert not (tmp_path / "errors").exists()
