#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tshark as a judge of our ESP: given the keys it must find good ICVs and the packets that we sealed. tshark 4.0 speaks neither
ChaCha20-Poly1305, AES-CCM, AES-CMAC, AES-XCBC nor extended sequence numbers in ESP: those are not here, and judged by scapy.

	tests/judges/esp_tshark.py ESP-TOOL
"""
import os
import socket
import struct
import subprocess
import sys
import tempfile

TOOL = sys.argv[1]
SPI = 0x80000102
NAMES = {0: "NULL", 2: "HMAC-SHA-1-96 [RFC2404]", 12: "HMAC-SHA-256-128 [RFC4868]", 13: "HMAC-SHA-384-192 [RFC4868]", 14: "HMAC-SHA-512-256 [RFC4868]"}
# name, encr, bits, integ, key bytes, MAC key bytes, tshark's name
SUITES = [
    ("AES-GCM-16-256", 20, 256, 0, 36, 0, "AES-GCM with 16 octet ICV [RFC4106]"),
    ("AES-GCM-16-128", 20, 128, 0, 20, 0, "AES-GCM with 16 octet ICV [RFC4106]"),
    ("AES-CBC-256 HMAC-SHA2-256", 12, 256, 12, 32, 32, "AES-CBC [RFC3602]"),
    ("AES-CBC-256 HMAC-SHA2-384", 12, 256, 13, 32, 48, "AES-CBC [RFC3602]"),
    ("AES-CBC-256 HMAC-SHA2-512", 12, 256, 14, 32, 64, "AES-CBC [RFC3602]"),
    ("AES-CBC-128 HMAC-SHA2-256", 12, 128, 12, 16, 32, "AES-CBC [RFC3602]"),
]
# These go the same ways as the others, and so are judged on one of them.
MORE_SUITES = [("AES-GCM-%d-%d" % (icv, bits), encr, bits, 0, bits // 8 + 4, 0, "AES-GCM with %d octet ICV [RFC4106]" % icv)
               for encr, icv in ((20, 16), (19, 12), (18, 8)) for bits in (128, 192, 256) if encr != 20 or bits == 192] + \
    [("AES-CTR-%d with MAC %d" % (bits, mac), 13, bits, mac, bits // 8 + 4, n, "AES-CTR [RFC3686]")
     for bits, mac, n in ((128, 12, 32), (192, 13, 48), (256, 2, 20))] + \
    [("AES-CBC-192 with MAC %d" % mac, 12, 192, mac, 24, n, "AES-CBC [RFC3602]") for mac, n in ((12, 32), (2, 20))]
OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8:f::1", "2001:db8:f::2")}
INNER = {4: ("10.1.0.1", "10.2.0.1"), 6: ("2001:db8:1::1", "2001:db8:2::1")}
tally = {"ok": 0, "FAILED": 0}


def say(verdict, name):
    tally[verdict] += 1
    print("%-7s %s" % (verdict, name))


def ip(version, src, dst, proto, payload):
    """An IP packet, IPv4 with its checksum."""
    if version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + socket.inet_pton(socket.AF_INET6, src) + \
            socket.inet_pton(socket.AF_INET6, dst) + payload
    head = struct.pack("!HHHHBBH", 0x4500, 20 + len(payload), 0, 0x4000, 64, proto, 0) + socket.inet_aton(src) + socket.inet_aton(dst)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + head[12:] + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def inner_packets(version):
    src, dst = INNER[version]
    return [ip(version, src, dst, 17, udp(1000 + n, 9, b"judge" + bytes(n))) for n in (0, 1, 2, 7, 100, 1200)]


def seal(suite, version, packets):
    key, auth = bytes(range(7, 7 + suite[4])), bytes(range(130, 130 + suite[5]))
    nets = ("10.1.0.0/16", "10.2.0.0/16") if version == 4 else ("2001:db8:1::/48", "2001:db8:2::/48")
    args = [TOOL, "seal", "encr=%d" % suite[1], "bits=%d" % suite[2], "integ=%d" % suite[3], "key=" + key.hex(),
            "auth=" + auth.hex(), "spi=%#x" % SPI, "inside=" + nets[0], "outside=" + nets[1]]
    out = subprocess.run(args, input="".join(p.hex() + "\n" for p in packets), capture_output=True, text=True, check=True).stdout
    return [bytes.fromhex(line) for line in out.split()], key, auth


def write_pcap(path, packets):
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for i, p in enumerate(packets):
            f.write(struct.pack("=IIII", i, 0, len(p), len(p)) + p)


def tshark(path, suite, outer, key, auth):
    """For each packet: is the ICV good, and the innermost UDP source port and length."""
    uat = '"IPv%d","*","*","%#x","%s","0x%s","%s","%s"' % (outer, SPI, suite[6], key.hex(), NAMES[suite[3]],
                                                           "0x" + auth.hex() if auth else "")
    args = ["tshark", "-n", "-r", path, "-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE",
            "-o", "esp.enable_null_encryption_decode_heuristic:FALSE", "-o", "uat:esp_sa:" + uat, "-T", "fields", "-E", "occurrence=l",
            "-e", "esp.icv_good", "-e", "udp.srcport", "-e", "udp.length", "-e", "esp.pad_len"]
    # Whatever the user has configured is none of this.
    env = dict(os.environ, WIRESHARK_CONFIG_DIR=os.path.dirname(path), HOME=os.path.dirname(path))
    out = subprocess.run(args, capture_output=True, text=True, check=True, env=env).stdout
    return [line.split("\t") for line in out.split("\n")[:-1]]


def judge(suite, version, outer, encap, folder):
    esp, key, auth = seal(suite, version, inner_packets(version))
    src, dst = OUTER[outer]
    path = os.path.join(folder, "esp.pcap")
    write_pcap(path, [ip(outer, src, dst, 17 if encap else 50, udp(4500, 4500, e) if encap else e) for e in esp])
    got = tshark(path, suite, outer, key, auth)
    want = [(str(1000 + n), str(13 + n)) for n in (0, 1, 2, 7, 100, 1200)]
    good = [(g[1], g[2]) for g in got] == want and all(g[0] in ("1", "True") for g in got)
    if not good:
        print(got)
    return good


with tempfile.TemporaryDirectory() as d:
    for s in SUITES:
        for inside in (4, 6):
            for outside in (4, 6):
                for e in (True, False):
                    what = "tshark opens ours: %s, IPv%d in IPv%d, %s" % (s[0], inside, outside, "UDP" if e else "raw")
                    say("ok" if judge(s, inside, outside, e, d) else "FAILED", what)
    for s in MORE_SUITES:
        say("ok" if judge(s, 6, 4, False, d) else "FAILED", "tshark opens ours: " + s[0])
print("%d passed, %d failed, 0 skipped" % (tally["ok"], tally["FAILED"]))
sys.exit(tally["FAILED"] > 0)
