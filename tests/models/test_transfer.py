from copy import deepcopy
from functools import partial

import lightning
import pytest
import torch
from torch import nn

from src.audio.mel import LogMel
from src.errors import UserError
from src.losses.bce import BCE
from src.models.classifier import Classifier
from src.models.networks.cnn import CNN
from src.models.networks.cnn_fast import CNNFast
from src.models.networks.cnn_lstm_cnn import CNNLSTMCNN
from src.models.networks.cnn_var_time import CNNVarTime
from src.models.networks.resnet import ResNet
from src.models.optimization import configure
from src.models.transfer import HEAD, Transfer, load_features

BANDS, FRAMES, CLASSES = 16, 16, 3


class Small(nn.Module):
    """Features with a batch norm and dropout, and a head."""

    def __init__(self, n_classes: int = CLASSES, channels: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, channels, 3), nn.BatchNorm2d(channels), nn.ReLU(), nn.Dropout(0.5)
        )
        self.head = nn.Linear(channels, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x).mean((2, 3)))


class Watch(lightning.Callback):
    """The network's values before each epoch, and after the last."""

    def __init__(self) -> None:
        self.states: list[dict[str, torch.Tensor]] = []

    def on_train_epoch_start(self, trainer, pl_module) -> None:
        self.states.append(deepcopy(pl_module.network.state_dict()))

    def on_train_end(self, trainer, pl_module) -> None:
        self.states.append(deepcopy(pl_module.network.state_dict()))


def learner(network: nn.Module, transfer: Transfer, **changes) -> Classifier:
    usual = {
        "kind": "multilabel",
        "names": ["a", "b", "c"],
        "objective": "f1_macro",
        "description": {},
        "mean": torch.zeros(BANDS),
        "std": torch.ones(BANDS),
        "make_optimizer": partial(torch.optim.AdamW, lr=0.01),
        "scheduler": {"_target_": None},
        "transfer": transfer,
    }
    return Classifier(network, BCE(), **(usual | changes))


def fit(model: Classifier, epochs: int) -> list[dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    items = [(torch.randn(1, BANDS, FRAMES), torch.randint(2, (CLASSES,))) for _ in range(16)]
    batches = torch.utils.data.DataLoader(items, batch_size=4)
    watch = Watch()
    trainer = lightning.Trainer(
        accelerator="cpu", max_epochs=epochs, callbacks=[watch], logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(model, batches, batches)
    return watch.states


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, values in before.items() if not torch.equal(values, after[name])}


def test_frozen_features_stay_as_they_are_while_the_head_is_trained():
    first, second, third, last = fit(learner(Small(), Transfer(frozen_epochs=2)), epochs=3)
    for before, after in ((first, second), (second, third)):
        assert changed(before, after) == {"head.weight", "head.bias"}
    assert changed(third, last) == set(first)  # batch-norm statistics, too


def test_without_frozen_epochs_all_is_trained_from_the_first():
    first, second = fit(learner(Small(), Transfer()), epochs=1)
    assert changed(first, second) == set(first)


def test_frozen_features_drop_nothing_out():
    network = Small().train()
    Transfer(frozen_epochs=1).begin_epoch(network, 0)
    x = torch.randn(2, 1, BANDS, FRAMES)
    assert torch.equal(network(x), network(x))
    Transfer(frozen_epochs=1).begin_epoch(network, 1)
    assert not torch.equal(network(x), network(x))


def test_a_lower_rate_of_the_features_makes_two_groups():
    network = Small()
    features, head = Transfer(feature_rate=0.1).groups(network)
    assert ([id(p) for p in features[0]], features[1]) == ([id(p) for p in network.body.parameters()], 0.1)
    assert ([id(p) for p in head[0]], head[1]) == ([id(p) for p in network.head.parameters()], 1.0)
    [everything] = Transfer().groups(network)
    assert len(everything[0]) == len(list(network.parameters()))


def rates(make, scheduler, steps: int = 20) -> tuple[list[float], list[float]]:
    """The rates of features and head at each step."""
    groups = Transfer(feature_rate=0.1).groups(Small())
    configured = configure(make, scheduler, groups, training_steps=steps, monitor="val/f1_macro")
    optimizer, seen = configured["optimizer"], []
    for _ in range(steps):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        if "lr_scheduler" in configured:
            configured["lr_scheduler"]["scheduler"].step()
    features, head = zip(*seen, strict=True)
    return list(features), list(head)


ONECYCLE = {
    "_target_": torch.optim.lr_scheduler.OneCycleLR,
    "interval": "step",
    "max_lr": 0.02,
    "total_steps": "training_steps",
}
COSINE = {
    "_target_": torch.optim.lr_scheduler.CosineAnnealingLR,
    "interval": "step",
    "T_max": "training_steps",
    "eta_min": 0.0,
}


@pytest.mark.parametrize("scheduler", [{"_target_": None}, ONECYCLE, COSINE])
def test_features_have_a_tenth_of_the_heads_rate_at_every_step(scheduler):
    features, head = rates(partial(torch.optim.Adam, lr=0.02), scheduler)
    assert features == pytest.approx([rate / 10 for rate in head])
    assert max(head) == pytest.approx(0.02, rel=0.05)


def test_the_rate_of_the_head_is_what_it_is_without_groups():
    _, head = rates(partial(torch.optim.Adam, lr=0.02), ONECYCLE)
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=0.02)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=20)
    expected = []
    for _ in range(20):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert head == pytest.approx(expected)


def test_a_lower_rate_needs_a_rate():
    with pytest.raises(UserError, match=r"needs optimizer\.lr"):
        rates(torch.optim.Adam, {"_target_": None})


def test_features_are_loaded_and_the_head_stays():
    source, network = Small(n_classes=7), Small()
    source.body[1].running_mean.fill_(3)
    head = deepcopy(network.head.state_dict())
    weights = {f"network.{name}": values for name, values in source.state_dict().items()}
    load_features(network, weights | {"threshold": torch.tensor(0.3), "mean": torch.zeros(3)}, "best.ckpt")
    assert not changed(source.body.state_dict(), network.body.state_dict())
    assert not changed(head, network.head.state_dict())


@pytest.mark.parametrize("other", [Small(channels=8), nn.Sequential(nn.Linear(2, 2))])
def test_another_network_is_refused(other):
    weights = {f"network.{name}": values for name, values in other.state_dict().items()}
    with pytest.raises(UserError, match=r"init_from=best\.ckpt: its network differs"):
        load_features(Small(), weights, "best.ckpt")


@pytest.mark.parametrize("kind", [CNN, CNNFast, CNNLSTMCNN, CNNVarTime, ResNet])
def test_every_network_has_a_head_with_its_classes(kind):
    one, other = kind(n_classes=3, in_channels=1), kind(n_classes=5, in_channels=1)
    load_features(
        other, {f"network.{name}": values for name, values in one.state_dict().items()}, "best.ckpt"
    )
    assert sum(p.numel() for p in getattr(one, HEAD).parameters()) < sum(p.numel() for p in one.parameters())
    assert {name.partition(".")[0] for name, _ in one.named_parameters()} <= {
        name for name, _ in one.named_children()
    }


@pytest.mark.parametrize(
    "options",
    [{"frozen_epochs": -1}, {"frozen_epochs": 1.5}, {"feature_rate": 0}, {"feature_rate": 1.1}],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(UserError, match=f"transfer.{next(iter(options))}="):
        Transfer(**options)


def test_spectrograms_of_sounds_are_those_of_log_mel():
    features = LogMel(sample_rate=8000, n_fft=512, hop_length=256, n_mels=BANDS)
    model = learner(Small(), Transfer(), features=features)
    sounds, targets = torch.randn(5, 4000), torch.zeros(5, CLASSES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        x, y = model.prepare((sounds, targets))
    assert (x.dtype, x.shape) == (torch.float32, (5, 1, BANDS, 16))
    torch.testing.assert_close(x[:, 0], features(sounds))
    assert y is targets
    spectrograms = torch.randn(5, 1, BANDS, 16)
    assert model.prepare((spectrograms, targets))[0] is spectrograms
    assert not any("features" in name or "window" in name for name in model.state_dict())
