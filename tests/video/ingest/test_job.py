"""The handle of work under way."""

from __future__ import annotations

from onlooker.video.ingest.job import IngestReport, Job, Progress


def test_result_after_watching_to_the_end_is_the_report():
    report = IngestReport("a.mp4", "a", "ready", 1, 2, 3, {})

    def steps():
        yield Progress("a", "track", 1, 2, "frames")
        return report

    job = Job(steps())
    assert [step.done for step in job] == [1]
    assert job.result() is report
    assert job.result() is report
