"""The lake's chart and its services agree."""

import pytest

from contract.charts.rendering import CASES, Case, containers, jobs, named, objects
from ingest.settings import FAMILY, BronzeSettings
from lab.training_sets.ask import CRON
from lake.arguments import parser
from lake.settings import LakeSettings
from runtime.settings import ServiceSettings, load

LAKES = [case for case in CASES if case.chart == "lake"]


def _env(container: dict[str, object]) -> dict[str, str]:
    listed = container["env"]
    assert isinstance(listed, list)
    return {each["name"]: each.get("value", "from a Secret") for each in listed}


@pytest.mark.parametrize("case", LAKES, ids=str)
def test_every_variable_is_one_that_the_service_knows(case: Case) -> None:
    """With a value that it takes; keys come from the Secret and from nowhere else."""
    kinds: dict[str, tuple[str, type[ServiceSettings]]] = {
        "lake-bronze": ("Deployment", BronzeSettings), "lake-watch": ("Deployment", LakeSettings),
        "lake-build": ("CronJob", LakeSettings), "lake-quality": ("CronJob", LakeSettings),
        "lake-data": ("CronJob", LakeSettings),
    }  # fmt: skip
    for name, (kind, settings) in kinds.items():
        made = named(case, kind, name)
        spec = made["spec"]["jobTemplate"] if kind == "CronJob" else made
        (container,) = containers(spec)
        env = _env(container)
        assert env["TARMAC_S3_SECRET_KEY"] == "from a Secret"  # noqa: S105  it says where, not what
        read = load(settings, env, FAMILY if settings is BronzeSettings else ())
        assert read.log_level == env["TARMAC_LOG_LEVEL"]


@pytest.mark.parametrize("case", LAKES, ids=str)
def test_every_command_is_one_that_there_is(case: Case) -> None:
    """The jobs' words are taken by the command line."""
    for job in jobs(case):
        (container,) = containers(job)
        module, *words = container["args"]
        assert module == "lake"
        assert parser().parse_args(words).command == words[0]


@pytest.mark.parametrize("case", LAKES, ids=str)
def test_bronze_has_one_writer(case: Case) -> None:
    """One replica, gone before the next one comes; the batch layer never runs beside itself."""
    writer = named(case, "Deployment", "lake-bronze")["spec"]
    assert (writer["replicas"], writer["strategy"]["type"]) == (1, "Recreate")
    assert all(each["spec"]["concurrencyPolicy"] == "Forbid" for each in objects(case) if each["kind"] == "CronJob")


@pytest.mark.parametrize("case", LAKES, ids=str)
def test_training_sets_are_asked_for_and_never_made_unasked(case: Case) -> None:
    """Its CronJob is suspended; the job has a volume of its own, DVC's image, and is not repeated by itself."""
    cron = named(case, "CronJob", CRON)["spec"]
    job = cron["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    held = [each for each in pod["volumes"] if "persistentVolumeClaim" in each]
    claims = {each["name"]: each["persistentVolumeClaim"]["claimName"] for each in held}
    assert (cron["suspend"], job["backoffLimit"]) == (True, 0)
    assert named(case, "PersistentVolumeClaim", claims[mounts["/workspace"]])
    # A folder of its own on the volume: git trusts no repository whose top belongs to somebody else.
    assert _env(container)["TARMAC_WORKSPACE"].startswith("/workspace/")
    assert container["image"].startswith("tarmac.local/data:")
