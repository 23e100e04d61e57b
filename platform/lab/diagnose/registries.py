"""Whether the package registries answer, each asked through its own client where that is cheap."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.diagnose.findings import Finding, Level
from lab.process import CommandFailed, found, run
from lab.settings import Settings
from lab.text import Text

_SECONDS = 15
_ARTIFACT = "org/apache/kafka/kafka_2.13/maven-metadata.xml"
_MODULE = "sigs.k8s.io/kind@latest"


def examine(settings: Settings) -> list[Finding]:
    """Ask, side by side, every registry that this machine would still need; each within seconds."""
    asked: list[Callable[[], Finding]] = [pypi]
    if found("go") and not _cached(settings, "node"):
        asked.append(golang)
    if found("apt-get"):
        asked.append(debian)
    mirror = maven_mirror(Path.home() / ".m2" / "settings.xml")
    if mirror and found("mvn") and not _cached(settings, "images"):
        asked.append(lambda: maven(mirror))
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda ask: ask(), asked))


def pypi() -> Finding:
    """Ask the package index that pip is set up for."""
    words = ["-m", "pip", "--no-input", "--disable-pip-version-check", "--retries=0", "--timeout=5"]
    return _judged(
        "PyPI",
        lambda: _run([sys.executable, *words, "index", "versions", "pip"]),
        Text(
            en="check the network, the proxy and the index of `pip config list`; what is cached works without",
            fr="vérifiez le réseau, le proxy et l'index de `pip config list` ; ce qui est en cache marche sans",
        ),
    )


def golang() -> Finding:
    """Ask the module proxy that Go is set up for."""

    def ask() -> str | None:
        with tempfile.TemporaryDirectory() as elsewhere:
            return _run(["go", "list", "-m", _MODULE], cwd=Path(elsewhere))

    return _judged(
        "Go modules",
        ask,
        Text(
            en="check the network, the proxy and `go env GOPROXY`: the node image is compiled from modules",
            fr="vérifiez le réseau, le proxy et `go env GOPROXY` : l'image du nœud est compilée depuis des modules",
        ),
    )


def debian() -> Finding:
    """Fetch the signed index of the first Debian archive that apt knows, with apt's own proxy and certificates."""
    return _judged(
        "Debian",
        _release,
        Text(
            en="check the network, and the archives and the proxy of /etc/apt; what is cached works without",
            fr="vérifiez le réseau, les dépôts et le proxy de /etc/apt ; ce qui est en cache marche sans",
        ),
    )


def maven(address: str) -> Finding:
    """Ask the mirror of Maven Central that mvn would use; any answer but a server error is one."""

    def ask() -> str | None:
        request = urllib.request.Request(f"{address}/{_ARTIFACT}", method="HEAD")  # noqa: S310  http or https
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310  http or https
                return None
        except urllib.error.HTTPError as error:
            # A mirror may ask for the credentials that mvn has: it is there.
            return None if error.code < 500 else str(error)  # noqa: PLR2004  HTTP's own border
        except OSError as error:
            return str(error)

    return _judged(
        "Maven",
        ask,
        Text(
            en="check the network, the proxy and the mirror of ~/.m2/settings.xml: Kafka comes from there",
            fr="vérifiez le réseau, le proxy et le miroir de ~/.m2/settings.xml : Kafka vient de là",
        ),
    )


def maven_mirror(settings: Path) -> str | None:
    """Return the first mirror of mvn's settings; without one mvn knows by itself where to go."""
    try:
        mirror = re.search(r"<mirror>.*?<url>\s*(https?://[^<\s]+)\s*</url>", settings.read_text(), re.DOTALL)
    except OSError:
        mirror = None
    return mirror[1].rstrip("/") if mirror else None


def _judged(name: str, ask: Callable[[], str | None], remedy: Text) -> Finding:
    """Turn an answer (None is a good one, else why there is none) into a finding."""
    reason = ask()
    if reason is None:
        return Finding(name, Level.GOOD, Text(en=f"{name} answers", fr=f"{name} répond"))
    what = Text(en=f"{name} does not answer: {reason}", fr=f"{name} ne répond pas : {reason}")
    return Finding(name, Level.WARNING, what, remedy)


def _release() -> str | None:
    listing = _listed(["apt-get", "indextargets", "--format", "$(REPO_URI)dists/$(CODENAME)/InRelease"])
    addresses = [line for line in listing.splitlines() if line.startswith(("http://", "https://"))]
    helper = found("/usr/lib/apt/apt-helper")
    if not addresses or helper is None:
        return None
    options = ["-o", "Acquire::Retries=0", "-o", f"Acquire::http::Timeout={_SECONDS - 5}"]
    with tempfile.TemporaryDirectory() as elsewhere:
        os.chmod(elsewhere, 0o777)  # noqa: S103, PTH101  as root, apt fetches as a user of its own
        return _run([str(helper), *options, "download-file", addresses[0], f"{elsewhere}/InRelease"])


def _run(words: list[str], cwd: Path | None = None) -> str | None:
    """Return None where a program ends well, else its last line."""
    try:
        run(words, what=Text.plain(words[0]), timeout=_SECONDS, cwd=cwd, env={"GOTOOLCHAIN": "local"})
    except CommandFailed as error:
        lines = [line for line in error.output.splitlines() if line.strip()]
        return lines[-1].strip() if lines else error.what.en.splitlines()[0]
    return None


def _listed(words: list[str]) -> str:
    try:
        return run(words, what=Text.plain(words[0]), timeout=_SECONDS)
    except CommandFailed:
        return ""


def _cached(settings: Settings, folder: str) -> bool:
    """Say whether finished archives lie in a folder of the cache, so that its sources are not needed again."""
    return any((settings.cache / folder).glob("*.tar"))
