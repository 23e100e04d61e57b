"""The load of bench/serving.py: whole HTTP requests from a file, over connections that each wait for their answer.

    python bench/serving_load.py HOST PORT CONNECTIONS SECONDS FILE...     one line of JSON: requests, rate, latencies

Each file holds one request, head and body, as it goes over the wire.
"""

import json
import sys
from pathlib import Path

import uvloop

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from bench.feature_load import measure  # noqa: E402  after the path

if __name__ == "__main__":
    host, port, connections, seconds, *files = sys.argv[1:]
    asked = [Path(each).read_bytes() for each in files]
    print(json.dumps(uvloop.run(measure(host, int(port), int(connections), float(seconds), asked))))
