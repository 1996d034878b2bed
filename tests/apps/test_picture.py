"""The OpenEXR files that results are made of."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy")

from apps.blender.job import picture  # noqa: E402  # needs numpy, which comes with the extra `blender`

SOME = np.random.default_rng(1).standard_normal((37, 53, 4)).astype(np.float32)
SOME[5:20] = 0.25


def written(folder: Path, pixels: object = SOME) -> Path:
    path = folder / "tile.exr"
    picture.write(path, pixels)
    return path


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (17, 1), (1, 33), (37, 53), (64, 5)])
def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path, shape: tuple[int, int]) -> None:
    bits = np.random.default_rng(2).integers(0, 2**32, (*shape, 4), dtype=np.uint32)  # NaNs and infinities among them
    path = written(tmp_path, bits.view(np.float32))
    back = picture.read(path, shape[1], shape[0])
    assert back.tobytes() == bits.tobytes()


def test_the_same_pixels_give_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path).read_bytes() == written(tmp_path, SOME.copy()).read_bytes()


def test_even_pixels_take_little_room(tmp_path: Path) -> None:
    assert written(tmp_path, np.full((360, 640, 4), 0.5, np.float32)).stat().st_size < 640 * 360 * 16 / 100


@pytest.mark.parametrize(("width", "height"), [(52, 37), (53, 36), (37, 53)])
def test_another_size_than_expected_is_refused(tmp_path: Path, width: int, height: int) -> None:
    with pytest.raises(picture.NotAPicture, match=r"53x37 pixels, not|too many"):
        picture.read(written(tmp_path), width, height)


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(picture.NotAPicture, match=r"there is no tile\.exr"):
        picture.read(tmp_path / "tile.exr", 1, 1)


def test_a_file_larger_than_its_pixels_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path)
    with path.open("ab") as file:
        file.truncate(1 << 40)
    with pytest.raises(picture.NotAPicture, match="bytes are too many"):
        picture.read(path, 53, 37)


def test_a_block_that_unpacks_to_more_than_its_pixels_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, np.zeros((16, 64, 4), np.float32))
    data = path.read_bytes()
    header = picture.parse(data)
    bomb = zlib.compress(bytes(10_000_000), 9)
    path.write_bytes(data[: header.length + 8] + struct.pack("<iI", 0, len(bomb)) + bomb)
    with pytest.raises(picture.NotAPicture, match="does not unpack to its size"):
        picture.read(path, 64, 16)


@pytest.mark.parametrize(
    ("part", "other", "why"),
    [
        (b"compression\0\x01\0\0\0\x03", b"compression\0\x01\0\0\0\x04", "compression"),  # PIZ: a parser we do without
        (b"A\0\x02\0\0\0", b"A\0\x01\0\0\0", "channels"),
        (b"G\0\x02\0\0\0", b"X\0\x02\0\0\0", "channels"),
        (struct.pack("<4i", 0, 0, 52, 36), struct.pack("<4i", 0, 0, 2**31 - 1, 2**31 - 1), "pixels, not"),
        (struct.pack("<4i", 0, 0, 52, 36), struct.pack("<4i", -5, 0, 47, 36), "data window"),
        (picture.MAGIC + b"\0", picture.MAGIC + b"\x10", "single-part"),
    ],
)
def test_another_kind_of_file_is_refused_by_its_header(tmp_path: Path, part: bytes, other: bytes, why: str) -> None:
    path = written(tmp_path)
    data = path.read_bytes()
    assert part in data
    path.write_bytes(data.replace(part, other))
    with pytest.raises(picture.NotAPicture, match=why):
        picture.read(path, 53, 37)


def test_names_too_long_for_a_report_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "tile.exr"
    picture.write(path, np.zeros((2, 2, 4), np.float32), [letter * 10_000 for letter in "ABGR"])
    with pytest.raises(picture.NotAPicture, match="its channels are AAA") as caught:
        picture.read(path, 2, 2)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("keep", range(0, 700, 23))
def test_a_truncated_file_is_refused(tmp_path: Path, keep: int) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(picture.NotAPicture):
        picture.read(path, 53, 37)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_damage_is_not_a_picture_and_nothing_worse(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "tile.exr"
    good = bytearray(path.read_bytes() if path.exists() else written(tmp_path).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, 700))] = data.draw(st.integers(0, 255))
    broken = tmp_path / "broken.exr"
    broken.write_bytes(good)
    with suppress(picture.NotAPicture):
        assert picture.read(broken, 53, 37).shape == (37, 53, 4)


@given(st.binary(max_size=300))
def test_garbage_is_not_a_picture_and_nothing_worse(data: bytes) -> None:
    with suppress(picture.NotAPicture):
        picture.parse(picture.MAGIC + b"\0\0\0" + data)
