"""Bad input: exit code 2, one line that names the remedy, nothing started."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
import torch
from conftest import ROOT

DEBUG, CHORALES, PIANO = "experiment=debug", "experiment=piano_roll", "experiment=piano_midi"


SHIPPED = ROOT / "checkpoints" / "instruments.ckpt"


class Case(NamedTuple):
    arguments: tuple[str, ...]
    remedy: tuple[str, ...]
    environment: dict[str, str] = {}  # noqa: RUF012


CASES = {
    "group option": Case(("optimizer=adma",), ("optimizer=adma", "Did you mean adam?")),
    "key": Case(("optimizer.lrr=1",), ("optimizer.lrr", "Did you mean optimizer.lr?")),
    "group": Case(("optimiser=adam",), ("optimiser", "Did you mean optimizer?")),
    "preset": Case(("experiment=debugg",), ("experiment=debugg", "Did you mean debug?")),
    "several values without -m": Case(("seed=1,2",), ("seed", "add -m")),
    "loss that does not fit": Case((DEBUG, "loss=mse"), ("MSE", "choose loss=", "bce, focal")),
    "loss in a sweep": Case(
        ("-m", DEBUG, "loss=mse,bce", "seed=1,2"), ("choose loss=", "bce, ", "in: loss=mse")
    ),
    "losses ranked by themselves": Case(
        ("-m", DEBUG, "loss=bce,focal", "objective=loss"),
        ("objective=loss", "these trials have different ones; name a metric"),
    ),
    "soundfont": Case(
        (DEBUG, "data.soundfonts=[NoSuchFont]"), ("NoSuchFont", "give the path of an .sf2", "TimGM6mb")
    ),
    "program": Case((DEBUG, "data.classes=[{name: a, program: 128, low: 40, high: 50}]"), ("program", "127")),
    "instruments": Case((DEBUG, "data.max_instruments=13"), ("max_instruments", "13", "12")),
    "batch size": Case((DEBUG, "batch_size=1000"), ("batch_size=1000", "64 items", "smaller")),
    "mode": Case(("mode=trian",), ("mode=trian", "Did you mean train?", "predict, prepare, test")),
    "key of another mode": Case(
        (DEBUG, "checkpoint=a.ckpt"),
        ("checkpoint has no effect with mode=train", "mode=test, predict or generate"),
    ),
    "training in a test": Case(
        ("mode=test", "checkpoint=a.ckpt", "optimizer.lr=1"),
        ("optimizer.lr has no effect with mode=test", "mode=train"),
    ),
    "name of no sweep": Case((DEBUG, "sweep.name=a"), ("sweep.name is for a sweep", "add -m")),
    "executor of no sweep": Case((DEBUG, "hydra.launcher.gpus=[0]"), ("hydra.launcher.gpus", "add -m")),
    "key that nothing reads": Case(
        (DEBUG, "+sede=2"), ("sede: nothing reads this key", "Did you mean seed?")
    ),
    "key that nothing reads in a sweep": Case(("-m", DEBUG, "+sede=2,3"), ("sede", "Did you mean seed?")),
    "earlier group": Case(("unheard=fluidr3",), ("data/synth_stems/unseen=fluidr3",)),
    "earlier group of a sweep": Case(
        ("-m", "experiment=synth_instruments_ablation", "variation=all,none"),
        ("data/synth_stems/variation=all,none",),
    ),
    "earlier map": Case(("mode=test", "class_map=recorded"), ("mode/test/class_map=recorded",)),
    "earlier option": Case(("data=synth_stems", "data.heard=true"), ("data.seen=true",)),
    "earlier preset": Case(
        ("experiment=synth_instruments_unheard",), ("experiment=synth_instruments_unseen",)
    ),
    "choice of another data set": Case(
        (DEBUG, "data/synth_stems/unseen=opl3"), ("data/synth_stems/unseen", "for data=synth_stems")
    ),
    "choice of another checkpoint": Case(
        ("mode=test", "checkpoint={shipped}", "data=folder", "data/synth_stems/unseen=opl3"),
        ("data/synth_stems/unseen", "for data=synth_stems"),
    ),
    "music of clips": Case(
        (DEBUG, "generation.pieces=3"),
        ("generation.pieces", "data=chorales, midi_folder or poly_music", "mode=generate"),
    ),
    "added music of clips": Case((DEBUG, "+generation.pieces=3"), ("generation is for data with rolls",)),
    "length of music": Case(
        (CHORALES, "generation.bars=4", "generation.steps=9"),
        ("generation.steps has no effect with generation.bars",),
    ),
    "length of music in a sweep": Case(
        ("-m", CHORALES, "generation.bars=4,8", "generation.steps=9"), ("generation.steps has no effect",)
    ),
    "option of no scheduler": Case(
        (DEBUG, "scheduler=none", "+scheduler.gamma=2"),
        ("scheduler.gamma has no effect with scheduler=none",),
    ),
    "mode of a sweep": Case(
        ("-m", "mode=predict", "checkpoint=a.ckpt", "input=a.wav"), ("mode=predict", "leave -m out")
    ),
    "launcher that runs no trials": Case(
        ("-m", DEBUG, "hydra/launcher=basic", "seed=1,2,3"), ("hydra/launcher=basic", "leave it out")
    ),
    "swept setting": Case(("-m", DEBUG, "dry_run=true,false"), ("dry_run can't be swept", "one value")),
    "swept option without effect": Case(
        ("-m", DEBUG, "data.workers=1,2", "seed=1,2"), ("data.workers can't be swept", "one value")
    ),
    "swept time limit": Case(("-m", DEBUG, "timeout=1,1000"), ("timeout can't be swept", "one value")),
    "flags that exclude each other": Case(
        (DEBUG, "seed=1,2", "-m", "--cfg", "job"), ("--cfg does not go with -m", "leave -m out")
    ),
    "no checkpoint": Case(("mode=test",), ("checkpoint= is missing", "best.ckpt")),
    "missing checkpoint": Case(
        ("mode=predict", "checkpoint=nothing.ckpt", "input=a.wav"), ("nothing.ckpt", "it does not exist")
    ),
    "foreign checkpoint": Case(
        ("mode=test", "checkpoint={files}/foreign.ckpt"), ("no checkpoint of this project", "mode=train")
    ),
    "text as checkpoint": Case(
        ("mode=test", "checkpoint={files}/text.ckpt"), ("cannot be read", "checkpoint")
    ),
    "FluidSynth": Case(
        (DEBUG,), ("FluidSynth", "install"), {"POLYSWEEP_FLUIDSYNTH": "/nonexistent/libfluidsynth.so"}
    ),
    "disk": Case((DEBUG, "data.n_clips.train=5000000000"), ("make room", "fewer clips")),
    "trainer argument": Case(
        (DEBUG, "+trainer.max_epoch=3"), ("trainer.max_epoch", "Did you mean max_epochs?")
    ),
    "optimizer argument": Case((DEBUG, "+optimizer.lrate=1"), ("optimizer", "lrate", "check")),
    "objective": Case((DEBUG, "objective=f1_makro"), ("f1_makro", "Did you mean f1_macro?")),
    "long name of a sweep": Case(("-m", DEBUG, f"sweep.name={'n' * 300}"), ("sweep.name=nn", "too long")),
    "name of a sweep": Case(("-m", DEBUG, "sweep.name=a/b"), ("sweep.name=a/b", "slashes")),
    "reference that is no row": Case(
        ("-m", DEBUG, "optimizer=adam,sgd", "sweep.reference=optimizer=rmsprop"),
        ("sweep.reference=optimizer=rmsprop: no configuration has these values", "optimizer"),
    ),
    "what matters below 0": Case(
        ("-m", DEBUG, "optimizer=adam,sgd", "sweep.matters=-1"),
        ("sweep.matters=-1", "choose a difference from 0"),
    ),
    "executor": Case(
        ("-m", DEBUG, "hydra.launcher.executor=src.trial.run"), ("src.trial.run is no Executor", "name one")
    ),
    "executor that is not there": Case(
        ("-m", DEBUG, "hydra.launcher.executor=src.cloud.Cloud"), ("src.cloud.Cloud", "name a class")
    ),
    "outputs": Case((DEBUG, "outputs={files}/text.ckpt/x"), ("text.ckpt", "outputs=DIR")),
    "no folder of MIDI": Case((PIANO,), ("data.root is not set", "data.root=FOLDER")),
    "folder without MIDI": Case((PIANO, "data.root={files}"), ("no file .mid", "give the folder")),
    "missing folder of MIDI": Case((PIANO, "data.root={files}/x"), ("/x does not exist", "give the folder")),
    "network of clips": Case(("data=chorales", "model=cnn_fast"), ("CNNFast", "choose model=", "conv_gru, ")),
    "network of rolls": Case((DEBUG, "model=conv_gru"), ("ConvGRU", "choose model=", "cnn_fast, ")),
    "loss of rolls": Case((CHORALES, "loss=mse"), ("MSE", "choose loss=", "bce, focal")),
    "augmentation of clips": Case(
        (CHORALES, "augment=[spec_augment]"), ("augment=spec_augment", "leave it out")
    ),
    "augmentation of rolls": Case(
        (DEBUG, "augment=[transpose]"), ("data.onsets", "leave transpose out of augment=[…]")
    ),
    "callback of rolls": Case(
        (DEBUG, "callbacks=[music_samples]"), ("callbacks.music_samples", "leave it out")
    ),
    "learning rate": Case(
        (CHORALES, "optimizer._target_=torch.optim.NAdam"),
        ("learning_rates.torch.optim.NAdam", "give optimizer.lr="),
    ),
    "learning rate in a sweep": Case(
        ("-m", CHORALES, "optimizer._target_=torch.optim.Adam,torch.optim.NAdam"),
        ("learning_rates.torch.optim.NAdam", "give optimizer.lr="),
    ),
    "option of generation": Case((CHORALES, "+generation.barz=4"), ("generation.barz", "Did you mean bars?")),
    "bars": Case((CHORALES, "generation.bars=0"), ("generation.bars=0", "from 1")),
    "decay": Case((CHORALES, "callbacks.ema.decay=2"), ("callbacks.ema.decay", "from 0 to below 1")),
    "music of no checkpoint": Case(("mode=generate",), ("checkpoint= is missing", "best.ckpt")),
    "trial module": Case(("-m", "hydra.launcher.trial=no_such_module"), ("no_such_module", "PYTHONPATH")),
}

COLD = ("group option", "loss in a sweep", "FluidSynth")
"""Cases that run in a process of their own from the start; the first imports nothing heavy."""


@pytest.fixture(scope="module")
def refused(project, tmp_path_factory):
    """All cases: `{name: (result, outputs)}`; those marked are started from nothing, the others warm."""
    files = tmp_path_factory.mktemp("files")
    (files / "text.ckpt").write_text("no checkpoint")
    torch.save({"state_dict": {}, "epoch": 3}, files / "foreign.ckpt")
    outputs = {name: tmp_path_factory.mktemp("outputs") for name in CASES}
    arguments = {name: _arguments(CASES[name], files, outputs[name]) for name in CASES}
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda name: _run(project, name, arguments[name]), CASES)
        results = dict(zip(CASES, done, strict=True))
    return {name: (results[name], outputs[name]) for name in CASES}


def _run(project, name, arguments):
    return (project.run_cold if name in COLD else project.run_warm)(*arguments, **CASES[name].environment)


def _arguments(case, files, outputs):
    arguments = [
        argument.replace("{files}", str(files)).replace("{shipped}", str(SHIPPED))
        for argument in case.arguments
    ]
    return arguments + [f"outputs={outputs}"] * (not any(text.startswith("outputs=") for text in arguments))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line_that_names_the_remedy(refused, name):
    result, outputs = refused[name]
    assert result.returncode == 2, result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    for part in CASES[name].remedy:
        assert part in lines[0]
    assert {path.name for path in outputs.iterdir()} <= {"cache"}
    assert not list(outputs.glob("cache/*/"))
