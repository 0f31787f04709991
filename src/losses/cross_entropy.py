"""Cross-entropy for items that belong to exactly one class."""

from typing import Annotated, ClassVar

import torch.nn.functional as F
from torch import Tensor

from src.losses.base import Loss
from src.options import checks
from src.rules import share


class CrossEntropy(Loss):
    """Mean of −log softmax(z)[t] over items.

    Args:
        label_smoothing: share in 0..1 of the target that is spread evenly over all classes (Szegedy et al.,
            'Rethinking the Inception Architecture for Computer Vision', 2016).

    Raises:
        UserError: `label_smoothing` is outside its range.
    """

    targets: ClassVar[tuple[str, ...]] = ("multiclass",)

    @checks("loss")
    def __init__(self, label_smoothing: Annotated[float, share] = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy.

        Args:
            logits: (B, C), any floating type.
            targets: (B,), integers in 0..C−1.

        Returns:
            Scalar, float32, ≥ 0.
        """
        return F.cross_entropy(logits.float(), targets.long(), label_smoothing=self.label_smoothing)
