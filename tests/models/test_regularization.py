from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from src.errors import UserError
from src.models.networks.cnn import CNN
from src.models.networks.cnn_lstm_cnn import CNNLSTMCNN
from src.models.regularization import L1, L2

CONF = Path(__file__).parents[2] / "conf" / "regularization"


@pytest.fixture(params=[CNN, CNNLSTMCNN])
def network(request):
    torch.manual_seed(0)
    return request.param(3)


def weights(network):
    """By kind of layer, as numpy: those of convolutions, linear layers and LSTMs, without biases."""
    found = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            found.append(module.weight)
        if isinstance(module, nn.LSTM):
            found += [module.weight_ih_l0, module.weight_hh_l0]
    return [weight.detach().double().numpy() for weight in found]


def test_l1_is_the_sum_of_absolute_weights(network):
    expected = 0.3 * sum(np.abs(weight).sum() for weight in weights(network))
    assert L1(0.3)(network).item() == pytest.approx(expected, rel=1e-5)


def test_l2_is_half_the_sum_of_squares(network):
    expected = 0.3 / 2 * sum((weight**2).sum() for weight in weights(network))
    assert L2(0.3)(network).item() == pytest.approx(expected, rel=1e-5)


def steps(network, penalty, weight_decay, count=3):
    """Train some steps by Adam on fixed numbers; the networks start alike."""
    torch.manual_seed(0)
    model, x, y = network(3, dropout=0.0), torch.randn(4, 1, 32, 32), torch.randn(4, 3)
    decayed = [w for w in model.parameters() if w.ndim >= 2]
    others = [w for w in model.parameters() if w.ndim < 2]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others}]
    optimizer = torch.optim.Adam(groups, lr=1e-2, eps=1e-3)
    for _ in range(count):
        optimizer.zero_grad()
        (nn.functional.mse_loss(model(x), y) + penalty(model)).backward()
        optimizer.step()
    return list(model.parameters())


def test_l2_trains_as_adam_with_weight_decay_does():
    by_adam = steps(CNN, lambda model: 0.0, weight_decay=0.1)
    by_penalty = steps(CNN, L2(0.1), weight_decay=0.0)
    plain = steps(CNN, lambda model: 0.0, weight_decay=0.0)
    for found, expected in zip(by_penalty, by_adam, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)
    assert any((found - other).abs().max() > 1e-3 for found, other in zip(by_penalty, plain, strict=True))


@pytest.mark.parametrize(("penalty", "slope"), [(L1(0.2), torch.sign), (L2(0.2), torch.clone)])
def test_gradient(network, penalty, slope):
    penalty(network).backward()
    for weight in network.parameters():
        if weight.ndim >= 2:
            torch.testing.assert_close(weight.grad, 0.2 * slope(weight.detach()))
        else:
            assert weight.grad is None


@pytest.mark.parametrize("penalty", [L1(1.0), L2(1.0)])
def test_frozen_weights_cost_nothing(penalty):
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[0].requires_grad_(False)
    assert penalty(network).item() == pytest.approx(penalty(network[1]).item())
    network[1].requires_grad_(False)
    assert penalty(network).item() == 0


@pytest.mark.parametrize("penalty", [L1, L2])
@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_refuses_a_weight_outside_its_range(penalty, weight):
    with pytest.raises(UserError, match=r"regularization\.weight"):
        penalty(weight)


@pytest.mark.parametrize(("name", "penalty"), [("l1", L1), ("l2", L2)])
def test_configuration_names_the_defaults(name, penalty):
    built = instantiate(OmegaConf.load(CONF / f"{name}.yaml"))
    assert type(built) is penalty
    assert built.weight == penalty().weight


def test_none_builds_nothing():
    assert OmegaConf.load(CONF / "none.yaml") == {"_target_": None}
    assert {path.stem for path in CONF.glob("*.yaml")} == {"none", "l1", "l2"}
