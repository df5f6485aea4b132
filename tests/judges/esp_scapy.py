#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scapy's IPsec layer as a judge of our ESP: it opens what we seal, and we open what it seals. Where that layer does not
speak a thing (a MAC with extended sequence numbers), Python's own hmac and the cipher of `cryptography` stand in.

	tests/judges/esp_scapy.py ESP-TOOL
"""
import hashlib
import hmac
import struct
import subprocess
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.packet import Raw

TOOL = sys.argv[1]
SPI = 0x80000102
HASHES = {12: (hashlib.sha256, 16, "SHA2-256-128"), 13: (hashlib.sha384, 24, "SHA2-384-192"), 14: (hashlib.sha512, 32, "SHA2-512-256")}
# name, encr, bits, integ, key bytes (salt included), MAC key bytes, scapy's name
SUITES = [
    ("AES-GCM-16-256", 20, 256, 0, 36, 0, "AES-GCM"),
    ("AES-GCM-16-128", 20, 128, 0, 20, 0, "AES-GCM"),
    ("ChaCha20-Poly1305", 28, 0, 0, 36, 0, "CHACHA20-POLY1305"),
    ("AES-CBC-256 HMAC-SHA2-256", 12, 256, 12, 32, 32, "AES-CBC"),
    ("AES-CBC-256 HMAC-SHA2-384", 12, 256, 13, 32, 48, "AES-CBC"),
    ("AES-CBC-256 HMAC-SHA2-512", 12, 256, 14, 32, 64, "AES-CBC"),
    ("AES-CBC-128 HMAC-SHA2-256", 12, 128, 12, 16, 32, "AES-CBC"),
]
OUTER = {4: IP(src="192.0.2.1", dst="192.0.2.2"), 6: IPv6(src="2001:db8:f::1", dst="2001:db8:f::2")}
passed = failed = 0


def say(name, good):
    global passed, failed
    passed += good
    failed += not good
    print("%s %s" % ("ok     " if good else "FAILED ", name))


def keys(suite):
    return bytes(range(7, 7 + suite[4])), bytes(range(130, 130 + suite[5]))


def inner_packets(version):
    ip = IP(src="10.1.0.1", dst="10.2.0.1") if version == 4 else IPv6(src="2001:db8:1::1", dst="2001:db8:2::1")
    echo = ICMP() if version == 4 else ICMPv6EchoRequest()
    out = [ip / UDP(sport=1, dport=2) / Raw(bytes(range(256))[:n]) for n in (0, 1, 2, 3, 5, 13, 100, 255)]
    out += [ip / TCP(sport=3, dport=4, flags="A") / Raw(b"x" * 1300), ip / echo / Raw(b"ping")]
    return [bytes(p) for p in out]


def tool(command, suite, seq, esn, version, lines):
    key, auth = keys(suite)
    nets = ("10.1.0.0/16", "10.2.0.0/16") if version == 4 else ("2001:db8:1::/48", "2001:db8:2::/48")
    if command == "open":
        nets = nets[::-1]
    args = [TOOL, command, "encr=%d" % suite[1], "bits=%d" % suite[2], "integ=%d" % suite[3], "key=" + key.hex(),
            "auth=" + auth.hex(), "spi=%#x" % SPI, "seq=%d" % seq, "esn=%d" % esn, "inside=" + nets[0], "outside=" + nets[1]]
    text = "".join(line.hex() + "\n" for line in lines)
    return subprocess.run(args, input=text, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def association(suite, outer, encap, esn, high):
    key, auth = keys(suite)
    return SecurityAssociation(ESP, spi=SPI, crypt_algo=suite[6], crypt_key=key, auth_algo=HASHES[suite[3]][2] if suite[3] else None,
                               auth_key=auth or None, tunnel_header=OUTER[outer].copy(),
                               nat_t_header=UDP(sport=4500, dport=4500) if encap else None, esn_en=esn, esn=high)


def wrap(esp, outer, encap):
    """The datagram as it would come from the network."""
    if encap:
        return OUTER[outer].__class__(bytes(OUTER[outer] / UDP(sport=4500, dport=4500, chksum=0) / Raw(esp)))
    head = OUTER[outer].copy()
    if outer == 4:
        head.proto = 50
    else:
        head.nh = 50
    return head.__class__(bytes(head / Raw(esp)))


def scapy_opens(suite, outer, encap, esn, high, esp):
    got = association(suite, outer, encap, esn, high).decrypt(wrap(esp, outer, encap))
    return bytes(got)


def hand_opens(suite, high, esp):
    key, auth = keys(suite)
    digest, icv_len, _ = HASHES[suite[3]]
    body, icv = esp[:-icv_len], esp[-icv_len:]
    if hmac.new(auth, body + struct.pack("!I", high), digest).digest()[:icv_len] != icv:
        raise ValueError("ICV")
    d = Cipher(algorithms.AES(key), modes.CBC(body[8:24])).decryptor()
    text = d.update(body[24:]) + d.finalize()
    return text[:-2 - text[-2]]


def hand_seals(suite, seq, inner, version):
    key, auth = keys(suite)
    digest, icv_len, _ = HASHES[suite[3]]
    pad = -(len(inner) + 2) % 16
    e = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    text = inner + bytes(range(1, pad + 1)) + bytes([pad, 4 if version == 4 else 41])
    body = struct.pack("!II", SPI, seq & 0xFFFFFFFF) + bytes(16) + e.update(text) + e.finalize()
    return body + hmac.new(auth, body + struct.pack("!I", seq >> 32), digest).digest()[:icv_len]


def they_open_ours(suite, version, outer, encap, esn, start):
    packets = inner_packets(version)
    for i, line in enumerate(tool("seal", suite, start, esn, version, packets)):
        seq, esp = start + 1 + i, bytes.fromhex(line)
        if struct.unpack("!II", esp[:8]) != (SPI, seq & 0xFFFFFFFF):
            return False
        if suite[3] and esn:
            got = hand_opens(suite, seq >> 32, esp)
        else:
            got = scapy_opens(suite, outer, encap, esn, seq >> 32, esp)
        if got != packets[i]:
            return False
    return True


def we_open_theirs(suite, version, outer, encap, esn, start):
    packets, sealed = inner_packets(version), []
    for i, p in enumerate(packets):
        seq = start + 1 + i
        if suite[3] and esn:
            sealed.append(hand_seals(suite, seq, p, version))
            continue
        sa = association(suite, outer, encap, esn, seq >> 32)
        inner = (IP if version == 4 else IPv6)(p)
        iv = struct.pack("!Q", seq) if not suite[3] else None
        sa.seq_num = seq & 0xFFFFFFFF     # as an argument, 0 would be taken for none
        sealed.append(bytes(sa.encrypt(inner, iv=iv)[ESP]))
    got = tool("open", suite, start, esn, version, sealed)
    return got == [p.hex() for p in packets]


def we_refuse_wrong_ones(suite):
    packets = inner_packets(4)
    good = [bytes.fromhex(x) for x in tool("seal", suite, 0, 0, 4, packets)]
    bad = [g[:-1] + bytes([g[-1] ^ 1]) for g in good] + good + good
    got = tool("open", suite, 0, 0, 4, bad)
    n = len(packets)
    return got == ["drop icv"] * n + [p.hex() for p in packets] + ["drop replay"] * n


for s in SUITES:
    for inner in (4, 6):
        for outside in (4, 6):
            for udp in (True, False):
                for extended in (0, 1):
                    what = "%s, IPv%d in IPv%d, %s%s" % (s[0], inner, outside, "UDP" if udp else "raw", ", ESN" if extended else "")
                    # With ESN the ten packets cross 2^32.
                    first = (1 << 32) - 5 if extended else 0
                    try:
                        say("they open ours: " + what, they_open_ours(s, inner, outside, udp, extended, first))
                    except Exception as e:
                        print(repr(e))
                        say("they open ours: " + what, False)
                    say("we open theirs: " + what, we_open_theirs(s, inner, outside, udp, extended, first))
    say("we refuse wrong and repeated ones: " + s[0], we_refuse_wrong_ones(s))
print("%d passed, %d failed, 0 skipped" % (passed, failed))
sys.exit(failed > 0)
