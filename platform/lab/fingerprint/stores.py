"""What the stores hold, as their own programs in their own pods tell it: no password leaves the cluster for it."""

from __future__ import annotations

from collections.abc import Callable

from lab import tools
from lab.api import Api
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
cd /data || exit 1
for each in *; do echo "bucket $each"; done
find . -type d -name _delta_log | sed 's|^\./|table |; s|/_delta_log$||'
find . -type f -name 'model.onnx' -exec sha256sum {} + | cut -c 1-12 | sort -u | sed 's/^/model /'
"""
_KEYS = r"""
export REDISCLI_AUTH="$(cat /run/secrets/redis/password)"
redis-cli --no-auth-warning --scan | grep -a -x -E '[A-Za-z0-9:._-]+' | sed 's/^/key /'
"""


class Inside:
    """Runs programs in pods.

    Args:
        settings: which cluster.

    """

    def __init__(self, settings: Settings) -> None:
        self._kubectl = tools.kubectl(settings, lambda _: None)
        self._settings = settings

    def run(self, namespace: str, what: str, container: str, *words: str) -> list[str]:
        """Return the lines that a program in a pod prints.

        Raises:
            CommandFailed: it fails, or there is no such pod.

        """
        place = ["exec", "--namespace", namespace, what, "--container", container, "--", *words]
        told = Text(en=f"asking {what}", fr=f"question à {what}")
        words_ = [self._kubectl, "--kubeconfig", self._settings.kubeconfig, *place]
        return run(words_, what=told, timeout=60, accept=(0, 1)).splitlines()


def _rows(database: str, query: str) -> Callable[[Inside], list[str]]:
    def ask(inside: Inside) -> list[str]:
        words = ("psql", "--no-psqlrc", "--username=postgres", f"--dbname={database}", "--tuples-only", "--no-align")
        return inside.run("data", "statefulset/postgres", "postgres", *words, "--command", query)

    return ask


def _files(inside: Inside) -> list[str]:
    return inside.run("data", "deployment/objectstore", "objectstore", "sh", "-c", _FILES)


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
_OWNERS = {
    "models": ("Deployment", "mlflow"), "feature registry": ("Deployment", "feature"),
    "tables": ("StatefulSet", "postgres"), "object store": ("Deployment", "objectstore"),
    "online store": ("StatefulSet", "redis"),
}  # fmt: skip


def stands(api: Api, section: str) -> bool:
    """Say whether what a section is about is part of what stands."""
    kind, name = _OWNERS[section]
    return any(api.get(kind, name, namespace) for namespace in ("data", "chain"))
