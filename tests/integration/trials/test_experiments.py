"""The experiments on real parts: MLflow, and the serving service as a process of its own, over real sockets."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration.edge.processes import built
from integration.mlflow_server import Server as Mlflow
from integration.serving.processes import Server
from runtime.mlflow import NotRegistered
from runtime.process import Stop
from training.__main__ import main
from trials.experiments.cascade import cascade
from trials.experiments.connection_reuse import connection_reuse
from trials.experiments.dynamic_batching import dynamic_batching
from trials.experiments.model_aliases import model_aliases
from trials.experiments.prediction_cache import prediction_cache
from trials.experiments.quantised_model import quantised_model
from trials.experiments.runtime_figures import runtime_figures
from trials.experiments.session_threads import session_threads
from trials.experiments.several_models import several_models
from trials.graphs import adding
from trials.registry import Registry
from trials.settings import TrialsSettings
from trials.stage import NotThere, Stage
from unit.training import sets

pytestmark = pytest.mark.engines
KINDS = ("linear", "boosting", "network", "network-int8", "network-pruned")
ROOT = Path(__file__).parents[3]
HOME = os.pathsep.join(map(str, (ROOT / "services", ROOT / "labs/04-serving/service")))
"""Where the image has its modules."""


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes that a trial starts find what it is made of."""
    monkeypatch.setenv("PYTHONPATH", HOME)


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    """Return a registry without any model."""
    made = Mlflow(tmp_path_factory.mktemp("mlflow"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def told(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return what the server is told; a test may say more."""
    return dict(getattr(request, "param", {}))


@pytest.fixture
def stage(mlflow: Mlflow, tmp_path: Path, told: dict[str, str]) -> Iterator[Stage]:
    """Return a stage whose server follows the registry."""
    server = Server(tmp_path, TARMAC_MLFLOW=mlflow.address, TARMAC_GRPC_PORT="0", **told)
    try:
        server.until("/readyz")
        address = f"http://127.0.0.1:{server.port}"
        settings = TrialsSettings(
            mlflow=mlflow.address, server=address, reference="alias", cache_fields="origin,dest,carrier,hour"
        )
        yield Stage(settings, Stop())
    finally:
        server.end()


def test_callers_of_the_alias_leave_a_bad_version(stage: Stage) -> None:
    """Callers of a number do not, and nobody loses a request; the trial's model is gone afterwards."""
    told = model_aliases(stage)
    by_version, by_alias = told["callers"]["version"], told["callers"]["alias"]
    assert by_version["bad_after"] == by_version["answers_after"] > 0
    assert (by_alias["bad_after"], by_alias["failed"], by_version["failed"]) == (0, 0, 0)
    assert by_alias["bad_before"] > 0
    with stage.registry() as registry, pytest.raises(NotRegistered):
        registry.current("trial-aliases")


def test_a_trials_model_is_never_its_newest_version(stage: Stage) -> None:
    """Whoever follows the registry sees two versions only with the alias that says which one answers."""
    seen = []

    def watch(there: threading.Event, registry: Registry) -> None:
        while not there.is_set():
            with suppress(NotRegistered):
                seen.append(registry.current("trial-seen")["version"])

    there = threading.Event()
    with stage.registry() as registry, stage.registry() as watching, ThreadPoolExecutor() as pool:
        watched = pool.submit(watch, there, watching)
        with registry.trial("trial-seen", adding(), adding(30.0)):
            there.set()
            watched.result()
    assert set(seen) == {"1"}


def test_what_is_registered_and_named_while_somebody_asks_is_not_its_newest_version(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions and their alias come right after the answer that there is no alias."""
    with stage.registry() as registry, stage.registry() as asking, ExitStack() as left:
        ask = asking.version

        def then_register(name: str, alias: str) -> dict[str, Any]:
            try:
                return ask(name, alias)
            finally:
                left.enter_context(registry.trial(name, adding(), adding(30.0)))

        monkeypatch.setattr(asking, "version", then_register)
        with pytest.raises(NotRegistered):
            asking.current("trial-between")
        monkeypatch.undo()
        assert asking.current("trial-between")["version"] == "1"


@pytest.mark.parametrize("told", [{"TARMAC_MODELS_LIMIT": "2"}], indirect=True)
def test_too_small_a_server_loads_at_every_call(stage: Stage) -> None:
    """Three models in turn, and room for two."""
    told = several_models(stage)
    assert told["settings"] == {"models_limit": 2}
    assert (told["loaded"], told["failed"]) == (told["calls"], 0)
    assert told["evicted"] == told["calls"]


@pytest.mark.parametrize("told", [{"TARMAC_MODELS_LIMIT": "8"}], indirect=True)
def test_a_server_with_room_loads_nothing_twice(stage: Stage) -> None:
    """What is in memory stays there, and its size is told."""
    told = several_models(stage)
    assert (told["loaded"], told["evicted"], told["failed"]) == (0, 0, 0)
    assert told["in_memory"] >= 3 * 8_000_000
    assert told["resident"] > told["in_memory"]


@pytest.mark.parametrize("told", [{"TARMAC_BATCH_ROWS": "1"}, {"TARMAC_BATCH_ROWS": "64"}], indirect=True)
def test_rows_that_wait_together_are_computed_together_where_that_is_allowed(stage: Stage) -> None:
    """And only there; a machine that was busy with something else is tried again, and said."""
    told = dynamic_batching(stage)
    alone = told["settings"]["batch_rows"] == 1
    assert told["machine"]["steady"] or told["machine"]["tries"] == 3
    assert told["machine"]["run_slower_after"] > 0
    assert (told["load"]["requests_per_run"] == 1) is alone
    assert told["idle"]["waited_seconds"] < 0.05


def test_a_key_of_all_that_decides_is_never_wrong(stage: Stage) -> None:
    """It is found again, and a new version begins with nothing."""
    told = prediction_cache(stage)
    assert (told["wrong"], told["stale"], told["failed"]) == (0, 0, 0)
    assert told["hits"] + told["misses"] == told["questions"]
    assert told["hit_rate"] > 0.7


def test_kept_connections_and_binary_tensors(stage: Stage) -> None:
    """One connection for all requests, fewer bytes for the same numbers, and the same predictions."""
    told = connection_reuse(stage)
    assert told["connections"]["each"]["opened"] == told["connections"]["each"]["requests"]
    assert told["connections"]["kept"]["opened"] == 1
    assert told["tensors"]["binary"]["bytes"] < told["tensors"]["json"]["bytes"] / 2
    assert told["same"]


@pytest.mark.parametrize("told", [{"TARMAC_THREADS": "3"}], indirect=True)
def test_threads_are_those_that_the_server_says(stage: Stage) -> None:
    """The figures belong to them, and nothing fails."""
    told = session_threads(stage)
    assert told["settings"] == {"threads": 3}
    assert told["failed"] == 0
    assert told["cpu_seconds"] > 0


def test_the_edge_program_is_smaller_than_the_server(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory, on the disk and in time, and it says the same."""
    monkeypatch.setenv("PATH", f"{built(tmp_path).parent}{os.pathsep}{os.environ['PATH']}")
    told = runtime_figures(stage)
    for figure in ("resident_bytes", "installed_bytes", "start_seconds"):
        assert 0 < told["edge"][figure] < told["server"][figure]
    assert told["difference"] == 0


def test_an_image_without_the_edge_program_is_told(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the program's name."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotThere, match="program edge"):
        runtime_figures(stage)


def test_the_image_has_the_module_that_is_started_by_name() -> None:
    """It runs as a process of its own."""
    ended = subprocess.run([sys.executable, "-c", "import trials.job"], check=False)
    assert ended.returncode == 0


@pytest.fixture(scope="module")
def trained(mlflow: Mlflow, tmp_path_factory: pytest.TempPathFactory) -> Mlflow:
    """Return the registry with what the training makes of a small set."""
    file = sets.made(tmp_path_factory.mktemp("set"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TARMAC_MLFLOW", mlflow.address)
        kinds = [word for kind in KINDS for word in ("--kind", kind)]
        assert main(["fit", "--set", str(file), *kinds, "--name", "delay"]) == 0
    return mlflow


def test_variants_are_judged_by_the_flights_that_were_held_out(trained: Mlflow, stage: Stage) -> None:
    """Each beside the original, and the server has the one that was chosen."""
    assert trained
    told = quantised_model(replace(stage, settings=replace(stage.settings, variant="delay-network-int8")))
    original, int8 = (told["variants"][name] for name in ("delay-network", "delay-network-int8"))
    assert int8["bytes_packed"] < original["bytes_packed"]
    assert int8["rmse"] == pytest.approx(original["rmse"], rel=0.1)
    assert told["served"] == {"version": "1", "same": True}


def test_a_cascade_lies_between_its_models(trained: Mlflow, stage: Stage) -> None:
    """At the ends it is one of the two; the bound in between gives the big one some rows."""
    assert trained
    told = cascade(replace(stage, settings=replace(stage.settings, cascade_minutes=10.0)))
    first, *_, last = told["bounds"]
    assert (first["share"], first["rmse"]) == (1.0, told["rmse"]["delay-boosting"])
    assert (last["share"], last["rmse"]) == (0.0, told["rmse"]["delay-linear"])
    assert told["chosen"]["minutes"] == 10.0
    assert told["settings"] == {"cascade_minutes": 10.0}
