"""`lab status`."""

from __future__ import annotations

import click

from lab import seeds
from lab.api import Api, Object, ready
from lab.cluster import Status, choose
from lab.commands import served
from lab.commands.common import output
from lab.progress import dump
from lab.settings import Settings
from lab.spec import Course
from lab.stack.addresses import urls
from lab.state.record import Record


@click.command()
@output
@click.pass_obj
def status(settings: Settings, output: str) -> None:
    """Show what stands, where, and which files are ours. / Montrer ce qui est debout, et où."""
    cluster = choose(settings)
    state = cluster.status()
    workloads = _workloads(settings) if state is Status.RUNNING else []
    code = Record(settings).lab()
    lab = Course(settings.root).lab(code) if code else None
    places = urls(settings, lab)
    figures = served.asked(settings) if workloads and lab and served.PAGE in lab.components else None
    files = sorted(str(path) for path in settings.folder.glob("*")) if settings.folder.exists() else []
    if output == "json":
        facts = {"cluster": cluster.name, "backend": cluster.backend, "status": state.value}
        more = {"lab": code, "workloads": workloads, "urls": places, "files": files, "served": figures}
        click.echo(dump({**facts, **more, "cache": str(settings.cache), "seed": seeds.kept(settings)}))
        return
    click.echo(f"{cluster.backend}/{cluster.name}: {state.value}   lab: {code or '-'}")
    for each in workloads:
        click.echo(f"  {'✓' if each['ready'] else '✗'} {each['namespace']}/{each['name']}")
    if workloads:
        for name, url in places.items():
            click.echo(f"  {name:<11} {url}")
    for line in served.lines(figures, settings.lang) if figures else ():
        click.echo(f"  {line}")
    click.echo(f"  kubeconfig  {settings.kubeconfig}")
    click.echo(f"  state       {settings.folder}")
    click.echo(f"  cache       {settings.cache}")
    click.echo(f"  seed        {seeds.kept(settings) or '-'}")


def _workloads(settings: Settings) -> list[Object]:
    api = Api(settings)
    found = [
        each
        for kind in ("Deployment", "StatefulSet")
        for each in api.find(kind, labels="app.kubernetes.io/part-of=tarmac")
    ]
    return [
        {"namespace": each["metadata"]["namespace"], "name": each["metadata"]["name"], "ready": ready(each)}
        for each in sorted(found, key=lambda each: (each["metadata"]["namespace"], each["metadata"]["name"]))
    ]
