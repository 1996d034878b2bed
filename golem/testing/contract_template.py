"""What holds for every task template: a list of sentences, each with a function that raises where it does not.

`golem.testing.trial` goes through them; a template's own tests need no more than that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from zope.interface.verify import verifyObject

from golem.errors import BadParameters
from golem.interfaces import (
    IComparing,
    IFinishing,
    IGrowing,
    IPreparing,
    IShowing,
    ITaskTemplate,
    IVaried,
    IVerifier,
    environments,
)
from golem.model.ids import Cid, JobId, NodeId, SubtaskId, TaskId, derive, subtask_id
from golem.model.messages import Delivery
from golem.model.spec import WASI, Chunk, Environment, Input, Job, Judgement, Merge, TaskSpec, Verdict
from golem.model.value import evolve
from golem.testing.bench import Bench, done
from golem.testing.court import judged, ruled
from golem.testing.lies import Lie

TASK = TaskId(derive("trial"))
HONEST, OTHER = (NodeId("02" + digit * 64) for digit in "ab")
SALT = b"trial"
MAX_CHUNK_BYTES = 1 << 10  # a hundred thousand of them are kept, sent and journalled
LOOKED_AT = 64  # chunks of a task: its first and last, and some between
WORKED_ON = 3  # of them a fake provider does
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,118}\Z")  # as `golem.model.spec.Name`
MERGED = 64  # a result of more chunks is not made here
MORE = (IPreparing, IVaried, IGrowing, IShowing, IFinishing)  # what a template may provide besides


class Stage:
    """One task of a template: asked of it, computed on the bench, each chunk by each provider no more than once."""

    def __init__(self, template: ITaskTemplate, bench: Bench, spec: TaskSpec) -> None:
        self.template = template
        self.bench = bench
        self.spec = spec
        self.made: dict[tuple[int, NodeId], tuple[Job, Delivery]] = {}
        self.merged: list[Input] = []

    @property
    def chunks(self) -> Sequence[Chunk]:
        """As `split` makes them."""
        found: Sequence[Chunk] = self.template.split(self.spec)
        return found

    def work(self, chunk: Chunk, provider: NodeId) -> Job:
        """The job of one attempt."""
        job: Job = self.template.job(self.spec, chunk, self.subtask(chunk), provider)
        return evolve(job, task_id=TASK)

    def subtask(self, chunk: Chunk) -> SubtaskId:
        """The id of the only attempt."""
        return subtask_id(TASK, chunk.index, 1)

    def delivery(self, chunk: Chunk, provider: NodeId = HONEST) -> tuple[Job, Delivery]:
        """What an honest provider makes of a chunk. Raises TemplateFailed where it can't."""
        key = chunk.index, provider
        if key not in self.made:
            job = self.work(chunk, provider)
            outcome = done(self.bench.run(job), f"{job.program} on {chunk.label}")
            made = Delivery(
                subtask_id=self.subtask(chunk),
                result=outcome.result,
                size_bytes=outcome.size_bytes,
                report=outcome.report,
                used_ms=outcome.used_ms,
            )
            self.made[key] = job, made
        return self.made[key]

    def some(self, count: int) -> Iterator[Chunk]:
        """The first and the last chunk, and some between."""
        chunks = self.chunks
        last = len(chunks) - 1
        yield from (chunks[place] for place in sorted({last * step // max(1, count - 1) for step in range(count)}))

    def own(self, job: Job, what: str) -> Job:
        """A job of the requestor's own, with its ids."""
        return evolve(job, job_id=JobId(derive("trial", what)), task_id=TASK)

    def smallest(self) -> Merge:
        """The merge of the fewest chunks."""
        merges: Sequence[Merge] = self.template.merges(self.spec)
        return min(merges, key=lambda merge: len(merge.chunks))

    def deliveries(self, merge: Merge) -> Mapping[int, Delivery]:
        """Of all its chunks."""
        chunks = self.chunks
        return {index: self.delivery(chunks[index])[1] for index in merge.chunks}


class Skipped(Exception):
    """There is nothing to be tried; the text says why."""


def interface(stage: Stage) -> str:
    """Of the template and of its verifier."""
    verifyObject(ITaskTemplate, stage.template)
    verifyObject(IVerifier, stage.template.verifier(stage.spec))
    more = [port for port in MORE if port.providedBy(stage.template)]
    for port in more:
        verifyObject(port, stage.template)
    return ", ".join(port.__name__ for port in more)


def attributes(stage: Stage) -> str:
    """Name, title, environment."""
    template = stage.template
    assert NAME.match(template.name), f"{template.name!r} is no name: letters, digits and ._- make one"
    assert template.title and "\n" not in template.title, "the title is one line for people"
    assert isinstance(template.environment, Environment), "the environment is an Environment"
    known = environments(template)
    assert known[:1] == (template.environment,), "the first of its environments is not its own"
    if IVaried.providedBy(template):
        assert IVaried(template).needs(stage.spec) in known, "a task needs an environment that it does not list"
    folder = Path(template.programs)
    assert folder.is_absolute() and folder.is_dir(), f"programs: {folder} is no folder, or not absolute"
    return f"environment {', '.join(one.name for one in known)}"


def parameters(stage: Stage) -> str:
    """`parse` and what it is asked for."""
    template = stage.template
    nameless = [one.name for one in template.parameters if not one.help or not one.schema]
    assert not nameless, f"no help or no schema: {', '.join(nameless)}"
    assert isinstance(msgspec.json.decode(stage.spec.params), dict), "parse gives no JSON object"
    try:
        template.parse({"no_such_parameter": "1"})
    except BadParameters as why:
        assert "no_such_parameter" in str(why), f"the mistake is not named: {why}"
    else:
        raise AssertionError("a parameter that there is not is taken")
    return ""


def programs(stage: Stage) -> str:
    """Their imports."""
    folder = Path(stage.template.programs)
    files = sorted(file for ending in _endings(stage) for file in folder.glob(f"*{ending}"))
    assert files, f"no program in {folder}"
    for file in (file for file in files if file.suffix == ".py"):
        for node in ast.walk(_WithoutTypes().visit(ast.parse(file.read_text()))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            bad = [name for name in names if name.split(".")[0] in ("golem", "apps")]
            assert not bad, f"{file.name} imports {bad[0]}, which is not in the sandbox"
    return ", ".join(file.stem for file in files)


class _WithoutTypes(ast.NodeTransformer):
    """Leaves out what only type checkers read."""

    def visit_If(self, node: ast.If) -> ast.If:
        """The rest of an `if TYPE_CHECKING`."""
        if ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
        self.generic_visit(node)
        return node


def chunks(stage: Stage) -> str:
    """What `split` makes."""
    found = stage.chunks
    assert len(found) >= 1, "there is no chunk"
    for chunk in stage.some(LOOKED_AT):
        again = stage.template.split(stage.spec)[chunk.index]
        assert again == chunk, f"chunk {chunk.index} is another when asked for again, or has another index"
        size = len(msgspec.json.encode(chunk.label)) + len(chunk.params)
        assert size <= MAX_CHUNK_BYTES, f"chunk {chunk.index} has {size} bytes, at most {MAX_CHUNK_BYTES}"
        assert isinstance(msgspec.json.decode(chunk.params), dict), f"chunk {chunk.index}: params are no JSON object"
        assert stage.template.cost_ms(stage.spec, chunk) >= 0, f"chunk {chunk.index} costs less than nothing"
    return f"{len(found)} chunk{'s' if len(found) > 1 else ''}"


def jobs(stage: Stage) -> str:
    """What `job` makes."""
    for chunk in stage.some(LOOKED_AT):
        job = stage.template.job(stage.spec, chunk, stage.subtask(chunk), HONEST)
        assert str(job.job_id) == stage.subtask(chunk), f"the job of chunk {chunk.index} has not the subtask's id"
        assert job == stage.template.job(stage.spec, chunk, stage.subtask(chunk), HONEST), "asked again it is another"
        assert job.template == stage.template.name, f"the job says that its template is {job.template!r}"
        assert job.limits == stage.spec.limits, "the job has other limits than the task"
        files = [Path(stage.template.programs, f"{job.program}{ending}") for ending in _endings(stage)]
        assert any(file.is_file() for file in files), f"there is no program {job.program!r}"
    return ""


def merges(stage: Stage) -> str:
    """What `merges` makes."""
    found, count = stage.template.merges(stage.spec), len(stage.chunks)
    names = [merge.name for merge in found]
    assert found and len(set(names)) == len(names), "there are none, or two of one name"
    used = {index for merge in found for index in merge.chunks}
    assert used <= set(range(count)), f"chunk {max(used)} is merged, and there are {count}"
    left = sorted(set(range(count)) - used)
    assert not left, f"chunk {left[0]} is computed and paid, and no result is made of it"
    return f"{len(found)} result{'s' if len(found) > 1 else ''}"


def honest(stage: Stage) -> str:
    """Work as it should be, by two providers each, since seeds may differ."""
    verifier, guessed, took = stage.template.verifier(stage.spec), 0, 0
    for chunk in stage.some(WORKED_ON):
        verdicts = _verdicts(stage, verifier, chunk, {node: stage.delivery(chunk, node) for node in (HONEST, OTHER)})
        for verdict in verdicts.values():
            assert verdict.judgement is Judgement.ACCEPT, f"{chunk.label}: {_said(verdict)}"
        guessed += stage.template.cost_ms(stage.spec, chunk)
        took += stage.delivery(chunk)[1].used_ms
    return f"{took} ms here, a guess of {guessed} ms"


def caught(stage: Stage, lie: Lie) -> str:
    """A cheater's work on the first chunk."""
    chunk, verifier = stage.chunks[0], stage.template.verifier(stage.spec)
    work, right = stage.delivery(chunk)
    other = stage.delivery(stage.chunks[1])[1] if len(stage.chunks) > 1 else None
    told = lie(stage.bench, work, right, other)
    if told is None:
        raise Skipped("no such lie can be told here")
    answers = {OTHER: (work, told)}
    if IComparing.providedBy(verifier):
        answers = {HONEST: (work, right), **answers}
    verdicts = _verdicts(stage, verifier, chunk, answers)
    assert verdicts[OTHER].judgement is not Judgement.ACCEPT, f"{chunk.label}: {_said(verdicts[OTHER])}"
    if HONEST in verdicts:
        assert verdicts[HONEST].judgement is Judgement.ACCEPT, f"the honest one is not paid: {_said(verdicts[HONEST])}"
    return _said(verdicts[OTHER])


def merged(stage: Stage) -> str:
    """The smallest result."""
    merge = _small(stage)
    job = stage.own(stage.template.merge(stage.spec, merge, stage.deliveries(merge)), "merge")
    outcome = done(stage.bench.run(job), f"{job.program} of {merge.name}")
    assert outcome.result, f"{merge.name}: {job.program} left no file"
    stage.merged = [Input(name=merge.name, cid=outcome.result, size_bytes=outcome.size_bytes)]
    if IGrowing.providedBy(stage.template):
        grown: TaskSpec = stage.template.grown(stage.spec, merge, outcome)
        assert len(stage.template.split(grown)) >= len(stage.chunks), "what it wants more of has fewer chunks"
    return _files(stage, outcome.result)


def shown(stage: Stage) -> str:
    """The preview after the last chunk of the smallest result."""
    if not IShowing.providedBy(stage.template):
        raise Skipped("it shows nothing on the way")
    merge = _small(stage)
    job = stage.template.preview(stage.spec, stage.chunks[merge.chunks[-1]], stage.deliveries(merge))
    if job is None:
        raise Skipped("it shows nothing of this task")
    outcome = done(stage.bench.run(stage.own(job, "preview")), job.program)
    assert outcome.result and (stage.bench.path(outcome.result) / "preview.png").is_file(), "there is no preview.png"
    return ""


def finished(stage: Stage) -> str:
    """The last result, of one."""
    if not IFinishing.providedBy(stage.template):
        raise Skipped("nothing is made of all results together")
    job = stage.template.finish(stage.spec, stage.merged)
    if job is None or not stage.merged:
        raise Skipped("nothing is made of all results of this task")
    outcome = done(stage.bench.run(stage.own(job, "finish")), job.program)
    assert outcome.result, f"{job.program} left no file"
    return _files(stage, outcome.result)


Check = Callable[[Stage], str]
ASKED: dict[str, Check] = {
    "keeps its interfaces": interface,
    "says what it is": attributes,
    "says what may be asked of it, and names mistakes": parameters,
    "has programs that need neither golem nor other apps": programs,
    "splits into small chunks, the same when asked again": chunks,
    "makes jobs that are their attempt's own": jobs,
    "makes results of every chunk": merges,
}
"""What is asked of a template; nothing runs."""

RUN: dict[str, Check] = {
    "pays the honest": honest,
    "merges results": merged,
    "shows a picture on the way": shown,
    "makes a last result of all": finished,
}
"""What its programs do."""


def _verdicts(
    stage: Stage, verifier: IVerifier, chunk: Chunk, answers: Mapping[NodeId, tuple[Job, Delivery]]
) -> Mapping[NodeId, Verdict]:
    if IComparing.providedBy(verifier):
        return ruled(stage.bench, verifier, chunk, answers, SALT)
    return {node: judged(stage.bench, verifier, chunk, work, made, SALT) for node, (work, made) in answers.items()}


def _endings(stage: Stage) -> tuple[str, ...]:
    """Of programs' files."""
    return (".wasm", ".wat") if WASI in stage.template.environment.modules else (".py",)


def _said(verdict: Verdict) -> str:
    return f"{verdict.judgement.value}: {verdict.reason}"


def _small(stage: Stage) -> Merge:
    merge = stage.smallest()
    if len(merge.chunks) > MERGED:
        raise Skipped(f"{merge.name} is made of {len(merge.chunks)} chunks; ask for fewer, at most {MERGED}")
    return merge


def _files(stage: Stage, cid: Cid) -> str:
    folder = stage.bench.path(cid)
    return ", ".join(sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())[:5])
