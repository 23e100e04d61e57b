"""The Kubernetes API: the one package that uses its client."""

from lab.api.changes import MANAGER, Api
from lab.api.kinds import BROUGHT, ROUTING, Object, ready

__all__ = ["BROUGHT", "MANAGER", "ROUTING", "Api", "Object", "ready"]
