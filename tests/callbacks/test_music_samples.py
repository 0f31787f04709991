from dataclasses import asdict

import lightning
import mido
import pytest
import torch
from lightning.pytorch.callbacks import Callback

from src.callbacks.music_samples import MusicSamples
from src.callbacks.seed_epochs import SeedEpochs
from src.callbacks.weight_averaging import EMA
from src.errors import UserError
from tests.generation.tiny_music import generation, generator, tunes


@pytest.fixture
def data(tmp_path):
    return tunes(tmp_path)


def samples(folder, every=2, **options):
    return MusicSamples(every, folder / "samples", asdict(generation(**options)))


def fit(learner, data, folder, callbacks, epochs=4, **options):
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[*callbacks, SeedEpochs(1)],
        logger=False,
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=10**9,
        **{"num_sanity_val_steps": 0, **options},
    )
    trainer.fit(learner, data)
    return trainer


def test_a_piece_is_left_after_every_so_many_epochs(data, tmp_path):
    fit(generator(data), data, tmp_path, [samples(tmp_path)], epochs=5, num_sanity_val_steps=1)
    files = sorted((tmp_path / "samples").iterdir())
    assert len(files) == 6
    assert {file.suffix for file in files} == {".mid", ".png", ".wav"}
    name = {file.stem.split("_1_")[1] for file in files}
    assert len(name) == 1
    assert name.pop().replace("-", " ") in data.names("val")
    assert {file.stem.split("_1_")[0] for file in files} == {"epoch_002", "epoch_004"}


def test_it_goes_on_from_the_same_beginning_and_differs_as_the_network_does(data, tmp_path):
    fit(generator(data), data, tmp_path, [samples(tmp_path, steps=20)])
    first, second = (
        [message for message in mido.MidiFile(file) if not message.is_meta]
        for file in sorted((tmp_path / "samples").glob("*.mid"))
    )
    assert first != second
    assert first[:3] == second[:3]


def test_training_is_not_changed(data, tmp_path):
    states = []
    for callbacks in ([], [samples(tmp_path, every=1)]):
        learner = generator(data, dropout=0.5)
        fit(learner, data, tmp_path, callbacks)
        states.append({name: value.clone() for name, value in learner.state_dict().items()})
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_nothing_is_left_outside_training(data, tmp_path):
    learner = generator(data)
    trainer = fit(learner, data, tmp_path, [samples(tmp_path, every=3)], epochs=2)
    trainer.validate(learner, data, verbose=False)
    assert not (tmp_path / "samples").exists()


@pytest.mark.parametrize("first", ["samples", "average"])
def test_music_is_of_the_weights_that_are_validated(data, tmp_path, monkeypatch, first):
    played, validated = [], []

    def record(learners, *_, **__):
        played.append(learners[0].network.output.weight.detach().clone())
        return []

    class Watch(Callback):
        def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
            validated.append(pl_module.network.output.weight.detach().clone())

    monkeypatch.setattr("src.callbacks.music_samples.compose", record)
    monkeypatch.setattr(
        "src.datamodules.rolls.batches.MOST_COLUMNS", 1
    )  # each of the three pieces is a batch
    callbacks = [samples(tmp_path, every=1), EMA(0.9)]
    fit(generator(data), data, tmp_path, [*callbacks[:: 1 if first == "samples" else -1], Watch()])
    assert len(played) == 4
    assert all(torch.equal(one, other) for one, other in zip(played, validated[::3], strict=True))


@pytest.mark.parametrize("every", [0, -1, 1.5])
def test_less_than_every_epoch_is_refused(tmp_path, every):
    with pytest.raises(UserError, match=r"callbacks\.music_samples\.every_n_epochs"):
        samples(tmp_path, every=every)


def test_music_that_cannot_be_written_does_not_end_the_training(data, tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr("src.callbacks.music_samples.write_pieces", full)
    trainer = fit(generator(data), data, tmp_path, [samples(tmp_path)], epochs=2)
    assert trainer.current_epoch == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "is not written" in line]
    assert len(lines) == 1
    assert "epoch_002" in lines[0]
