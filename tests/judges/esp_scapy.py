#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scapy's IPsec layer as a judge of our ESP: it opens what we seal, and we open what it seals. Where that layer does not
speak a thing (a MAC with extended sequence numbers, AES-XCBC, GCM's shorter ICVs), the MACs of esp_macs.py and the ciphers of `cryptography` stand in.

	tests/judges/esp_scapy.py ESP-TOOL
"""
import struct
import subprocess
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, PadN
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.packet import Raw

from esp_macs import MACS

TOOL = sys.argv[1]
SPI = 0x80000102
# name, encr, bits, integ, key bytes (salt included), MAC key bytes, scapy's name, bytes of an AEAD's ICV
SUITES = [
    ("AES-GCM-16-256", 20, 256, 0, 36, 0, "AES-GCM", 16),
    ("AES-GCM-16-128", 20, 128, 0, 20, 0, "AES-GCM", 16),
    ("ChaCha20-Poly1305", 28, 0, 0, 36, 0, "CHACHA20-POLY1305", 16),
    ("AES-CBC-256 HMAC-SHA2-256", 12, 256, 12, 32, 32, "AES-CBC", 0),
    ("AES-CBC-256 HMAC-SHA2-384", 12, 256, 13, 32, 48, "AES-CBC", 0),
    ("AES-CBC-256 HMAC-SHA2-512", 12, 256, 14, 32, 64, "AES-CBC", 0),
    ("AES-CBC-128 HMAC-SHA2-256", 12, 128, 12, 16, 32, "AES-CBC", 0),
]
# These go the same ways as the others, and so are judged on few of them.
MORE_SUITES = [("AES-%s-%d-%d" % (name, icv, bits), encr, bits, 0, bits // 8 + salt, 0, "AES-" + name, icv)
               for name, encr, icv, salt in (("GCM", 20, 16, 4), ("GCM", 19, 12, 4), ("GCM", 18, 8, 4),
                                             ("CCM", 16, 16, 3), ("CCM", 15, 12, 3), ("CCM", 14, 8, 3))
               for bits in (128, 192, 256) if (encr, bits) not in ((20, 128), (20, 256))] + \
    [("AES-CTR-%d with MAC %d" % (bits, mac), 13, bits, mac, bits // 8 + 4, n, "AES-CTR", 0)
     for bits, mac, n in ((128, 12, 32), (192, 8, 16), (256, 5, 16), (256, 2, 20))] + \
    [("AES-CBC-%d with MAC %d" % (bits, mac), 12, bits, mac, bits // 8, n, "AES-CBC", 0)
     for bits, mac, n in ((192, 12, 32), (192, 13, 48), (128, 8, 16), (256, 5, 16), (128, 2, 20))]
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
    return SecurityAssociation(ESP, spi=SPI, crypt_algo=suite[6], crypt_key=key, crypt_icv_size=(suite[7] or None) if suite[6] == "AES-CCM" else None,
                               auth_algo=MACS[suite[3]][2] if suite[3] else None, auth_key=auth or None, tunnel_header=OUTER[outer].copy(),
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


def by_hand(suite, esn):
    return suite[3] and (esn or not MACS[suite[3]][2]) or too_long(suite)


def too_long(suite):
    """Bytes that scapy's ICV has more; of GCM's the shorter is the beginning of the longer."""
    return 16 - suite[7] if suite[6] == "AES-GCM" else 0


def by_cipher(suite, iv):
    """CBC, or CTR with the salt behind the key (RFC 3686 4)."""
    key = keys(suite)[0]
    if suite[1] == 13:
        return Cipher(algorithms.AES(key[:-4]), modes.CTR(key[-4:] + iv + bytes([0, 0, 0, 1])))
    return Cipher(algorithms.AES(key), modes.CBC(iv))


def high_half(esn, seq):
    return struct.pack("!I", seq >> 32) if esn else b""


def hand_opens_gcm(suite, esn, seq, esp):
    key, icv = keys(suite)[0], esp[-suite[7]:]
    d = Cipher(algorithms.AES(key[:-4]), modes.GCM(key[-4:] + esp[8:16], icv, min_tag_length=8)).decryptor()
    d.authenticate_additional_data(esp[:4] + high_half(esn, seq) + esp[4:8])
    text = d.update(esp[16:-suite[7]]) + d.finalize()
    return text[:-2 - text[-2]]


def hand_opens(suite, esn, seq, esp):
    if too_long(suite):
        return hand_opens_gcm(suite, esn, seq, esp)
    mac, icv_len, _ = MACS[suite[3]]
    iv_len = 8 if suite[1] == 13 else 16
    body, icv = esp[:-icv_len], esp[-icv_len:]
    if mac(keys(suite)[1], body + high_half(esn, seq)) != icv:
        raise ValueError("ICV")
    d = by_cipher(suite, body[8:8 + iv_len]).decryptor()
    text = d.update(body[8 + iv_len:]) + d.finalize()
    return text[:-2 - text[-2]]


def hand_seals(suite, esn, seq, inner, following):
    iv = struct.pack("!Q", seq) if suite[1] == 13 else bytes(16)
    pad = -(len(inner) + 2) % (4 if suite[1] == 13 else 16)
    e = by_cipher(suite, iv).encryptor()
    text = inner + bytes(range(1, pad + 1)) + bytes([pad, following])
    body = struct.pack("!II", SPI, seq & 0xFFFFFFFF) + iv + e.update(text) + e.finalize()
    return body + MACS[suite[3]][0](keys(suite)[1], body + high_half(esn, seq))


def cut(suite, esp):
    return esp[:len(esp) - too_long(suite)]


def fresh_iv(suite, seq):
    """scapy draws CBC's by itself."""
    return None if suite[1] == 12 else struct.pack("!Q", seq)


def they_open_ours(suite, version, outer, encap, esn, start):
    packets = inner_packets(version)
    for i, line in enumerate(tool("seal", suite, start, esn, version, packets)):
        seq, esp = start + 1 + i, bytes.fromhex(line)
        if struct.unpack("!II", esp[:8]) != (SPI, seq & 0xFFFFFFFF):
            return False
        if by_hand(suite, esn):
            got = hand_opens(suite, esn, seq, esp)
        else:
            got = scapy_opens(suite, outer, encap, esn, seq >> 32, esp)
        if got != packets[i]:
            return False
    return True


def we_open_theirs(suite, version, outer, encap, esn, start):
    packets, sealed = inner_packets(version), []
    for i, p in enumerate(packets):
        seq = start + 1 + i
        if by_hand(suite, esn) and not too_long(suite):
            sealed.append(hand_seals(suite, esn, seq, p, 4 if version == 4 else 41))
            continue
        sa = association(suite, outer, encap, esn, seq >> 32)
        inner = (IP if version == 4 else IPv6)(p)
        iv = fresh_iv(suite, seq)
        sa.seq_num = seq & 0xFFFFFFFF     # as an argument, 0 would be taken for none
        sealed.append(cut(suite, bytes(sa.encrypt(inner, iv=iv)[ESP])))
    got = tool("open", suite, start, esn, version, sealed)
    return got == [p.hex() for p in packets]


# ---- transport mode: the header outside is the packet's own ----

HOSTS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8:f::1", "2001:db8:f::2")}


def host_packets(version):
    """As our side writes them anew: DF, no identification, TTL 64."""
    src, dst = HOSTS[version]
    ip = IP(src=src, dst=dst, id=0, flags="DF") if version == 4 else IPv6(src=src, dst=dst)
    echo = ICMP() if version == 4 else ICMPv6EchoRequest()
    out = [ip / UDP(sport=1, dport=2) / Raw(bytes(range(256))[:n]) for n in (0, 1, 2, 3, 5, 13, 100, 255)]
    return [bytes(p) for p in out + [ip / TCP(sport=3, dport=4, flags="A") / Raw(b"x" * 1300), ip / echo / Raw(b"ping")]]


def host_tool(command, suite, seq, esn, version, lines, *more):
    key, auth = keys(suite)
    ends = HOSTS[version] if command == "seal" else HOSTS[version][::-1]
    bits = 32 if version == 4 else 128
    args = [TOOL, command, "transport=1", "encr=%d" % suite[1], "bits=%d" % suite[2], "integ=%d" % suite[3], "key=" + key.hex(),
            "auth=" + auth.hex(), "spi=%#x" % SPI, "seq=%d" % seq, "esn=%d" % esn, "local=" + ends[0], "remote=" + ends[1],
            "inside=%s/%d" % (ends[0], bits), "outside=%s/%d" % (ends[1], bits), *more]
    text = "".join(line.hex() + "\n" for line in lines)
    return subprocess.run(args, input=text, capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def host_association(suite, encap, esn, high):
    key, auth = keys(suite)
    return SecurityAssociation(ESP, spi=SPI, crypt_algo=suite[6], crypt_key=key, crypt_icv_size=(suite[7] or None) if suite[6] == "AES-CCM" else None,
                               auth_algo=MACS[suite[3]][2] if suite[3] else None, auth_key=auth or None, nat_t_header=UDP(sport=4500, dport=4500) if encap else None, esn_en=esn, esn=high)


def host_wrap(packet, esp, version, encap):
    """The packet's own header with ESP behind it, as it would come from the network."""
    head = (IP if version == 4 else IPv6)(packet[:20 if version == 4 else 40])
    if version == 4:
        del head.len, head.chksum
        head.proto = 17 if encap else 50
    else:
        del head.plen
        head.nh = 17 if encap else 50
    return head.__class__(bytes(head / (UDP(sport=4500, dport=4500, chksum=0) / Raw(esp) if encap else Raw(esp))))


def they_open_hosts(suite, version, encap, esn, start):
    packets = host_packets(version)
    if version == 6:    # with destination options, which are sealed
        src, dst = HOSTS[6]
        packets.append(bytes(IPv6(src=src, dst=dst) / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) / UDP(sport=1, dport=2)))
    for i, line in enumerate(host_tool("seal", suite, start, esn, version, packets)):
        seq, esp = start + 1 + i, bytes.fromhex(line)
        if by_hand(suite, esn):
            if hand_opens(suite, esn, seq, esp) != packets[i][20 if version == 4 else 40:]:
                return False
        else:
            udp = encap and version == 4  # scapy leaves the UDP header of IPv6 where it is
            if bytes(host_association(suite, udp, esn, seq >> 32).decrypt(host_wrap(packets[i], esp, version, udp))) != packets[i]:
                return False
    return True


def we_open_hosts(suite, version, encap, esn, start):
    packets, sealed = host_packets(version), []
    for i, p in enumerate(packets):
        seq = start + 1 + i
        if by_hand(suite, esn) and not too_long(suite):
            head = 20 if version == 4 else 40
            sealed.append(hand_seals(suite, esn, seq, p[head:], p[9] if version == 4 else p[6]))
            continue
        sa = host_association(suite, encap, esn, seq >> 32)
        sa.seq_num = seq & 0xFFFFFFFF
        sealed.append(cut(suite, bytes(sa.encrypt((IP if version == 4 else IPv6)(p), iv=fresh_iv(suite, seq))[ESP])))
    return host_tool("open", suite, start, esn, version, sealed) == [p.hex() for p in packets]


def we_mend_checksums(suite, version):
    """What was summed with the addresses before the NATs has checksums, as scapy makes them, of those behind them."""
    before = ("10.9.9.9", "198.51.100.77") if version == 4 else ("fd00::9", "2001:db8:77::7")
    old, new = [], []
    for p in host_packets(version):
        whole = (IP if version == 4 else IPv6)(p)
        new.append(p.hex())
        whole.src, whole.dst = before
        for layer in (UDP, TCP, ICMPv6EchoRequest):
            if layer in whole:
                if layer is ICMPv6EchoRequest:
                    del whole[layer].cksum
                else:
                    del whole[layer].chksum
        if version == 4:
            del whole.chksum
        old.append(bytes(whole))
    key, auth = keys(suite)
    sealed = [bytes.fromhex(x) for x in subprocess.run(
        [TOOL, "seal", "transport=1", "encr=%d" % suite[1], "bits=%d" % suite[2], "integ=%d" % suite[3], "key=" + key.hex(), "auth=" + auth.hex(),
         "spi=%#x" % SPI, "local=" + before[0], "remote=" + before[1], "inside=" + before[0], "outside=" + before[1]],
        input="".join(o.hex() + "\n" for o in old), capture_output=True, text=True, check=True).stdout.split("\n")[:-1]]
    unmended = host_tool("open", suite, 0, 0, version, sealed)
    mended = host_tool("open", suite, 0, 0, version, sealed, "natlocal=" + before[1], "natremote=" + before[0])
    return mended == new and unmended != new


def we_refuse_wrong_ones(suite):
    packets = inner_packets(4)
    good = [bytes.fromhex(x) for x in tool("seal", suite, 0, 0, 4, packets)]
    bad = [g[:-1] + bytes([g[-1] ^ 1]) for g in good] + good + good
    got = tool("open", suite, 0, 0, 4, bad)
    n = len(packets)
    return got == ["drop icv"] * n + [p.hex() for p in packets] + ["drop replay"] * n


def judge_tunnel(suite, inner, outside, udp, extended):
    what = "%s, IPv%d in IPv%d, %s%s" % (suite[0], inner, outside, "UDP" if udp else "raw", ", ESN" if extended else "")
    # With ESN the ten packets cross 2^32.
    first = (1 << 32) - 5 if extended else 0
    for word, test in (("they open ours: ", they_open_ours), ("we open theirs: ", we_open_theirs)):
        try:
            say(word + what, test(suite, inner, outside, udp, extended, first))
        except Exception as e:
            print(repr(e))
            say(word + what, False)


def judge_hosts(suite, inner, udp, extended):
    what = "%s, IPv%d in transport mode, %s%s" % (suite[0], inner, "UDP" if udp else "raw", ", ESN" if extended else "")
    first = (1 << 32) - 5 if extended else 0
    for word, test in (("they open ours: ", they_open_hosts), ("we open theirs: ", we_open_hosts)):
        try:
            say(word + what, test(suite, inner, udp, extended, first))
        except Exception as e:
            print(repr(e))
            say(word + what, False)


for s in SUITES:
    for inner in (4, 6):
        for outside in (4, 6):
            for udp in (True, False):
                for extended in (0, 1):
                    judge_tunnel(s, inner, outside, udp, extended)
    for inner in (4, 6):
        for udp in (True, False):
            for extended in (0, 1):
                judge_hosts(s, inner, udp, extended)
        say("%s, IPv%d in transport mode: checksums behind NATs are mended" % (s[0], inner), we_mend_checksums(s, inner))
    say("we refuse wrong and repeated ones: " + s[0], we_refuse_wrong_ones(s))
for s in MORE_SUITES:
    for extended in (0, 1):
        judge_tunnel(s, 4, 6, False, extended)
    judge_hosts(s, 4, True, 0)
    say("we refuse wrong and repeated ones: " + s[0], we_refuse_wrong_ones(s))
print("%d passed, %d failed, 0 skipped" % (passed, failed))
sys.exit(failed > 0)
