#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A file that does not answer, as on a server that is gone: every open() of it waits until this process ends.

    held.py FILE SIGN    makes SIGN once FILE is held

With fanotify(7), so that it is a regular file to everybody who looks at it.
"""
import ctypes
import os
import signal
import sys

FAN_CLASS_CONTENT, FAN_CLOEXEC, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD = 4, 1, 1, 0x10000, -100

path, sign = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
group = libc.fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, os.O_RDONLY)
if group < 0 or libc.fanotify_mark(group, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_PERM), AT_FDCWD, path.encode()) != 0:
    sys.exit(f"fanotify: {os.strerror(ctypes.get_errno())}")
with open(sign, "w", encoding="utf-8"):
    pass
signal.pause()
