"""A real Redis with the chart's own script and configuration: who comes in, what happens when it is full or killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contract.charts.rendering import HELM, Case, named
from integration.components.pods import Pod, container, free_port, root

PASSWORD = "aB3_-xyz"  # noqa: S105  a test's own
PACKAGES = ("redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return Debian's Redis, unpacked."""
    return root(tmp_path_factory.mktemp("redis"), PACKAGES)


class Store(Pod):
    """One pod of the chart.

    Args:
        case: how the chart is rendered.
        folder: empty.
        programs: where Redis is.
        primary: the port of the first pod; for a copy of it.

    """

    def __init__(self, case: Case, folder: Path, programs: Path, primary: int = 0) -> None:
        self.port = free_port()
        libraries = next((programs / "usr/lib").glob("*-linux-gnu"))
        moved = {
            "/etc/tarmac": f"{folder}/config", "/run/secrets/redis": f"{folder}/secret", "/run/redis": f"{folder}/own",
            "dir /data": f"dir {folder}/data", "port 6379": f"port {self.port}", "bind * -::*": "bind 127.0.0.1",
            "$PRIMARY 6379": f"$PRIMARY {primary}", "redis-0.redis-pods.data.svc": "127.0.0.1",
        }  # fmt: skip
        path = f"{programs}/usr/bin:{os.environ['PATH']}"
        environment = {"PATH": path, "LD_LIBRARY_PATH": str(libraries), "POD_NAME": f"redis-{int(bool(primary))}"}
        super().__init__(folder, moved, environment)
        for each in ("own", "data"):
            (folder / each).mkdir(parents=True)
        self.write(named(case, "ConfigMap", "redis")["data"])
        self.give("/run/secrets/redis/password", PASSWORD)
        self.container = container(case, "StatefulSet", "redis")

    def up(self) -> int:
        """Start Redis; return its process number once it serves, as the chart's own question finds out."""
        process = self.start(self.container, self.port)
        question = {"command": self.container["startupProbe"]["exec"]["command"]}
        while self.run(question).returncode:
            assert process.poll() is None, self.log()
        return process.pid

    def ask(self, *lines: str, password: str = PASSWORD) -> list[str]:
        """Return the answers to commands, one line each; redis-cli puts an empty one after an error."""
        secret = {"REDISCLI_AUTH": password} if password else {}
        return [line for line in self.call("redis-cli", stdin="\n".join(lines), **secret).splitlines() if line]

    def text(self, words: str) -> str:
        """Return a text of the chart as it is here; redis-cli is told the port."""
        return super().text(words).replace("redis-cli ping", f"redis-cli -p {self.port} ping")

    def call(self, *words: str, stdin: str = "", **environment: str) -> str:
        """Run a program; redis-cli is told the port."""
        words = (*words, "-p", str(self.port)) if words[0] == "redis-cli" else words
        return super().call(*words, stdin=stdin, **environment)


@pytest.fixture
def store(tmp_path: Path, programs: Path) -> Iterator[Store]:
    """Return a Redis that serves, as on a workstation."""
    with Store(Case("redis", "default"), tmp_path / "pod", programs) as store:
        store.up()
        yield store


def test_nobody_comes_in_without_the_password(store: Store) -> None:
    """None and a wrong one are refused, with the Secret's one all is open."""
    assert store.ask("GET x", password="")[0].startswith("NOAUTH")
    assert "WRONGPASS" in store.ask("GET x", password="other")[0]  # noqa: S106  a test's own
    assert store.ask("SET x 1", "GET x") == ["OK", "1"]


def test_the_password_is_where_only_redis_reads_it(store: Store) -> None:
    """Neither in the arguments of a process nor in its output nor on the volume; the file is its owner's alone."""
    (process,) = store.running
    assert PASSWORD not in Path(f"/proc/{process.pid}/cmdline").read_text()
    assert PASSWORD not in store.log()
    config = store.folder / "own" / "redis.conf"
    assert PASSWORD in config.read_text()
    assert config.stat().st_mode & 0o777 == 0o600
    store.ask("SET x 1")
    assert all(PASSWORD.encode() not in path.read_bytes() for path in (store.folder / "data").rglob("*.aof"))


@pytest.mark.parametrize("password", ['with "quotes"', "back\\slash", "with blank"])
def test_a_password_of_ones_own_may_hold_any_letter(password: str, tmp_path: Path, programs: Path) -> None:
    """Whoever puts another value into the Secret gets just that one."""
    with Store(Case("redis", "default"), tmp_path / "pod", programs) as store:
        (store.folder / "secret" / "password").unlink()
        store.give("/run/secrets/redis/password", password)
        store.up()
        assert store.ask("SET x 1", password=password) == ["OK"]


def test_a_full_store_refuses_writes_and_forgets_nothing(store: Store) -> None:
    """Redis' own words at the limit; what is there is still read, and after a deletion there is room again."""
    answers = store.ask(*(f"SETRANGE k{number} 1048575 x" for number in range(160)))
    kept = sum(answer == "1048576" for answer in answers)
    assert 100 < kept < 128
    assert answers[-1] == "OOM command not allowed when used memory > 'maxmemory'."
    assert store.ask("DBSIZE", f"STRLEN k{kept - 1}") == [str(kept), "1048576"]
    assert "evicted_keys:0" in store.ask("INFO stats")
    assert store.ask("DEL k0 k1", "SET x 1") == ["2", "OK"]


def test_what_was_acknowledged_outlives_a_kill(store: Store) -> None:
    """SIGKILL right after the last answer: every write that was answered is there again."""
    answers = store.ask(*(f"RPUSH list {number}" for number in range(2000)))
    assert answers[-1] == "2000"
    store.end(signal.SIGKILL)
    store.up()
    assert store.ask("LLEN list", "LINDEX list -1") == ["2000", "1999"]


def test_a_tail_that_was_cut_off_is_no_reason_not_to_start(store: Store) -> None:
    """Half a command at the end of the file, as a power cut leaves it: the rest is served."""
    store.ask("SET x 1")
    store.end(signal.SIGKILL)
    (tail,) = (store.folder / "data" / "appendonlydir").glob("*.incr.aof")
    with tail.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$10\r\n12")
    store.up()
    assert store.ask("GET x") == ["1"]


def test_the_second_pod_is_a_copy_of_the_first(tmp_path: Path, programs: Path) -> None:
    """With the profile for several nodes: what is written to the first is read from the second, which takes none."""
    case = Case("redis", "ha")
    with (
        Store(case, tmp_path / "first", programs) as first,
        Store(case, tmp_path / "second", programs, primary=first.port) as second,
    ):
        first.up()
        second.up()
        assert first.ask("SET x 1", "WAIT 1 10000", "GET x") == ["OK", "1", "1"]
        assert second.ask("GET x") == ["1"]
        assert second.ask("SET x 2")[0].startswith("READONLY")


@pytest.fixture
def figures(store: Store) -> Iterator[str]:
    """Return where the chart's exporter tells of the store."""
    port = free_port()
    env = {
        **os.environ, "REDIS_PORT": str(store.port), "METRICS_PORT": str(port),
        "REDIS_PASSWORD_FILE": str(store.folder / "secret" / "password"),
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, str(HELM / "redis" / "files" / "exporter.py")], env=env)
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport) as client:
        client.get(f"http://127.0.0.1:{port}/metrics")
    yield f"http://127.0.0.1:{port}/metrics"
    process.terminate()
    process.wait(timeout=10)


def _read(address: str) -> dict[str, float]:
    lines = [line for line in httpx.get(address).text.splitlines() if not line.startswith("#")]
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines}


def test_prometheus_is_told_what_alerts_ask_for(store: Store, figures: str) -> None:
    """Memory and its limit, clients, keys, the append-only file, and writes that were refused."""
    store.ask("SET x 1")
    seen = _read(figures)
    assert (seen["redis_up"], seen["redis_memory_max_bytes"]) == (1, 128 * 2**20)
    assert 0 < seen["redis_memory_used_bytes"] < 2**25
    assert seen['redis_keys{db="db0"}'] == 1
    assert seen["redis_connected_clients"] >= 1
    assert all(seen[f"redis_aof_{name}"] == 1 for name in ("enabled", "last_write_ok", "last_rewrite_ok"))
    assert seen["redis_refused_writes_total"] == 0
    refused = sum("OOM" in line for line in store.ask(*(f"SETRANGE k{each} 1048575 x" for each in range(160))))
    assert _read(figures)["redis_refused_writes_total"] == refused > 0


def test_prometheus_is_told_when_redis_is_gone(store: Store, figures: str) -> None:
    """`redis_up` is 0 and no old figure stays; when Redis is back, all is as before."""
    store.end(signal.SIGKILL)
    assert _read(figures) == {"redis_up": 0}
    store.up()
    assert _read(figures)["redis_up"] == 1
