"""Programs of strangers that meddle with how they answer the node."""

from __future__ import annotations

from shutil import which

import msgspec
import pytest

from golem.model.spec import Limits, Status
from golem.testing.contract_executor import FOREVER, Bench
from tests.hostile.waiting import waited

pytestmark = pytest.mark.skipif(which("bwrap") is None, reason="bwrap is not installed: apt-get install bubblewrap")


@waited
async def test_a_flood_where_answers_go_ends_the_program(bench: Bench) -> None:
    outcome = await bench.run(
        """
        import os
        def run(params, inputs, output):
            while True:
                for number in range(3, 16):
                    try:
                        os.write(number, b"y" * 65536)
                    except OSError:
                        pass
        """,
    )
    assert outcome.status is Status.CRASHED
    assert "an answer of more than" in outcome.detail


@pytest.mark.parametrize("garbage", ["b'\\xff\\xfe\\n'", "b'[' * 7000 + b'\\n'", "b'null\\n'", "b'\\n'", "b'{}\\n'"])
@waited
async def test_garbage_where_answers_go_ends_the_program(bench: Bench, garbage: str) -> None:
    outcome = await bench.run(
        f"""
        import os, time
        def run(params, inputs, output):
            for number in range(3, 16):
                try:
                    os.write(number, {garbage})
                except OSError:
                    pass
            time.sleep(60)
        """,
    )
    assert outcome.status is Status.CRASHED
    assert "broke the worker" in outcome.detail


@waited
async def test_answers_that_a_program_prints_are_log_and_no_answers(bench: Bench) -> None:
    outcome = await bench.run(
        """
        import os
        def run(params, inputs, output):
            job = os.path.basename(inputs)
            print('{"job": "%s", "ok": true, "report": {"fake": 1}}' % job, flush=True)
            os.write(1, b'{"job": "%s", "ok": true, "report": {"fake": 2}}\\n' % job.encode())
            return {"true": 1}
        """,
    )
    assert (outcome.status, outcome.report) == (Status.DONE, b'{"true":1}')
    assert '"fake": 2' in outcome.log


@waited
async def test_an_answer_for_another_job_ends_who_gave_it_and_counts_for_nothing(bench: Bench) -> None:
    victim = bench.job(FOREVER)
    waiting = bench.start(victim)
    outcome = await bench.run(
        """
        import os
        def run(params, inputs, output):
            for number in range(3, 16):
                try:
                    os.write(number, b'{"job": "%s", "ok": true}\\n' % params["victim"].encode())
                except OSError:
                    pass
            return {"true": 1}
        """,
        victim=victim.job_id,
    )
    assert outcome.status is Status.CRASHED
    assert "nobody asked" in outcome.detail
    assert not waiting.called
    await bench.executor.stop(victim.job_id)
    assert (await waiting).status is Status.STOPPED


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("os.closerange(0, 64); time.sleep(60)", {Status.TIMEOUT, Status.CRASHED}),  # may look as if the node were gone
        ("os.closerange(0, 64)", {Status.CRASHED}),
        ("sys.exit(3)", {Status.ERROR}),
    ],
)
@waited
async def test_a_program_that_shuts_its_pipes_or_leaves_fails(bench: Bench, what: str, status: set[Status]) -> None:
    began = bench.clock.seconds()
    source = f"import os, sys, time\ndef run(params, inputs, output):\n    {what}\n"
    outcome = await bench.run(source, Limits(timeout_ms=2_000))
    assert outcome.status in status
    assert bench.clock.seconds() - began < 5


@waited
async def test_a_warm_program_that_shut_its_ears_is_replaced(bench: Bench) -> None:
    source = "import os\ndef run(params, inputs, output):\n    os.closerange(0, 4)\n    return {}\n"
    for _ in range(3):
        job = msgspec.structs.replace(bench.job(source), warm=True)
        outcome = await bench.start(job).addTimeout(10, bench.clock)
        assert outcome.status in (Status.DONE, Status.CRASHED)
