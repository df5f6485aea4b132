#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Frames of a capture once more onto a link, to whom they went the first time.

resend.py FILE INTERFACE: those that the interface itself has sent; says how many."""
import socket
import struct
import sys

with open(sys.argv[1], "rb") as f:
    capture = f.read()
order = "<" if capture[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((sys.argv[2], 0))
at, n = 24, 0
while at + 16 <= len(capture):
    length = struct.unpack(order + "I", capture[at + 8:at + 12])[0]
    frame = capture[at + 16:at + 16 + length]
    at += 16 + length
    if len(frame) == length:
        wire.send(frame)
        n += 1
print(n)
