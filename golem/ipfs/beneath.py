"""Opens names beneath a folder so that none of them can lead anywhere else, whoever else writes there meanwhile."""

from __future__ import annotations

import ctypes
import os

SYS_OPENAT2 = 437  # the same on every architecture that Linux got it on
_RESOLVE = 0x01 | 0x02 | 0x04 | 0x08  # NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH

_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(folder: int, name: str, flags: int, mode: int = 0) -> int:
    """Open `name` in an open folder, with no link and no other mount on the way. Raises OSError."""
    how = _How(flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, _RESOLVE)
    found = int(_libc.syscall(SYS_OPENAT2, folder, name.encode(), ctypes.byref(how), ctypes.sizeof(how)))
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return found
