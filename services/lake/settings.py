"""Settings of the lake's commands; they come from the environment, the rest from the command line."""

from dataclasses import dataclass, field

from runtime.settings import ServiceSettings, between


@dataclass(frozen=True, kw_only=True)
class LakeSettings(ServiceSettings):
    """What every command of the lake can be told."""

    lake: str = "s3://lake"
    """Where the lake is: a folder, or `s3://bucket/prefix`."""

    s3_endpoint: str = "http://objectstore.platform.svc:7070"
    """Address of the S3 endpoint; unused for a folder."""

    s3_region: str = "us-east-1"
    """What the endpoint calls its region."""

    s3_access_key: str = field(default="", repr=False)
    """User of the endpoint."""

    s3_secret_key: str = field(default="", repr=False)
    """The user's secret."""

    keep_hours: int = between(168, 0)
    """Hours that an older version of a table stays readable."""

    reports: str = ""
    """Folder of the daily quality reports; empty: none is written."""

    watch_seconds: float = between(15, 1, 3600)
    """Seconds between two looks of `watch` at the newest judgements."""
