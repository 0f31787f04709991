"""The imports of the fork server, so that processes forked from it start within hundredths of a second.

All of `src` is imported, so that every trial of a sweep runs the code as it was when the sweep began.

Nothing here may compute with torch or use a GPU: threads and CUDA contexts do not survive a fork.
"""

import gc
import os
import pkgutil
from importlib import import_module

import hydra.core.hydra_config
import hydra.main  # noqa: F401
import lightning.pytorch.loggers  # noqa: F401
import omegaconf  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.linear_model  # noqa: F401
import torch  # noqa: F401
import torchaudio  # noqa: F401
import torchmetrics  # noqa: F401
import wandb
import wandb.sdk.launch

import src
from src.environment import git_commit
from src.pictures import warm_up
from src.processes import WANDB_SERVICE

if os.environ.get(WANDB_SERVICE):
    # One service for all trials: otherwise each would start its own, which takes a third of a second.
    wandb.setup()

for module in pkgutil.walk_packages(src.__path__, "src."):
    import_module(module.name)

# Cached here once, rather than in each trial: matplotlib's search for fonts, and more.
git_commit()
warm_up()

# Keeps the garbage collector of child processes from touching, and so copying, memory shared with the server.
gc.collect()
gc.freeze()
