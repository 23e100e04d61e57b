"""A run of a model as part of a request's trace, where it has one."""

from runtime.tracing import child, recording
from serving.model.batch import Work
from serving.model.session import Array
from serving.model.version import Served


async def run(served: Served, work: Work, deadline: float) -> list[Array]:
    """The outputs that `work` names, with a span for it where the request is traced.

    Args:
        served: the version that computes them.
        work: what is to be computed.
        deadline: time of the loop after which nobody waits for it any more.

    Raises:
        Overloaded, Late, NotComputed: as `Batcher.run`.
    """
    if not recording():
        return await served.batcher.run(work, deadline)
    name, version = served.name, served.version
    with child("run the model", attributes={"model.name": name, "model.version": version, "model.rows": work.rows}):
        return await served.batcher.run(work, deadline)
