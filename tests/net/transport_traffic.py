#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic between two hosts, with a text that a watcher can look for.

	transport_traffic.py serve ADDRESS PORT		echo by UDP and TCP; says "ready"
	transport_traffic.py udp FROM TO PORT SIZE...	each size must come back as it went
	transport_traffic.py spray FROM TO PORT		a datagram each 10 ms, whatever comes back, until it is killed
	transport_traffic.py tcp FROM TO PORT BYTES	as many bytes there and back
"""
import socket
import sys
import threading
import time

MARKER = b"postern-test-payload "


def text(size):
    return (MARKER * (size // len(MARKER) + 1))[:size]


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def source_of(text):
    """ADDRESS, or IPv4 ADDRESS:PORT."""
    if text.count(":") == 1:
        address, port = text.split(":")
        return address, int(port)
    return text, 0


def udp_echo(s):
    while True:
        data, peer = s.recvfrom(65535)
        s.sendto(data, peer)


def tcp_echo(s):
    while True:
        c, _ = s.accept()
        with c:
            while data := c.recv(65536):
                c.sendall(data)


def serve(address, port):
    u = socket.socket(family(address), socket.SOCK_DGRAM)
    t = socket.socket(family(address), socket.SOCK_STREAM)
    t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    u.bind((address, port))
    t.bind((address, port))
    t.listen()
    threading.Thread(target=udp_echo, args=(u,), daemon=True).start()
    print("ready", flush=True)
    tcp_echo(t)


def udp(source, address, port, sizes):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.bind(source_of(source))
    s.settimeout(1)
    for size in sizes:
        for attempt in range(4):    # the first may teach the kernel a route's MTU
            s.sendto(text(size), (address, port))
            try:
                if s.recv(65535) == text(size):
                    break
                sys.exit("%d bytes came back as others" % size)
            except socket.timeout:
                pass
        else:
            sys.exit("%d bytes did not come back" % size)


def spray(source, address, port):
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.bind(source_of(source))
    while True:
        try:
            s.sendto(text(200), (address, port))
        except OSError:     # held back, and told so
            pass
        time.sleep(0.01)


def tcp(source, address, port, size):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.bind(source_of(source))
    s.settimeout(20)
    s.connect((address, port))
    threading.Thread(target=s.sendall, args=(text(size),), daemon=True).start()
    got = b""
    while len(got) < size:
        data = s.recv(65536)
        if not data:
            sys.exit("the stream ended after %d bytes" % len(got))
        got += data
    if got != text(size):
        sys.exit("the stream came back as another")


if sys.argv[1] == "serve":
    serve(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] == "udp":
    udp(sys.argv[2], sys.argv[3], int(sys.argv[4]), [int(x) for x in sys.argv[5:]])
elif sys.argv[1] == "spray":
    spray(sys.argv[2], sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == "tcp":
    tcp(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
else:
    sys.exit(__doc__)
