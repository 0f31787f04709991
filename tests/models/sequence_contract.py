"""What networks of sequences must keep, called by the tests of each."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from src.errors import UserError
from src.models.networks.base import Float32Linear

LONGEST = 70


def batch(model, lengths, frames=LONGEST, garbage=float("nan")):
    """Random items of these lengths, and garbage past their ends."""
    x = torch.randn(len(lengths), model.in_channels, model.n_rows, frames)
    for item, length in zip(x, lengths, strict=True):
        item[..., length:] = garbage
    return x, torch.tensor(lengths)


def assert_padding_changes_nothing(model, lengths, garbage=float("nan")):
    """A padded item's logits are those of the item alone."""
    model.eval()
    x, frames = batch(model, lengths, garbage=garbage)
    alone = torch.cat([model(item[None, ..., :length]) for item, length in zip(x, lengths, strict=True)])
    torch.testing.assert_close(model(x, frames), alone, rtol=0, atol=1e-5)


def assert_padding_never_changes_anything(network, **options):
    """The same for any lengths, rows and channels, after some training steps, whatever lies past the end."""

    @settings(max_examples=25)
    @given(
        st.lists(st.integers(1, LONGEST), min_size=1, max_size=5),
        st.sampled_from([float("nan"), float("inf"), 0.0, 1e9]),
        st.sampled_from([12, 15]),
        st.integers(1, 2),
    )
    def holds(lengths, garbage, n_rows, channels):
        model = network(3, channels, n_rows, **options)
        for _ in range(3):
            model(*batch(model, [9, LONGEST, 1]))
        assert_padding_changes_nothing(model, lengths, garbage)

    holds()


def assert_training_never_sees_padding(network, **options):
    """In training, too, logits, gradients and running statistics are those of the shorter batch."""
    found = []
    for frames in (40, LONGEST):
        torch.manual_seed(0)
        model = network(3, 1, 12, dropout=0.0, **options)
        x, lengths = batch(model, [40, 3, 17], frames=40)
        longer = torch.full((3, 1, 12, frames), torch.nan)
        longer[..., :40] = x
        logits = model(longer, lengths)
        logits.square().sum().backward()
        found.append([logits, *model.buffers(), *(p.grad for p in model.parameters())])
    for shorter, longer in zip(*found, strict=True):
        assert longer.isfinite().all()
        torch.testing.assert_close(longer, shorter, rtol=1e-4, atol=1e-5)


def assert_no_lengths_are_full_lengths(model):
    """Without lengths all frames count."""
    model.eval()
    x, lengths = batch(model, [LONGEST] * 3)
    assert torch.equal(model(x), model(x, lengths))


def assert_every_frame_and_row_counts(model):
    """Each frame and each row of an item has an effect on its logits, and nothing past its end."""
    model.eval()
    x = torch.randn(1, model.in_channels, model.n_rows, LONGEST, requires_grad=True)
    model(x, torch.tensor([64])).square().sum().backward()
    assert (x.grad.abs().sum((0, 1, 2))[:64] > 0).all()
    assert (x.grad.abs().sum((0, 1, 3)) > 0).all()
    assert (x.grad[..., 64:] == 0).all()


def assert_order_counts(model):
    """An item and the same with its frames in reverse differ."""
    model.eval()
    x = torch.randn(2, model.in_channels, model.n_rows, LONGEST)
    assert (model(x) - model(x.flip(-1))).abs().max() > 1e-4


def assert_gradient_reaches_all(model):
    """After one backward pass every parameter has a gradient."""
    model.train()
    model(*batch(model, [LONGEST, 30, 20, 64])).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 1e-8, name


def assert_sizes_fit(network, **options):
    """Mel, chroma and both, mono and stereo, give logits, and those of other rows or channels are refused."""
    for n_rows in (12, 128, 140):
        for channels in (1, 2):
            model = network(5, channels, n_rows, **options)
            model.check((channels, n_rows, LONGEST))
            assert model(*batch(model, [LONGEST, 20])).shape == (2, 5)
            for shape in ((channels + 1, n_rows, LONGEST), (channels, n_rows + 1, LONGEST)):
                with pytest.raises(UserError, match="leave in_channels and n_rows to the data"):
                    model.check(shape)


def assert_float32_under_autocast(model):
    """Logits are finite and float32, near those without autocast, in training, too."""
    x, lengths = batch(model, [LONGEST, 33, 5])
    with torch.autocast("cpu", torch.bfloat16):
        trained = model(x, lengths)
    trained.sum().backward()
    assert trained.dtype is torch.float32
    assert trained.isfinite().all()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    model.eval()
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(x, lengths)
    assert scores.dtype is torch.float32
    torch.testing.assert_close(scores, model(x, lengths), rtol=0, atol=0.05)
    assert not torch.equal(scores, scores.bfloat16().float())


def assert_channels_last_changes_nothing(model):
    """The memory layout that training uses gives the same logits."""
    model.eval()
    x, lengths = batch(model, [LONGEST, 20])
    expected = model(x, lengths)
    last = model.to(memory_format=torch.channels_last)
    found = last(x.contiguous(memory_format=torch.channels_last), lengths)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def assert_head_is_last(model):
    """The logits are the output of `head`."""
    assert isinstance(model.head, Float32Linear)
    seen = []
    hook = model.head.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    assert model(*batch(model, [LONGEST, 20])) is seen[0]
    hook.remove()


def assert_refused(network, options):
    """An option outside its range is refused in one line that names it."""
    with pytest.raises(UserError, match=f"^model.{next(iter(options))}=") as caught:
        network(3, **options)
    assert "\n" not in str(caught.value)


def assert_learns_one_batch(network, steps=60, **options):
    """A batch of random items and random classes is learnt by heart."""
    torch.manual_seed(0)
    model = network(4, 1, 12, dropout=0.0, **options)
    x, lengths = batch(model, [LONGEST, 30, 20, 64, 40, 50, 25, 16])
    classes = torch.tensor([0, 1, 2, 3] * 2)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(model(x, lengths), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
