"""Settings of the tool: read once from the environment, passed on as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import BadInput
from lab.text import Language, Text, language

PORTS = {
    "api": 6443,
    "kafka": 9092,
    "prometheus": 9090,
    "jaeger": 16686,
    "ingest": 8080,
    "lab-01": 8081,
    "lab-02": 8082,
    "lab-04": 8084,
    "lab-04-releases": 8805,
    "lake": 8083,
    # Not the usual ports: a database of the machine's own is nothing rare, and would keep every lab from starting.
    "objectstore": 19000,
    "postgres": 15432,
    "redis": 16379,
    "feature": 6566,
    "mlflow": 15000,
    "gateway": 8800,
    "gateway-grpc": 8802,
    "serving": 8801,
    "page": 8804,
}
"""Host ports on 127.0.0.1 by name, before `LAB_PORT_OFFSET` is added."""

DEFAULT_NAME = "tarmac"
"""The trainee's own cluster; any other name lives beside it."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?")
_CLUSTER = re.compile(r"auto|kind|k3s|context:.+")
_PROFILE = re.compile(r"one|ha")
_SEED = re.compile(r"[0-9]{0,9}")
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the tool works and on what.

    Attributes:
        name: the cluster's name (`LAB_NAME`, default `tarmac`).
        home: folder of all clusters' state (`LAB_HOME`, default `~/.local/state/tarmac`).
        cache: folder of what can be rebuilt: tools, images (`LAB_CACHE`, default `~/.cache/tarmac`).
        cluster: `auto`, `kind`, `k3s` or `context:<name>` (`LAB_CLUSTER`, default `auto`).
        lang: language of messages (`LAB_LANG`, else the locale).
        port_offset: added to every host port, 0 or more (`LAB_PORT_OFFSET`, default 0).
        profile: `one` node, or `ha` for a cluster of several (`LAB_PROFILE`, default `one`): which values charts get.
        root: the checkout.
        seed: decides facts of exercises (`LAB_SEED`, digits); None: the workstation's own, see `lab.seeds`.

    """

    name: str
    home: Path
    cache: Path
    cluster: str
    lang: Language
    port_offset: int
    profile: str
    root: Path
    seed: str | None = None

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            BadInput: a variable has a value that cannot be meant.

        """
        user = Path(environment.get("HOME") or Path.home())
        return cls(
            name=_matching(environment, "LAB_NAME", DEFAULT_NAME, _NAME, "a-z, 0-9, -"),
            home=_folder(environment, "LAB_HOME", user / ".local/state/tarmac"),
            cache=_folder(environment, "LAB_CACHE", user / ".cache/tarmac"),
            cluster=_matching(environment, "LAB_CLUSTER", "auto", _CLUSTER, "auto, kind, k3s, context:NAME"),
            lang=_lang(environment),
            port_offset=_offset(environment),
            profile=_matching(environment, "LAB_PROFILE", "one", _PROFILE, "one, ha"),
            root=Path(__file__).resolve().parents[2],
            seed=_matching(environment, "LAB_SEED", "", _SEED, "0 to 999999999") or None,
        )

    @property
    def folder(self) -> Path:
        """Return the folder of this cluster's state."""
        return self.home / self.name

    @property
    def kubeconfig(self) -> Path:
        """Return the tool's own kubeconfig; the user's is never touched."""
        return self.folder / "kubeconfig"

    def port(self, name: str) -> int:
        """Return the host port of a service by its name in `PORTS`."""
        return PORTS[name] + self.port_offset


def _matching(env: Mapping[str, str], variable: str, default: str, pattern: re.Pattern[str], accepted: str) -> str:
    value = env.get(variable) or default
    if not pattern.fullmatch(value):
        raise _bad(variable, value, Text.plain(accepted))
    return value


def _folder(env: Mapping[str, str], variable: str, default: Path) -> Path:
    value = env.get(variable)
    if not value:
        return default
    if not Path(value).is_absolute():
        raise _bad(variable, value, Text(en="an absolute path", fr="un chemin absolu"))
    return Path(value)


def _lang(env: Mapping[str, str]) -> Language:
    value = env.get("LAB_LANG", "")
    if value and value not in ("en", "fr"):
        raise _bad("LAB_LANG", value, Text.plain("en, fr"))
    return language(env)


def _offset(env: Mapping[str, str]) -> int:
    value = env.get("LAB_PORT_OFFSET") or "0"
    highest = _HIGHEST_PORT - max(PORTS.values())
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > highest:
        raise _bad("LAB_PORT_OFFSET", value, Text.plain(f"0..{highest}"))
    return int(value)


def _bad(variable: str, value: str, accepted: Text) -> BadInput:
    return BadInput(
        Text(en=f"{variable}={value!r} is not usable", fr=f"{variable}={value!r} n'est pas utilisable"),
        Text(en=f"set {variable} to: {accepted.en}", fr=f"donnez à {variable} une valeur parmi : {accepted.fr}"),
    )
