"""What strangers' programs try against the machine they run on, and how that ends, whatever keeps them apart."""

from __future__ import annotations

from typing import NamedTuple

from golem.model.spec import Limits, Status

MIB = 1 << 20


class Hostile(NamedTuple):
    """A program, what it may use, how it ends, and what its detail or log must say."""

    source: str
    limits: Limits
    ends: frozenset[Status]
    says: str = ""


def ends(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


JOBS = {
    "a fork bomb": Hostile(
        """
        import os, signal, sys, time
        def run(params, inputs, output):
            made = 0
            try:
                while True:
                    if os.fork() == 0:
                        signal.signal(signal.SIGTERM, signal.SIG_IGN)
                        time.sleep(60)
                        os._exit(0)
                    made += 1
            except OSError:
                print("bounded after", made, flush=True)
            while True:
                time.sleep(1)
        """,
        Limits(timeout_ms=4_000, memory_bytes=2 << 30),
        ends(Status.TIMEOUT, Status.OUT_OF_MEMORY, Status.CRASHED),
        r"bounded after \d\d|ended its worker",  # where the sandbox is a kernel of its own, that is what is bounded
    ),
    "a memory bomb": Hostile(
        """
        def run(params, inputs, output):
            kept = []
            while True:
                kept.append(b"x" * (16 << 20))
        """,
        Limits(timeout_ms=20_000, memory_bytes=200 * MIB),
        ends(Status.OUT_OF_MEMORY),
        "200 MiB",
    ),
    "a memory bomb in /dev/shm and /tmp": Hostile(
        """
        def run(params, inputs, output):
            for place in ("/dev/shm/a", "/tmp/a"):
                try:
                    with open(place, "wb") as file:
                        for _ in range(1024):
                            file.write(b"x" * (1 << 20))
                except OSError as why:
                    print(f"{place}: {why.strerror}", flush=True)
            return {}
        """,
        Limits(timeout_ms=20_000, memory_bytes=1 << 30, output_bytes=2 << 30),
        ends(Status.DONE),
        r"/dev/shm/a: No space left on device\n/tmp/a: No space left on device",
    ),
    "a disk fill by one file": Hostile(
        """
        def run(params, inputs, output):
            with open(output + "/big", "wb") as file:
                while True:
                    file.write(b"x" * (1 << 20))
        """,
        Limits(timeout_ms=20_000, output_bytes=8 * MIB),
        ends(Status.OUTPUT_REFUSED, Status.ERROR, Status.CRASHED),
    ),
    "a disk fill by many files": Hostile(
        """
        def run(params, inputs, output):
            number = 0
            while True:
                number += 1
                with open(f"{output}/{number}", "wb") as file:
                    file.write(b"x" * (4 << 20))
        """,
        Limits(timeout_ms=20_000, output_bytes=16 * MIB),
        ends(Status.OUTPUT_REFUSED),
        "more than 16 MiB",
    ),
    "a disk that is reserved and not written": Hostile(
        """
        import ctypes, os
        def run(params, inputs, output):
            libc = ctypes.CDLL(None, use_errno=True)
            file = os.open(output + "/big", os.O_RDWR | os.O_CREAT)
            libc.fallocate(file, 0, ctypes.c_long(0), ctypes.c_long(4 << 20))
            print(os.strerror(ctypes.get_errno()), os.fstat(file).st_size)
            os.posix_fallocate(file, 0, 1 << 20)
            return {"size": os.fstat(file).st_size}
        """,
        Limits(timeout_ms=20_000, output_bytes=8 * MIB),
        ends(Status.DONE),
        "Operation not supported 0",
    ),
    "output without end": Hostile(
        """
        import os
        def run(params, inputs, output):
            while True:
                os.write(1, b"y" * 65536)
        """,
        Limits(timeout_ms=1_500),
        ends(Status.TIMEOUT),
        "yyyy",
    ),
    "deaf to every signal": Hostile(
        """
        import signal
        def run(params, inputs, output):
            for number in range(1, 32):
                if number not in (signal.SIGKILL, signal.SIGSTOP):
                    signal.signal(number, signal.SIG_IGN)
            while True:
                pass
        """,
        Limits(timeout_ms=800),
        ends(Status.TIMEOUT),
    ),
    "does nothing at all": Hostile(
        """
        import time
        def run(params, inputs, output):
            time.sleep(60)
        """,
        Limits(timeout_ms=20_000, stuck_ms=1_000),
        ends(Status.STUCK),
    ),
    "speaks where answers go": Hostile(
        """
        import os
        def run(params, inputs, output):
            for number in range(3, 64):
                try:
                    os.write(number, b'{"job":"another","ok":true}\\n')
                except OSError:
                    pass
            return {}
        """,
        Limits(timeout_ms=20_000),
        ends(Status.CRASHED),
        "broke the worker",
    ),
    "needs a wheel that is not there": Hostile(
        """
        def run(params, inputs, output):
            import no_such_wheel
        """,
        Limits(timeout_ms=20_000),
        ends(Status.ERROR),
        "No module named 'no_such_wheel'; have it installed",
    ),
    "opens all the files it can": Hostile(
        """
        def run(params, inputs, output):
            kept = []
            try:
                while True:
                    kept.append(open("/dev/null"))
            except OSError as why:
                print(why.strerror, flush=True)
            return {"bounded": len(kept) < 1100}
        """,
        Limits(timeout_ms=20_000),
        ends(Status.DONE),
        "Too many open files",
    ),
}

REFUSED = {
    "a link": ("os.symlink('/etc/shadow', f'{output}/result')", "'result', which is a link"),
    "a link to a folder": ("os.symlink('/', f'{output}/result')", "'result', which is a link"),
    "a pipe": ("os.mkfifo(f'{output}/result')", "'result', which is a pipe"),
    "a socket": ("s = __import__('socket').socket(1); s.bind(f'{output}/result')", "'result', which is a socket"),
    "a newline": ("open(output + '/a\\nb', 'w')", r"a\\nb"),
    "an escape": ("open(output + '/\\x1b[31m', 'w')", r"x1b\[31m"),
    "a name that is no text": ("open(output.encode() + b'/\\xff', 'w')", "udcff"),
    "a hidden name": ("open(f'{output}/.profile', 'w')", r"\.profile"),
    "a long name": ("open(f'{output}/' + 'a' * 200, 'w')", "aaaa"),
    "depth": ("os.makedirs(output + '/a' * 12)", "more than 8 deep"),
    "a sparse giant": ("[os.truncate(os.open(f'{output}/g{n}', 66), 40 << 20) for n in (1, 2)]", "g2"),
    "a link in its folder's place": ("os.rmdir(output); os.symlink('/etc', output)", "no folder"),
    "a loose link in its folder's place": ("os.rmdir(output); os.symlink('/nowhere', output)", "no folder"),
    "a file in its folder's place": ("os.rmdir(output); open(output, 'w').close()", "no folder"),
}
"""What is left where a result should be: the line that does it, and what the refusal names."""
