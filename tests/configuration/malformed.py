"""Malformed checkpoints: how each is made of a whole one, and what the one line says of it."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

State = dict[str, Any]
Change = Callable[[State], Any]


def _without(*keys: str) -> Change:
    def change(state: State) -> State:
        *places, last = keys
        del _at(state, places)[last]
        return state

    return change


def _with(value: Any, *keys: str) -> Change:
    def change(state: State) -> State:
        *places, last = keys
        _at(state, places)[last] = value
        return state

    return change


def _at(state: State, places: list[str]) -> Any:
    for place in places:
        state = state[place]
    return state


def _weight(change: Callable[[torch.Tensor], Any], name: str = "network.head.bias") -> Change:
    def changed(state: State) -> State:
        state["state_dict"][name] = change(state["state_dict"][name])
        return state

    return changed


def _filled(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda tensor: torch.full_like(tensor, value)


def _nested(depth: int) -> list[Any]:
    lists: list[Any] = []
    for _ in range(depth):
        lists = [lists]
    return lists


def _doubled(times: int) -> list[Any]:
    lists: list[Any] = [0]
    for _ in range(times):
        lists = [lists, lists]
    return lists


def _circle() -> list[Any]:
    lists: list[Any] = []
    lists.append(lists)
    return lists


ABOUT, CONFIG = ("hyper_parameters",), ("hyper_parameters", "config")
MODEL, DATA = (*CONFIG, "model"), (*CONFIG, "data")
FEATURES = (*DATA, "features")

CHANGES: dict[str, tuple[Change, str]] = {
    "a list": (lambda _: [1, 2], "is no checkpoint of this project"),
    "a tensor": (lambda _: torch.zeros(3), "is no checkpoint of this project"),
    "no hyperparameters": (_without(*ABOUT), "is no checkpoint of this project"),
    "hyperparameters that are a list": (_with([], *ABOUT), "is no checkpoint of this project"),
    "another project's": (_with("other", *ABOUT, "kind"), "is no checkpoint of this project"),
    "no configuration": (_without(*CONFIG), "holds no configuration"),
    "an empty configuration": (_with({}, *CONFIG), "data is missing"),
    "a configuration that is text": (_with("${oc.env:HOME}", *CONFIG), "holds no configuration"),
    "no weights": (_without("state_dict"), "weights are missing"),
    "empty weights": (_with({}, "state_dict"), "weights are missing"),
    "weights that are a list": (_with([1], "state_dict"), "weights are missing"),
    "a weight that is a number": (_weight(lambda _: 1.0), "weights network.head.bias are no tensor"),
    "a weight of complex numbers": (_weight(lambda w: w + 1j), "asks for torch.ComplexFloatStorage"),
    "a weight that is repeated": (
        _weight(lambda w: w[:1].expand(2**40)), "weights network.head.bias are no tensor"
    ),
    "a sparse weight": (_weight(lambda w: w.to_sparse()), "asks for torch._utils._rebuild_sparse_tensor"),
    "NaN": (_weight(_filled(torch.nan)), "weights network.head.bias are not all finite"),
    "an infinite mean": (_weight(_filled(-torch.inf), "mean"), "weights mean are not all finite"),
    "a threshold that is NaN": (_weight(_filled(torch.nan), "threshold"), "weights threshold are not all finite"),
    "a threshold of 7": (_weight(_filled(7), "threshold"), "threshold 7 is not in 0..1"),
    "a deviation of 0": (_weight(_filled(0), "std"), "a deviation of features is 0"),
    "a tiny deviation": (_weight(_filled(1e-38), "std"), "a deviation of features is 1e-38"),
    "a negative variance": (
        _weight(_filled(-1), "network.stages.0.1.running_var"), "variance in network.stages.0.1.running_var is -1"
    ),
    "a missing weight": (_without("state_dict", "network.head.bias"), "network.head.bias is missing"),
    "a further weight": (_with(torch.ones(2), "state_dict", "network.new"), "network.new is not in it"),
    "a weight of a coloured name": (_with(torch.ones(2), "state_dict", "\x1b[31m\n"), r"\x1b[31m is not in it"),
    "a coloured NaN": (
        _with(torch.tensor(torch.nan), "state_dict", "\x1b[31m\n"), r"weights \x1b[31m are not all finite"
    ),
    "a class under a coloured key": (
        _with({"_target_": "x"}, *CONFIG, "\x1b[31m"), r"its \x1b[31m._target_ stands where nothing is built"
    ),
    "a class under a long key": (_with({"_target_": "x"}, *CONFIG, "a" * 1000), "its aaa"),
    "a coloured key": (_with(torch.ones(2), *ABOUT, "\x1b[31m\n"), r"its \x1b[31m is no plain value"),
    "a weight of another shape": (_weight(lambda w: w[:3]), "network.head.bias has the shape [3] instead of [12]"),
    "a weight of whole numbers": (_weight(lambda w: w.long()), "network.head.bias holds int64 instead of float32"),
    "no mean": (_without("state_dict", "mean"), "there is no mean of each of 128 rows"),
    "a mean of one row": (_weight(lambda mean: mean[:1], "mean"), "there is no mean of each of 128 rows"),
    "no classes": (_without(*ABOUT, "classes"), "value of classes is missing"),
    "classes that are text": (_with("flute", *ABOUT, "classes"), "value of classes is not a list"),
    "classes that are numbers": (_with([1, 2], *ABOUT, "classes"), "value of classes is not a list"),
    "classes that cannot be written": (_with(["\ud800"] * 12, *ABOUT, "classes"), "classes is no plain value"),
    "fewer classes": (_with(["flute"], *ABOUT, "classes"), "instead of [1, "),
    "unknown targets": (_with("colours", *ABOUT, "target"), "value of target is not multilabel or"),
    "targets of another network": (_with("rolls", *ABOUT, "target"), "network is not for"),
    "no shape": (_without(*ABOUT, "item_shape"), "value of item_shape is missing"),
    "a shape of text": (_with("large", *ABOUT, "item_shape"), "value of item_shape is not a list"),
    "a shape of one number": (_with([12], *ABOUT, "item_shape"), "cannot be loaded"),
    "a shape without end": (_with([2**20, 2**20, 2**20], *ABOUT, "item_shape"), "item_shape has more than"),
    "an unknown task": (_with("smells", *ABOUT, "inputs"), "there is no task smells"),
    "unknown pooling": (_with("median", *ABOUT, "pool"), "value of pool is not mean or max"),
    "a level that is text": (_with("loud", *ABOUT, "level"), "value of level is not a number"),
    "a configuration with a tensor": (_with(torch.ones(2), *CONFIG, "seed"), "config is no plain value"),
    "a number of 600 digits": (_with(10**600, *CONFIG, "seed"), "config is no plain value"),
    "lists in lists": (_with(_nested(100), *CONFIG, "seed"), "config holds lists in lists"),
    "lists that double": (_with(_doubled(60), *CONFIG, "seed"), "config holds lists in lists"),
    "a list in itself": (_with(_circle(), *CONFIG, "seed"), "config holds lists in lists"),
    "no objective": (_without(*CONFIG, "objective"), "value of config.objective is missing"),
    "no seed": (_without(*CONFIG, "seed"), "value of config.seed is missing"),
    "a batch of text": (_with("large", *CONFIG, "batch_size"), "value of config.batch_size is not a whole number"),
    "no trainer": (_without(*CONFIG, "trainer"), "value of config.trainer.accelerator is missing"),
    "a list of devices": (
        _with(["cpu"], *CONFIG, "trainer", "accelerator"), "config.trainer.accelerator is not the name of a device"
    ),
    "a network that was renamed": (
        _with("src.models.networks.cnn.OldCNN", *MODEL, "_target_"), "OldCNN: there is no such class"
    ),
    "a network's module that was renamed": (
        _with("src.models.networks.old.CNN", *MODEL, "_target_"), "old.CNN: there is no such class"
    ),
    "data that were renamed": (_with("src.datamodules.old.Old", *DATA, "_target_"), "Old: there is no such class"),
    "an option that the network does not have": (_with(3, *MODEL, "colour"), "colour"),
    "a width that is text": (_with("wide", *MODEL, "channels"), "model.channels=wide"),
    "20,000 channels": (_with([20_000] * 4, *MODEL, "channels"), "instead of [20000, "),
    "channels beyond any memory": (_with([2**40, 2**40], *MODEL, "channels"), "cannot be loaded"),
    "no features": (_without(*FEATURES), "cannot be loaded"),
    "features that are a list": (_with([1], *FEATURES), "cannot be loaded"),
    "an unknown feature": (_with(1, *FEATURES, "colour"), "colour"),
    "a transform of 2^31 samples": (_with(2**31, *FEATURES, "n_fft"), "n_fft=2147483648: choose"),
    "a billion mel bands": (_with(10**9, *FEATURES, "n_mels"), "n_mels=1000000000: choose"),
    "options over several lines": (_with("a\nb\x1b[31m", *FEATURES, "scaling"), r"scaling=a b\x1b[31m"),
}  # fmt: skip
"""By name: the change to a whole state, which is then saved, and a part of the message."""


def saved(state: Any) -> bytes:
    """Return the file that torch writes of a state."""
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def repacked(content: bytes, compression: int = zipfile.ZIP_STORED, **changed: bytes) -> bytes:
    """Return an archive whose members are compressed or changed; `data_0` is the content of `…/data/0`."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", compression) as new:
        for name in old.namelist():
            key = name.partition("/")[2].replace("/", "_").replace(".", "_")
            new.writestr(name, changed.get(key, old.read(name)))
    return file.getvalue()


def _lists(content: bytes) -> bytes:
    """Lists in lists that no pickler would write: it recurses."""
    key, kind, config, seed = (
        b"X" + struct.pack("<I", len(text)) + text
        for text in (b"hyper_parameters", b"kind", b"config", b"seed")
    )
    project = b"X" + struct.pack("<I", 9) + b"polysweep"
    deep = b"]" * 500_000 + b"a" * 499_999
    about = b"}" + kind + project + b"s" + config + b"}" + seed + deep + b"ss"
    return repacked(content, data_pkl=b"\x80\x02}" + key + about + b"s.")


def _tuples(content: bytes) -> bytes:
    return repacked(content, data_pkl=b"\x80\x02}" + b")" + b"\x85" * 500_000 + b"K\x01s.")


def _flipped(content: bytes) -> bytes:
    """The last byte of the largest member, in which torch notices nothing."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
    at = content.index(archive_member(content, largest.filename)) + largest.file_size - 1
    return content[:at] + bytes([content[at] ^ 0x40]) + content[at + 1 :]


def archive_member(content: bytes, name: str) -> bytes:
    """Return the content of a member of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(name)


FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "an empty file": (lambda _: b"", "it is empty"),
    "a text": (lambda _: b"not a checkpoint\n", "is no whole archive"),
    "a plain pickle": (lambda _: pickle.dumps({"state_dict": {}}), "is no whole archive"),
    "a truncated archive": (lambda content: content[: len(content) // 2], "is no whole archive"),
    "an archive without its beginning": (lambda content: content[1000:], "cannot be read as a checkpoint"),
    "an archive of other files": (lambda _: _other(), "has other members"),
    "compressed members": (lambda content: repacked(content, zipfile.ZIP_DEFLATED), "has compressed members"),
    "a bomb": (
        lambda content: repacked(content, zipfile.ZIP_DEFLATED, data_0=bytes(2**26)), "has compressed members"
    ),
    "a flipped bit of a weight": (_flipped, "it is damaged: its checksums do not match"),
    "a pickle that ends early": (lambda content: repacked(content, data_pkl=b"\x80\x02}q\x00"), "it is damaged"),
    "a pickle of nothing": (lambda content: repacked(content, data_pkl=b""), "it is damaged"),
    "a memo of 2^32 entries": (
        lambda content: repacked(content, data_pkl=b"\x80\x02}r\xff\xff\xff\xff."), "it is damaged"
    ),
    "lists in lists without end": (_lists, "config holds lists in lists"),
    "tuples in tuples": (_tuples, "has more than tensors and plain values"),
    "a shorter member": (lambda content: repacked(content, data_0=b""), "says another size of data/0"),
    "a coloured command": (
        lambda content: repacked(content, data_pkl=b"\x80\x02c\x1b[31mos\nsystem\nX\x04\x00\x00\x00true\x85R."),
        r"asks for \x1b[31mos.system",
    ),
    "a command": (
        lambda content: repacked(content, data_pkl=b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."),
        "asks for os.system",
    ),
}  # fmt: skip
"""By name: what becomes of the bytes of a whole checkpoint, and a part of the message."""


def _other() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/readme.txt", "no checkpoint")
    return file.getvalue()


def write(name: str, whole: Path, path: Path) -> str:
    """Write a malformed checkpoint, and return the part of the message.

    Args:
        name: in `CHANGES` or `FILES`.
        whole: a checkpoint.
        path: of the file to write.
    """
    if name in FILES:
        change, says = FILES[name]
        path.write_bytes(change(whole.read_bytes()))
        return says
    changed, says = CHANGES[name]
    path.write_bytes(saved(changed(torch.load(whole, weights_only=True))))
    return says
