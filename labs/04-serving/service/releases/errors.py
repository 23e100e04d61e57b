"""What can go wrong in the release controller.

Permanent
├── BadPlan        a plan that cannot be carried out: names the field
├── NotNow         an order that does not fit what is under way
└── NoAccount      the pod has no service account to speak to Kubernetes with
Temporary
├── ApiFailure     the Kubernetes API did not do what was asked
│   ├── Conflict   somebody else changed the object first: read it again
│   └── Missing    there is no such object, or no such kind
├── NoMetrics      Prometheus does not answer, or not in a way that can be used
└── NoRegistry     MLflow did not do what was asked
"""

from releases.words import Words
from runtime.errors import Permanent, Temporary


class BadPlan(Permanent):
    """A plan that cannot be carried out as it is."""


class NotNow(Permanent):
    """An order that does not fit what is under way; whoever gave it reads why in a language of theirs.

    Args:
        words: what does not fit.
        advice: what to do about it.
    """

    def __init__(self, words: Words, advice: Words) -> None:
        super().__init__(words.en, advice.en)
        self.words = words
        self.advice = advice


class NoAccount(Permanent):
    """The pod has no service account to speak with."""


class ApiFailure(Temporary):
    """The Kubernetes API did not do what was asked."""


class Conflict(ApiFailure):
    """Somebody else changed the object since it was read."""


class Missing(ApiFailure):
    """There is no such object, or the cluster does not know its kind."""


class NoMetrics(Temporary):
    """Prometheus does not answer, or not in a way that can be used."""


class NoRegistry(Temporary):
    """MLflow did not do what was asked."""
