"""Do the package registries answer? Their own clients, with nobody at the other end, and a real server for Maven."""

import http.server
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.diagnose import Finding, Level, registries
from lab.settings import Settings
from lab.text import Text


def _told(finding: Finding, name: str, *words: str) -> None:
    """See that a silent registry is a warning that names it, why, and what to look at, in both languages."""
    assert (finding.name, finding.level) == (name, Level.WARNING)
    assert finding.remedy is not None
    for language in ("en", "fr"):
        told = f"{finding.what.in_(language)} {finding.remedy.in_(language)}"
        assert all(word in told for word in (name, *words)), told
        assert not finding.what.in_(language).endswith(": ")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return an address where nobody answers, and send every client there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    for variable in ("PIP_INDEX_URL", "GOPROXY"):
        monkeypatch.setenv(variable, address)
    for variable in ("PIP_EXTRA_INDEX_URL", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return address


def test_a_silent_python_index_is_told(nobody: str) -> None:
    """The real pip, sent to nobody: a warning within seconds, with what to look at; what is cached works without."""
    assert nobody
    _told(registries.pypi(), "PyPI", "pip config list")


@pytest.mark.skipif(shutil.which("go") is None, reason="no Go on this machine")
def test_a_silent_module_proxy_is_told(nobody: str) -> None:
    """The real Go, sent to nobody: why is told in its own words."""
    assert nobody
    _told(registries.golang(), "Go modules", "GOPROXY", "refused")


def test_a_silent_debian_archive_is_told(nobody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that does not answer: apt's own reason, and the files to look at."""
    apt = tmp_path / "apt-get"
    apt.write_text(f"#!/bin/sh\necho {nobody}/debian/dists/bookworm/InRelease\n")
    helper = tmp_path / "apt-helper"
    helper.write_text('#!/bin/sh\necho "E: Failed to fetch $7  Could not connect to 127.0.0.1" >&2\nexit 100\n')
    for program in (apt, helper):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(registries, "found", lambda _: helper)
    _told(registries.debian(), "Debian", "/etc/apt", "Could not connect")


def test_a_silent_maven_repository_is_told(nobody: str) -> None:
    """Nobody at the mirror's address: a warning that names the settings file."""
    _told(registries.maven(nobody), "Maven", "settings.xml", "refused")


@pytest.fixture
def repository() -> Iterator[tuple[str, list[int]]]:
    """Return the address of a Maven repository, and the status that it will answer with."""
    status = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            """Answer with the status that the test wants."""
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", status
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("code", "level"), [(200, Level.GOOD), (401, Level.GOOD), (404, Level.GOOD), (503, Level.WARNING)]
)
def test_a_repository_that_answers_is_there(repository: tuple[str, list[int]], code: int, level: Level) -> None:
    """A mirror that wants credentials is there; one that fails is not."""
    address, status = repository
    status[0] = code
    assert registries.maven(address).level is level


@pytest.mark.parametrize(
    ("content", "address"),
    [
        (None, None),
        ("<settings/>", None),
        ("<settings><mirrors>\n<mirror><id>a</id>\n<url> http://m.example/x/ </url></mirror></mirrors></settings>",
         "http://m.example/x"),
    ],
)  # fmt: skip
def test_mavens_own_settings_decide_where_is_asked(tmp_path: Path, content: str | None, address: str | None) -> None:
    """The first mirror of settings.xml; without one nothing is asked."""
    file = tmp_path / "settings.xml"
    if content:
        file.write_text(content)
    assert registries.maven_mirror(file) == address


def test_only_what_is_still_needed_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With node image and images in the cache, neither Go modules nor Maven matter; without their programs neither."""
    settings = Settings.load({"HOME": str(tmp_path)})
    for name in ("pypi", "golang", "debian", "maven"):
        finding = Finding(name, Level.GOOD, Text.plain(name))
        monkeypatch.setattr(registries, name, lambda *_, finding=finding: finding)

    def asked() -> list[str]:
        return [each.name for each in registries.examine(settings)]

    monkeypatch.setattr(registries, "found", Path)
    monkeypatch.setattr(registries, "maven_mirror", lambda _: "http://mirror.example")
    assert asked() == ["pypi", "golang", "debian", "maven"]
    for folder in ("node", "images"):
        (settings.cache / folder).mkdir(parents=True)
        (settings.cache / folder / "a.tar").touch()
    assert asked() == ["pypi", "debian"]
    monkeypatch.setattr(registries, "found", lambda _: None)
    assert asked() == ["pypi"]
