"""The commands, put together from their parts; each yields what it did as lines, while it does it."""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from contracts import models
from contracts.models import MODEL
from training import dataset, variants
from training.dataset import INSTANTS, Dataset
from training.errors import Refused
from training.estimators import KINDS
from training.fitting import Fitted, fit
from training.gate import Condition
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from training.promotion import Promotion
    from training.registry import Registry

Lines = Iterator[str]


def _fit(settings: TrainingSettings, asked: argparse.Namespace) -> Lines:
    without = INSTANTS if asked.without is None else tuple(asked.without)
    data = dataset.read(asked.set, asked.held_from, without)
    yield from _shown(data)
    for kind in dict.fromkeys(asked.kind or KINDS):
        made = (variants.fit if kind in variants.MAKERS else fit)(data, kind, f"{asked.name}-{kind}")
        yield _quality(kind, made)
        if asked.out:
            yield f"{kind}: written to {_written(made, asked.out / kind)}"
        else:
            yield _registered(settings, data, kind, made)


def _shown(data: Dataset) -> Lines:
    days = f"{data.lineage['begin'][:10]} to {data.lineage['end'][:10]}, held out from {data.lineage['held_from'][:10]}"
    yield f"training set {data.name}: {data.manifest.predicts}, {days}, sha256 {data.manifest.sha256[:12]}"
    yield (
        f"  {len(data.train)} rows to learn from, {len(data.held)} held out, "
        f"{len(data.features)} features of {data.manifest.service}"
    )


def _quality(kind: str, made: Fitted) -> str:
    quality = made.quality
    return (
        f"{kind}: RMSE {quality.rmse:.2f} min, MAE {quality.mae:.2f} min, R2 {quality.r2:.3f}, deciles off by "
        f"{quality.calibration:.2f} min; ONNX {len(made.content)} bytes, sha256 {made.card.sha256[:12]}, at most "
        f"{made.difference:.1e} min from {'its original' if kind in variants.MAKERS else 'scikit-learn'}"
    )


def _written(made: Fitted, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(made.content)
    models.write(made.card, folder)
    return folder


def _registered(settings: TrainingSettings, data: Dataset, kind: str, made: Fitted) -> str:
    # Imported here: where nothing is registered, nobody needs MLflow's client.
    from training.registry import Recorded  # noqa: PLC0415

    registry = _registry(settings)
    with tempfile.TemporaryDirectory() as place:
        rows = dataset.kept(data.held, data.features, Path(place) / "held_out.parquet")
        version = registry.register(Recorded(made, data, _written(made, Path(place) / "model"), rows))
    if version.new:
        return f"{kind}: registered as {version}, run {version.run}"
    return f"{kind}: stands already as {version}: the same bytes from the same data"


def _registry(settings: TrainingSettings) -> "Registry":
    from training.registry import Registry  # noqa: PLC0415  as above

    return Registry(settings.mlflow, settings.experiment, settings.mlflow_seconds)


def _compose(settings: TrainingSettings, asked: argparse.Namespace) -> Lines:
    from training.composing import compose  # noqa: PLC0415  as above

    made, version = compose(_registry(settings), asked.name, asked.file)
    figures = made.quality.figures()
    yield f"{asked.name}: {made.card.kind} of {', '.join(made.members)}; " + ", ".join(
        f"{each} {figures[each]:.3f}" for each in ("rmse", "mae", "calibration")
    )
    yield from (f"  {name} {value:.4g}" for name, value in made.card.quality.items() if name not in figures)
    yield f"{asked.name}: {'registered' if version.new else 'stands already'} as {version}"


def _promote(settings: TrainingSettings, asked: argparse.Namespace) -> Lines:
    from training.promotion import promote  # noqa: PLC0415  as above

    registry = _registry(settings)
    version = registry.version(asked.name, asked.version)
    done = promote(registry, version, asked.alias, settings.budgets)
    if not done.conditions:
        yield f"{done.version} is {asked.alias} already"
        return
    yield f"{done.version} against {done.rival}"
    yield from map(_condition, done.conditions)
    if not done.through:
        raise _refusal(done, asked.alias)
    yield f"{done.version} is {asked.alias} now" + (f", version {done.before} was before" if done.before else "")


def _condition(each: Condition) -> str:
    return f"  {'met' if each.met else 'NOT MET':<8} {each.name:<11} {each.reason}"


def _refusal(done: "Promotion", alias: str) -> Refused:
    unmet = ", ".join(each.name for each in done.conditions if not each.met)
    return Refused(
        f"{done.version} does not become {alias}: {unmet} not met",
        "the reasons stand above, and with its run in MLflow as gate.json",
    )


COMMANDS: Mapping[str, Callable[[TrainingSettings, argparse.Namespace], Lines]] = {
    "fit": _fit,
    "compose": _compose,
    "promote": _promote,
}
"""Command -> what carries it out."""
