"""The side of Feast, run by its own Python: applies the benchmark's definitions, and precomputes them.

python -P bench/feature_feast.py REGISTRY REDIS_PORT
"""

import sys

import feast
from bench.feature_views import PRECOMPUTED

from feature import registry
from feature.settings import ApplySettings

REPO = """
project: bench
provider: local
registry: {registry}
entity_key_serialization_version: 3
online_store: {{type: redis, connection_string: "127.0.0.1:{port}"}}
"""


def main(place: str, port: int) -> None:
    """Apply, write `feature_store.yaml` beside the registry, and precompute a service of the same features."""
    registry.apply(ApplySettings(registry=place, offline="/nowhere", definitions="bench.feature_views:DEFINITIONS"))
    folder = place.rpartition("/")[0]
    with open(f"{folder}/feature_store.yaml", "w", encoding="utf-8") as file:  # noqa: PTH123  one line
        file.write(REPO.format(registry=place, port=port))
    store = feast.FeatureStore(repo_path=folder)
    views = store.list_feature_views()
    store.apply(feast.FeatureService(name=PRECOMPUTED, features=views, precompute_online=True))
    store.precompute_feature_service(PRECOMPUTED)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
