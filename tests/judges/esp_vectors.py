#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/unit/esp/vectors.inc: ESP packets that scapy's IPsec layer sealed (and, for a MAC with extended sequence
numbers, which that layer does not do, Python's hmac), for the keys and the inner packet of tests/unit/esp/kit.c.

	tests/judges/esp_vectors.py >tests/unit/esp/vectors.inc
"""
import hashlib
import hmac
import struct

from scapy.layers.inet import IP
from scapy.layers.ipsec import ESP, SecurityAssociation

SPI = 0x80000102
# name, cipher, key bytes with salt, hash, MAC key bytes, ICV bytes
SUITES = [
    ("aes256gcm16", "AES-GCM", 36, None, 0, 16),
    ("aes128gcm16", "AES-GCM", 20, None, 0, 16),
    ("chacha20poly1305", "CHACHA20-POLY1305", 36, None, 0, 16),
    ("aes256-sha256", "AES-CBC", 32, "SHA2-256-128", 32, 16),
    ("aes256-sha384", "AES-CBC", 32, "SHA2-384-192", 48, 24),
    ("aes256-sha512", "AES-CBC", 32, "SHA2-512-256", 64, 32),
    ("aes128-sha256", "AES-CBC", 16, "SHA2-256-128", 32, 16),
    ("aes128-sha384", "AES-CBC", 16, "SHA2-384-192", 48, 24),
    ("aes128-sha512", "AES-CBC", 16, "SHA2-512-256", 64, 32),
]
HASHES = {"SHA2-256-128": hashlib.sha256, "SHA2-384-192": hashlib.sha384, "SHA2-512-256": hashlib.sha512}


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
    iv = struct.pack("!Q", seq) if not mac else bytes(range(0xA0, 0xB0))
    sa = SecurityAssociation(ESP, spi=SPI, crypt_algo=cipher, crypt_key=key, auth_algo=mac, auth_key=mac_key or None,
                             tunnel_header=IP(src="192.0.2.1", dst="192.0.2.2"), esn_en=esn, esn=seq >> 32)
    out = bytes(sa.encrypt(fixed(inner()), seq_num=seq & 0xFFFFFFFF, iv=iv)[ESP])
    if mac and esn:
        body = out[:-icv_len]
        out = body + hmac.new(mac_key, body + struct.pack("!I", seq >> 32), HASHES[mac]).digest()[:icv_len]
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
