"""The programme of a run, in its order."""

from collections.abc import Callable
from functools import partial

from pipelines.experiments.broker_figures import broker_figures
from pipelines.experiments.data_contract import data_contract
from pipelines.experiments.data_versions import data_versions
from pipelines.experiments.etl_elt import etl_elt
from pipelines.experiments.late_events import late_events
from pipelines.experiments.leakage import leakage
from pipelines.experiments.online_freshness import online_freshness
from pipelines.experiments.point_in_time import point_in_time
from pipelines.experiments.quality_monitors import quality_monitors
from pipelines.experiments.schema_evolution import schema_evolution
from pipelines.experiments.serving_view import serving_view
from pipelines.experiments.time_travel import time_travel
from pipelines.stage import Stage
from runtime.figures import Result


def programme(stage: Stage) -> dict[str, Callable[[], Result]]:
    """Experiment -> what carries it out."""
    return {
        "online-freshness": partial(online_freshness, stage),
        "late-events": partial(late_events, stage),
        "serving-view": partial(serving_view, stage),
        "point-in-time": partial(point_in_time, stage),
        "leakage": partial(leakage, stage),
        "time-travel": partial(time_travel, stage),
        "data-versions": partial(data_versions, stage),
        "schema-evolution": partial(schema_evolution, stage),
        "etl-elt": partial(etl_elt, stage),
        "quality-monitors": partial(quality_monitors, stage),
        "data-contract": partial(data_contract, stage),
        "choose-broker": partial(broker_figures, stage),
    }
