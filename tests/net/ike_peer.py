# SPDX-License-Identifier: Apache-2.0
"""A small IKEv2 initiator that may be told to misbehave: it is the hostile peer of tests/net/attack.

It speaks one suite (AES-256-GCM-16, HMAC-SHA2-256, Curve25519) with a pre-shared key and does nothing by itself:
every message is built from a list of payloads that the caller may have bent. RFC 7296, RFC 5282, RFC 7383, RFC 4303.
"""

import hashlib
import hmac
import os
import socket
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SA, KE, IDI, IDR, CERT, CERTREQ, AUTH, NONCE, N, D, V, TSI, TSR, SK, CP, EAP, SKF = *range(33, 49), 53
INIT, IKE_AUTH, CHILD, INFO = 34, 35, 36, 37
INITIATOR, RESPONSE = 0x08, 0x20
COOKIE, INITIAL_CONTACT, FRAGMENTATION = 16390, 16384, 16430


def prf(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def prf_plus(key, seed, size):
    out = last = b""
    while len(out) < size:
        last = prf(key, last + seed + bytes([len(out) // 32 + 1]))
        out += last
    return out[:size]


def chain(payloads):
    """Payloads (type, body[, critical]) as (first type, bytes)."""
    out = b""
    for i, p in enumerate(payloads):
        following = payloads[i + 1][0] if i + 1 < len(payloads) else 0
        critical = 0x80 if len(p) > 2 and p[2] else 0
        out += struct.pack(">BBH", following, critical, len(p[1]) + 4 & 0xFFFF) + p[1]
    return (payloads[0][0] if payloads else 0), out


def unchain(first, data):
    """The reverse: a list of (type, body)."""
    out = []
    while first:
        following, _, size = struct.unpack(">BBH", data[:4])
        out.append((first, data[4:size]))
        first, data = following, data[size:]
    return out


def notify(kind, data=b"", protocol=0, spi=b""):
    return (N, struct.pack(">BBH", protocol, len(spi), kind) + spi + data)


def delete(protocol, spis=()):
    size = 4 if protocol != 1 else 0
    return (D, struct.pack(">BBH", protocol, size, len(spis)) + b"".join(spis))


def transform(kind, ident, attributes=b"", last=False):
    return struct.pack(">BBHBBH", 0 if last else 3, 0, 8 + len(attributes), kind, 0, ident) + attributes


def proposal(protocol, spi, transforms, number=1, last=True):
    body = b"".join(transform(*t, last=i == len(transforms) - 1) for i, t in enumerate(transforms))
    return struct.pack(">BBHBBBB", 0 if last else 2, 0, 8 + len(spi) + len(body), number, protocol, len(spi),
                       len(transforms)) + spi + body


BITS_256 = struct.pack(">HH", 0x800E, 256)
IKE_SUITE = [(1, 20, BITS_256), (2, 5), (4, 31)]
ESP_SUITE = [(1, 20, BITS_256), (5, 0)]


def selector(lo, hi, ports=(0, 65535), protocol=0, kind=7):
    return struct.pack(">BBHHH", kind, protocol, 8 + len(lo) + len(hi), *ports) + lo + hi


def selectors(*every):
    return bytes([len(every) & 255, 0, 0, 0]) + b"".join(every)


def net4(text):
    """10.9.0.0/24 as a selector."""
    address, bits = text.split("/")
    lo = struct.unpack(">I", socket.inet_aton(address))[0]
    return selector(struct.pack(">I", lo), struct.pack(">I", lo | (1 << 32 - int(bits)) - 1))


class Peer:
    """One IKE SA with `gateway`, from `local` (which may be any address of this namespace)."""

    def __init__(self, gateway, local, identity=b"road.example.org", psk=b"", inner="10.9.0.0/24",
                 behind="10.2.0.0/24", port=0):
        self.gateway, self.identity, self.psk = gateway, identity, psk
        self.inner, self.behind = inner, behind
        self.sock = socket.socket(socket.AF_INET6 if ":" in gateway else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((local, port))
        self.sock.settimeout(2)
        self.private = X25519PrivateKey.generate()
        self.spi_i, self.spi_r, self.nonce = os.urandom(8), bytes(8), os.urandom(32)
        self.spi_in = struct.pack(">I", 0x1000 + int.from_bytes(os.urandom(3), "big"))
        self.cookie, self.message_id, self.iv = b"", 0, 0
        self.abilities = []

    # ---- messages ----

    def header(self, first, exchange, size, message_id, flags=INITIATOR):
        return self.spi_i + self.spi_r + struct.pack(">BBBBII", first, 0x20, exchange, flags, message_id, size)

    def clear(self, exchange, payloads, message_id=0):
        first, body = chain(payloads)
        return self.header(first, exchange, 28 + len(body), message_id) + body

    def sealed(self, exchange, first, body, message_id, flags=INITIATOR, fragment=None):
        """SK around `body`, or SKF with fragment = (number, total)."""
        fields = struct.pack(">HH", *fragment) if fragment else b""
        text = body + b"\0"
        size = 4 + len(fields) + 8 + len(text) + 16
        if fragment and fragment[0] > 1:
            first = 0
        covered = self.header(SKF if fragment else SK, exchange, 28 + size, message_id, flags)
        covered += struct.pack(">BBH", first, 0, size) + fields
        self.iv += 1
        iv = struct.pack(">Q", self.iv)
        return covered + iv + AESGCM(self.ei[:32]).encrypt(self.ei[32:] + iv, text, covered)

    def opened(self, datagram):
        """The payloads of a protected answer."""
        at = 28
        first = datagram[28]
        covered, iv, text = datagram[:at + 4], datagram[at + 4:at + 12], datagram[at + 12:]
        plain = AESGCM(self.er[:32]).decrypt(self.er[32:] + iv, text, covered)
        return unchain(first, plain[:-1 - plain[-1]])

    def send(self, datagram, port=500):
        self.sock.sendto(b"\0\0\0\0" + datagram if port == 4500 else datagram, (self.gateway, port))

    def receive(self, timeout=2):
        self.sock.settimeout(timeout)
        try:
            return self.sock.recvfrom(65536)[0]
        except (socket.timeout, BlockingIOError, ConnectionRefusedError):
            return b""

    def ask(self, datagram, timeout=2):
        self.send(datagram)
        return self.receive(timeout)

    # ---- IKE_SA_INIT ----

    def init_payloads(self):
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        cookie = [notify(COOKIE, self.cookie)] if self.cookie else []
        return cookie + [(SA, proposal(1, b"", IKE_SUITE)), (KE, struct.pack(">HH", 31, 0) + public),
                         (NONCE, self.nonce)] + self.abilities

    def init(self):
        """True when the gateway answered with keys; a cookie is taken and returned."""
        for _ in range(3):
            self.request = self.clear(INIT, self.init_payloads())
            self.response = self.ask(self.request)
            if len(self.response) < 28:
                return False
            got = unchain(self.response[16], self.response[28:])
            cookies = [b[4:] for t, b in got if t == N and b[2:4] == struct.pack(">H", COOKIE)]
            if not cookies:
                break
            self.cookie = cookies[0]
        found = dict(got)
        if KE not in found:
            return False
        self.spi_r = self.response[8:16]
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(found[KE][4:]))
        nonces = self.nonce + found[NONCE]
        keys = prf_plus(prf(nonces, shared), nonces + self.spi_i + self.spi_r, 32 + 36 * 2 + 32 * 2)
        self.d, self.ei, self.er = keys[:32], keys[32:68], keys[68:104]
        self.pi, self.pr, self.nonce_r = keys[104:136], keys[136:], found[NONCE]
        self.message_id = 1
        return True

    # ---- IKE_AUTH ----

    def id_body(self):
        return bytes([2, 0, 0, 0]) + self.identity

    def auth_body(self, id_body=None):
        # The notify of full-transcript authentication was not sent, so the classic octets hold.
        octets = self.request + self.nonce_r + prf(self.pi, id_body or self.id_body())
        return bytes([2, 0, 0, 0]) + prf(prf(self.psk, b"Key Pad for IKEv2"), octets)

    def auth_payloads(self):
        return [(IDI, self.id_body()), (AUTH, self.auth_body()), (SA, proposal(3, self.spi_in, ESP_SUITE)),
                (TSI, selectors(net4(self.inner))), (TSR, selectors(net4(self.behind)))]

    def protected(self, exchange, payloads, message_id=None):
        first, body = chain(payloads)
        return self.sealed(exchange, first, body, self.message_id if message_id is None else message_id)

    def exchange(self, kind, payloads, timeout=2):
        """One protected exchange: the payloads of the answer, None without one."""
        answer = self.ask(self.protected(kind, payloads), timeout)
        if not answer or answer[18] != kind:
            return None
        self.message_id += 1
        return self.opened(answer)

    def auth(self, payloads=None):
        got = self.exchange(IKE_AUTH, self.auth_payloads() if payloads is None else payloads)
        if got and SA in dict(got):
            self.spi_out = dict(got)[SA][8:12]
            keys = prf_plus(self.d, self.nonce + self.nonce_r, 72)
            self.esp_i, self.esp_r, self.seq = keys[:36], keys[36:], 0
        return got

    def up(self):
        return self.init() and SA in dict(self.auth() or [])

    def gone(self):
        self.sock.close()

    # ---- ESP ----

    def esp(self, inner, seq=None, following=4, spi=None, pad=None):
        """One ESP packet with `inner` in it; seq None counts."""
        if seq is None:
            self.seq += 1
            seq = self.seq
        if pad is None:
            n = -(len(inner) + 2) % 4
            pad = bytes(range(1, n + 1)) + bytes([n])
        head = (spi or self.spi_out) + struct.pack(">I", seq & 0xFFFFFFFF)
        iv = struct.pack(">Q", seq)
        text = inner + pad + bytes([following])
        return head + iv + AESGCM(self.esp_i[:32]).encrypt(self.esp_i[32:] + iv, text, head)

    def esp_opened(self, packet):
        head, iv, text = packet[:8], packet[8:16], packet[16:]
        plain = AESGCM(self.esp_r[:32]).decrypt(self.esp_r[32:] + iv, text, head)
        return plain[:-2 - plain[-2]]


def notifies(payloads):
    """The types of the notifies in an answer."""
    return [struct.unpack(">H", b[2:4])[0] for t, b in payloads or [] if t == N]


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data[:len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, to, payload, protocol=1, flags=0, options=b"", total=None, version=4):
    words = 5 + len(options) // 4
    size = 4 * words + len(payload) if total is None else total
    head = struct.pack(">BBHHHBBH", version << 4 | words, 0, size, 1, flags, 64, protocol, 0)
    head += socket.inet_aton(source) + socket.inet_aton(to) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def echo(size=16, sequence=1, marker=b"attack"):
    body = (marker * (size // len(marker) + 1))[:size]
    head = struct.pack(">BBHHH", 8, 0, 0, 0x7777, sequence)
    return head[:2] + struct.pack(">H", checksum(head + body)) + head[4:] + body
