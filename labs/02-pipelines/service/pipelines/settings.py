"""What the conductor can be told: one setting or two for each exercise."""

from dataclasses import dataclass

from runtime.online import OnlineSettings
from runtime.settings import between, choice
from runtime.store import StoreSettings

LAST_WRITE, EVENT_TIME = "last-write", "event-time"
LATEST, AS_OF = "latest", "as-of"
OVERWRITE, MERGE, STRICT = "overwrite", "merge", "strict"


@dataclass(frozen=True, kw_only=True)
class PipelinesSettings(OnlineSettings, StoreSettings):
    """What the conductor can be told."""

    seed: str = ""
    """The trainee's seed, which decides facts of exercises; empty: none."""

    data: str = "/opt/tarmac/data/flights.jsonl.gz"
    """Replay file that the experiments' own lake is made of."""

    speed: str = "http://speed:8080"
    """The lab's own speed layer."""

    writes: str = choice(LAST_WRITE, LAST_WRITE, EVENT_TIME)
    """Which of two rows of one key stands: the one that was written last, or the one that happened last."""

    serving: str = choice("batch", "batch", "speed", "merged")
    """Which layers the serving view answers from."""

    handover: str = choice("wall-clock", "wall-clock", "batch-horizon")
    """What the serving view takes for the end of the batch layer: midnight, or what that layer says."""

    join: str = choice(LATEST, LATEST, AS_OF)
    """Which row of an entity a training set takes: its latest one, or the newest one at each prediction (as-of)."""

    extra_columns: str = "distance,arrival_delay"
    """Further columns of silver/flights that the model is trained with; several are separated by commas."""

    kept_hours: int = between(0, 0, 720)
    """Hours of older versions that the nightly vacuum leaves; 0 leaves none."""

    dvc_push: str = choice("never", "never", "always")
    """Whether keeping a version of a training set sends its content to DVC's remote as well."""

    dvc_remote: str = "s3://dvc/lab-02"
    """DVC's remote: a folder, or `s3://bucket/prefix` in the object store; the experiment empties it."""

    rebuild: str = choice("newest", "newest", "manifest")
    """Versions of the tables that a training set is made again from: the newest ones, or those of its manifest."""

    schema_mode: str = choice(OVERWRITE, OVERWRITE, MERGE, STRICT)
    """What a writer does with a batch whose columns are not the table's: replace the table, add what is new, refuse."""

    transform: str = choice("etl", "etl", "elt")
    """What is loaded of a source that expires: the result of a transformation, or everything."""

    monitors: str = "volume"
    """Monitors that raise an alarm, separated by commas: of volume, silence, nulls, range, drift and mix."""

    weather_drop: str = "weather_humid"
    """Features that version 2 of the product "weather" drops, separated by commas; none: none."""

    weather_add: str = "none"
    """Features that it adds, `name:type` separated by commas; none: none."""

    freshness_seconds: int = between(86400, 60, 604800)
    """What it promises: no value is older than this."""
