"""Settings of the training's commands; what differs from call to call stands on the command line."""

from dataclasses import dataclass

from runtime.settings import ServiceSettings, between
from training.gate import Budgets


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(ServiceSettings):
    """What every command can be told."""

    mlflow: str = "http://mlflow.data.svc:5000"
    """Address of MLflow's server."""

    mlflow_seconds: int = between(10, 1, 600)
    """Seconds to wait for an answer of MLflow; a call is tried three times."""

    experiment: str = "flight-delays"
    """MLflow's experiment that runs are written to."""

    gate_days: int = between(Budgets.days, 2)
    """Days that the held-out rows have at least: fewer say nothing."""

    gate_confidence: float = between(Budgets.confidence, 0.5, 0.9999)
    """How sure it must be that a candidate is better than the champion."""

    gate_calibration: float = between(Budgets.calibration, 0)
    """How far the predictions may lie from what was seen, mean over deciles, as a share of the label's spread."""

    gate_bytes: int = between(Budgets.size, 1)
    """Largest model.onnx, bytes."""

    gate_milliseconds: float = between(Budgets.latency, 0.001)
    """Longest prediction of one row, median, on one thread."""

    @property
    def budgets(self) -> Budgets:
        """What a candidate must keep to."""
        return Budgets(
            days=self.gate_days,
            confidence=self.gate_confidence,
            calibration=self.gate_calibration,
            size=self.gate_bytes,
            latency=self.gate_milliseconds,
        )
