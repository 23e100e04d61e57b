"""What can go wrong in the training.

Temporary
└── RegistryAway     MLflow does not answer
Permanent
├── BadSet           the training set is missing, changed, or not what its manifest says
├── Leaks            it has columns that are known only after the prediction
├── TooFew           one side of the split has too few rows
├── NotConverted     the estimator cannot be written as ONNX, or ONNX' checker refuses what was written
├── Unequal          ONNX predicts something else than scikit-learn
├── BadModel         a registered version's files are not what its card says, or cannot be run
├── NotRegistered    no such model, version or alias
├── RegistryRefused  MLflow does not take what it was given
└── Refused          the gate does not let a version through
"""

from runtime.errors import Permanent, Temporary


class RegistryAway(Temporary):
    """MLflow does not answer."""


class BadSet(Permanent):
    """The training set is missing, changed, or not what its manifest says."""


class Leaks(Permanent):
    """The training set has columns that are known only after the prediction."""


class TooFew(Permanent):
    """One side of the split has too few rows."""


class NotConverted(Permanent):
    """The estimator cannot be written as ONNX, or ONNX' checker refuses what was written."""


class Unequal(Permanent):
    """ONNX predicts something else than scikit-learn."""


class BadModel(Permanent):
    """A version's files are not what its card says, or cannot be run."""


class NotRegistered(Permanent):
    """No such model, version or alias."""


class RegistryRefused(Permanent):
    """MLflow does not take what it was given."""


class Refused(Permanent):
    """The gate does not let a version through."""
