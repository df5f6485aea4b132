# SPDX-License-Identifier: Apache-2.0
"""A TCP connection that lasts: the sender writes 4-byte numbers without end, at about half a megabyte a second, until it is ended; the receiver
looks whether each follows the one before, and says how many bytes came, and that they were whole. In a FILE it writes the time of each arrival, a line each.

	tcp_stream.py receive ADDRESS PORT [FILE]
	tcp_stream.py send ADDRESS PORT
"""
import socket
import struct
import sys
import time

BLOCK = 1024
PACE = 0.008  # seconds


def receive(address, times):
    with socket.create_server(address) as server:
        print("listening", flush=True)
        server.settimeout(30)
        stream, _ = server.accept()
    expected, rest = 0, b""
    stream.settimeout(30)
    while True:
        try:
            data = stream.recv(65536)
        except OSError:  # reset: the sender was ended
            data = b""
        if not data:
            break
        print(f"{time.monotonic():.4f}", file=times, flush=True)
        rest += data
        whole = len(rest) // 4
        for number in struct.unpack(f"!{whole}I", rest[: whole * 4]):
            if number != expected:
                print(f"broken after {expected * 4}: {number} instead of {expected}")
                return 1
            expected = (expected + 1) & 0xFFFFFFFF
        rest = rest[whole * 4 :]
    print(f"whole {expected * 4}", flush=True)
    return 0


def send(address):
    number = 0
    with socket.create_connection(address, timeout=30) as stream:
        while True:
            block = range(number, number + BLOCK)
            stream.sendall(struct.pack(f"!{BLOCK}I", *(n & 0xFFFFFFFF for n in block)))
            number = (number + BLOCK) & 0xFFFFFFFF
            time.sleep(PACE)


def main():
    role, host, port, *file = sys.argv[1:]
    address = host, int(port)
    if role == "send":
        return send(address)
    with open(file[0] if file else "/dev/null", "w") as times:
        return receive(address, times)


if __name__ == "__main__":
    sys.exit(main())
