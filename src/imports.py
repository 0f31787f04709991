"""The imports of the fork server, so that processes forked from it start within hundredths of a second.

Nothing here may compute with torch or use a GPU: threads and CUDA contexts do not survive a fork.
"""

import gc
import os

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

import src.configuration.command_line
import src.sweep.executors.worker
import src.trial  # noqa: F401
from src.environment import git_commit
from src.pictures import warm_up
from src.processes import WANDB_SERVICE
from src.sweep.identity import code

if os.environ.get(WANDB_SERVICE):
    # One service for all trials: otherwise each would start its own, which takes a third of a second.
    wandb.setup()

# Cached here once, rather than in each trial: hashes of the loaded code, and matplotlib's search for fonts.
code()
git_commit()
warm_up()

# Keeps the garbage collector of child processes from touching, and so copying, memory shared with the server.
gc.collect()
gc.freeze()
