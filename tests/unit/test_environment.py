"""The trainee's own hands: every word of `lab kubectl` is kubectl's, and every address is told."""

import pytest

from lab.commands.environment import kubectl
from lab.settings import Settings
from lab.spec import Budget, LabSpec
from lab.stack.addresses import urls
from lab.text import Text


@pytest.mark.parametrize(
    "words",
    [
        ["exec", "-n", "chain", "pod", "--", "env", "A=b", "python3", "-m", "ingest"],
        ["-n", "lab-01", "get", "pods", "-o", "json"],
        ["get", "pods", "--help"],
    ],
)
def test_no_word_is_lost_on_the_way(words: list[str]) -> None:
    """Options, `--help` and `--` reach kubectl as they were typed."""
    context = kubectl.make_context("kubectl", list(words))
    assert list(context.params["words"]) == words


def test_a_lab_tells_all_of_its_own_addresses() -> None:
    """Its service, what else of its own has a host port, and the pages of its components; nothing of other labs."""
    lab = LabSpec(
        number=4, name="serving", title=Text.plain("Lab"), namespace="lab-04", components=["page", "kafka"],
        budget=Budget(memory_mib=1, idle_cores=1, peak_mib=1, cpu_seconds=1, disk_mib=1, images_mib=1, seconds=1),
    )  # fmt: skip
    told = urls(Settings.load({"LAB_PORT_OFFSET": "100"}), lab)
    assert told == {
        "lab": "http://127.0.0.1:8184", "releases": "http://127.0.0.1:8905", "page": "http://127.0.0.1:8904",
    }  # fmt: skip
    routed = urls(Settings.load({"LAB_PORT_OFFSET": "100"}), lab.model_copy(update={"components": ["gateway"]}))
    assert (routed["gateway"], routed["grpc"]) == ("http://127.0.0.1:8900", "127.0.0.1:8902")
    first = urls(Settings.load({}), lab.model_copy(update={"number": 1, "components": []}))
    assert first == {"lab": "http://127.0.0.1:8081"}
