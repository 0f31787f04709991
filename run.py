"""The one command: compose the configuration, run the trial, return its objective."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.configuration.command_line import explain, open_data_keys, quote_paths
from src.configuration.settings import refuse_empty_groups
from src.errors import UserError

CONF = Path(__file__).resolve().parent / "conf"
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ENOTDIR, errno.EEXIST)
REFUSED = 2
INTERRUPTED = 130


def main() -> int:
    """Run what the command line asks for.

    Returns:
        The exit code: 0 done, 1 some trials or files did not finish, 2 refused, 130 interrupted.
    """
    if sys.argv[1:2] == ["--trial"]:
        from src.rank import run_rank

        return run_rank(Path(sys.argv[2]))
    sys.argv[1:] = open_data_keys(quote_paths(sys.argv[1:]))
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        refuse_empty_groups(sys.argv[1:], CONF)
        return _compose_and_run()
    except UserError as error:
        return _refuse(str(error))
    except (HydraException, OmegaConfBaseException) as error:
        return _refuse(explain(error, CONF))
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        return _refuse(f"{error.filename}: {error.strerror}; choose another folder with outputs=DIR.")
    except KeyboardInterrupt:
        return INTERRUPTED


def _compose_and_run() -> int:
    composed: list[tuple[DictConfig, list[str]]] = []

    def keep(config: DictConfig) -> None:
        composed.append((config, list(HydraConfig.get().overrides.task)))

    hydra.main(version_base="1.3", config_path="conf", config_name="config")(keep)()
    if composed:
        from src.commands.modes import run_mode

        config, overrides = composed[0]
        return run_mode(_plain(config), overrides)
    from hydra_plugins.polysweep import PoolLauncher

    return PoolLauncher.exit_code


def _plain(config: DictConfig) -> dict[str, Any]:
    plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _refuse(message: str) -> int:
    print(f"Error: {message}", file=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
