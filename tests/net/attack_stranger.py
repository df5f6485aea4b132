# SPDX-License-Identifier: Apache-2.0
"""What a stranger on the wire can do to a gateway: tests/net/attack runs one function of this file in the router's
namespace. What the gateway thinks of it is the caller's to look at; a function fails when the gateway's answer does.

    attack_stranger.py FUNCTION GATEWAY LOCAL [ARGUMENTS...]
"""

import random
import sys
import time

from ike_peer import *

gateway, local = sys.argv[2], sys.argv[3]
chance = random.Random(1)
MODP = [(1, 20, BITS_256), (2, 5)]


class Wire:
    """Sends in bursts, so that the socket buffer of the gateway takes it all, and throws answers away."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((local, 0))
        self.sock.setblocking(False)
        self.sent = 0

    def put(self, datagram, port=500):
        try:
            self.sock.sendto(datagram, (gateway, port))
        except OSError:
            pass
        self.sent += 1
        if self.sent % 50 == 0:
            time.sleep(0.004)
            try:
                while True:
                    self.sock.recv(65536)
            except BlockingIOError:
                pass


def raw_socket():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def udp(source, to, sport, dport, payload):
    return ipv4(source, to, struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload, protocol=17)


def fresh(peer, payloads=None):
    peer.spi_i, peer.nonce = os.urandom(8), os.urandom(32)
    return peer.clear(INIT, peer.init_payloads() if payloads is None else payloads)


def offer(transforms, group=31, public=None):
    return [(SA, proposal(1, b"", transforms)), (KE, struct.pack(">HH", group, 0) + (public or os.urandom(32))),
            (NONCE, os.urandom(32))]


def bent_headers(w, p):
    base = fresh(p)
    for i in range(len(base)):
        w.put(base[:i])
        w.put(b"\0\0\0\0" + base[:i], 4500)
        for v in (0, 1, 0x7F, 0x80, 0xFF):
            b = bytearray(fresh(p))
            b[i] = v
            w.put(bytes(b))
    for size in list(range(64)) + [0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]:
        b = bytearray(fresh(p))
        b[24:28] = struct.pack(">I", size)
        w.put(bytes(b))
    for i in range(16, 20):  # next payload, version, exchange, flags
        for v in range(256):
            b = bytearray(fresh(p))
            b[i] = v
            w.put(bytes(b))


def bent_payloads(w, p):
    for kind in range(256):
        for critical in (0, 1):
            w.put(fresh(p, p.init_payloads() + [(kind, b"x" * 8, critical)]))
            w.put(fresh(p, [(kind, b"", critical)] + p.init_payloads()))
    for size in range(301):
        w.put(fresh(p, p.init_payloads()[:2] + [(NONCE, os.urandom(size))]))
    for group in (0, 1, 2, 5, 14, 15, 19, 20, 31, 1024, 1025, 65535):
        for size in (1, 31, 32, 33, 64, 65, 96, 256, 383, 384, 60000):
            for value in (b"\0", b"\xff", b"\1"):
                w.put(fresh(p, offer(MODP + [(4, group)], group, value * size)))
    for kind in range(9):
        for ident in list(range(40)) + [1023, 1024, 1025, 65535]:
            w.put(fresh(p, offer(IKE_SUITE + [(kind, ident)])))
    for attribute in (b"\0", b"\x80\x0e", b"\0\x0e\xff\xff", b"\0\x0e\0\2\1\0", BITS_256 * 100):
        w.put(fresh(p, offer([(1, 20, attribute), (2, 5), (4, 31)])))
    for n in (100, 1000, 10000):
        w.put(fresh(p, [(V, b"")] * n + p.init_payloads()))
        w.put(fresh(p, [notify(16388, b"x" * 20)] * (n // 4) + p.init_payloads()))
    for size in (0, 1, 33, 64, 65, 60000):
        w.put(fresh(p, [notify(COOKIE, os.urandom(size))] + p.init_payloads()))


def other_datagrams(w, p):
    for size in list(range(40)) + [40000, 65507]:
        for fill in (b"\0", b"\xff", b"\1"):
            w.put(fill * size)
            w.put(fill * size, 4500)
    base = fresh(p)
    for i in range(8000):
        b = bytearray(base)
        for _ in range(chance.randint(1, 8)):
            b[chance.randrange(len(b))] = chance.randrange(256)
        w.put(bytes(b[:chance.randrange(len(b))] if i % 5 == 0 else b))


def malformed():
    w, p = Wire(), Peer(gateway, local)
    bent_headers(w, p)
    bent_payloads(w, p)
    other_datagrams(w, p)
    print(w.sent, "datagrams")


def flood():
    """2 000 requests from as many forged addresses, and then a peer with a real one."""
    raw, p = raw_socket(), Peer(gateway, local)
    for i in range(2000):
        source = "%d.%d.%d.%d" % tuple(chance.randint(11, 99) for _ in range(4))
        raw.sendto(udp(source, gateway, chance.randint(1024, 65535), 500, fresh(p)), (gateway, 0))
        if i % 100 == 0:
            time.sleep(0.01)
    assert Peer(gateway, local).init(), "a real peer was not let in"


def neighbour():
    """All half-open SAs that a network may have, from one address; then its neighbour comes."""
    opened = 0
    for _ in range(252):
        p = Peer(gateway, local)
        p.sock.settimeout(0.5)
        opened += p.init()
        p.gone()
    print(opened, "half-open")
    assert opened >= 200, "the positive control: this address was let in so often"
    assert Peer(gateway, sys.argv[4]).init(), "a neighbour was locked out"


def refused():
    """An offer that nobody takes, from a forged address."""
    p = Peer(gateway, local)
    d = fresh(p, offer([(1, 3), (2, 1), (3, 1), (4, 2)], 2, os.urandom(128)))
    raw_socket().sendto(udp(sys.argv[4], gateway, 500, 500, d), (gateway, 0))


def sniff(device, source, n):
    """ESP packets of that source, IP header included."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    s.bind((device, 3))
    s.settimeout(5)
    got = []
    while len(got) < n:
        d = s.recv(65536)
        if d[0] == 0x45 and d[9] == 50 and d[12:16] == socket.inet_aton(source):
            got.append(d)
    return got


def bent_esp(packets, i):
    d = bytearray(packets[i % len(packets)][20:])
    way = i % 6
    if way == 1:
        d[chance.randrange(len(d))] ^= 1 << chance.randrange(8)
    elif way == 2:
        d = d[:4] + os.urandom(chance.randrange(200))
    elif way == 3:
        d = os.urandom(chance.randrange(200))
    elif way == 4:
        d = d[:chance.randrange(len(d))]
    elif way == 5:
        d[4:8] = struct.pack(">I", chance.randrange(1 << 32))
    return bytes(d)  # way 0: a replay


def esp():
    """Replays, flipped bits, cut and invented packets, on SPIs that live; keepalives between them."""
    raw, peer = raw_socket(), sys.argv[4]
    packets = sniff("wanr", peer, 20)
    for i in range(12000):
        source, d = chance.choice((peer, local)), bent_esp(packets, i)
        if i % 3 == 0:
            d = ipv4(source, gateway, d, protocol=50)
        else:
            d = udp(source, gateway, 4500, 4500, d if i % 3 == 1 else b"\xff")
        raw.sendto(d, (gateway, 0))
        if i % 100 == 0:
            time.sleep(0.005)


def icmp():
    """Forged: the path carries 68 bytes; and: the peer, its port, its protocol are unreachable."""
    raw, peer = raw_socket(), sys.argv[4]
    quotes = [udp(gateway, peer, port, port, bytes(40)) for port in (500, 4500)]
    quotes.append(sniff("wanr", gateway, 1)[0][:68])
    for code in [4] * 5 + list(range(16)) * 20:
        for quote in quotes:
            body = struct.pack(">BBHI", 3, code, 0, 68 if code == 4 else 0) + quote
            body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
            raw.sendto(ipv4(local, gateway, body, protocol=1), (gateway, 0))


globals()[sys.argv[1]]()
