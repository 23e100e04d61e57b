"""Bringing Feast's registry up to the definitions: what changed is said, what would break somebody is refused."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from contracts.views import Definitions
from feature.errors import Breaking, RegistryUnavailable
from feature.objects import MANAGED, MARK, made, store
from feature.settings import ApplySettings, definitions
from runtime.errors import BadSetting

Named = dict[tuple[str, str], Any]
"""(sort, name) -> Feast's object."""


def apply(settings: ApplySettings) -> list[str]:
    """Apply the definitions; one line for each thing that changed, and one for what did not.

    Raises:
        BadDefinitions: the definitions cannot be used.
        BadSetting: the registry's address is none.
        Breaking: a feature that a registered feature service reads would go or change its type. Nothing was changed.
        RegistryUnavailable: the registry cannot be reached.
    """
    wanted = definitions(settings.definitions)
    retired = {name for name in settings.retire.replace(" ", "").split(",") if name}
    address = _with_password(settings)
    try:
        with store(wanted.project, address) as feast:
            return _apply(feast, wanted, made(wanted, settings.offline), retired)
    except Breaking:
        raise
    except Exception as failure:  # SQLAlchemy, psycopg and Feast have each their own
        what = f"registry {_shown(settings.registry)}: {_first_line(failure)}"
        raise RegistryUnavailable(what, "check TARMAC_REGISTRY, its password and that it is up") from failure


def _apply(feast: Any, wanted: Definitions, new: Named, retired: set[str]) -> list[str]:  # noqa: ANN401
    old = _registered(feast, wanted.project)
    _refuse_breaking(old, new, retired)
    gone = {key: each for key, each in old.items() if key not in new and _managed(each)}
    changed = {key: each for key, each in new.items() if key not in old or _mark(old[key]) != _mark(each)}
    told = [f"{'changed' if key in old else 'new'} {' '.join(key)}" for key in changed]
    told += [f"removed {' '.join(key)}" for key in gone]
    if changed or gone:
        # All of them: Feast infers a service's features from the views that come with it.
        feast.apply(list(new.values()), objects_to_delete=list(gone.values()), partial=False)
    return [*told, f"unchanged {len(new) - len(changed)}"]


def _registered(feast: Any, project: str) -> Named:  # noqa: ANN401
    """What the registry holds for our project; nothing where the project is not there yet."""
    if project not in {each.name for each in feast.registry.list_projects(allow_cache=False)}:
        return {}
    views = [*feast.list_feature_views(), *feast.list_on_demand_feature_views()]
    out: Named = {("entity", each.name): each for each in feast.list_entities()}
    out |= {("feature view", each.name): each for each in views}
    return out | {("feature service", each.name): each for each in feast.list_feature_services()}


def _refuse_breaking(old: Named, new: Named, retired: set[str]) -> None:
    """Every feature that a registered service reads must stay, with its type.

    Services of others count as well as our own; views of others are not ours to judge.
    """
    broken = []
    for (sort, name), service in old.items():
        if sort == "feature service" and name not in retired:
            broken += [f"{name} reads {each}" for each in _missing(service, old, new)]
            broken += [f"{name} reads {each}" for each in _dropped(service, new.get((sort, name)))]
    if broken:
        raise Breaking(
            f"feature services would break: {'; '.join(sorted(set(broken)))}",
            "keep the feature and add a new one beside it, or name the service in TARMAC_RETIRE once nobody reads it",
        )


def _missing(service: Any, old: Named, new: Named) -> Iterable[str]:  # noqa: ANN401
    for view, features in _read_by(service).items():
        key = ("feature view", view)
        if key in old and not _managed(old[key]):
            continue
        stays = _types(new[key].features) if key in new else {}
        for feature, kind in features.items():
            if feature not in stays:
                yield f"{view}:{feature}, which would go"
            elif stays[feature] != kind:
                yield f"{view}:{feature}, which would turn from {kind} into {stays[feature]}"


def _dropped(before: Any, after: Any) -> Iterable[str]:  # noqa: ANN401
    """A published service never loses a feature, or goes."""
    if not _managed(before):
        return
    reads = _read_by(after) if after is not None else {}
    for view, features in _read_by(before).items():
        for feature in features:
            if feature not in reads.get(view, {}):
                yield f"{view}:{feature}, which it would no longer have"


def _read_by(service: Any) -> dict[str, dict[str, str]]:  # noqa: ANN401
    out: dict[str, dict[str, str]] = {}
    for each in service.feature_view_projections:
        out.setdefault(each.name, {}).update(_types(each.features))
    return out


def _types(features: Sequence[Any]) -> dict[str, str]:
    return {each.name: str(each.dtype) for each in features}


def _managed(each: Any) -> bool:  # noqa: ANN401
    return MANAGED.items() <= dict(each.tags).items()


def _mark(each: Any) -> str | None:  # noqa: ANN401
    return dict(each.tags).get(MARK)


def _with_password(settings: ApplySettings) -> str:
    address = settings.registry
    if not settings.registry_password:
        return address
    parts = urlsplit(address)
    if not parts.hostname or not parts.username:
        what = f"environment variable TARMAC_REGISTRY={address!r} has no user for its password"
        raise BadSetting(what, "give it postgresql+psycopg://user@host:5432/database")
    place = address.index("@", address.index("://"))
    return f"{address[:place]}:{quote(settings.registry_password, safe='')}{address[place:]}"


def _shown(address: str) -> str:
    """The address without a password that somebody may have written into it."""
    parts = urlsplit(address)
    return address.replace(f":{parts.password}@", ":…@") if parts.password else address


def _first_line(failure: Exception) -> str:
    return str(failure).strip().splitlines()[0] if str(failure).strip() else type(failure).__name__
