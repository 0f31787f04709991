"""Which frames a generator is scored on, and what it scores there."""

from collections.abc import Sequence

import lightning
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from src.callbacks.kept_outputs import KeptOutputs
from src.losses.bce import BCE
from src.metrics.kinds import KINDS
from src.metrics.measuring import Measured
from src.models.generator import Generator
from src.models.networks.conv_gru import ConvGRU
from src.models.networks.roll_base import RollNetwork
from src.models.networks.tcn import TCN

KEYS = 7
LENGTHS = (5, 9, 2, 14, 9)


def pieces(lengths: Sequence[int] = LENGTHS, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [(torch.rand(length, KEYS, generator=generator) < 0.3).to(torch.uint8) for length in lengths]


def batch(rolls: Sequence[Tensor], *, longer: int = 0, padding: int = 0) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(roll) for roll in rolls])
    padded = torch.full((len(rolls), int(lengths.max()) + longer, KEYS), padding, dtype=torch.uint8)
    for row, roll in zip(padded, rolls, strict=True):
        row[: len(roll)] = roll
    return padded, lengths


def generator(network: nn.Module | None = None, *, lr: float = 0.01) -> Generator:
    torch.manual_seed(0)
    return Generator(
        network or ConvGRU(KEYS, channels=[8], hidden=8),
        BCE(),
        kind="rolls",
        names=[str(key) for key in range(KEYS)],
        objective="nll",
        description={"kind": "test"},
        make_optimizer=lambda parameters: torch.optim.Adam(parameters, lr=lr),
        scheduler={"_target_": None},
    ).eval()


def trainer(**options: object) -> lightning.Trainer:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return lightning.Trainer(accelerator="cpu", enable_model_summary=False, **{**quiet, **options})


def as_they_are(batches: list[tuple[Tensor, Tensor]]) -> DataLoader[tuple[Tensor, Tensor]]:
    return DataLoader(batches, batch_size=None)  # type: ignore[arg-type]


def figures(model: Generator, batches: list[tuple[Tensor, Tensor]], *, pieces: int | None = None) -> Measured:
    """What a test measures."""
    kept = KeptOutputs()
    trainer(callbacks=[kept]).test(model, as_they_are(batches), verbose=False)
    return model.measure(model.answers(kept.outputs["test"]), None if pieces is None else np.arange(pieces))


def measured(model: Generator, batches: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
    return figures(model, batches).metrics


def test_all_columns_but_the_first_are_scored_in_order() -> None:
    rolls = pieces()
    logits, frames = generator().logits_and_targets(batch(rolls))
    torch.testing.assert_close(frames.now, torch.cat([roll[1:] for roll in rolls]))
    torch.testing.assert_close(frames.before, torch.cat([roll[:-1] for roll in rolls]))
    assert frames.piece.tolist() == [number for number, roll in enumerate(rolls) for _ in roll[1:]]
    assert logits.shape == (sum(LENGTHS) - len(LENGTHS), KEYS)


def test_a_logit_is_that_of_the_columns_before_its_frame() -> None:
    model, rolls = generator(), pieces()
    logits, _ = model.logits_and_targets(batch(rolls))
    with torch.inference_mode():
        expected = [
            model.network(roll[None, :end].float())[0, -1] for roll in rolls for end in range(1, len(roll))
        ]
    torch.testing.assert_close(logits, torch.stack(expected), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1, 255])
def test_padding_changes_no_metric(padding: int) -> None:
    expected = measured(generator(), [batch(pieces())])
    padded = measured(generator(), [batch(pieces(), longer=11, padding=padding)])
    assert padded == pytest.approx(expected, abs=1e-6)


def test_padding_changes_neither_the_training_loss_nor_its_gradient() -> None:
    losses, gradients = [], []
    for longer, padding in ((0, 0), (6, 1)):
        model = generator()
        loss = model.training_step(batch(pieces(), longer=longer, padding=padding), 0)
        loss.backward()
        losses.append(loss.detach())
        gradients.append(torch.cat([weight.grad.flatten() for weight in model.parameters()]))
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("groups", [[5], [1, 1, 1, 1, 1], [2, 3], [3, 2]])
def test_batches_do_not_matter(groups: list[int]) -> None:
    rolls = iter(pieces())
    batches = [batch([next(rolls) for _ in range(size)]) for size in groups]
    found = figures(generator(), batches, pieces=5)
    expected = figures(generator(), [batch(pieces())], pieces=5)
    assert found.metrics == pytest.approx(expected.metrics, abs=1e-6)
    for name, interval in expected.intervals.items():
        assert found.intervals[name] == pytest.approx(interval, abs=1e-6), name


def test_nll_is_the_benchmarks() -> None:
    """Nats a frame, summed over keys, all frames of all pieces weighing alike (Bai et al., 2018)."""
    model, rolls = generator(), pieces()
    nats, frames = 0.0, 0
    for roll in rolls:
        with torch.inference_mode():
            logits = model.network(roll[None, :-1].float())[0].double().numpy()
        truth = roll[1:].numpy().astype(float)
        p = 1 / (1 + np.exp(-logits))
        nats -= float((truth * np.log(p) + (1 - truth) * np.log(1 - p)).sum())
        frames += len(truth)
    metrics = measured(model, [batch(rolls)])
    assert metrics["nll"] == pytest.approx(nats / frames, abs=1e-6)
    assert metrics["loss"] == pytest.approx(nats / frames / KEYS, abs=1e-6)


@pytest.mark.parametrize("network", [ConvGRU(KEYS, channels=[8, 8], hidden=8), TCN(KEYS, channels=[8, 8])])
def test_a_causal_network_loses_nothing_where_the_future_is_hidden(network: RollNetwork) -> None:
    model, batches = generator(network), [batch(pieces()), batch(pieces((6, 3), seed=1))]
    expected = {f"{name}_future_hidden": value for name, value in measured(model, batches).items()}
    expected.pop("loss_future_hidden")
    assert model.future_hidden(batches) == pytest.approx(expected, abs=1e-6)


def test_a_network_that_looks_ahead_is_found_out() -> None:
    model = generator(ConvGRU(KEYS, channels=[24], hidden=8, causal=False), lr=0.02)
    random = [batch(pieces((12,) * 8, seed=seed)) for seed in range(201)]
    held_out = random[200:]
    fitted = trainer(max_epochs=1)
    fitted.fit(model.train(), as_they_are(random[:200]), as_they_are(held_out))
    metrics = {name: float(fitted.callback_metrics[f"val/{name}"]) for name in ("f1_micro", "nll")}
    hidden = model.future_hidden(held_out)
    assert metrics["f1_micro"] > 0.9
    assert hidden["f1_micro_future_hidden"] < metrics["f1_micro"] - 0.4
    assert hidden["nll_future_hidden"] > 2 * metrics["nll"]


def test_augmentation_takes_rolls_and_lengths() -> None:
    class Silence(nn.Module):
        def forward(self, rolls: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            assert rolls.dtype == torch.float32
            return torch.zeros_like(rolls), lengths

    model = generator()
    quiet = batch([torch.zeros_like(roll) for roll in pieces()])
    expected = model.training_step(quiet, 0)
    model.augment.append(Silence())
    torch.testing.assert_close(model.training_step(batch(pieces()), 0), expected)


def test_the_threshold_is_the_one_with_the_best_f1_on_validation() -> None:
    model = generator()
    rolls = batch(pieces())
    [validated] = trainer().validate(model, as_they_are([rolls]), verbose=False)
    logits, frames = model.logits_and_targets(rolls)
    outputs = KINDS["rolls"].outputs(logits)
    chosen = validated["val/f1_micro"]
    others = [KINDS["rolls"].evaluate(outputs, frames, at / 40, model.names)["f1_micro"] for at in range(40)]
    assert chosen >= max(others) - 1e-6
