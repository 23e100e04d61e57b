"""What the stores hold, as their own programs in their own pods tell it: no password leaves the cluster for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab import tools, volumes
from lab.api import Api
from lab.cluster import Cluster
from lab.process import run
from lab.settings import Settings
from lab.text import Text

_MLFLOW = """
SELECT 'model ' || name FROM registered_models
UNION ALL SELECT 'version ' || name || ' ' || version FROM model_versions WHERE current_stage <> 'Deleted_Internal'
UNION ALL SELECT 'alias ' || name || '@' || alias || ' -> ' || version FROM registered_model_aliases
UNION ALL SELECT 'experiment ' || name FROM experiments WHERE lifecycle_stage = 'active'
"""
_FEAST = """
SELECT 'entity ' || entity_name FROM entities
UNION ALL SELECT 'view ' || feature_view_name FROM feature_views
UNION ALL SELECT 'view on demand ' || feature_view_name FROM on_demand_feature_views
UNION ALL SELECT 'service ' || feature_service_name FROM feature_services
UNION ALL SELECT 'source ' || data_source_name FROM data_sources
"""
_TABLES = "SELECT 'table ' || schemaname || '.' || tablename FROM pg_tables WHERE schemaname = 'public'"
_FILES = r"""
cd "$1" || exit 1
for each in objects/*; do echo "bucket ${each#objects/}"; done
find objects -type d -name _delta_log | sed 's|^objects/|table |; s|/_delta_log$||'
find objects -type f -name 'model.onnx' -exec sha256sum {} + | cut -c 1-12 | sort -u | sed 's/^/model /'
"""
_KEYS = r"""
export REDISCLI_AUTH="$(cat /run/secrets/redis/password)"
redis-cli --no-auth-warning --scan | grep -a -x -E '[A-Za-z0-9:._-]+' | sed 's/^/key /'
"""


class Inside:
    """Asks what lies inside a cluster.

    Args:
        settings: which cluster.
        api: the same.
        cluster: the same, for its node.

    """

    def __init__(self, settings: Settings, api: Api, cluster: Cluster) -> None:
        self.api = api
        self.cluster = cluster
        self._kubectl = tools.kubectl(settings, lambda _: None)
        self._settings = settings

    def run(self, namespace: str, what: str, container: str, *words: str) -> list[str]:
        """Return the lines that a program in a pod prints.

        Raises:
            CommandFailed: it fails, or there is no such pod.

        """
        place = ["exec", "--namespace", namespace, what, "--container", container, "--", *words]
        told = Text(en=f"asking {what}", fr=f"question à {what}")
        words_: list[str | Path] = [self._kubectl, "--kubeconfig", self._settings.kubeconfig, *place]
        return run(words_, what=told, timeout=60, accept=(0, 1)).splitlines()


def _rows(database: str, query: str) -> Callable[[Inside], list[str]]:
    def ask(inside: Inside) -> list[str]:
        words = ("psql", "--no-psqlrc", "--username=postgres", f"--dbname={database}", "--tuples-only", "--no-align")
        return inside.run("data", "statefulset/postgres", "postgres", *words, "--command", query)

    return ask


def _files(inside: Inside) -> list[str]:
    """Return buckets, tables and models: the object store keeps each object as a file of its volume."""
    claim = inside.api.get("PersistentVolumeClaim", _OBJECTS, "data") or {}
    volume = inside.api.get("PersistentVolume", claim.get("spec", {}).get("volumeName", ""))
    return inside.cluster.ask("sh", "-c", _FILES, "files", str(volumes.folder(volume or {}))).splitlines()


def _keys(inside: Inside) -> list[str]:
    return inside.run("data", "statefulset/redis", "redis", "sh", "-c", _KEYS)


ASKED: dict[str, Callable[[Inside], list[str]]] = {
    "models": _rows("mlflow", _MLFLOW),
    "feature registry": _rows("feast", _FEAST),
    "tables": lambda inside: [*_rows("mlflow", _TABLES)(inside), *_rows("feast", _TABLES)(inside)],
    "object store": _files,
    "online store": _keys,
}
"""Section -> how its lines are asked for."""
_OBJECTS = "objectstore"
_OWNERS = {
    "models": ("Deployment", "mlflow"), "feature registry": ("Deployment", "feature"),
    "tables": ("StatefulSet", "postgres"), "object store": ("Deployment", "objectstore"),
    "online store": ("StatefulSet", "redis"),
}  # fmt: skip


def stands(api: Api, section: str) -> bool:
    """Say whether what a section is about is part of what stands."""
    kind, name = _OWNERS[section]
    return any(api.get(kind, name, namespace) for namespace in ("data", "chain"))
