"""A small checkout with every kind of recipe, and the programs and the registry that its images come from, as fakes."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.cluster.engine import Engine
from lab.images import upstream
from lab.settings import Settings
from unit.wire import Wire, install

IMAGES = """
images:
  base:
    debian: [python3]
    sources: [services/runtime]
  child:
    from: base
    sources: [services/child]
  jars:
    maven: pom.xml
  program:
    go: {module: example.org/tool/v2, version: v2.0.1, package: ./cmd/tool}
  own:
    program: services/tool
  packages:
    wheels: [requirements/packages.txt]
    sources: [services/child/__init__.py]
  pulled:
    upstream: REGISTRY/apache/kafka:4.1.2
    sources: [services/child]
"""
_ENGINE = """
def path(reference):
    return STATE / "images" / reference.replace("/", "~")
(STATE / "images").mkdir(exist_ok=True)
verb = ARGS[0]
more = {}
if verb == "build":
    context = pathlib.Path(ARGS[-1])
    more["context"] = sorted(str(p.relative_to(context)) for p in context.rglob("*") if p.is_file())
record(**more)
if verb == "image":
    sys.exit(0) if path(ARGS[-1]).exists() else fail("no such image")
elif verb == "images":
    fail(told("images-fail")) if told("images-fail") else [
        print(each.name.replace("~", "/")) for each in (STATE / "images").iterdir()
    ]
elif verb == "pull":
    time.sleep(float(told("pull-seconds") or 0))
    path(ARGS[-1]).write_text("pulled") if told("pull-works") else fail("lookup docker.io: no such host")
elif verb == "build":
    time.sleep(float(told("build-seconds") or 0))
    fail(told("build-fails")) if told("build-fails") else path(after("-t")).write_text("built")
elif verb == "tag":
    path(ARGS[2]).write_text(path(ARGS[1]).read_text())
elif verb == "save":
    pathlib.Path(after("-o")).write_text(ARGS[-1])
    if told("save-fails"):
        fail(told("save-fails"))
elif verb == "load":
    reference = pathlib.Path(after("-i")).read_text()
    path(reference).write_text("loaded") if "/" in reference else fail("invalid tar header")
elif verb == "create":
    print("container-1")
elif verb == "export":
    pathlib.Path(after("-o")).write_text("root of " + ARGS[-1])
elif verb != "rm":
    fail("unknown: " + verb)
"""
_GO = """
record(cwd=os.getcwd())
if ARGS[:2] == ["env", "GOVERSION"]:
    print("go1.27.3")
elif ARGS[:2] == ["mod", "download"]:
    module = STATE / "module"
    (module / "cmd" / "tool").mkdir(parents=True, exist_ok=True)
    (module / "go.mod").write_text("module example.org/tool/v2\\nreplace a => ./a\\n")
    print(json.dumps({"Path": "example.org/tool/v2", "Info": 'a "Dir": "wrong"', "Dir": str(module)}, indent=1))
elif ARGS[0] == "build":
    assert pathlib.Path("go.mod").exists()
    pathlib.Path(after("-o")).write_text("program")
"""
_MAVEN = """
record()
target = pathlib.Path([each for each in ARGS if each.startswith("-DoutputDirectory=")][0].split("=")[1])
target.mkdir()
(target / "kafka.jar").write_text("jar")
"""
_MMDEBSTRAP = """
record(sources=pathlib.Path(ARGS[-1]).read_text())
pathlib.Path(ARGS[-2]).write_text("root")
"""
_APT = """
record()
if ARGS[0] == "indextargets":
    print("Debian|http://mirror.example.org/debian/|trixie|main|$(SIGNED_BY)")
"""


class Registry(ThreadingHTTPServer):
    """A registry that says to strangers what a test wants it to."""

    status = 401

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Registry)

    @property
    def address(self) -> str:
        """Return its host and port, as references of images begin."""
        return f"127.0.0.1:{self.server_port}"


class _Registry(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        """Answer every question with the status."""
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    """Return a registry that answers."""
    server = Registry()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Return the fakes; what waits for a silent registry waits for less."""
    monkeypatch.setattr(upstream, "_MIRROR_SECONDS", 0.5)
    upstream.answers.cache_clear()
    wire = install(tmp_path / "wire", monkeypatch)
    for name, body in {
        "docker": _ENGINE, "podman": _ENGINE, "go": _GO, "mvn": _MAVEN, "mmdebstrap": _MMDEBSTRAP, "apt-get": _APT,
    }.items():  # fmt: skip
        wire.program(name, body)
    return wire


@pytest.fixture
def engine(wire: Wire) -> Engine:
    """Return an engine whose program is the fake."""
    assert wire.programs.exists()
    return Engine(("docker",), lacks_resource=False)


@pytest.fixture
def checkout(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with recipes, sources, and a lock file whose one wheel uv finds in a folder."""
    root = tmp_path / "checkout"
    for name in ("base", "child", "jars", "own", "packages", "program", "pulled"):
        folder = root / "platform" / "images" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(f"# {name}\n")
    (root / "platform" / "images" / "jars" / "pom.xml").write_text("<project/>")
    (root / "platform" / "images" / "images.yaml").write_text(IMAGES.replace("REGISTRY", registry.address))
    for name in ("runtime", "child"):
        (root / "services" / name).mkdir(parents=True)
        (root / "services" / name / "__init__.py").write_text(f"# {name}\n")
        (root / "services" / name / "README.md").write_text(f"{name}\n")
    (root / "services" / "tool").mkdir()
    (root / "services" / "tool" / "go.mod").write_text("module example.org/own\n")
    wheel = _wheel(tmp_path / "index")
    (root / "requirements").mkdir()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (root / "requirements" / "packages.txt").write_text(f"thing==1.0 --hash=sha256:{digest}\n")
    mirror = tmp_path / "uv.toml"
    mirror.write_text(f'no-index = true\nfind-links = ["{wheel.parent}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(mirror))
    return root


@pytest.fixture
def settings(tmp_path: Path, checkout: Path) -> Settings:
    """Return settings with a cache of the test's own."""
    environment = {"HOME": str(tmp_path), "LAB_CACHE": str(tmp_path / "cache")}
    return dataclasses.replace(Settings.load(environment), root=checkout)


def _wheel(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing.py", "")
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    return path
