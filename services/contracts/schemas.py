"""JSON Schemas of what stands in topics, for readers in other languages and for the test that keeps them as published.

python -m contracts.schemas FOLDER     writes one file per topic
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from contracts.topics import RECORDS

PUBLISHED = Path(__file__).parent / "published"


def schema(topic: str) -> dict[str, Any]:
    """The JSON Schema of the topic's records."""
    made = msgspec.json.schema(RECORDS[topic])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": topic, **made}


def text(topic: str) -> str:
    """The schema as it is published."""
    return json.dumps(schema(topic), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Publish every schema into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for topic in RECORDS:
        (folder / f"{topic}.json").write_text(text(topic), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED)
