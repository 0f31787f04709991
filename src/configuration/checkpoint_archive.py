"""Checks of a checkpoint's archive before torch reads it, so that nothing in it unfolds to more than its size."""

import collections
import pickle
import pickletools
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from src.errors import UserError, one_line

MOST_PICKLED = 4 * 2**20
"""Most bytes of `data.pkl`, which holds all but the tensors' values; a byte of it can become 200."""

MOST_TUPLES = 30_000
"""Most tuples in it, about four for each tensor; to hash tuples that lie in each other takes the stack."""

_STORAGE_BYTES = {
    "DoubleStorage": 8,
    "FloatStorage": 4,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "LongStorage": 8,
    "IntStorage": 4,
    "ShortStorage": 2,
    "CharStorage": 1,
    "ByteStorage": 1,
    "BoolStorage": 1,
    "UntypedStorage": 1,
}
"""By the name of a kind of storage in `torch`, the bytes of a number."""

_CONTAINERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "Counter"): collections.Counter,
    ("collections", "defaultdict"): collections.defaultdict,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
}
_INERT = (
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch", "Size"),
    ("torch", "device"),
    ("_codecs", "encode"),
    *(("torch", name) for name, value in vars(torch).items() if isinstance(value, torch.dtype)),
)
"""What else a checkpoint of this project asks for; it is not called here."""


def check_archive(path: Path) -> None:
    """Refuse a file that is no archive as `torch.save` writes it.

    Its members are stored, not compressed, and lie beside each other; its pickle names only tensors and containers, and
    its tensors have no more values than the members hold.

    Args:
        path: of a file.

    Raises:
        UserError: the message continues a sentence that begins with the file: `… is empty`.
    """
    size = path.stat().st_size
    if not size:
        raise UserError("is empty")
    try:
        with zipfile.ZipFile(path) as archive:
            folder = _check_members(archive.infolist(), size)
            if archive.testzip() is not None:  # torch doesn't look
                raise UserError("is damaged: its checksums do not match")
            pickled = archive.read(f"{folder}/data.pkl")
            sizes = {member.filename: member.file_size for member in archive.infolist()}
    except UserError:
        raise
    except Exception as error:  # a damaged archive raises anything
        raise UserError("is no whole archive as torch writes it") from error
    _check_opcodes(pickled)
    _check_pickle(pickled, folder, sizes)


def _check_members(members: Sequence[zipfile.ZipInfo], size: int) -> str:
    """Return the folder that all members lie in."""
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise UserError("has compressed members, which torch does not write")
    if sum(member.file_size for member in members) > size:
        raise UserError(f"unfolds to more than its {size} bytes")
    folder = members[0].filename.partition("/")[0] if members else ""
    names = [member.filename.lower() for member in members]
    pickled = [member for member in members if member.filename == f"{folder}/data.pkl"]
    if len(set(names)) < len(names) or not pickled:
        raise UserError("has other members than torch writes")
    if pickled[0].file_size > MOST_PICKLED:
        raise UserError(f"has {pickled[0].file_size} bytes of other things than weights")
    return folder


def _check_opcodes(pickled: bytes) -> None:
    """Refuse a pickle that takes memory or stack out of proportion to its size."""
    tuples = 0
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            tuples += opcode.name.startswith("TUPLE")
            if opcode.name.endswith("PUT") and int(argument or 0) > len(pickled):
                raise UserError("is damaged")
    except UserError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise UserError("is damaged") from error
    if tuples > MOST_TUPLES:
        raise UserError("has more than tensors and plain values")


def _check_pickle(pickled: bytes, folder: str, sizes: Mapping[str, int]) -> None:
    try:
        _Inspector(pickled, folder, sizes).load()
    except UserError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise UserError("is damaged") from error


@dataclass(frozen=True)
class _Storage:
    """A kind of storage, in place of torch's class."""

    number_bytes: int


class _Inert:
    """Stands for what is not built."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...


class _Inspector(pickle.Unpickler):
    """Goes through a pickle without building a tensor, and compares its storages with the members of the archive.

    Torch takes the number of values from the pickle, and reads past the end of a member that is shorter.
    """

    def __init__(self, pickled: bytes, folder: str, sizes: Mapping[str, int]) -> None:
        super().__init__(BytesIO(pickled))
        self._folder, self._sizes = folder, sizes

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for what checkpoints ask for; raise for everything else."""
        if module == "torch" and name in _STORAGE_BYTES:
            return _Storage(_STORAGE_BYTES[name])
        if (module, name) in _INERT:
            return _Inert
        if (module, name) not in _CONTAINERS:
            raise UserError(
                f"asks for {one_line(f'{module}.{name}')}, but only tensors and plain values are read"
            )
        return _CONTAINERS[module, name]

    def persistent_load(self, pid: Any) -> _Inert:
        """Refuse a storage that is not in the archive, or has another size there."""
        _, kind, key, _, numbers = pid
        if not isinstance(kind, _Storage) or type(numbers) is not int:
            raise UserError("is damaged")
        if numbers * kind.number_bytes != self._sizes.get(f"{self._folder}/data/{key}"):
            raise UserError(f"says another size of {one_line(f'data/{key}')} than it has")
        return _Inert()
