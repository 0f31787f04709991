"""`--help`: what a newcomer types, and what there is to choose."""

import textwrap
from pathlib import Path

from src.configuration.choices import choices

GROUPS = (
    *("mode", "experiment", "data", "model", "loss", "optimizer", "scheduler", "regularization"),
    *("augment", "callbacks", "logger", "trainer"),
)
"""Shown, in this order; `sweep` has one choice, and groups below others are for those who know these."""

_WIDTH = 110
_TEXT = """\
polysweep: which optimizer, which loss, which batch size, which network, and is the difference real?

One trial:   python run.py optimizer=adam loss=focal seed=2
A sweep:     python run.py -m optimizer=adam,adamw,rmsprop loss=bce,focal seed=1,2,3
What would run:  python run.py -m optimizer=adam,sgd dry_run=true
A preset:    python run.py experiment=debug
Data only:   python run.py mode=prepare
Test again:  python run.py mode=test checkpoint=outputs/runs/<signature>/checkpoints/best.ckpt
Your sound:  python run.py mode=predict checkpoint=PATH input=song.wav
New music:   python run.py mode=generate checkpoint=PATH
What works:  python run.py mode=doctor

What there is to choose (group=choice; several of augment, callbacks and logger: augment=[mixing,spec_augment]):

{choices}

Lightning trains, Hydra composes. Every key of conf/ can be set: data.n_clips.train=500, model.dropout=0.3.
python run.py --cfg job prints the whole configuration."""


def help_text(conf: Path) -> str:
    """Return what `--help` prints.

    Args:
        conf: the folder of the configuration.
    """
    return _TEXT.format(choices="\n".join(_paragraph(group, choices(group, conf)) for group in GROUPS))


def _paragraph(group: str, names: list[str]) -> str:
    indent = max(map(len, GROUPS)) + 4
    return textwrap.fill(
        ", ".join(names),
        _WIDTH,
        initial_indent=f"  {group}".ljust(indent),
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
    )
