# SPDX-License-Identifier: Apache-2.0
"""The MACs of ESP in Python, for where scapy has none: with extended sequence numbers, and AES-XCBC altogether. By the numbers of
IANA: the MAC cut to its ICV, the ICV's length, and scapy's name."""
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC


def of_hmac(digest, n):
    return lambda key, text: hmac.new(key, text, digest).digest()[:n]


def aes_cmac(key, text):
    c = CMAC(algorithms.AES(key))
    c.update(text)
    return c.finalize()[:12]


def aes_xcbc(key, text):
    """RFC 3566 4, block by block."""
    def aes(k, block):
        e = Cipher(algorithms.AES(k), modes.ECB()).encryptor()
        return e.update(block) + e.finalize()

    def xor(a, b):
        return bytes(x ^ y for x, y in zip(a, b))

    k1, k2, k3 = (aes(key, bytes([n]) * 16) for n in (1, 2, 3))
    blocks = [text[at:at + 16] for at in range(0, len(text), 16)] or [b""]
    last, chain = blocks.pop(), bytes(16)
    for block in blocks:
        chain = aes(k1, xor(chain, block))
    mixed = xor(last, k2) if len(last) == 16 else xor((last + b"\x80").ljust(16, b"\0"), k3)
    return aes(k1, xor(chain, mixed))[:12]


MACS = {
    2: (of_hmac(hashlib.sha1, 12), 12, "HMAC-SHA1-96"),
    5: (aes_xcbc, 12, None),
    8: (aes_cmac, 12, "AES-CMAC-96"),
    12: (of_hmac(hashlib.sha256, 16), 16, "SHA2-256-128"),
    13: (of_hmac(hashlib.sha384, 24), 24, "SHA2-384-192"),
    14: (of_hmac(hashlib.sha512, 32), 32, "SHA2-512-256"),
}
