"""A real PostgreSQL with the chart's own scripts: whose databases there are, who comes in, what dumps are worth."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.charts.rendering import Case, named
from integration.components.pods import Pod, container, free_port, root

PACKAGES = ("postgresql-15", "postgresql-client-15", "libpq5", "libicu72", "libxml2", "libnss-wrapper")
PASSWORDS = {"feast": "aB3_-feast", "mlflow": "aB3_-mlflow"}
CASE = Case("postgres", "default")
USER = 10001
"""Who the pod is; where we are not root, we are ourselves in its place."""


class Database(Pod):
    """The pod of the chart, and what its CronJob runs, in a folder with a short name: a socket's path may not be long.

    Args:
        programs: where PostgreSQL is.

    """

    def __init__(self, programs: Path) -> None:
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = free_port()
        own = str(USER if os.geteuid() == 0 else os.geteuid())
        libraries = next((programs / "usr/lib").glob("*-linux-gnu"))
        moved = {
            "/etc/tarmac": f"{folder}/config", "/run/secrets/postgres": f"{folder}/secret",
            "/run/postgresql": f"{folder}/own", "/var/lib/postgresql/data": f"{folder}/data",
            "/var/lib/postgresql/dumps": f"{folder}/dumps", "port = 5432": f"port = {self.port}",
            "listen_addresses = '*'": "listen_addresses = '127.0.0.1'", "postgres.data.svc": "127.0.0.1",
            "10001:10001": f"{own}:{own}",
            "/usr/lib/postgresql/15/bin": f"{programs}/usr/lib/postgresql/15/bin",
        }  # fmt: skip
        environment = {
            "PATH": f"{programs}/usr/lib/postgresql/15/bin:{os.environ['PATH']}", "LD_LIBRARY_PATH": str(libraries),
            "PGHOST": f"{folder}/own", "PGPORT": str(self.port), "HOSTNAME": "pod-1", "LC_ALL": "C.UTF-8",
            # What the pod has as its /etc/passwd.
            "LD_PRELOAD": str(libraries / "libnss_wrapper.so"), "NSS_WRAPPER_PASSWD": f"{folder}/config/passwd",
            "NSS_WRAPPER_GROUP": "/etc/group",
        }  # fmt: skip
        super().__init__(folder, moved, environment, USER)
        for each in ("own", "data", "dumps"):
            (folder / each).mkdir(parents=True)
        self.write(named(CASE, "ConfigMap", "postgres")["data"])
        for name, password in PASSWORDS.items():
            self.give(f"/run/secrets/postgres/{name}/password", password)
        self.container = container(CASE, "StatefulSet", "postgres")
        self.question = {"command": self.container["startupProbe"]["exec"]["command"]}
        self.own()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        shutil.rmtree(self.folder)

    @property
    def cluster(self) -> Path:
        """Return the folder of the data."""
        return self.folder / "data" / "cluster"

    def up(self) -> None:
        """Start PostgreSQL; return once it serves, as the chart's own question finds out."""
        process = self.start(self.container, self.port)
        while self.run(self.question).returncode:
            assert process.poll() is None, self.log()

    def ask(self, query: str, role: str = "feast", database: str = "", password: str | None = None) -> str:
        """Return the rows of a query over the network, or what the server has against it."""
        secret = PASSWORDS.get(role, "") if password is None else password
        target = f"host=127.0.0.1 port={self.port} user={role} dbname={database or role}"
        return self.call("psql", "-XAtqw", target, "-c", query, PGPASSWORD=secret).strip()

    def rule(self, query: str, database: str = "postgres") -> str:
        """Return the rows of a query of the superuser, inside the pod."""
        return self.call("psql", "-XAtq", "-U", "postgres", "-d", database, "-c", query).strip()


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    """Return Debian's PostgreSQL, unpacked where another user may run it too: no test's own folder lets them in."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o755)
        yield root(Path(folder), PACKAGES)


@pytest.fixture(scope="module")
def template(programs: Path) -> Iterator[Path]:
    """Return the volume of a first start, which takes seconds: each test gets a copy."""
    with Database(programs) as database:
        database.up()
        database.end(signal.SIGINT)
        yield database.folder / "data"


@pytest.fixture(scope="module")
def shared(programs: Path, template: Path) -> Iterator[Database]:
    """Return a PostgreSQL that serves, for tests that leave it as it was."""
    with _copy(programs, template) as database:
        yield database


@pytest.fixture
def database(programs: Path, template: Path) -> Iterator[Database]:
    """Return a PostgreSQL that serves, for one test."""
    with _copy(programs, template) as database:
        yield database


def _copy(programs: Path, template: Path) -> Database:
    database = Database(programs)
    shutil.copytree(template, database.folder / "data", dirs_exist_ok=True)
    database.own()
    database.up()
    return database


def test_each_database_has_an_owner_of_its_own(shared: Database) -> None:
    """Feast's and MLflow's: each makes its tables, neither rules the server."""
    for name in PASSWORDS:
        assert shared.ask("CREATE TABLE t (x int); INSERT INTO t VALUES (7); SELECT x FROM t", name) == "7"
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        assert shared.rule(owner, name) == name
    rights = (
        "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb) FROM pg_roles WHERE rolname IN ('feast', 'mlflow')"
    )
    assert shared.rule(rights) == "f"
    assert "permission denied" in shared.ask("CREATE DATABASE other")
    assert "must be superuser" in shared.ask("COPY t FROM PROGRAM 'id'") or "permission" in shared.ask("SELECT 1")


def test_a_role_enters_its_own_database_only(shared: Database) -> None:
    """Feast's password opens nothing of MLflow's, by either name."""
    assert "no pg_hba.conf entry" in shared.ask("SELECT 1", "feast", "mlflow")
    assert "no pg_hba.conf entry" in shared.ask("SELECT 1", "feast", "postgres")
    assert "password authentication failed" in shared.ask("SELECT 1", "mlflow", password=PASSWORDS["feast"])
    assert "no password supplied" in shared.ask("SELECT 1", password="")


def test_the_superuser_never_comes_over_the_network(shared: Database) -> None:
    """Not even with a password: its way is the socket in its pod."""
    assert shared.rule("ALTER ROLE postgres PASSWORD 'x'") == ""
    assert "pg_hba.conf rejects connection" in shared.ask("SELECT 1", "postgres", password="x")  # noqa: S106
    assert shared.rule("SELECT current_user") == "postgres"


def test_passwords_are_kept_as_verifiers_and_told_nowhere(shared: Database) -> None:
    """Neither in the output, nor in the arguments of a process, nor on the volume."""
    assert (
        shared.rule("SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256$%') FROM pg_authid WHERE rolpassword > ''") == "t"
    )
    held = [path.read_bytes() for path in shared.cluster.rglob("*") if path.is_file()]
    told = [shared.log().encode(), *(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline"))]
    for password in PASSWORDS.values():
        assert all(password.encode() not in content for content in [*held, *told])


def test_a_restart_finds_everything_and_makes_nothing_again(database: Database) -> None:
    """After an orderly end and after a kill: the rows are there, and no second server is started before."""
    database.ask("CREATE TABLE t AS SELECT 7 AS x")
    for how in (signal.SIGINT, signal.SIGKILL):
        _gone(database, how)
        before = len(database.log())
        database.up()
        assert database.ask("SELECT x FROM t") == "7"
        assert database.log()[before:].count("database system is ready to accept connections") == 1


def test_a_new_value_of_a_secret_counts_from_the_next_start(database: Database) -> None:
    """The old password is refused, the rows stay."""
    database.ask("CREATE TABLE t AS SELECT 7 AS x")
    (database.folder / "secret" / "feast" / "password").unlink()
    database.give("/run/secrets/postgres/feast/password", "it's \\ new")
    _gone(database, signal.SIGINT)
    database.up()
    assert "password authentication failed" in database.ask("SELECT x FROM t")
    assert database.ask("SELECT x FROM t", password="it's \\ new") == "7"  # noqa: S106  a test's own
    assert database.ask("SELECT 1", "mlflow") == "1"


def test_a_database_that_is_declared_later_is_made(database: Database) -> None:
    """A value of the chart is enough; what was there stays."""
    database.ask("CREATE TABLE t AS SELECT 7 AS x")
    database.give("/run/secrets/postgres/third/password", "x")
    _gone(database, signal.SIGINT)
    database.container = {**database.container, "env": [{"name": "DATABASES", "value": "feast mlflow third"}]}
    database.up()
    assert database.ask("SELECT current_database()", "third", password="x") == "third"  # noqa: S106
    assert database.ask("SELECT x FROM t") == "7"


def test_a_first_start_that_was_cut_off_is_begun_anew(programs: Path) -> None:
    """Half a cluster is never taken for a whole one."""
    with Database(programs) as database:
        (database.folder / "data" / "cluster.new" / "base").mkdir(parents=True)
        (database.folder / "data" / "cluster.new" / "PG_VERSION").write_text("15\n")
        database.own()
        database.up()
        assert database.ask("SELECT 1") == "1"
        assert not (database.folder / "data" / "cluster.new").exists()


def test_a_dump_brings_everything_back(database: Database) -> None:
    """What the CronJob writes, `pg_restore` reads: rows that were lost since are there again."""
    database.ask("CREATE TABLE t AS SELECT 7 AS x")
    said = database.run(container(CASE, "CronJob", "pg-dump"))
    assert said.returncode == 0, said.stderr
    (dump,) = (database.folder / "dumps").glob("feast-*.dump")
    assert dump.name in said.stdout
    assert {path.name.split("-")[0] for path in (database.folder / "dumps").iterdir()} == set(PASSWORDS)
    database.ask("DROP TABLE t")
    words = ("--clean", "--if-exists", "--no-owner", "--host=127.0.0.1", "--username=feast", "--dbname=feast")
    assert database.call("pg_restore", *words, str(dump), PGPASSWORD=PASSWORDS["feast"]) == ""
    assert database.ask("SELECT x FROM t") == "7"


def test_the_last_seven_dumps_are_kept(database: Database) -> None:
    """Of each database its own; what a run left that was cut off goes too, in time."""
    dumps = database.folder / "dumps"
    for name in PASSWORDS:
        for day in range(1, 10):
            (dumps / f"{name}-2013010{day}T031500Z.dump").write_text("old")
    left, fresh = dumps / ".feast-pod-0.part", dumps / ".feast-pod-2.part"
    for path in (left, fresh):
        path.write_text("half")
    os.utime(left, (0, 0))
    database.own()
    assert database.run(container(CASE, "CronJob", "pg-dump")).returncode == 0
    assert (left.exists(), fresh.exists()) == (False, True)
    for name in PASSWORDS:
        kept = sorted(path.name for path in dumps.glob(f"{name}-*.dump"))
        assert len(kept) == 7
        assert kept[0] == f"{name}-20130104T031500Z.dump"


def test_a_dump_that_fails_leaves_none_under_its_name(database: Database) -> None:
    """A server that is gone: the job fails, and what was dumped before is all that there is."""
    database.end(signal.SIGINT)
    assert database.run(container(CASE, "CronJob", "pg-dump")).returncode != 0
    assert list((database.folder / "dumps").glob("*.dump")) == []


def _gone(database: Database, how: signal.Signals) -> None:
    """End PostgreSQL; after a kill, its children take a moment to notice."""
    database.end(how)
    while database.run(database.question).returncode != 2:
        pass
