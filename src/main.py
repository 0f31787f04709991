"""The command `python run.py` or `polysweep`: composes the configuration, runs the mode, returns the exit code.

Libraries are imported inside functions, so that one that fails to load is reported in one line with a remedy.
"""

import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.errors import SeveralProblemsError, UserError, printable
from src.paths import CONF
from src.processes import shorten_socket_paths
from src.requirements import DOCTOR, broken_library, may_be_a_broken_library

if TYPE_CHECKING:
    from omegaconf import DictConfig

UNWRITABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
)
REFUSED = 2
INTERRUPTED = 130


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0 done, 1 some trials or files did not finish, 2 refused, 130 interrupted.
    """
    _open_closed_streams()
    _print_any_name()
    try:
        shorten_socket_paths()
        if sys.argv[1:2] == ["--trial"]:
            from src.rank import run_placed

            return run_placed(Path(sys.argv[2]), *sys.argv[3:4])
        if {"-h", "--help"} & set(sys.argv[1:]):
            from src.commands.help import help_text

            print(help_text(CONF), flush=True)
            return 0
        if "mode=doctor" in sys.argv[1:]:
            from src.commands.doctor import doctor

            return doctor(sys.argv[1:])
        return _compose_and_run()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output, such as `head`, has what it wants; nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        message = _explained(error)
        if message is None:
            raise
        for problem in error.problems if isinstance(error, SeveralProblemsError) else [message]:
            print(f"Error: {printable(problem)}", file=sys.stderr)
        return REFUSED


def _open_closed_streams() -> None:
    """Let what is written to a stream that was closed (`>&-`) go nowhere, rather than into the next file opened."""
    for number, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free, which is this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def _print_any_name() -> None:
    """Let names of files that are not UTF-8 be printed with escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _compose_and_run() -> int:
    import hydra
    from hydra.core.hydra_config import HydraConfig

    from src.configuration.command_line import open_data_keys, quote_paths
    from src.configuration.earlier_names import answer_earlier_names
    from src.configuration.effects import is_sweep, refuse_idle, refuse_unknown, refuse_without_effect
    from src.configuration.flags import flags_and_overrides
    from src.configuration.other_sweepers import answer_other_sweepers
    from src.configuration.settings import refuse_empty_groups
    from src.configuration.trust import trust

    _refuse_stored_commands(sys.argv[1:])
    answer_earlier_names(sys.argv[1:])
    answer_other_sweepers(sys.argv[1:])
    refuse_without_effect(sys.argv[1:])
    flags, overrides = flags_and_overrides(sys.argv[1:])
    refuse_empty_groups(overrides, CONF)
    sys.argv[1:] = open_data_keys(quote_paths([*flags, *overrides]))
    os.environ["HYDRA_FULL_ERROR"] = "1"
    composed: list[tuple[DictConfig, list[str]]] = []

    def keep(config: "DictConfig") -> None:
        composed.append((config, list(HydraConfig.get().overrides.task)))

    hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")(keep)()
    from hydra_plugins.polysweep import OTHER_LAUNCHER, PoolLauncher

    if is_sweep(flags + overrides) and PoolLauncher.exit_code is None:
        raise UserError(f"this hydra/launcher {OTHER_LAUNCHER}")
    if composed:
        from src.commands.modes import run_mode

        config, overrides = composed[0]
        refuse_unknown(config, overrides, CONF)
        plain = _plain(config)
        refuse_idle([(plain, overrides)])
        trust(plain.pop("trust"))
        return run_mode(plain, overrides)
    return PoolLauncher.exit_code or 0


def _refuse_stored_commands(arguments: Sequence[str]) -> None:
    """Refuse Hydra's option to repeat a run, which unpickles a file that could run any code."""
    for argument in arguments:
        if argument.startswith("--experimental-rerun"):
            raise UserError(
                f"{argument.partition('=')[0]} is not available: run the same command again, it continues."
            )


def _plain(config: "DictConfig") -> dict[str, Any]:
    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _explained(error: Exception) -> str | None:
    """Return one line for the user, or `None` for a bug of this project."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}; choose another folder with outputs=DIR."
    if may_be_a_broken_library(error):
        unknown = f"{error}. {DOCTOR}" if isinstance(error, ImportError) else None
        return broken_library(error) or unknown
    return _explained_by_hydra(error)


def _explained_by_hydra(error: Exception) -> str | None:
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from src.configuration.command_line import explain

    return explain(error, CONF) if isinstance(error, HydraException | OmegaConfBaseException) else None
