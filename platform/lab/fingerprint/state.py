"""The fingerprint of a lab that stands: objects, volumes, topics, positions, keys, rows, files, models, releases.

The replay goes on while it is read, so counts of what flows are no part of it: of a topic its partitions and settings
count, of a table its name, of a consumer group which topics it has a position in. What was computed once counts by its
content: models by their bytes, aliases by their version, training sets by their digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.api import Api
from lab.broker import Broker
from lab.cluster import Cluster
from lab.fingerprint import objects, stores
from lab.settings import Settings


@dataclass(frozen=True)
class Fingerprint:
    """Lines by section.

    Attributes:
        sections: section -> its lines, sorted.

    """

    sections: Mapping[str, list[str]]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all lines."""
        return hashlib.sha256(json.dumps(self.sections, sort_keys=True).encode()).hexdigest()

    def differences(self, other: Fingerprint) -> list[str]:
        """Return what only this one has (`+`) and what only the other has (`-`)."""
        found = []
        for section in sorted({*self.sections, *other.sections}):
            ours, theirs = set(self.sections.get(section, [])), set(other.sections.get(section, []))
            found += [f"+ {section}: {line}" for line in sorted(ours - theirs)]
            found += [f"- {section}: {line}" for line in sorted(theirs - ours)]
        return found


def read(settings: Settings, api: Api, cluster: Cluster, namespaces: list[str], declared: set[str]) -> Fingerprint:
    """Read the state of what stands.

    Args:
        settings: which cluster.
        api: the same.
        cluster: the same, for its node.
        namespaces: of a lab and its stores.
        declared: topics that count; clients make others of their own when they first need them.

    Raises:
        NotConverged: the broker does not answer.
        CommandFailed: a store's own program fails; says how.

    """
    inside = stores.Inside(settings, api, cluster)
    with ThreadPoolExecutor() as pool, Broker(settings) as broker:
        jobs = {
            "objects": pool.submit(objects.lines, api, namespaces),
            "releases": pool.submit(objects.releases, api, namespaces),
            **{name: pool.submit(ask, inside) for name, ask in stores.ASKED.items() if stores.stands(api, name)},
        }
        sections = {name: sorted(job.result()) for name, job in jobs.items()}
        sections["topics"] = sorted(_topic(*each) for each in broker.topics().items() if each[0] in declared)
        sections["groups"] = sorted(_group(*each) for each in broker.groups().items())
    return Fingerprint(sections)


def _topic(name: str, found: Mapping[str, Any]) -> str:
    config = ",".join(f"{key}={value}" for key, value in sorted(found["config"].items()))
    return f"{name}: {found['partitions']} partitions, {config}"


def _group(name: str, found: Mapping[str, object]) -> str:
    return f"{name}: {', '.join(sorted(found))}"
