"""Samples the columns of rolls one after another, each given those before."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from src.errors import UserError
from src.generation.options import Generation
from src.models.networks.roll_base import RollNetwork

ATTEMPTS = 100
"""Attempts to draw a first column that is not silent, before the likeliest key is taken."""


def sample(
    networks: Sequence[RollNetwork],
    start: Tensor,
    n_steps: int,
    options: Generation,
    generator: torch.Generator,
    n_notes: int,
) -> Tensor:
    """Continue from given columns; the probabilities of several networks are averaged.

    Args:
        networks: in evaluation mode.
        start: (B, P, C), the P ≥ 1 columns that each piece begins with; where all of them are silent, the first new
            column is not.
        n_steps: number of columns to draw.
        options: of the generation.
        generator: on the CPU, source of all random numbers.
        n_notes: C, or C / 2 where the columns are [sounding | onsets].

    Returns:
        (B, n_steps, C) bool: the columns after `start`.

    Raises:
        UserError: what the networks answer is not finite, as where their weights are huge.
    """
    states: list[Any] = [None] * len(networks)
    rolls = torch.zeros(len(start), n_steps, start.shape[2], dtype=torch.bool)
    x, silent = start.float(), ~start.cpu().bool().flatten(1).any(1)
    for step in range(n_steps):
        probabilities = []
        for number, network in enumerate(networks):
            logits, states[number] = network.advance(x, states[number])
            probabilities.append(torch.sigmoid(logits[:, -1].cpu().double()))
        mean = torch.stack(probabilities).mean(0)
        if not mean.isfinite().all():
            raise UserError("the network's answers are not all finite numbers; take another checkpoint")
        column = draw(mean, options, generator, n_notes, silent if not step else None)
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
    """Draw a column, each key independently.

    Onsets are drawn only where the key sounds, with their conditional probability, so that the marginal probabilities
    of both are kept.

    Args:
        probabilities: (B, C) float64.
        options: of the generation.
        generator: on the CPU.
        n_notes: C or C / 2.
        must_sound: (B,) bool, which columns must not be silent; `None`: none.

    Returns:
        (B, C) bool.
    """
    keys = probabilities[:, :n_notes]
    must_sound = torch.zeros(len(keys), dtype=torch.bool) if must_sound is None else must_sound
    if options.threshold is not None:
        above = (probabilities > options.threshold).view(len(keys), -1, n_notes)
        return _filled((above & above[:, :1]).flatten(1), keys, must_sound)
    chances = _kept(_tempered(keys, options.temperature), options)
    # P(onset | sounding), (B, planes - 1, n_notes); its product with P(sounding) is the chance of an onset.
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
    """Draw (B, C) from chances (B, planes, n_notes); a key and its onset share a random number."""
    numbers = torch.rand(chances[:, :1].shape, dtype=torch.float64, generator=generator)
    return (numbers < chances).flatten(1)


def _silent(column: Tensor, n_notes: int) -> Tensor:
    return ~column[:, :n_notes].any(1)


def _filled(column: Tensor, keys: Tensor, must_sound: Tensor) -> Tensor:
    """Strike the likeliest key in silent columns that must sound."""
    n_notes = keys.shape[1]
    likeliest = torch.zeros_like(keys, dtype=torch.bool).scatter_(1, keys.argmax(1, keepdim=True), True)
    likeliest = likeliest.repeat(1, column.shape[1] // n_notes)
    return torch.where((_silent(column, n_notes) & must_sound)[:, None], likeliest, column)


def _tempered(probabilities: Tensor, temperature: float) -> Tensor:
    return probabilities if temperature == 1 else torch.sigmoid(torch.logit(probabilities) / temperature)


def _kept(chances: Tensor, options: Generation) -> Tensor:
    """Set the chances of keys outside the top k, or outside the nucleus (top p), to 0."""
    ordered, order = chances.sort(dim=1, descending=True, stable=True)
    kept = torch.ones_like(ordered, dtype=torch.bool)
    if options.top_k is not None:
        kept[:, options.top_k :] = False
    if options.top_p is not None:
        # A key is in the nucleus while the likelier keys have not reached the share top_p of the sum.
        before = ordered.cumsum(1) - ordered
        kept &= before < options.top_p * ordered.sum(1, keepdim=True)
    return torch.zeros_like(chances).scatter(1, order, ordered * kept)
