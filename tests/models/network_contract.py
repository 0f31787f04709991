"""What networks of spectrograms must keep, called by the tests of each."""

from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from src.models.networks.base import Float32Linear

CONF = Path(__file__).parents[2] / "conf" / "model"


def output_shapes(model, names, x):
    """Shapes, without the batch, of what the named parts of a network give."""
    shapes, hooks = {}, []
    for name in names:

        def keep(_module, _inputs, output, name=name):
            output = output[0] if isinstance(output, tuple) else output
            shapes[name] = tuple(output.shape[1:])

        hooks.append(model.get_submodule(name).register_forward_hook(keep))
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return [shapes[name] for name in names]


def assert_sizes_fit(model, sizes):
    """Items of these (n_mels, T) and of the least size are accepted and give logits."""
    for size in [*sizes, (model.min_size, model.min_size)]:
        model.check((model.in_channels, *size))
        x = torch.randn(3, model.in_channels, *size)
        assert model(x).shape == (3, model.head.out_features)


def assert_least_size_is_least(model):
    """A band or a frame less than `min_size` leaves nothing."""
    least = model.min_size
    for size in ((least - 1, least), (least, least - 1)):
        with pytest.raises(RuntimeError):
            model(torch.randn(2, model.in_channels, *size))


def assert_head_is_last(model):
    """The logits are the output of `head`."""
    assert isinstance(model.head, Float32Linear)
    x = torch.randn(2, model.in_channels, 96, 96)
    seen = []
    model.eval()
    hook = model.head.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    assert model(x) is seen[0]
    hook.remove()


def assert_gradient_reaches_all(model, shape):
    """After one backward pass every parameter has a gradient."""
    model.train()
    model(torch.randn(8, model.in_channels, *shape)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 1e-6, name


def assert_items_are_alone(model):
    """A batch gives what its items give one by one."""
    model.eval()
    x = torch.randn(4, model.in_channels, 96, 90)
    single = torch.cat([model(item[None]) for item in x])
    torch.testing.assert_close(model(x), single, rtol=0, atol=1e-5)


def assert_float32_under_autocast(model):
    """Logits are float32, near those without autocast."""
    model.eval()
    x = torch.randn(2, model.in_channels, 96, 96)
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(x)
    assert scores.dtype is torch.float32
    torch.testing.assert_close(scores, model(x), rtol=0, atol=0.05)
    assert not torch.equal(scores, scores.bfloat16().float())


def assert_channels_last_changes_nothing(model):
    """The memory layout that training uses gives the same logits."""
    model.eval()
    x = torch.randn(2, model.in_channels, 96, 96)
    expected = model(x)
    last = model.to(memory_format=torch.channels_last)
    found = last(x.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def assert_configuration_names_the_defaults(name, network):
    """The YAML builds what the class builds by itself."""
    config = OmegaConf.load(CONF / f"{name}.yaml")
    built, plain = instantiate(config, n_classes=3, in_channels=2), network(3, 2)
    assert str(built) == str(plain)
    numbers = {key: value for key, value in vars(plain).items() if isinstance(value, int)}
    assert {key: getattr(built, key) for key in numbers} == numbers


def n_parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())
