"""Blender as a module, imported so that its pool has as many threads as a job has cores.

The pool is made for all processors that are in sight, and a limit of one that is set later leaves one of its threads
spinning for as long as the scene is in memory: a core lost to every worker that waits. So one processor is in sight
while Blender comes up, and jobs of more cores add threads by themselves.
"""

from __future__ import annotations

import os

_all = os.sched_getaffinity(0)
os.sched_setaffinity(0, {min(_all)})
try:
    import bpy as bpy
finally:
    os.sched_setaffinity(0, _all)
