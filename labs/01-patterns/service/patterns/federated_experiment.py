"""Experiment `federated-learning`: one model from three sites' flights, which stay where they are.

The centre knows the pooled flights only to judge the result: it reads them from the packed file, not from the sites.
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from patterns import federated
from patterns.stopwatch import Spent, Stopwatch
from runtime.peer import Peer

_FIRST_CALL = 25.0  # seconds: a site reads its history when it is first asked to learn
_CALL = 5.0


class FederatedLearning:
    """One run.

    Args:
        sites: addresses of the sites.
        pooled: gives all sites' flights, as they lie in the packed file.
        weights: `samples` or `equal`: how much a site counts.
        rounds: times that the average goes out and comes back.
    """

    def __init__(
        self, sites: Sequence[Peer], pooled: Callable[[], federated.Flights], weights: str, rounds: int
    ) -> None:
        self._sites = sites
        self._pooled = pooled
        self._weights = weights
        self._rounds = rounds
        self._bytes = 0
        self._rows = 0
        self._samples: dict[str, int] = {}

    def experiment(self) -> dict[str, Any]:
        """Learn from the sites, learn from all flights in one place, compare; the result.

        Raises:
            PeerFailure: a site does not answer.
        """
        begun = time.monotonic()
        with ThreadPoolExecutor(len(self._sites) + 1, "site") as threads:
            reading = threads.submit(self._pooled)
            shared, spent = self._learn(threads, reading)
        pooled = reading.result()
        apart = federated.rmse(shared, pooled)
        together = federated.rmse(federated.central(pooled), pooled)
        return {
            "name": "federated-learning",
            "settings": {"weights": self._weights, "rounds": self._rounds},
            "seconds": round(time.monotonic() - begun, 2),
            "sites": [{"site": site, "samples": samples} for site, samples in self._samples.items()],
            "rmse_federated": round(apart, 4),
            "rmse_central": round(together, 4),
            "ratio": round(apart / together, 5),
            "bytes_sent": self._bytes,
            "rows_sent": self._rows,
            "rounds_done": self._rounds,
            "figures": [self._figures(spent)],
        }

    def _learn(self, threads: ThreadPoolExecutor, reading: Future[federated.Flights]) -> tuple[federated.Vector, Spent]:
        """The shared weights after all rounds, and what the rounds took once everybody had read their flights."""
        weights = federated.start()
        self._ask(threads, weights, steps=0, seconds=_FIRST_CALL)
        reading.result()
        self._bytes = self._rows = 0
        watch = Stopwatch()
        for _ in range(self._rounds):
            updates = self._ask(threads, weights, steps=federated.STEPS, seconds=_CALL)
            weights = federated.averaged(updates, by_samples=self._weights == "samples")
        return weights, watch.read()

    def _ask(
        self, threads: ThreadPoolExecutor, weights: federated.Vector, *, steps: int, seconds: float
    ) -> list[federated.Update]:
        """Hand the weights to every site; what each makes of them."""
        order = {"weights": weights.tolist(), "steps": steps, "rate": federated.RATE}
        answers = list(threads.map(lambda site: site.post("/train", order, seconds), self._sites))
        return [self._accounted(answer) for answer in answers]

    def _accounted(self, answer: dict[str, Any]) -> federated.Update:
        """The update in a site's answer; whatever else it sent is counted as what it is."""
        self._bytes += len(json.dumps(answer))
        self._rows += sum(len(value) for name, value in answer.items() if isinstance(value, list) and name != "weights")
        self._samples[answer["site"]] = answer["samples"]
        return federated.Update(federated.vector(answer["weights"]), answer["samples"])

    def _figures(self, spent: Spent) -> dict[str, Any]:
        samples = sum(self._samples.values())
        return {
            "pattern": "federated",
            "use_case": "punctuality",
            "latency_ms": round(1000 * spent.seconds / self._rounds, 1),
            "latency_p95_ms": None,
            "staleness_s": None,
            "throughput_per_s": round(samples * self._rounds / spent.seconds, 1),
            "cpu_s_per_1000": None,
            "recovery_s": None,
        }
