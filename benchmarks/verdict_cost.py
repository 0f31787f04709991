"""What the verdict costs: 60 configurations of 5 seeds on 800 test items of 12 labels, from files to verdicts.

python benchmarks/verdict_cost.py
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from src.metrics.kept import FILE, Answered, write_kept
from src.sweep.comparison.results import Results
from src.sweep.comparison.verdicts import judge
from src.trial import jackknife

CONFIGURATIONS, SEEDS, ITEMS, CLASSES = 60, 5, 800, 12


def main() -> None:
    """Write made-up answers, judge them, and print the times."""
    generator = torch.Generator().manual_seed(0)
    targets = (torch.rand(ITEMS, CLASSES, generator=generator) < 0.2).int()
    names = [f"class {number}" for number in range(CLASSES)]
    with tempfile.TemporaryDirectory() as root:
        folders = [Path(root) / str(number) for number in range(CONFIGURATIONS * SEEDS)]
        for folder in folders:
            folder.mkdir()
            outputs = (0.5 * targets + 0.7 * torch.rand(ITEMS, CLASSES, generator=generator)).clamp(0, 1)
            split = Answered(outputs, targets, np.arange(ITEMS))
            write_kept(folder / FILE, "multilabel", {"val": split, "test": split}, 0.6, names, "f1_macro")
        size = max((folder / FILE).stat().st_size for folder in folders)
        begun = time.perf_counter()
        kept = [each for each in jackknife(folders, "f1_macro") if each is not None]
        read = time.perf_counter()
        values = np.array([each.value for each in kept]).reshape(CONFIGURATIONS, SEEDS)
        without = np.array([each.without for each in kept]).reshape(CONFIGURATIONS, SEEDS, -1)
        results = [Results(of_seeds, blocks) for of_seeds, blocks in zip(values, without, strict=True)]
        judge(results, chosen=int(values.mean(1).argmax()), higher_is_better=True, matters=0.005)
        judged = time.perf_counter()
    print(f"predictions.npz              {size / 1000:.0f} kB a trial")
    print(f"read                         {read - begun:.2f} s")
    print(f"judge                        {judged - read:.2f} s")
    print(f"together                     {judged - begun:.2f} s")


if __name__ == "__main__":
    main()
