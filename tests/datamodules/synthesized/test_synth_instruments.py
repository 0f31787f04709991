import csv
import hashlib
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import lightning
import mido
import numpy as np
import pytest
import soundfile
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from src.audio.soundfonts.installed import find_soundfont
from src.audio.synthesis import Synthesizer
from src.errors import UserError
from tests.audio.soundfonts.tiny_fonts import write_font

ROOT = Path(__file__).resolve().parents[3]


def test_clips_are_what_their_scores_say(tiny):
    data = tiny()
    assert data.item_shape == (1, 16, 16)
    assert data.classes == ("piano", "violin", "trumpet")
    data.prepare_data()
    data.setup("fit")
    maker = data.maker()
    start = 0
    for split, count in (("train", 70), ("val", 9), ("test", 7)):
        features, targets = data.arrays(split)
        assert features.shape == (count, 1, 16, 16)
        assert targets.shape == (count, 3)
        assert set(targets.sum(axis=1)) <= {1, 2}
        score, font = maker.piece(start + count - 1)
        assert set(np.flatnonzero(targets[-1])) == set(score.instruments)
        np.testing.assert_array_equal(features[-1, 0], maker.log_mel(maker.waveform(score, font)))
        assert features.max() == 0
        assert features.min() >= -80
        start += count


def test_bits_do_not_depend_on_order_or_workers(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("src.processes.HEAVY", ())
    one = tiny(cache_dir=tmp_path / "one", workers=1)
    two = tiny(cache_dir=tmp_path / "two", workers=2)
    assert one.signature == two.signature
    for data in (one, two):
        data.prepare_data()
    for name in ("features", "targets", "pieces"):
        assert (one.folder / f"{name}.npy").read_bytes() == (two.folder / f"{name}.npy").read_bytes()
    alone = tiny().maker()(75)
    np.testing.assert_array_equal(one.arrays("val")[0][5], alone["features"])


def test_a_clip_does_not_depend_on_how_many_there_are(tiny):
    few, many = tiny().maker(), tiny(n_clips={"train": 500, "val": 20, "test": 7}).maker()
    np.testing.assert_array_equal(few(3)["features"], many(3)["features"])
    np.testing.assert_array_equal(few(71)["features"], many(501)["features"])


def test_another_font_plays_the_same_pieces(tiny, tmp_path):
    copy = shutil.copy(find_soundfont("TimGM6mb"), tmp_path / "other.sf2")
    one, several = tiny().maker(), tiny(soundfonts=["TimGM6mb", copy]).maker()
    pieces = [(one(i)["pieces"], several(i)["pieces"]) for i in range(5)]
    assert all(a == b for a, b in pieces)
    assert {several.piece(i)[1].name for i in range(30)} == {"TimGM6mb.sf2", "other.sf2"}
    split = tiny(test_soundfonts=[copy]).maker()
    assert {split.piece(i)[1].name for i in range(79)} == {"TimGM6mb.sf2"}
    assert {split.piece(i)[1].name for i in range(79, 86)} == {"other.sf2"}


def test_pitch_range_overrides_every_instrument(tiny):
    maker = tiny(pitch_range=[60, 61]).maker()
    notes = {m.note for i in range(20) for _, m in maker.piece(i)[0].events() if m.type == "note_on"}
    assert notes == {60, 61}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"effects": False},
        {"clip_seconds": 0.6},
        {"pitch_range": [60, 72]},
        {"max_instruments": 1},
        {"gap": [0.0, 0.1]},
        {"n_clips": {"train": 71, "val": 9, "test": 7}},
        {"features": {"sample_rate": 8000, "n_fft": 512, "hop_length": 256, "n_mels": 17}},
    ],
)
def test_signature_covers_what_determines_the_data(tiny, change):
    assert tiny(**change).signature != tiny().signature


def test_signature_leaves_out_what_does_not(tiny, tmp_path):
    changes = {"workers": "auto", "batch_size": 3, "shuffle_seed": 9, "cache_dir": tmp_path / "elsewhere"}
    assert tiny(**changes).signature == tiny().signature


def test_signature_covers_fonts_by_content_and_code(tiny, tmp_path, monkeypatch):
    original = find_soundfont("TimGM6mb")
    copy = Path(shutil.copy(original, tmp_path / "moved.sf2"))
    assert tiny(soundfonts=[str(copy)]).signature == tiny().signature
    content = bytearray(copy.read_bytes())
    content[100_000] ^= 1
    (tmp_path / "changed.sf2").write_bytes(content)
    assert tiny(soundfonts=[str(tmp_path / "changed.sf2")]).signature != tiny().signature
    assert tiny(test_soundfonts=[str(tmp_path / "changed.sf2")]).signature != tiny().signature

    before = tiny().signature
    monkeypatch.setattr("src.audio.fluid.version", lambda: "9.9")
    assert tiny().signature != before
    monkeypatch.undo()
    monkeypatch.setattr("src.datamodules.base.code_signature", lambda *modules: "other")
    assert tiny().signature != before


def test_prepared_data_are_found_again(tiny):
    tiny().prepare_data()
    data = tiny(batch_size=4)
    made = (data.folder / "meta.json").stat().st_mtime_ns
    data.prepare_data()
    data.setup("test")
    assert (data.folder / "meta.json").stat().st_mtime_ns == made


def test_unbuilt_data_are_refused(tiny):
    with pytest.raises(UserError, match="mode=prepare"):
        tiny().setup("fit")


def test_splits_that_share_a_piece_are_refused(tiny):
    data = tiny(
        classes=[{"name": "piano", "program": 0, "low": 60, "high": 60}],
        max_instruments=1,
        notes_per_instrument=1,
        velocity=[80, 80],
        gap=[0.0, 0.0],
        length=[0.1, 0.1],
    )
    data.prepare_data()
    with pytest.raises(UserError, match="train and val share 1 piece"):
        data.setup("fit")


def test_pieces_of_all_splits_differ(tiny):
    data = tiny()
    data.prepare_data()
    pieces = np.load(data.folder / "pieces.npy")
    assert len(np.unique(pieces)) == 86


def test_statistics_are_those_of_the_training_part(tiny):
    data = tiny()
    data.prepare_data()
    expected = np.load(data.folder / "features.npy")[:70].astype(np.float64)
    for _ in range(2):  # computed, then remembered
        mean, deviation = data.statistics()
        np.testing.assert_allclose(mean, expected.mean(axis=(0, 1, 3)), rtol=1e-5)
        np.testing.assert_allclose(deviation, expected.std(axis=(0, 1, 3)), rtol=1e-5)
        assert mean.dtype == deviation.dtype == np.float32


class Recorder(lightning.LightningModule):
    """Keeps what the loop gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[torch.Tensor] = []
        self.validated = 0

    def training_step(self, batch, index):
        self.seen.append(batch[0].sum(dim=(1, 2, 3)))
        return self.layer(torch.ones(1, 1)).sum()

    def validation_step(self, batch, index):
        self.validated += len(batch[0])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.0)


def fit(data, epochs: int) -> Recorder:
    model = Recorder()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(model, datamodule=data)
    return model


@pytest.mark.filterwarnings("ignore")
def test_lightning_reads_another_order_each_epoch(tiny):
    model = fit(tiny(), 2)
    assert len(model.seen) == 2 * (70 // 8)
    first, second = torch.cat(model.seen[:8]), torch.cat(model.seen[8:])
    assert first.tolist() != second.tolist()
    assert model.validated == 2 * 9
    again = fit(tiny(), 2)
    assert all(torch.equal(a, b) for a, b in zip(model.seen, again.seen, strict=True))


def test_contact_sheet_shows_each_class_and_number(tiny, tmp_path):
    data = tiny()
    data.prepare_data()
    data.contact_sheet(tmp_path / "sheet")
    names = [path.stem for path in (tmp_path / "sheet").glob("*.wav")]
    assert {name[0] for name in names} == {"1", "2"}
    assert {name for stem in names for name in stem.split("_")[1].split("+")} == set(data.classes)
    for stem in names:
        assert (tmp_path / "sheet" / f"{stem}.png").stat().st_size > 1000
        programs = {
            m.program for m in mido.MidiFile(tmp_path / "sheet" / f"{stem}.mid") if m.type == "program_change"
        }
        wanted = {"piano": 0, "violin": 40, "trumpet": 56}
        assert programs == {wanted[name] for name in stem.split("_")[1].split("+")}
        waveform, rate = soundfile.read(tmp_path / "sheet" / f"{stem}.wav")
        assert rate == 8000
        assert waveform.shape == (4000,)
        assert abs(waveform).max() > 0.5
    with (tmp_path / "sheet" / "classes.csv").open() as file:
        rows = list(csv.DictReader(file))
    targets = data.arrays("val")[1]
    assert [int(row["val_clips"]) for row in rows] == targets.sum(axis=0).tolist()
    assert (tmp_path / "sheet" / "classes.png").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"max_instruments": 4}, "choose 1..3"),
        ({"max_instruments": 1.5}, "whole number"),
        ({"classes": []}, "data.classes"),
        ({"classes": [{"name": "piano", "program": 0}]}, "program, low and high"),
        ({"pitch_range": [72, 60]}, r"\[low, high\]"),
        ({"pitch_range": [72]}, r"\[low, high\]"),
        ({"velocity": [50, 100, 120]}, r"\[low, high\]"),
        ({"gap": ["a", "b"]}, r"\[low, high\]"),
        ({"length": 2.0}, r"\[low, high\]"),
        ({"n_clips": {"train": 0, "val": 9, "test": 7}}, "n_clips.train"),
        ({"n_clips": {"train": 1, "val": 9}}, "n_clips.test"),
        ({"seed": -1}, "data.seed"),
        ({"batch_size": 0}, "batch_size"),
        ({"workers": 0}, "workers"),
        ({"soundfonts": []}, "one or several soundfonts"),
        ({"features": {"n_mel": 3}}, "n_mel"),
        ({"features": {"sample_rate": 100, "fmin": 0.0}}, "8000"),
        ({"clip_seconds": 0.01}, "longer clip"),
    ],
)
def test_impossible_options_are_refused(tiny, change, says):
    with pytest.raises(UserError, match=says):
        tiny(**change)


def test_check_refuses_before_work(tiny, tmp_path, monkeypatch):
    tiny().check()
    with pytest.raises(UserError, match=r"soundfont none\.sf2 is not installed"):
        tiny(soundfonts=["none.sf2"]).check()
    (tmp_path / "text.sf2").write_text("no soundfont")
    with pytest.raises(UserError, match="no soundfont"):
        tiny(test_soundfonts=[str(tmp_path / "text.sf2")]).check()
    monkeypatch.setattr("src.audio.soundfonts.contents.presets", lambda _: {(0, 0), (0, 40)})
    with pytest.raises(UserError, match=r"no program 56 \(Trumpet\)"):
        tiny().check()


def test_a_test_soundfont_of_the_trained_family_is_refused(tiny, tmp_path):
    """Such as the same one under another name; itself is allowed, and so is one that shares nothing."""
    programs = (0, 40, 56)
    trained, again, strange = (
        write_font(tmp_path / f"{name}.sf2", programs, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    tiny(soundfonts=[str(trained)], test_soundfonts=[str(trained), str(strange)]).check()
    with pytest.raises(
        UserError, match="b shares recordings of piano, trumpet, violin with a, which is trained"
    ):
        tiny(soundfonts=[str(strange), str(trained)], test_soundfonts=[str(again)]).check()


def test_default_options_are_those_of_the_yaml_file(tmp_path):
    options = OmegaConf.load(ROOT / "conf" / "data" / "synth_instruments.yaml")
    data = instantiate(options, cache_dir=tmp_path, batch_size=32, shuffle_seed=1)
    assert len(data.classes) == 12
    assert data.item_shape == (1, 128, 87)
    data.check()
    again = instantiate(options, cache_dir=tmp_path, batch_size=32, shuffle_seed=1, _convert_="all")
    assert again.signature == data.signature


def test_every_default_instrument_sounds_over_its_range(tmp_path):
    options = OmegaConf.load(ROOT / "conf" / "data" / "synth_instruments.yaml")
    data = instantiate(options, cache_dir=tmp_path, batch_size=32, shuffle_seed=1)
    synthesizer = Synthesizer(find_soundfont("TimGM6mb"))
    for instrument in data.score_options.instruments:
        for note in (instrument.low, instrument.high):
            events = [
                (0.0, mido.Message("program_change", program=instrument.program)),
                (0.0, mido.Message("note_on", note=note, velocity=50)),
            ]
            waveform = synthesizer.render(events, 0.5)
            assert np.abs(waveform).max() > 1e-3, (instrument.name, note)


def test_another_process_makes_the_same_bits(tiny, tmp_path):
    code = (
        "import sys, hashlib, pickle; maker = pickle.load(sys.stdin.buffer); maker(5);"
        "print(hashlib.sha256(maker(2)['features'].tobytes()).hexdigest())"
    )
    maker = tiny().maker()
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(maker), capture_output=True, cwd=ROOT, check=True
    )
    features = maker(2)["features"]
    assert done.stdout.decode().strip() == hashlib.sha256(features.tobytes()).hexdigest()


def test_a_test_clip_is_written_as_it_was_heard(tiny, tmp_path):
    data = tiny()
    data.prepare_data()
    data.write_test_clip(3, tmp_path / "clip 3")
    maker = data.maker()
    score, font = maker.piece(70 + 9 + 3)
    sound, rate = soundfile.read(tmp_path / "clip 3.wav", dtype="float32")
    played = maker.waveform(score, font)
    np.testing.assert_allclose(sound, 0.9 * played / np.abs(played).max(), atol=1e-4)
    assert rate == maker.mel.sample_rate
    assert len(mido.MidiFile(tmp_path / "clip 3.mid").tracks) == len(score.instruments) + 1


def test_missing_soundfonts_of_training_and_test_are_fetched(tiny, monkeypatch):
    asked = []
    monkeypatch.setattr("src.datamodules.synthesized.base.fetch_missing", asked.extend)
    tiny(test_soundfonts=["FluidR3_GM"]).fetch()
    assert asked == ["TimGM6mb", "FluidR3_GM"]


def test_an_unknown_feature_is_refused_with_the_nearest(tiny):
    with pytest.raises(
        UserError, match=r"data\.features\.nmels: there is no such option\. Did you mean n_mels\?"
    ):
        tiny(features={"nmels": 16})
