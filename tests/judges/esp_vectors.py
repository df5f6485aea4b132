#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/unit/esp/vectors.inc: ESP packets that scapy's IPsec layer sealed (and, for a MAC with extended sequence
numbers, which that layer does not do, and for AES-XCBC, esp_macs.py), for the keys and the inner packet of tests/unit/esp/kit.c.

	tests/judges/esp_vectors.py >tests/unit/esp/vectors.inc
"""
import struct

from scapy.layers.inet import IP
from scapy.layers.ipsec import ESP, SecurityAssociation

from esp_macs import MACS

SPI = 0x80000102
# name, cipher, key bytes with salt, MAC (IANA), MAC key bytes, bytes of an AEAD's ICV
SUITES = [
    ("aes256gcm16", "AES-GCM", 36, 0, 0, 16),
    ("aes128gcm16", "AES-GCM", 20, 0, 0, 16),
    ("chacha20poly1305", "CHACHA20-POLY1305", 36, 0, 0, 16),
    ("aes256-sha256", "AES-CBC", 32, 12, 32, 0),
    ("aes256-sha384", "AES-CBC", 32, 13, 48, 0),
    ("aes256-sha512", "AES-CBC", 32, 14, 64, 0),
    ("aes128-sha256", "AES-CBC", 16, 12, 32, 0),
    ("aes128-sha384", "AES-CBC", 16, 13, 48, 0),
    ("aes128-sha512", "AES-CBC", 16, 14, 64, 0),
    ("aes192gcm16", "AES-GCM", 28, 0, 0, 16),
    ("aes256gcm12", "AES-GCM", 36, 0, 0, 12),
    ("aes128gcm8", "AES-GCM", 20, 0, 0, 8),
    ("aes256ccm16", "AES-CCM", 35, 0, 0, 16),
    ("aes192ccm12", "AES-CCM", 27, 0, 0, 12),
    ("aes128ccm8", "AES-CCM", 19, 0, 0, 8),
    ("aes256ctr-sha256", "AES-CTR", 36, 12, 32, 0),
    ("aes192ctr-aescmac", "AES-CTR", 28, 8, 16, 0),
    ("aes128ctr-aesxcbc", "AES-CTR", 20, 5, 16, 0),
    ("aes192-sha1", "AES-CBC", 24, 2, 20, 0),
    ("aes128-aesxcbc", "AES-CBC", 16, 5, 16, 0),
]


def inner():
    """kit_udp(buf, 61, "10.1.0.1", "10.2.0.1")"""
    head = struct.pack("!HHIBBH4s4s", 0x4500, 61, 0x12340000, 64, 17, 0, bytes([10, 1, 0, 1]), bytes([10, 2, 0, 1]))
    return IP(head + struct.pack("!HHHH", 1000, 2000, 37, 0) + bytes(range(33)))


def fixed(pkt):
    del pkt.chksum
    return IP(bytes(pkt))


def seal(suite, seq, esn):
    _, cipher, key_len, mac, mac_len, icv_len = suite
    key = bytes(range(1, key_len + 1))
    mac_key = bytes(range(101, mac_len + 101))
    iv = bytes(range(0xA0, 0xB0)) if cipher == "AES-CBC" else struct.pack("!Q", seq)
    ours = mac and (esn or not MACS[mac][2])
    name = MACS[mac][2] if mac else None
    sa = SecurityAssociation(ESP, spi=SPI, crypt_algo=cipher, crypt_key=key, crypt_icv_size=icv_len if cipher == "AES-CCM" else None, auth_algo=name,
                             auth_key=mac_key if name else None, tunnel_header=IP(src="192.0.2.1", dst="192.0.2.2"), esn_en=esn,
                             esn=seq >> 32)
    out = bytes(sa.encrypt(fixed(inner()), seq_num=seq & 0xFFFFFFFF, iv=iv)[ESP])
    if cipher == "AES-GCM":     # the shorter ICVs, which scapy does not make, are the beginning of the longer
        out = out[:len(out) - 16 + icv_len]
    if ours:
        body = out[:-MACS[mac][1]] if name else out
        out = body + MACS[mac][0](mac_key, body + (struct.pack("!I", seq >> 32) if esn else b""))
    return out


print("/* SPDX-License-Identifier: Apache-2.0 */")
print("/* Made by tests/judges/esp_vectors.py. */")
for i, suite in enumerate(SUITES):
    for esn in (False, True):
        number = 3 << 32 | 7 if esn else 7
        text = seal(suite, number, esn).hex()
        print("{ %d, %s, %#x," % (i, "true" if esn else "false", number))
        for at in range(0, len(text), 96):
            print('  "%s"' % text[at:at + 96])
        print("},")
