"""Settings of the entry points; the README lists the same variables for those who start them."""

from dataclasses import dataclass

from contracts.models import CHAMPION
from contracts.topics import ANSWERED, ASKED
from runtime.settings import ServiceSettings, between
from runtime.store import StoreSettings
from serving.worker_settings import FollowSettings, LabelsSettings


@dataclass(frozen=True, kw_only=True)
class ModelSettings(ServiceSettings):
    """What whoever runs models can be told."""

    models: str = "/models"
    """Folder of the models: `<model>/<version>/model.onnx`, `<model>/aliases.json`; with `mlflow`, their room."""

    mlflow: str = ""
    """Address of MLflow's server, from which models are fetched; empty: they are in the folder."""

    mlflow_seconds: float = between(10, 0.1, 600)
    """Seconds to wait for an answer of MLflow."""

    alias: str = CHAMPION
    """Alias of the version that answers where a request names only the model; the champion where a model has none."""

    watch_seconds: float = between(5, 0.1)
    """Between two looks at where the models come from."""

    threads: int = between(1, 1, 64)
    """Threads that work on one operator of a model."""

    workers: int = between(2, 1, 64)
    """Runs, of different models, that may happen at the same time outside the event loop."""

    request_seconds: float = between(30, 0.01)
    """Seconds that a request may take."""

    run_seconds: float = between(20, 0.01)
    """Seconds after which one run of a model is broken off."""

    batch_rows: int = between(128, 1)
    """Rows that one run of several requests may have."""

    cache_entries: int = between(10_000, 0)
    """Answers that are kept of each version, under the keys that requests name; 0: none."""

    load_seconds: float = between(120, 1)
    """Seconds that a version may take to be examined and optimised."""

    models_limit: int = between(16, 1)
    """Versions in memory; the one that was asked least recently makes room."""

    models_bytes: int = between(1_000_000_000, 1_000)
    """Bytes of their files together."""

    model_bytes: int = between(500_000_000, 1_000)
    """Bytes of the files of one version."""


@dataclass(frozen=True, kw_only=True)
class ServeSettings(ModelSettings):
    """What `serve` can be told."""

    grpc_port: int = between(8081, 0, 65535)
    """TCP port of gRPC; 0 switches it off."""

    default_model: str = ""
    """Model of `/invocations` and `/flights/predict`; empty: the only one there is."""

    feature: str = ""
    """Address of the feature service, where the features of flights are looked up; empty: no flights are taken."""

    feature_seconds: float = between(0.7, 0.01, 30)
    """Seconds that it may take to answer."""

    timetable: str = ""
    """File of the flights that there are (`python -m ingest.timetable`); empty: no alternatives are told."""

    kafka: str = ""
    """`host:port` of the brokers that every prediction is told to; empty: none is."""

    track: str = ""
    """Which of the tracks that a release compares this server is: `stable`, `canary`."""

    log_ratio: float = between(1, 0, 1)
    """Share of the predictions that are told; of one flight, all or none."""

    log_room: int = between(10_000, 1)
    """Predictions that may wait to be told; beyond, they are dropped and counted."""

    body_bytes: int = between(16_000_000, 1_000)
    """Bytes of a request."""

    json_bytes: int = between(4_000_000, 1_000)
    """Bytes of the JSON in it, of which objects are made that take twenty times as much; binary tensors come on top."""

    bodies_bytes: int = between(64_000_000, 1_000)
    """Bytes of all requests that are read and answered at the same time; beyond, one is refused (429)."""

    inline_seconds: float = between(0.001, 0)
    """A run that is expected to take less happens in the event loop; 0: none does."""

    queue: int = between(256, 1)
    """Requests that may wait for a model."""

    queue_seconds: float = between(1, 0.001)
    """Seconds that a request may be expected to wait; beyond, it is refused (429)."""


@dataclass(frozen=True, kw_only=True)
class StreamSettings(ModelSettings):
    """What `stream` can be told."""

    group: str = "serving-stream"
    """Consumer group that shares the requests."""

    asked: str = ASKED
    """Topic of the requests."""

    answered: str = ANSWERED
    """Topic of the answers."""

    log_ratio: float = between(1, 0, 1)
    """Share of the predictions that are told to `prediction.made.v1`; of one flight, all or none."""

    log_room: int = between(10_000, 1)
    """Predictions that may wait to be told; beyond, they are dropped and counted."""


@dataclass(frozen=True, kw_only=True)
class OfflineSettings(ModelSettings, StoreSettings):
    """What `offline` can be told; which rows and which model stands on the command line."""


FAMILY = (ServeSettings, StreamSettings, OfflineSettings, LabelsSettings, FollowSettings)
"""All of them: entry points may share one ConfigMap."""
