"""`lab reset`: takes away what a lab left, proves by a fingerprint that nothing is left, and brings its start back."""

from lab.reset.engine import Cleared, clear, namespaces

__all__ = ["Cleared", "clear", "namespaces"]
