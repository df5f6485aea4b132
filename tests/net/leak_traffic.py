#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic for the leak test: thousands of small packets a second, each with a word in it that nothing else on the wire
has, so that one packet in clear is found whatever became of its addresses.

	leak_traffic.py send WORD PER-SECOND ADDRESS[%SOURCE]...     UDP to port 7777 of each address in turn
	leak_traffic.py spoof WORD PER-SECOND SOURCE DESTINATION...  the same, with sources that are not ours
	leak_traffic.py receive WORD                                 counts what comes to port 7777

Each goes on until SIGTERM and then prints how many packets there were (and how many were refused).
"""
import ipaddress
import itertools
import signal
import socket
import struct
import sys
import time

PORT = 7777
BURST_SECONDS = 0.01


class Ended(Exception):
    pass


def end(*_):
    raise Ended


def paced(per_second, shots):
    """Takes the next of `shots` so often, in bursts. What the machine does not do in time is left out."""
    burst = max(1, per_second // 100)
    sent = refused = 0
    try:
        print("ready", file=sys.stderr, flush=True)
        while True:
            begin = time.monotonic()
            for shoot in itertools.islice(shots, burst):
                try:
                    shoot()
                    sent += 1
                except OSError:  # a guard says no
                    refused += 1
            time.sleep(max(0.0, begin + BURST_SECONDS - time.monotonic()))
    except Ended:
        print(sent, refused)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(word, per_second, *addresses):
    shots = []
    for address, _, source in (a.partition("%") for a in addresses):
        s = socket.socket(family(address), socket.SOCK_DGRAM)
        if source:
            s.bind((source, 0))
        shots.append(lambda s=s, a=address: s.sendto(word.encode(), (a, PORT)))
    paced(int(per_second), itertools.cycle(shots))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def udp(source, destination, payload):
    head = struct.pack(">HHHH", PORT, PORT, 8 + len(payload), 0)
    pseudo = source.packed + destination.packed + struct.pack(">II", 8 + len(payload), 17)
    return head[:6] + struct.pack(">H", checksum(pseudo + head + payload) or 0xFFFF) + payload


def packet(source, destination, payload):
    s, d = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    body = udp(s, d, payload)
    if s.version == 6:
        return struct.pack(">IHBB16s16s", 0x60000000, len(body), 17, 64, s.packed, d.packed) + body
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 17, 0, s.packed, d.packed) + body


def spoof(word, per_second, *pairs):
    shots = []
    for source, destination in zip(pairs[::2], pairs[1::2]):
        raw = socket.socket(family(source), socket.SOCK_RAW, socket.IPPROTO_RAW)
        whole = packet(source, destination, word.encode())
        shots.append(lambda r=raw, w=whole, d=destination: r.sendto(w, (d, 0)))
    paced(int(per_second), itertools.cycle(shots))


def receive(word):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(("::", PORT))
    got = 0
    try:
        print("ready", file=sys.stderr, flush=True)
        while True:
            got += s.recv(2048).startswith(word.encode())
    except Ended:
        print(got)


signal.signal(signal.SIGTERM, end)
{"send": send, "spoof": spoof, "receive": receive}[sys.argv[1]](*sys.argv[2:])
