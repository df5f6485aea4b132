# SPDX-License-Identifier: Apache-2.0
"""What a peer with valid credentials can do that it should not: tests/net/attack runs one function of this file.

    attack_insider.py FUNCTION GATEWAY LOCAL PSK-FILE
"""

import random
import sys
import time

from ike_peer import *

gateway, local = sys.argv[2], sys.argv[3]
with open(sys.argv[4], "rb") as f:
    psk = f.read().strip()

AUTHENTICATION_FAILED, INVALID_SYNTAX, NO_PROPOSAL_CHOSEN, TS_UNACCEPTABLE = 24, 7, 14, 38


def elsewhere():
    """Another address of this namespace, in a network of its own: proofs that fail are counted for both."""
    return "100.%d.%d.%d" % (random.randrange(64, 128), random.randrange(256), random.randrange(1, 255))


def peer(at=local, **options):
    p = Peer(gateway, at, psk=psk, **options)
    assert p.init(), "no answer to IKE_SA_INIT"
    return p


def with_child(answer):
    return SA in dict(answer or [])


def handshakes():
    """IKE_AUTH with each payload left out, doubled, cut, emptied, lengthened: no child, and an error that is told."""
    good = peer()
    assert with_child(good.auth()), "the positive control: the peer is let in"
    for i in range(5):
        for bend in (lambda b: [], lambda b: [b, b], lambda b: [b[:-1]], lambda b: [b""], lambda b: [b + b"xx"]):
            p = peer(elsewhere())
            q = p.auth_payloads()
            q[i:i + 1] = [(q[i][0], body) for body in bend(q[i][1])]
            got = p.auth(q)
            assert got and not with_child(got) and notifies(got), "payload %d: %r" % (q[i - 1][0], got)
            p.gone()
    good.exchange(INFO, [delete(1)])


def identities():
    for kind in list(range(13)) + [201, 255]:
        for size in (0, 1, 4, 5, 16, 17, 256, 1000, 60000):
            p = peer(elsewhere())
            body = bytes([kind, 0, 0, 0]) + os.urandom(size)
            got = notifies(p.auth([(IDI, body), (AUTH, p.auth_body(body))] + p.auth_payloads()[2:]))
            assert got in ([AUTHENTICATION_FAILED], [INVALID_SYNTAX]), (kind, size, got)
            p.gone()


def proof_fails(at):
    """False when it did not come so far: no answer to IKE_SA_INIT."""
    p = Peer(gateway, at, psk=b"some other key, and a wrong one")
    if not p.init():
        return False
    assert notifies(p.auth()) == [AUTHENTICATION_FAILED]
    p.gone()
    return True


def comes_up(at):
    p = Peer(gateway, at, psk=psk)
    good = p.up()
    if good:
        p.exchange(INFO, [delete(1)])
    p.gone()
    return good


def budget():
    """Who fails again and again is not answered for a while, and nobody else is kept out by that.

    A host is refused while it owes more than 29 failures. One is forgiven each second since the first was charged, which
    was between `before` and `after`: so the number is exact however slow the machine is. Sources may share a bucket, so
    nobody else may have failed before.
    """
    bad, failed, other = elsewhere(), 1, False
    before = time.monotonic()
    assert proof_fails(bad)
    after = time.monotonic()
    while True:
        # If the bad one is refused after this, it was so all the time: what is owed has only become less.
        other = failed >= 30 and comes_up(elsewhere())
        asked = time.monotonic()
        if not proof_fails(bad):
            break
        owed = failed - (time.monotonic() - before)
        assert owed <= 29, "let in, though it owed %.3f" % owed
        failed += 1
    owed = failed - (asked - after)
    print("%d proofs failed in %.1f s" % (failed, asked - before))
    assert owed > 29, "refused, though it owed %.3f" % owed
    assert other, "somebody else was refused, too"
    # no answer came for two seconds, in which two were forgiven
    assert comes_up(bad), "the same address, a little later, with the right key"


def bulk():
    """Many certificates, many selectors: answered soon."""
    many = selectors(*[selector(b"\x0a\x09\0" + bytes([i % 250]), b"\x0a\x09\0\xfe", (i, 60000 - i))
                       for i in range(255)])
    there = selectors(*[selector(b"\x0a\x02\0" + bytes([i % 250]), b"\x0a\x02\0\xfe", (i, 60000 - i))
                        for i in range(255)])
    for what in ("certificates", "selectors"):
        p = peer()
        q = p.auth_payloads()
        q = q + [(CERT, b"\4x")] * 10000 if what == "certificates" else q[:3] + [(TSI, many), (TSR, there)]
        began = time.monotonic()
        got = p.auth(q)
        took = time.monotonic() - began
        assert got, what
        print(what, "%.0f ms" % (took * 1000))
        assert took < 1, "%s took %.1f s" % (what, took)
        if with_child(got):
            p.exchange(INFO, [delete(1)])


def selectors_outside():
    for i, ts in ((3, "192.0.2.0/24"), (4, "192.0.2.0/24"), (3, "10.1.0.0/24")):
        p = peer()
        q = p.auth_payloads()
        q[i] = (q[i][0], selectors(net4(ts)))
        got = p.auth(q)
        assert notifies(got) == [TS_UNACCEPTABLE] and not with_child(got), (i, ts, got)
        p.exchange(INFO, [delete(1)])


def too_early():
    """Nothing but IKE_AUTH is heard before IKE_AUTH, and IKE_AUTH is heard afterwards."""
    for exchange in (CHILD, INFO, 38, 43, 0, 255):
        p = peer()
        assert p.ask(p.protected(exchange, [delete(1)]), 0.2) == b"", exchange
        assert with_child(p.auth()), exchange
        p.exchange(INFO, [delete(1)])


def requests():
    """An authenticated request gets its answer, whatever it says, and takes nothing that is not its own."""
    p = peer()
    assert with_child(p.auth())
    assert p.exchange(INFO, [delete(3, [os.urandom(4) for _ in range(1000)])]) == []
    assert p.exchange(INFO, [delete(3, [p.spi_out] * 10000)]) == []
    assert p.exchange(INFO, [delete(2, [p.spi_in])]) == []
    assert notifies(p.exchange(INFO, [(200, b"", 1)])) == [1]
    assert p.exchange(INFO, [(200, b"")]) == []
    assert notifies(p.exchange(CHILD, [])) == [INVALID_SYNTAX]
    for message_id in (0, p.message_id + 1, p.message_id - 2, 0xFFFFFFFF):
        assert p.ask(p.protected(INFO, [], message_id), 0.1) == b"", message_id
    request = p.protected(INFO, [])
    answer = p.ask(request)
    assert answer and all(p.ask(request) == answer for _ in range(1000)), "not the same answer again"
    p.message_id += 1
    assert p.ask(p.sealed(INFO, 0, b"", 0, INITIATOR | RESPONSE), 0.1) == b""
    got = p.exchange(INFO, [delete(3, [p.spi_in, p.spi_in]), delete(3, [p.spi_in])])
    assert [t for t, _ in got] == [D], got
    assert p.exchange(INFO, [delete(1), delete(3, [p.spi_in]), notify(24), (TSI, b"")]) == []
    assert p.ask(p.protected(INFO, []), 0.2)[16] == N, "the SA should be gone"


def child_request(p, suite=ESP_SUITE):
    spi = struct.pack(">I", 0x1000 + int.from_bytes(os.urandom(3), "big"))
    return [(SA, proposal(3, spi, suite)), (NONCE, os.urandom(32)), (TSI, selectors(net4(p.inner))),
            (TSR, selectors(net4(p.behind)))]


def children():
    """CREATE_CHILD_SA bent in every place, values that are of no group, and more children than there may be."""
    for i in range(4):
        for bend in (lambda b: [], lambda b: [b, b], lambda b: [b[:-1]], lambda b: [b""], lambda b: [b + b"xx"]):
            p = peer()
            assert with_child(p.auth())
            q = child_request(p)
            q[i:i + 1] = [(q[i][0], body) for body in bend(q[i][1])]
            got = p.exchange(CHILD, q)
            # a nonce may be longer or shorter, within its bounds
            assert got and (with_child(got) or notifies(got)), (i, got)
            # what is malformed as a message ends the IKE SA; else it is ended here
            p.ask(p.protected(INFO, [delete(1)]), 0.5)
    p = peer()
    assert with_child(p.auth())
    for value in (bytes(32), b"\x01" + bytes(31), b"\xff" * 32, bytes(31), os.urandom(33)):
        q = child_request(p, ESP_SUITE + [(4, 31)])
        q.insert(2, (KE, struct.pack(">HH", 31, 0) + value))
        got = p.exchange(CHILD, q)
        assert got and (notifies(got) == [INVALID_SYNTAX] or value[:1] == b"\xff"), (value, got)
    made = 0
    for i in range(70):
        got = p.exchange(CHILD, child_request(p))
        made += with_child(got)
    assert 60 <= made <= 63 and notifies(got) == [35], (made, got)
    assert notifies(p.exchange(CHILD, [notify(16393)] + child_request(p))) == [44], "new keys for a child that is not there"
    assert p.exchange(INFO, []) == []
    p.exchange(INFO, [delete(1)])


def fragments():
    p = Peer(gateway, local, psk=psk)
    p.abilities = [notify(FRAGMENTATION)]
    assert p.init()
    first, body = chain(p.auth_payloads())
    for numbers in ((0, 0), (0, 1), (1, 0), (2, 1), (65535, 65535), (1, 65535), (64, 65), (3, 2)):
        p.send(p.sealed(IKE_AUTH, first, body[:50], 1, fragment=numbers))
    for i in range(1000):
        p.send(p.sealed(IKE_AUTH, first, os.urandom(1000), 1, fragment=(1 + i % 60, 64)))
    for i in range(64):
        p.send(p.sealed(IKE_AUTH, first, os.urandom(30000), 1, fragment=(1 + i, 64)))
    assert with_child(p.auth()), "a whole message after so many pieces"
    p.exchange(INFO, [delete(1)])


def crowd():
    """A hundred IKE SAs of one identity; the last one works."""
    for _ in range(100):
        p = peer()
        assert with_child(p.auth())
    assert p.exchange(INFO, []) == []


def tagged(text, source="10.9.0.5", to="10.2.0.10", **bend):
    return ipv4(source, to, struct.pack(">HHHH", 4000, 4000, 20, 0) + (text + b"_" * 12)[:12], protocol=17, **bend)


def inner():
    """ESP that opens well, with what must not come out on the other side, and one packet that must."""
    p = peer()
    assert with_child(p.auth())
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 50)
    raw.bind((local, 0))
    bad = [tagged(b"WRONGsource", source=a) for a in ("10.1.0.10", "10.2.0.10", "127.0.0.1", "224.0.0.1", "0.0.0.0")]
    bad += [tagged(b"WRONGdest", to=a) for a in ("10.1.0.10", "203.0.113.1", "8.8.8.8", "255.255.255.255")]
    bad += [tagged(b"WRONGlength", total=n) for n in (0, 19, 21, 100)]
    bad += [tagged(b"WRONGversion", version=n) for n in (0, 5, 6)]
    bad += [tagged(b"WRONGroute", options=b"\x83\x07\x04\x08\x08\x08\x08\x00")]
    packets = [p.esp(b) for b in bad] + [p.esp(tagged(b"WRONGheader"), following=n) for n in (0, 6, 17, 41, 50, 59, 255)]
    packets += [p.esp(tagged(b"WRONGpad"), pad=b) for b in (b"", b"\xff", b"\xff\xff")]
    packets += [p.esp(tagged(b"WRONGcut")[:n]) for n in range(40)]
    once = p.esp(tagged(b"GOODonce"))
    for d in packets + [once, once, once]:
        raw.sendto(d, (gateway, 0))
        time.sleep(0.001)
    p.exchange(INFO, [delete(1)])


def undead():
    """Copies of a fragment that the gateway has, forged: it still asks whether we live (liveness is 2 s)."""
    p = Peer(gateway, local, psk=psk)
    p.abilities = [notify(FRAGMENTATION)]
    assert p.init() and with_child(p.auth())
    d = bytearray(p.sealed(INFO, N, b"x" * 60, p.message_id, fragment=(1, 2)))
    p.send(bytes(d))
    d[-1] ^= 1
    for _ in range(40):
        p.send(bytes(d))
        got = p.receive(0.1)
        if got and got[18] == INFO and not got[19] & RESPONSE:
            return
    raise AssertionError("the gateway asked nothing in 4 s")


globals()[sys.argv[1]]()
