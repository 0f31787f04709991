"""Columns of a roll drawn one after another, each given those before."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from src.generation.options import Generation
from src.models.networks.roll_base import RollNetwork

ATTEMPTS = 100
"""How often a first column is drawn before the likeliest key is taken."""


def sample(
    networks: Sequence[RollNetwork],
    start: Tensor,
    n_steps: int,
    options: Generation,
    generator: torch.Generator,
    n_notes: int,
) -> Tensor:
    """Go on from given columns; several networks are averaged.

    Args:
        networks: in evaluation mode.
        start: (B, P, C), P ≥ 1 columns that each piece begins with; of a piece where they are silent, the first
            new column is not.
        n_steps: columns to draw.
        options: how they are drawn.
        generator: of the CPU, where every number comes from.
        n_notes: C, or C / 2 where the columns are [sounding | onsets].

    Returns:
        (B, n_steps, C) bool: the columns after `start`.
    """
    states: list[Any] = [None] * len(networks)
    rolls = torch.zeros(len(start), n_steps, start.shape[2], dtype=torch.bool)
    x, silent = start.float(), ~start.cpu().bool().flatten(1).any(1)
    for step in range(n_steps):
        answers = []
        for number, network in enumerate(networks):
            logits, states[number] = network.advance(x, states[number])
            answers.append(torch.sigmoid(logits[:, -1].cpu().double()))
        must_sound = silent if not step else None
        column = draw(torch.stack(answers).mean(0), options, generator, n_notes, must_sound)
        rolls[:, step] = column
        x = column[:, None].to(start.device).float()
    return rolls


def draw(
    probabilities: Tensor,
    options: Generation,
    generator: torch.Generator,
    n_notes: int,
    must_sound: Tensor | None = None,
) -> Tensor:
    """Draw a column, each key by itself.

    An onset is drawn where its key sounds, given that it does, so that both have their probabilities.

    Args:
        probabilities: (B, C) float64.
        options: how.
        generator: of the CPU.
        n_notes: C or C / 2.
        must_sound: (B,) bool, which columns may not be silent; `None`: all may.

    Returns:
        (B, C) bool.
    """
    keys = probabilities[:, :n_notes]
    must_sound = torch.zeros(len(keys), dtype=torch.bool) if must_sound is None else must_sound
    if options.threshold is not None:
        above = (probabilities > options.threshold).view(len(keys), -1, n_notes)
        return _filled((above & above[:, :1]).flatten(1), keys, must_sound)
    chances = _kept(_tempered(keys, options.temperature), options)
    struck = (probabilities[:, n_notes:].reshape(len(keys), -1, n_notes) / keys[:, None]).clamp(max=1)
    chances = torch.cat([chances[:, None], chances[:, None] * struck], 1)
    column = _drawn(chances, generator)
    for _ in range(ATTEMPTS):
        again = _silent(column, n_notes) & must_sound
        if not again.any():
            break
        column = torch.where(again[:, None], _drawn(chances, generator), column)
    return _filled(column, keys, must_sound)


def _drawn(chances: Tensor, generator: torch.Generator) -> Tensor:
    """From (B, planes, n_notes) to (B, C); a key and its onset share a random number."""
    numbers = torch.rand(chances[:, :1].shape, dtype=torch.float64, generator=generator)
    return (numbers < chances).flatten(1)


def _silent(column: Tensor, n_notes: int) -> Tensor:
    return ~column[:, :n_notes].any(1)


def _filled(column: Tensor, keys: Tensor, must_sound: Tensor) -> Tensor:
    """Strike the likeliest key in columns that are silent and may not be."""
    n_notes = keys.shape[1]
    likeliest = torch.zeros_like(keys, dtype=torch.bool).scatter_(1, keys.argmax(1, keepdim=True), True)
    likeliest = likeliest.repeat(1, column.shape[1] // n_notes)
    return torch.where((_silent(column, n_notes) & must_sound)[:, None], likeliest, column)


def _tempered(probabilities: Tensor, temperature: float) -> Tensor:
    return probabilities if temperature == 1 else torch.sigmoid(torch.logit(probabilities) / temperature)


def _kept(chances: Tensor, options: Generation) -> Tensor:
    """Set the chances of keys to 0 that are outside the top k, or outside the nucleus."""
    ordered, order = chances.sort(dim=1, descending=True, stable=True)
    kept = torch.ones_like(ordered, dtype=torch.bool)
    if options.top_k is not None:
        kept[:, options.top_k :] = False
    if options.top_p is not None:
        before = ordered.cumsum(1) - ordered
        kept &= before < options.top_p * ordered.sum(1, keepdim=True)
    return torch.zeros_like(chances).scatter(1, order, ordered * kept)
