"""One of every message, with every field set: for vectors, round trips and mutations."""

from __future__ import annotations

from golem.model.chain import Domain
from golem.model.ids import NOBODY, Cid, JobId, SubtaskId, TaskId, Ticket, task_id
from golem.model.messages import (
    Acceptance,
    Assignment,
    Cancellation,
    Delay,
    Delivery,
    Demand,
    Digest,
    Failure,
    Graft,
    Message,
    NewsId,
    Offer,
    Opinions,
    PeerList,
    PeerRecord,
    Progress,
    Prune,
    Rated,
    Reason,
    Refusal,
    Rejection,
    Reminder,
    Share,
    Withdrawal,
)
from golem.model.money import Wei
from golem.model.spec import Capability, Input, Job, Limits
from golem.testing.keys import FixedKeyring
from golem.wire.signing import sign_word
from golem.wire.voucher import sign_acceptance

TASK = TaskId("0123456789abcdef" * 2)
ALICES_TASK = task_id(FixedKeyring("alice").node_id, "1")
SUBTASK = SubtaskId("fedcba9876543210" * 2)
CID = Cid("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi")
INSTANT_MS = 1_700_000_000_000

LIMITS = Limits(cores=2, memory_bytes=4 << 30, output_bytes=1 << 30, timeout_ms=60_000, stuck_ms=30_000)
JOB = Job(
    job_id=JobId(SUBTASK),
    task_id=TASK,
    template="blender",
    program="render",
    params=b'{"frame":1}',
    inputs=(Input(name="scene.blend", cid=CID, size_bytes=1_000_000),),
    limits=LIMITS,
    warm=True,
    files=1,
    device="nvidia",
)


def messages() -> tuple[Message, ...]:
    """The same in every run; the demand is signed by the key of "alice" for the network "devnet"."""
    return (*_of_the_market(), *_of_the_overlay())


def _of_the_market() -> tuple[Message, ...]:
    alice = FixedKeyring("alice")
    demand = Demand(
        task_id=ALICES_TASK,
        requestor=alice.node_id,
        address="192.0.2.1:7300",
        template="blender",
        environment="blender-4.5",
        max_price=Wei(10**18),
        limits=LIMITS,
        chunks=64,
        expires_ms=INSTANT_MS,
        tiers=("sandbox", "docker"),
    )
    capability = Capability(
        tier="sandbox", cores=8, memory_bytes=16 << 30, environments=("blender-4.5", "echo-1"), gpus=("NVIDIA H200",)
    )
    return (
        sign_word(alice.sign, "devnet", demand),
        sign_word(alice.sign, "devnet", Withdrawal(task_id=ALICES_TASK, requestor=alice.node_id)),
        Offer(task_id=TASK, price=Wei(5 * 10**17), slots=8, capability=capability, speed=125),
        Refusal(task_id=TASK, reason=Reason.BUSY, subtask_id=SUBTASK, price=Wei(7)),
        Assignment(
            subtask_id=SUBTASK,
            price=Wei(1),
            cap=Wei(2**96 - 1),
            deadline_ms=INSTANT_MS,
            job=JOB,
            ticket=Ticket(bytes(range(32))),
            along=b"a CAR",
        ),
        Delivery(subtask_id=SUBTASK, result=CID, size_bytes=12_345, report=b'{"ok":1}', used_ms=9_876, along=b"a CAR"),
        Failure(subtask_id=SUBTASK, detail="out of memory", log="Killed\n"),
        _acceptance(),
        Reminder(voucher=_acceptance().voucher),
        Delay(owed=Wei(10**15), reason="gas is too dear for what it pays"),
        Rejection(subtask_id=SUBTASK, reason=None, evidence="tile 3,4: ssim 0.41, at least 0.94"),
        Cancellation(subtask_id=SUBTASK),
        Progress(subtask_id=SUBTASK, percent=42, log="Sample 3/64\n"),
    )


def _of_the_overlay() -> tuple[Message, ...]:
    alice, bob = FixedKeyring("alice"), FixedKeyring("bob")
    records = (
        sign_word(alice.sign, "devnet", PeerRecord(node=alice.node_id, address="[2001:db8::1]:7300", at_ms=INSTANT_MS)),
        sign_word(bob.sign, "devnet", PeerRecord(node=bob.node_id, address="golem.example:7300", at_ms=INSTANT_MS)),
    )
    return (
        PeerList(peers=records),
        Digest(ids=(NewsId("0" * 32), NewsId("f" * 32))),
        Graft(ids=(NewsId("0" * 32),)),
        Prune(),
        Share(
            epoch=78_703, number=3, answers=2, degree=8, sums=((Rated(f"provider/{alice.node_id}"), -(2**40), 2**50),)
        ),
        Opinions(of=((Rated(f"requestor/{alice.node_id}"), 2_500, 250, 1_000, 0),)),
    )


def _acceptance() -> Acceptance:
    alice, bob = FixedKeyring("alice"), FixedKeyring("bob")
    acceptance = Acceptance(
        subtask_id=SUBTASK,
        amount=Wei(0),
        cumulative=Wei(2**64),
        due_ms=INSTANT_MS,
        payer=alice.account,
        payee=bob.account,
    )
    return sign_acceptance(alice.sign_payment, Domain(chain_id=1337, contract=NOBODY), acceptance)
