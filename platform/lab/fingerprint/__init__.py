"""What a lab's state comes to, without what differs from run to run: two states are equal where their lines are."""

from lab.fingerprint.state import Fingerprint, read

__all__ = ["Fingerprint", "read"]
