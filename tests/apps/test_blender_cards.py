"""A Blender task on NVIDIA cards: what is asked of machines, how results are checked, what Cycles is told to use."""

from __future__ import annotations

import msgspec
import pytest

from apps.blender import template
from apps.blender.exchanged import Exchanged
from apps.blender.job import cards
from golem.errors import BadParameters
from golem.interfaces import environments
from golem.model.ids import Cid, NodeId, SubtaskId
from golem.model.messages import Delivery
from golem.model.money import Wei
from golem.model.spec import Device, Job, TaskSpec

SUBTASK, PROVIDER = SubtaskId("5" * 32), NodeId("02" + "a" * 64)
DELIVERY = Delivery(subtask_id=SUBTASK, result=Cid("b" + "r" * 58), size_bytes=1, report=b"{}", used_ms=1)


def spec(device: str, **more: str) -> TaskSpec:
    params = template.parse({"device": device, "resolution": "640x360", **more})
    return TaskSpec(template="blender", params=params, budget=Wei(0), max_price=Wei(0), output="")


def work(task: TaskSpec) -> Job:
    return template.job(task, template.split(task)[0], SUBTASK, PROVIDER)


@pytest.mark.parametrize(
    ("device", "environment", "shown"),
    [("cpu", "blender-4.5-cpu", ""), ("auto", "blender-4.5-cpu", "nvidia"), ("gpu", "blender-4.5-nvidia", "nvidia")],
)
def test_a_card_is_demanded_where_nothing_else_will_do_and_used_where_it_may_be(
    device: str, environment: str, shown: Device
) -> None:
    task = spec(device)
    needed, job = template.needs(task), work(task)
    assert needed in environments(template)
    assert (needed.name, job.device, msgspec.json.decode(job.params)["device"]) == (environment, shown, device)


def test_what_a_card_made_is_compared_with_renders_under_other_seeds_on_whatever_there_is_here() -> None:
    task = spec("gpu")
    verifier, job = template.verifier(task), work(task)
    assert isinstance(verifier, Exchanged)
    (check,) = verifier.plan(template.split(task)[0], job, DELIVERY, b"salt")
    assert (check.program, check.device) == ("exchange", "nvidia")


@pytest.mark.parametrize("device", ["gpu", "auto"])
def test_what_needs_the_same_noise_everywhere_is_refused_on_cards(device: str) -> None:
    with pytest.raises(BadParameters, match=r"seed: fixed .*take device cpu.*; check: copies .*take device cpu"):
        spec(device, seed="fixed", check="copies")


def test_a_frame_is_one_piece_and_may_take_next_to_no_time() -> None:
    on_cards, on_processors = spec("gpu", resolution="1920x1080"), spec("cpu", resolution="1920x1080")
    (least, most), (longer, same) = template.estimate(on_cards), template.estimate(on_processors)
    assert least < longer < most == same


class Listed:
    """A device in a list of Cycles's."""

    def __init__(self, kind: str) -> None:
        self.type, self.use = kind, kind != "CPU"


class Seen:
    """The preferences of a Cycles that sees some devices."""

    def __init__(self, *kinds: str) -> None:
        self.compute_device_type = "NONE"
        self.devices = [Listed(kind) for kind in ("CPU", *kinds)]

    def get_devices_for_type(self, compute_device_type: str) -> list[Listed]:
        return [device for device in self.devices if device.type in (compute_device_type, "CPU")]


@pytest.mark.parametrize(("kinds", "best"), [(("CUDA",), "CUDA"), (("CUDA", "OPTIX", "OPTIX"), "OPTIX")])
@pytest.mark.parametrize("wanted", ["gpu", "auto"])
def test_all_cards_are_used_in_the_best_way_that_there_is_and_no_processor(
    wanted: str, kinds: tuple[str, ...], best: str
) -> None:
    seen = Seen(*kinds)
    assert cards.choose(wanted, seen) == "GPU"
    assert seen.compute_device_type == best
    assert {device.type for device in seen.devices if device.use} == {best}


def test_who_asks_for_processors_gets_them_though_there_is_a_card() -> None:
    seen = Seen("OPTIX")
    assert cards.choose("cpu", seen) == "CPU"
    assert seen.compute_device_type == "NONE"


def test_without_a_card_processors_do_where_they_may_and_else_it_is_said() -> None:
    assert cards.choose("auto", Seen()) == "CPU"
    with pytest.raises(cards.NoCard, match="no card here"):
        cards.choose("gpu", Seen("HIP"))
