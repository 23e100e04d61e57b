"""Settings of the lake's commands; they come from the environment, the rest from the command line."""

from dataclasses import dataclass

from runtime.online import OnlineSettings
from runtime.settings import between
from runtime.store import StoreSettings


@dataclass(frozen=True, kw_only=True)
class LakeSettings(OnlineSettings, StoreSettings):
    """What every command of the lake can be told."""

    redis: str = ""
    """Online store that batch features are written to, host:port; empty: none."""

    reports: str = ""
    """Folder of the daily quality reports; empty: none is written, and none answered."""

    workspace: str = ""
    """Folder of the training sets that are kept, with git and DVC; only `data` needs it."""

    watch_seconds: float = between(15, 1, 3600)
    """Seconds between two looks of `watch` at the newest judgements."""
