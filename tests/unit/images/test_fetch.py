"""What enters an image is fetched on the host: with its mirrors and certificates, of which none gets inside."""

import hashlib
import os
import platform
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lab.cluster.engine import Engine
from lab.errors import NotConverged
from lab.images import Catalogue, ensure, fetch
from lab.settings import Settings
from unit.images.conftest import Registry
from unit.wire import Wire

HOST = {
    "SSL_CERT_FILE": "/etc/ssl/bank.pem",
    "GOPROXY": "https://go.mirror.example.org",
    "GOFLAGS": "-modcacherw",
    "MAVEN_OPTS": "-Djavax.net.ssl.trustStore=/etc/ssl/bank.jks",
    "HTTPS_PROXY": "http://proxy.example.org:3128",
}


def _contexts(wire: Wire) -> dict[str, list[str]]:
    """Return what each build was given, by the image's name."""
    calls: list[dict[str, Any]] = wire.calls("docker", "build")
    return {call["args"][call["args"].index("-t") + 1].split("/")[1].split(":")[0]: call["context"] for call in calls}


def _make(names: list[str], engine: Engine, settings: Settings) -> None:
    ensure(Catalogue(settings.root), names, engine, settings, lambda _: None)


def test_a_build_is_given_all_that_it_needs_and_no_more(wire: Wire, settings: Settings, engine: Engine) -> None:
    """Recipe, Debian root, packages, jars, program and sources: every file of every context is one of these."""
    _make(["child", "jars", "own", "packages", "program"], engine, settings)
    contexts = _contexts(wire)
    assert contexts["base"] == ["Dockerfile", "root.tar", "src/services/runtime/__init__.py"]
    assert {"site/thing.py", "src/services/child/__init__.py"} <= set(contexts["packages"])
    assert contexts["child"] == ["Dockerfile", "src/services/child/__init__.py"]
    assert contexts["jars"] == ["Dockerfile", "jars/kafka.jar", "pom.xml"]
    assert contexts["program"] == contexts["own"] == ["Dockerfile", "program"]


def test_no_build_reaches_the_network_or_holds_the_hosts_certificates(
    wire: Wire, settings: Settings, engine: Engine
) -> None:
    """Every build runs with the network closed; Debian's root copies nothing in, so its own certificates are all."""
    _make(["child", "jars", "program"], engine, settings)
    for call in wire.calls("docker", "build"):
        words = " ".join(call["args"])
        assert "--network none" in words
        assert "secret" not in words
        assert not any(path.endswith((".crt", ".pem", ".jks")) for path in call["context"])
    (root,) = wire.calls("mmdebstrap")
    assert not any("copy-in" in word or "upload" in word or "/etc/ssl" in word for word in root["args"])


def test_licences_stay_in_the_image(wire: Wire, settings: Settings, engine: Engine) -> None:
    """Documentation is left out of Debian's root, its copyright files are not."""
    _make(["base"], engine, settings)
    (root,) = wire.calls("mmdebstrap")
    leave_out = root["args"].index("--dpkgopt=path-exclude=/usr/share/doc/*")
    assert root["args"].index("--dpkgopt=path-include=/usr/share/doc/*/copyright") > leave_out


def test_what_fetches_sees_the_hosts_settings(
    wire: Wire, settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mirrors, proxies and certificates of the host reach Go, Maven and mmdebstrap; uv used them to find its wheel."""
    for name, value in HOST.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    _make(["base", "jars", "packages", "program"], engine, settings)
    go = [*wire.calls("go", "mod", "download"), *wire.calls("go", "build")]
    calls = [*go, *wire.calls("mvn"), *wire.calls("mmdebstrap")]
    assert len(calls) == 4
    for call in calls:
        for name in set(HOST) - {"GOFLAGS"}:
            assert call["env"][name] == HOST[name]
    assert all(call["env"]["GOFLAGS"].startswith("-modcacherw ") for call in go)
    assert "site/thing.py" in _contexts(wire)["packages"]


def test_a_program_of_a_wheel_for_a_newer_c_library_is_taken(settings: Settings) -> None:
    """The images' C library is newer than what most wheels are made for; Envoy's wants that, and may be executed."""
    (index,) = (Path(os.environ["UV_CONFIG_FILE"]).parent / "index").iterdir()
    wheel = index.rename(index.with_name(f"thing-1.0-py3-none-manylinux_2_31_{platform.machine()}.whl"))
    with zipfile.ZipFile(wheel, "a") as archive:
        program = zipfile.ZipInfo("thing/_bin/thing")
        program.external_attr = 0o100755 << 16
        archive.writestr(program, "#!/bin/sh\n")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (settings.root / "requirements" / "packages.txt").write_text(f"thing==1.0 --hash=sha256:{digest}\n")
    folder = settings.root / "build"
    folder.mkdir()
    fetch.stage(Catalogue(settings.root), "packages", folder, settings, lambda _: None)
    assert os.access(folder / "site" / "thing" / "_bin" / "thing", os.X_OK)


def test_what_a_parent_has_is_not_unpacked_again(settings: Settings) -> None:
    """Given a child whose lock names a package of its parent too, then it gets it only in another version."""
    catalogue = settings.root / "platform" / "images" / "images.yaml"
    locks = settings.root / "requirements"
    (settings.root / "platform" / "images" / "more").mkdir()
    (settings.root / "platform" / "images" / "more" / "Dockerfile").write_text("FROM scratch\n")
    catalogue.write_text(f"{catalogue.read_text()}  more:\n    from: packages\n    wheels: [requirements/more.txt]\n")
    pinned = (locks / "packages.txt").read_text()
    (locks / "more.txt").write_text(f"# by hand\n{pinned}")
    folder = settings.root / "build"
    folder.mkdir()
    fetch.stage(Catalogue(settings.root), "more", folder, settings, lambda _: None)
    assert list((folder / "site").iterdir()) == []
    (locks / "packages.txt").write_text("thing==0.9 --hash=sha256:00\n")
    fetch.stage(Catalogue(settings.root), "more", folder, settings, lambda _: None)
    assert (folder / "site" / "thing.py").exists()


def test_a_program_is_compiled_once_in_a_copy_of_its_module(wire: Wire, settings: Settings, engine: Engine) -> None:
    """The module's `replace` lines hold there, and a change of the recipe does not compile it again."""
    _make(["program"], engine, settings)
    (settings.root / "platform" / "images" / "program" / "Dockerfile").write_text("# changed\n")
    _make(["program"], engine, settings)
    (build,) = wire.calls("go", "build")
    assert Path(build["cwd"]).name == "module"
    assert str(wire.state) not in build["cwd"]
    assert len(wire.calls("docker", "build")) == 2
    assert sorted(path.name for path in (settings.cache / "tools" / "tool-v2.0.1").glob("[!.]*")) == ["tool"]


def test_a_program_of_the_checkout_is_compiled_from_what_is_locked(
    wire: Wire, settings: Settings, engine: Engine
) -> None:
    """In its own folder, with the modules that its go.sum names and no others."""
    _make(["own"], engine, settings)
    (build,) = wire.calls("go", "build")
    assert Path(build["cwd"]) == settings.root / "services" / "tool"
    assert "-mod=readonly" in build["args"]


def test_a_pulled_base_stands_for_debians_packages(
    wire: Wire, settings: Settings, engine: Engine, registry: Registry
) -> None:
    """Where the base can be pulled, neither Debian nor root is needed, and its container does not stay."""
    path = settings.root / "platform" / "images" / "images.yaml"
    path.write_text(path.read_text().replace("  base:\n", f"  base:\n    base: {registry.address}/python:3.11-slim\n"))
    wire.tell("pull-works", "yes")
    _make(["base"], engine, settings)
    assert wire.calls("mmdebstrap") == []
    (create,) = wire.calls("docker", "create")
    assert create["args"][1].endswith("/python:3.11-slim")
    assert "root.tar" in _contexts(wire)["base"]
    assert [call["args"][1] for call in wire.calls("docker", "rm")] == ["container-1"]


def test_a_lock_file_that_does_not_hold_stops_the_build(wire: Wire, settings: Settings, engine: Engine) -> None:
    """A package whose content is not the locked one never enters an image."""
    lock = settings.root / "requirements" / "packages.txt"
    lock.write_text(f"thing==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(NotConverged, match=r"image packages cannot be made: fetching packages\.txt"):
        _make(["packages"], engine, settings)
    assert wire.calls("docker", "build") == []


def test_the_real_recipes_fetch_nothing_while_they_build() -> None:
    """No Dockerfile of ours installs, downloads, adds an address, or runs as root at the end."""
    root = Path(__file__).resolve().parents[3]
    recipes = sorted((root / "platform" / "images").glob("*/Dockerfile"))
    assert {path.parent.name for path in recipes} == set(Catalogue(root).images)
    for path in recipes:
        text = path.read_text()
        for word in ("apt-get", "apk ", "pip install", "curl", "wget", "http://", "https://", "certificates"):
            assert word not in text, path
        assert text.rsplit("USER ", 1)[1].startswith("10001:10001"), path
