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
        start: (B, P, C), P ≥ 1 columns that each piece begins with; where they are silent, the first new column
            is not.
        n_steps: columns to draw.
        options: how they are drawn.
        generator: of the CPU, where every number comes from.
        n_notes: C, or C / 2 where the columns are [sounding | onsets].

    Returns:
        (B, n_steps, C) bool: the columns after `start`.
    """
    states: list[Any] = [None] * len(networks)
    rolls = torch.zeros(len(start), n_steps, start.shape[2], dtype=torch.bool)
    x = start.float()
    for step in range(n_steps):
        answers = []
        for number, network in enumerate(networks):
            logits, states[number] = network.advance(x, states[number])
            answers.append(torch.sigmoid(logits[:, -1].double()).cpu())
        silent = not step and not bool(start.any())
        column = draw(torch.stack(answers).mean(0), options, generator, n_notes, sounding=silent)
        rolls[:, step] = column
        x = column[:, None].to(start.device).float()
    return rolls


def draw(
    probabilities: Tensor,
    options: Generation,
    generator: torch.Generator,
    n_notes: int,
    *,
    sounding: bool = False,
) -> Tensor:
    """Draw a column, each key by itself.

    Args:
        probabilities: (B, C) float64.
        options: how.
        generator: of the CPU.
        n_notes: C or C / 2; an onset is kept only where its key sounds.
        sounding: no column may be silent.

    Returns:
        (B, C) bool.
    """
    if options.threshold is not None:
        column = probabilities > options.threshold
    else:
        chances = probabilities.clone()
        chances[:, :n_notes] = _kept(_tempered(probabilities[:, :n_notes], options.temperature), options)
        column = _drawn(chances, generator)
        for _ in range(ATTEMPTS if sounding else 0):
            column = torch.where(_silent(column, n_notes), _drawn(chances, generator), column)
    if sounding:
        likeliest = torch.zeros_like(column)
        likeliest.scatter_(1, probabilities[:, :n_notes].argmax(1, keepdim=True), True)
        column = torch.where(_silent(column, n_notes), likeliest, column)
    if column.shape[1] > n_notes:
        column[:, n_notes:] &= column[:, :n_notes]
    return column


def _drawn(chances: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(chances.shape, dtype=torch.float64, generator=generator) < chances


def _silent(column: Tensor, n_notes: int) -> Tensor:
    return ~column[:, :n_notes].any(1, keepdim=True)


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
