"""Prints the ids that Kubo, as a library, gives files: kubo_ids.py LIBRARY REPO FILE... It comes near no network."""

from __future__ import annotations

import ctypes
import sys

library, repo, *files = sys.argv[1:]
kubo = ctypes.CDLL(library)
kubo.CreateRepo.argtypes = [ctypes.c_char_p]
kubo.AddFile.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_bool]
kubo.AddFile.restype = ctypes.c_char_p
if kubo.CreateRepo(repo.encode()) < 0:
    sys.exit(f"{repo}: Kubo makes no repository here")
for file in files:
    print(kubo.AddFile(repo.encode(), file.encode(), True).decode())
