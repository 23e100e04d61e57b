"""A real MLflow with the chart's own commands, on a real PostgreSQL and a real object store."""

from __future__ import annotations

import re
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from contract.charts.rendering import ROOT, Case, containers, named
from integration.components.pods import Pod, free_port, root
from integration.components.test_objectstore import ACCESS, SECRET, Gateway, program
from integration.components.test_postgres import PACKAGES, PASSWORDS, Database

__all__ = ["program"]

CASE = Case("mlflow", "default")
SECONDS = 120
"""MLflow's imports alone take seconds, and its migrations are dozens."""
LOCK = ROOT / "requirements" / "mlflow.txt"
_REFUSES = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Absent())
"""
EXPERIMENTS = "/api/2.0/mlflow/experiments"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Return PostgreSQL with the chart's roles, nothing of MLflow in it."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o755)
        with Database(root(Path(folder), PACKAGES)) as made:
            made.up()
            yield made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Iterator[Gateway]:
    """Return an object store with the chart's buckets."""
    with Gateway(Case("objectstore", "default"), tmp_path_factory.mktemp("store") / "pod", program) as made:
        made.up()
        yield made


def absent() -> set[str]:
    """Return the modules that the image leaves out, although MLflow declares them: the end of its lock names them."""
    left_out = set(
        re.findall(r"^# ([a-z0-9-]+)$", LOCK.read_text().partition("# The following packages")[2], re.MULTILINE)
    )
    assert "scikit-learn" in left_out
    every = metadata.packages_distributions()
    return {name for name, owners in every.items() if {each.lower().replace("_", "-") for each in owners} <= left_out}


class Tracking(Pod):
    """The pod of the chart, its address and those of its neighbours moved.

    Args:
        folder: its own, for all that it writes.
        database: its database.
        store: where its artifacts go.

    """

    def __init__(self, folder: Path, database: Database, store: Gateway) -> None:
        self.port = free_port()
        moved = {
            "/etc/tarmac": f"{folder}/config", "/tmp": f"{folder}/tmp", "python3": sys.executable,  # noqa: S108  the pod's own path
            "0.0.0.0": "127.0.0.1", "15000": str(self.port), "5000": str(self.port),  # noqa: S104  only this machine instead
            "postgres.data.svc:5432": f"127.0.0.1:{database.port}",
            "http://objectstore.data.svc:7070": f"http://127.0.0.1:{store.port}",
        }  # fmt: skip
        secrets = {"PGPASSWORD": PASSWORDS["mlflow"], "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
        super().__init__(folder, moved, {**secrets, "PYTHONPATH": f"{folder}/absent"})
        (folder / "tmp").mkdir(parents=True)
        (folder / "absent").mkdir()
        (folder / "absent" / "sitecustomize.py").write_text(_REFUSES.format(names=absent()))
        self.write(named(CASE, "ConfigMap", "mlflow")["data"])
        (self.server,) = containers(named(CASE, "Deployment", "mlflow"))
        self.migration = {**self.server, "command": ["python3", "/etc/tarmac/migrate.py"], "args": []}

    def migrate(self) -> subprocess.Popen[bytes]:
        """Begin to bring the database up to date."""
        return self.start(self.migration)

    def client(self, **headers: str) -> httpx.Client:
        """Return a client of the server."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory, database: Database, store: Gateway) -> Iterator[Tracking]:
    """Return a pod whose containers did not start."""
    with Tracking(tmp_path_factory.mktemp("mlflow") / "pod", database, store) as made:
        yield made


@pytest.fixture(scope="module")
def server(pod: Tracking) -> Iterator[Tracking]:
    """Return a server that answers."""
    process = pod.start(pod.server)
    deadline = time.monotonic() + SECONDS
    with pod.client() as client:
        while not _answers(client):
            assert process.poll() is None, pod.log()[-2000:]
            assert time.monotonic() < deadline, pod.log()[-2000:]
            time.sleep(0.2)
    yield pod
    pod.end(signal.SIGTERM)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def test_pods_that_start_together_make_the_tables_once(pod: Tracking, database: Database) -> None:
    """Two migrations of an empty database both succeed, and leave what one leaves; a third changes nothing."""
    both = [pod.migrate(), pod.migrate()]
    assert [each.wait(timeout=SECONDS) for each in both] == [0, 0], pod.log()[-4000:]
    told = (
        "select (select count(*) from alembic_version), (select string_agg(name, ',') from experiments),"
        " (select count(*) from information_schema.tables where table_schema = 'public')"
    )
    before = database.ask(told, "mlflow")
    assert before.startswith("1|Default|")
    assert pod.migrate().wait(timeout=SECONDS) == 0
    assert pod.log().endswith("the database is up to date\n")
    assert database.ask(told, "mlflow") == before


def test_a_migration_that_waits_too_long_says_so(pod: Tracking, database: Database) -> None:
    """A lock that nobody gives back ends it, and the server with it, the reason in the log: the pod tries again."""
    held = f"select pg_advisory_lock({int.from_bytes(b'mlflow', 'big')}), pg_sleep(20)"
    holder = subprocess.Popen(
        ["psql", "-XAtqw", f"host=127.0.0.1 port={database.port} user=mlflow dbname=mlflow",
         "-c", held],
        env={**database.environment, "PGPASSWORD": PASSWORDS["mlflow"]}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until_held(database)
        hasty = {**pod.migration, "env": [*pod.migration["env"], {"name": "MIGRATE_SECONDS", "value": "1"}]}
        done = pod.run(hasty)
        assert done.returncode != 0
        assert "lock timeout" in done.stderr
    finally:
        holder.kill()
        holder.wait()


def _elsewhere(pod: Tracking, there: str, other: str, **more: str) -> list[dict[str, object]]:
    """Return the server's environment with another address of the database, and more variables."""
    name = "MLFLOW_BACKEND_STORE_URI"
    address = next(each["value"] for each in pod.server["env"] if each["name"] == name)
    told = {name: address.replace(there, other), **more}
    return [*pod.server["env"], *({"name": key, "value": value} for key, value in told.items())]


def test_a_database_that_is_not_there_yet_is_waited_for(pod: Tracking) -> None:
    """It may start beside the pod; what it is that does not answer stands in the log."""
    with socket.socket() as held:  # nobody listens there
        held.bind(("127.0.0.1", 0))
        silent = f"127.0.0.1:{held.getsockname()[1]}"
        env = _elsewhere(pod, "postgres.data.svc:5432", silent, MIGRATE_SECONDS="2")
        begun = time.monotonic()
        done = pod.run({**pod.migration, "env": env})
    assert time.monotonic() - begun >= 2
    assert done.returncode != 0
    assert done.stdout.count("waiting for the database") == 1
    assert silent.rpartition(":")[2] in done.stdout


def test_a_database_that_refuses_is_not_waited_for(pod: Tracking) -> None:
    """Whom it does not know now it will not know later: the server ends with it, and answers nobody before."""
    done = pod.run({**pod.server, "env": _elsewhere(pod, "mlflow@", "nobody@")})
    assert done.returncode != 0
    assert "waiting" not in done.stdout
    assert re.search('FATAL.*user "nobody"', done.stderr)


def test_what_the_web_server_is_told_has_the_names_that_it_asks_by(pod: Tracking) -> None:
    """They are MLflow's own and may change with it."""
    found = find_spec("mlflow")
    assert found
    assert found.submodule_search_locations
    # The file alone: its package is the whole application.
    constants = runpy.run_path(str(Path(found.submodule_search_locations[0]) / "server/constants.py"))
    told = {each["name"] for each in pod.server["env"]}
    own = {name for name in told if name.startswith("_") or name.islower()}
    asked = {value for name, value in constants.items() if name.endswith("_ENV_VAR")}
    assert own <= asked
    needed = ("BACKEND_STORE_URI", "REGISTRY_STORE_URI", "ARTIFACT_ROOT", "ARTIFACTS_DESTINATION", "SERVE_ARTIFACTS")
    assert {constants[f"{name}_ENV_VAR"] for name in needed} <= own


def _until_held(database: Database) -> None:
    deadline = time.monotonic() + 20
    while database.rule("select count(*) from pg_locks where locktype = 'advisory'") != "1":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_web_server_is_the_containers_own_process(server: Tracking) -> None:
    """Nothing stays beside it that only started it, and signals reach it."""
    (process,) = [each for each in server.running if each.poll() is None]
    assert b"serve.py" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children == []


def test_runs_are_kept_in_the_database(server: Tracking, database: Database) -> None:
    """What a client registers is a row of PostgreSQL."""
    with server.client() as client:
        made = client.post(f"{EXPERIMENTS}/create", json={"name": "delays"})
        assert made.status_code == httpx.codes.OK, made.text
    assert database.ask("select artifact_location from experiments where name = 'delays'", "mlflow").startswith(
        "mlflow-artifacts:/"
    )


def test_artifacts_pass_through_the_server_into_their_bucket(server: Tracking, store: Gateway) -> None:
    """A client needs no account of the object store; what it sends comes back the same."""
    content = b"onnx" * 100_000
    with server.client() as client:
        assert client.put(f"{ARTIFACTS}/0/run/model.onnx", content=content).status_code == httpx.codes.OK
        assert client.get(f"{ARTIFACTS}/0/run/model.onnx").content == content
    with store.client() as s3:
        assert s3.get("/mlflow/0/run/model.onnx").content == content


def test_a_name_of_somebody_elses_is_refused(server: Tracking) -> None:
    """A page whose name is made to lead here reaches nothing; the probe asks by the pod's address."""
    with server.client(host="mlflow.attacker.example") as stranger:
        assert stranger.get(f"{EXPERIMENTS}/get?experiment_id=0").status_code == httpx.codes.FORBIDDEN
        assert stranger.get("/metrics").status_code == httpx.codes.FORBIDDEN
        assert stranger.get("/health").status_code == httpx.codes.OK
    for name in (f"127.0.0.1:{server.port}", f"mlflow.data.svc:{server.port}", f"localhost:{server.port}"):
        with server.client(host=name) as known:
            assert known.get(f"{EXPERIMENTS}/get?experiment_id=0").status_code == httpx.codes.OK


def test_a_page_elsewhere_changes_nothing(server: Tracking) -> None:
    """A browser that shows a stranger's page cannot be made to register anything here, nor to frame it."""
    with server.client(origin="https://attacker.example") as page:
        assert page.post(f"{EXPERIMENTS}/create", json={"name": "stolen"}).status_code == httpx.codes.FORBIDDEN
    with server.client() as client:
        assert client.get("/").headers["x-frame-options"] == "DENY"


def test_prometheus_reads_how_requests_end(server: Tracking) -> None:
    """By the names that the alerts go by."""
    with server.client() as client:
        client.get(f"{EXPERIMENTS}/get?experiment_id=0")
        client.get(f"{EXPERIMENTS}/get?experiment_id=404404")
        told = client.get("/metrics").text
    assert 'mlflow_http_request_total{method="GET",status="200"}' in told
    assert 'mlflow_http_request_total{method="GET",status="404"}' in told


def test_nothing_is_written_but_to_its_own_folder_and_no_password_said(server: Tracking) -> None:
    """The root file system may be read-only; no process carries a password as an argument, and none is in the log."""
    assert {each.name for each in server.folder.iterdir()} <= {"absent", "config", "tmp", "log"}
    lines = [
        path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists() and path.parent.exists()
    ]
    assert any(b"mlflow" in each for each in lines)
    for secret in (PASSWORDS["mlflow"], SECRET):
        assert not any(secret.encode() in each for each in lines)
    assert PASSWORDS["mlflow"] not in server.log()
