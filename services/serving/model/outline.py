"""What a composition takes and gives: it stands where a model has its session."""

import numpy as np

from contracts.compositions import Composition
from contracts.inference import FREE
from contracts.models import INPUT, OUTPUT, Card
from serving.model.session import Tensor

PLATFORM = "tarmac_composition"
"""What V2 metadata calls models of this kind."""


class Outline:
    """Inputs and outputs of a composition.

    Args:
        card: of the composition, which says what they are.
        composition: what it is made of.
    """

    platform = PLATFORM
    stacks = True

    def __init__(self, card: Card, composition: Composition) -> None:
        kind = np.dtype(np.float32)
        self.card = card
        self.composition = composition
        self.inputs = (Tensor(INPUT, "FP32", kind, (FREE, len(card.features))),)
        self.outputs = (Tensor(OUTPUT, "FP32", kind, (FREE, 1)),)
        self.names = [OUTPUT]
