"""Imported once by the fork server, so that every process forked from it starts in hundredths of a second.

Nothing here may compute with torch or touch a GPU: threads and CUDA contexts do not survive a fork.
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
    # One service for all trials: each would start its own otherwise, at a third of a second each.
    wandb.setup()

# What depends on the code as it has just been loaded, and matplotlib's search for fonts: once, not in each trial.
code()
git_commit()
warm_up()

# Keeps a child's garbage collector from touching, and so copying, all the memory that it shares with the server.
gc.collect()
gc.freeze()
