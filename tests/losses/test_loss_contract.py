"""What every loss must keep; a new one is tested as soon as its YAML is there."""

from pathlib import Path

import pytest
import torch
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from src.losses.asymmetric import Asymmetric
from src.losses.base import Loss
from src.losses.bce import BCE
from src.losses.focal import Focal
from src.losses.mse import MSE
from src.losses.multitask import Multitask
from src.losses.softmax_bce import SoftmaxBCE
from src.losses.uncertainty import Uncertainty

CONF = Path(__file__).parents[2] / "conf" / "loss"
LOSSES = {path.stem: get_class(OmegaConf.load(path)["_target_"]) for path in sorted(CONF.glob("*.yaml"))}
TARGETS = {
    "multilabel": torch.tensor([[1, 0, 0], [0, 1, 1]]),
    "multiclass": torch.tensor([0, 2]),
    "rolls": torch.tensor([[1, 0, 0], [0, 1, 1]]),
    "regression": torch.tensor([[0.1, 0.2, 0.3], [1.0, 0.5, 0.0]]),
}


def cases():
    return [(loss, kind) for loss in LOSSES.values() for kind in loss.targets]


def prepared(loss):
    """A loss of three classes."""
    built = loss()
    built.prepare(3)
    return built


def test_each_file_has_one_loss_with_defaults_of_its_own():
    assert {"bce", "focal", "cross_entropy", "mse"} <= set(LOSSES)
    for name, loss in LOSSES.items():
        built = instantiate(OmegaConf.load(CONF / f"{name}.yaml"))
        assert type(built) is loss
        plain = {key: value for key, value in vars(loss()).items() if isinstance(value, float | None)}
        assert {key: getattr(built, key) for key in plain} == plain


def test_weights_come_from_a_configured_list():
    config = OmegaConf.load(CONF / "bce.yaml")
    config.pos_weight = [1, 2.5]
    assert instantiate(config).pos_weight.tolist() == [1.0, 2.5]


@pytest.mark.parametrize(("loss", "kind"), cases())
def test_is_a_finite_float32_scalar_under_autocast(loss, kind):
    logits = torch.randn(2, 3, dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        value = prepared(loss)(logits, TARGETS[kind])
    assert value.shape == ()
    assert value.dtype is torch.float32
    assert value.item() == prepared(loss)(logits.float(), TARGETS[kind]).item()
    value.backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(("loss", "kind"), cases())
def test_is_a_mean_over_items(loss, kind):
    logits, targets = torch.randn(2, 3), TARGETS[kind]
    each = [prepared(loss)(logits[i : i + 1], targets[i : i + 1]) for i in range(2)]
    assert torch.allclose(prepared(loss)(logits, targets), (each[0] + each[1]) / 2)


@pytest.mark.parametrize(("loss", "kind"), cases())
def test_a_gradient_step_makes_it_smaller(loss, kind):
    logits = torch.zeros(2, 3, requires_grad=True)
    before = prepared(loss)(logits, TARGETS[kind])
    before.backward()
    assert prepared(loss)(logits - 0.1 * logits.grad, TARGETS[kind]) < before


@pytest.mark.parametrize("loss", [BCE, Focal, Asymmetric, MSE, Multitask, SoftmaxBCE, Uncertainty])
def test_refuses_to_broadcast(loss):
    with pytest.raises(ValueError, match="differ in shape"):
        prepared(loss)(torch.randn(4, 3), torch.ones(4, 1))


@pytest.mark.parametrize("loss", [loss for loss in LOSSES.values() if loss is not Multitask])
def test_fits_any_number_of_classes_by_default(loss):
    assert issubclass(loss, Loss)
    loss().check(5)


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"softmax_bce"}))
def test_logits_are_those_of_the_targets_unless_a_loss_says_otherwise(name):
    assert LOSSES[name]().outputs(torch.randn(2, 3)) is None
