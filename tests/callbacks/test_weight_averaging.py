import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from src.callbacks.seed_epochs import SeedEpochs
from src.callbacks.weight_averaging import EMA
from src.errors import UserError
from tests.generation.tiny_music import generator, tunes


@pytest.fixture
def data(tmp_path):
    return tunes(tmp_path)


class Watch(Callback):
    """Keeps the network after each step, and while it is validated, and the thresholds."""

    def __init__(self):
        self.trained, self.validated, self.thresholds = [], [], []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.trained.append(state(pl_module))

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
        self.validated.append(state(pl_module))

    def on_validation_end(self, trainer, pl_module):
        self.thresholds.append(float(pl_module.threshold))


def state(learner):
    return {name: value.clone() for name, value in learner.network.state_dict().items()}


def fit(learner, data, folder, callbacks, epochs=3, **options):
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[*callbacks, SeedEpochs(1)],
        logger=False,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=10**9,
        **({} if any(isinstance(c, ModelCheckpoint) for c in callbacks) else {"enable_checkpointing": False}),
    )
    trainer.fit(learner, data, **options)
    return trainer


def checkpoint(folder, name, **options):
    return ModelCheckpoint(folder, filename=name, enable_version_counter=False, **options)


def averaged(states, decay):
    """The formula of the docstring, tensor by tensor, in float64."""
    average = {name: value.double() for name, value in states[0].items()}
    for n, now in enumerate(states[1:], start=1):
        d = min(decay, (1 + n) / (10 + n))
        average = {name: d * average[name] + (1 - d) * value.double() for name, value in now.items()}
    return {name: value for name, value in average.items() if states[0][name].is_floating_point()}


def assert_close(found, expected):
    for name, value in expected.items():
        torch.testing.assert_close(found[name].double(), value.double(), rtol=1e-4, atol=1e-5, msg=name)


def assert_equal(found, expected):
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_validated_and_kept_at_last_is_the_average_of_the_steps(data, tmp_path, decay):
    watch, learner = Watch(), generator(data)
    fit(learner, data, tmp_path, [watch, EMA(decay)])
    steps = len(watch.trained) // 3
    assert steps > 1
    for epoch in range(3):
        assert_close(watch.validated[epoch], averaged(watch.trained[: (epoch + 1) * steps], decay))
    assert_close(state(learner), averaged(watch.trained, decay))


def test_a_small_decay_is_that_of_torch(data, tmp_path):
    # 0.1 is below (1 + n) / (10 + n) at every step.
    class Torch(Callback):
        def on_train_start(self, trainer, pl_module):
            self.average = AveragedModel(pl_module.network, multi_avg_fn=get_ema_multi_avg_fn(0.1))

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            self.average.update_parameters(pl_module.network)

    reference, learner = Torch(), generator(data)
    fit(learner, data, tmp_path, [reference, EMA(0.1)])
    expected = {name: value.detach() for name, value in reference.average.module.named_parameters()}
    assert_close(state(learner), expected)


def test_training_is_that_without_the_average(data, tmp_path):
    plain, with_average = Watch(), Watch()
    fit(generator(data, dropout=0.5), data, tmp_path, [plain])
    fit(generator(data, dropout=0.5), data, tmp_path, [with_average, EMA(0.9)])
    for one, other in zip(plain.trained, with_average.trained, strict=True):
        assert_equal(one, other)


def test_counts_are_not_averaged(data, tmp_path):
    watch, learner = Watch(), generator(data)
    fit(learner, data, tmp_path, [watch, EMA(0.99)])
    assert state(learner)["norm.num_batches_tracked"] == len(watch.trained)


def test_the_checkpoint_has_the_average_and_the_tuned_threshold(data, tmp_path):
    watch = Watch()
    best = checkpoint(tmp_path, "best", monitor="val/nll")
    fit(generator(data), data, tmp_path, [best, watch, EMA(0.9)], epochs=4)
    saved = torch.load(tmp_path / "best.ckpt", weights_only=True)
    epoch = saved["epoch"]
    steps = len(watch.trained) // 4
    kept = {name.removeprefix("network."): value for name, value in saved["state_dict"].items()}
    assert_close(kept, averaged(watch.trained[: (epoch + 1) * steps], 0.9))
    assert float(kept["threshold"]) == pytest.approx(watch.thresholds[epoch])
    assert float(kept["threshold"]) != 0.5


def test_validation_after_training_is_of_the_weights_that_were_loaded(data, tmp_path):
    watch, learner = Watch(), generator(data)
    trainer = fit(learner, data, tmp_path, [watch, EMA(0.9)])
    other = {name: torch.full_like(value, 0.25) for name, value in learner.network.state_dict().items()}
    learner.network.load_state_dict(other)
    trainer.validate(learner, data, verbose=False)
    assert_equal(watch.validated[-1], other)
    assert_equal(state(learner), other)


def test_a_resumed_training_is_an_unbroken_one(data, tmp_path):
    whole, parts = generator(data, dropout=0.5), generator(data, dropout=0.5)
    fit(whole, data, tmp_path, [EMA(0.9)], epochs=4)
    fit(parts, data, tmp_path, [checkpoint(tmp_path, "last"), EMA(0.9)], epochs=2)
    resumed = generator(data, dropout=0.5)
    fit(resumed, data, tmp_path, [EMA(0.9)], epochs=4, ckpt_path=tmp_path / "last.ckpt", weights_only=True)
    assert_equal(state(resumed), state(whole))


def test_the_average_lies_where_the_training_is(data):
    ema, learner = EMA(0.9), generator(data)
    ema.setup(lightning.Trainer(logger=False), learner, "fit")
    ema.on_fit_start(lightning.Trainer(logger=False), learner.to("meta"))
    assert {value.device.type for value in ema._average_model.state_dict().values()} == {"meta"}


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_outside_its_range_is_refused(decay):
    with pytest.raises(UserError, match=r"callbacks\.ema\.decay"):
        EMA(decay)
