"""What can go wrong behind the page.

Temporary
└── Away   Prometheus or Jaeger does not answer, or not in a way that can be used
"""

from runtime.errors import Temporary


class Away(Temporary):
    """A source of figures does not answer, or not in a way that can be used."""
