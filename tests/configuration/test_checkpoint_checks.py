from collections.abc import Callable
from typing import Any

import pytest

from src.configuration.checks import freeze
from src.errors import UserError

Compose = Callable[..., dict[str, Any]]
FURTHER = "+callbacks.mine={_target_: lightning.pytorch.callbacks.ModelCheckpoint, monitor: objective"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["callbacks.best.save_top_k=3"], ["callbacks.best.save_top_k=3", "best.ckpt", "another name"]),
        (["callbacks.best.save_top_k=-1"], ["callbacks.best.save_top_k=-1"]),
        (["callbacks.best.filename=foo"], ["callbacks.best.filename=foo", "best weights"]),
        (["callbacks.last.filename=foo"], ["callbacks.last.filename=foo", "a trial goes on"]),
        (["callbacks.last.filename=best"], ["callbacks.last.filename=best"]),
        (["callbacks.last.save_top_k=0"], ["callbacks.last.save_top_k=0"]),
        (["+callbacks.best.every_n_epochs=2"], ["callbacks.best.every_n_epochs=2"]),
        (["+callbacks.best.every_n_train_steps=3"], ["callbacks.best.every_n_train_steps=3"]),
        (["+callbacks.best.save_on_exception=true"], ["callbacks.best.save_on_exception=True"]),
        (["callbacks.best.enable_version_counter=true"], ["callbacks.best.enable_version_counter=True"]),
        (["~callbacks.best.enable_version_counter"], ["callbacks.best.enable_version_counter=True"]),
        (["~callbacks.best.monitor"], ["callbacks.best has no monitor", "monitor=objective"]),
        (["+callbacks.last.monitor=objective"], ["callbacks.last.monitor=val/f1_macro"]),
        (["+callbacks.last.save_weights_only=true"], ["callbacks.last.save_weights_only=True"]),
        (["callbacks.last.save_on_train_epoch_end=false"], ["callbacks.last.save_on_train_epoch_end=False"]),
        (["+callbacks.best.dirpath=x"], ["callbacks.best.dirpath", "outputs=DIR"]),
        (["+callbacks.best.save_last=true"], ["callbacks.best.save_last=True", "leave it out"]),
        (
            ["callbacks=[checkpoint,ema]", "+callbacks.best.save_weights_only=true"],
            ["callbacks.best.save_weights_only", "the average of callbacks.ema"],
        ),
        ([f"{FURTHER}, filename: best}}"], ["callbacks.mine.filename=best", "callbacks.best writes"]),
        (
            ["callbacks=[]", f"{FURTHER}, filename: mine}}"],
            ["the last weights would be tested", "add checkpoint"],
        ),
    ],
)
def test_files_that_would_hold_something_else_are_refused(
    composed: Compose, overrides: list[str], words: list[str]
) -> None:
    with pytest.raises(UserError) as refused:
        freeze(composed(*overrides))
    for word in words:
        assert word in str(refused.value)


def test_what_does_not_change_their_content_is_free(composed: Compose) -> None:
    freeze(composed("+callbacks.best.save_weights_only=true", "callbacks.best.monitor=loss"))
    freeze(composed("callbacks=[]"))
    freeze(composed("callbacks=[]", f"{FURTHER}, filename: best, enable_version_counter: false}}"))


def test_further_checkpoints_may_be_kept(composed: Compose) -> None:
    freeze(
        composed(
            "+callbacks.mine={_target_: lightning.pytorch.callbacks.ModelCheckpoint, monitor: loss, "
            "filename: '{epoch}', save_top_k: 3}"
        )
    )
