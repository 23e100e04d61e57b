"""CronJobs run at once: replaced, followed, asked, and what came of them told."""

from __future__ import annotations

import pytest

from lab.errors import Busy, NotConverged
from lab.stack import jobs
from unit.stack import crons
from unit.stack.conftest import Server
from unit.stack.crons import NAME, NOW


@pytest.fixture
def cron(server: Server) -> Server:
    """Return a cluster with one CronJob."""
    crons.suspended(server)
    return server


def _ask(server: Server, *words: str, seconds: float = 10) -> jobs.Ended:
    return jobs.ask(server, NAME, "chain", words, lambda _: None, seconds)  # type: ignore[arg-type]


class TestAsking:
    """A job that is asked something."""

    def test_it_runs_with_the_words_that_are_asked(self, cron: Server) -> None:
        """The arguments are the question's, the CronJob keeps its own; what was printed comes back, and the code."""
        crons.ends(cron, log="one\ntwo\n")
        assert _ask(cron, "lake", "data", "lineage", "a") == jobs.Ended(0, "Completed", "one\ntwo\n")
        job = cron.held["Job", "chain", NOW]
        assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["lake", "data", "lineage", "a"]
        assert job["spec"]["backoffLimit"] == 0
        kept = cron.held["CronJob", "chain", NAME]["spec"]["jobTemplate"]["spec"]
        assert kept["template"]["spec"]["containers"][0]["args"] == ["lake", "data", "list"]

    def test_a_failure_comes_back_with_its_code(self, cron: Server) -> None:
        """A job that failed is an answer as well: what it said decides."""
        crons.ends(cron, code=2, reason="Error", log="why\n")
        assert _ask(cron, "lake") == jobs.Ended(2, "Error", "why\n")

    def test_the_pod_is_the_jobs_own(self, cron: Server) -> None:
        """Pods that an earlier job of the same name left are not listened to."""
        crons.put(cron, crons.pod(f"{NOW}-old", "uid-of-before", 1, "Error"))
        cron.logs[f"{NOW}-old"] = "an old story\n"
        crons.ends(cron, log="news\n")
        assert _ask(cron, "lake").log == "news\n"

    def test_one_that_lost_its_pods_says_what_the_job_says(self, cron: Server) -> None:
        """Past its deadline a job has no pods any more."""
        crons.ends(cron, code=None, reason="DeadlineExceeded")
        assert _ask(cron, "lake") == jobs.Ended(None, "DeadlineExceeded: it says", "")

    @pytest.mark.parametrize("name", [NOW, "by-hand"])
    def test_a_second_one_is_refused_by_name(self, cron: Server, name: str) -> None:
        """While a job of the CronJob runs, whoever began it, nothing is changed; the message names it and its end."""
        crons.put(cron, crons.job(name, active=1))
        before = dict(cron.held)
        with pytest.raises(Busy, match=f"Job/{name} in chain") as busy:
            _ask(cron, "lake")
        assert f"lab kubectl delete job -n chain {name}" in busy.value.render("fr")
        assert cron.held == before

    def test_one_that_is_over_is_replaced(self, cron: Server) -> None:
        """What an earlier question left does not stand in the way."""
        crons.put(cron, crons.job(NOW, conditions=[{"type": "Failed", "status": "True"}]))
        crons.ends(cron, log="again\n")
        assert _ask(cron, "lake").log == "again\n"

    def test_one_that_does_not_end_is_told(self, cron: Server) -> None:
        """After the time the error names the CronJob, and what its pod last said."""
        crons.put(cron, crons.pod(f"{NOW}-x", "any"))
        cron.logs[f"{NOW}-x"] = "still reading\n"
        with pytest.raises(NotConverged, match=r"CronJob/lake-data in chain.*still reading"):
            _ask(cron, "lake", seconds=0.01)

    def test_no_such_cronjob_is_told(self, server: Server) -> None:
        """Its name and namespace are in the message."""
        with pytest.raises(NotConverged, match=r"CronJob/lake-data in chain.*no such CronJob"):
            _ask(server, "lake")


class TestRunning:
    """A job that is run as it is."""

    def test_success_says_nothing(self, cron: Server) -> None:
        """It ran with the CronJob's own arguments."""
        crons.ends(cron)
        jobs.run(cron, NAME, "chain", lambda _: None)  # type: ignore[arg-type]
        job = cron.held["Job", "chain", NOW]
        assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["lake", "data", "list"]

    def test_failure_tells_the_last_words(self, cron: Server) -> None:
        """Exit code 5, with the pod and its last line."""
        crons.ends(cron, code=1, reason="Error", log="no such table\n")
        with pytest.raises(NotConverged, match=rf"pod {NOW}-x: no such table"):
            jobs.run(cron, NAME, "chain", lambda _: None)  # type: ignore[arg-type]
