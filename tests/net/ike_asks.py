# SPDX-License-Identifier: Apache-2.0
"""A peer that asks over its IKE SA, all the time, whether the gateway lives, and writes down when each answer came. A
question is sent again, the same bytes, until it is answered: what a gateway has read that ends then is lost. It answers
what it is asked, and ends when nothing was answered for ten seconds, or by SIGTERM.

    ike_asks.py GATEWAY LOCAL IDENTITY PSK-FILE ITS-NETWORK NETWORK-BEHIND FILE
"""

import select
import signal
import sys
import time

from ike_peer import *

PACE, AGAIN, PATIENCE = 0.005, 0.02, 10


class Asker(Peer):
    def take(self, seconds):
        """What comes in that time is taken. True: the question is answered."""
        until = time.monotonic() + seconds
        while select.select([self.sock], [], [], max(until - time.monotonic(), 0))[0]:
            m = self.receive(0)
            if len(m) < 28 or m[:16] != self.spi_i + self.spi_r or m[18] != INFO:
                continue
            if not m[19] & RESPONSE:
                self.send(self.answered(m))
            elif m[20:24] == struct.pack(">I", self.message_id):
                if m[16] != SK:
                    sys.exit("it does not know this IKE SA any more")
                self.opened(m)  # by the keys of this SA, or it raises
                return True
        return False

    def answered(self, m):
        """Sent again: the same bytes, too."""
        if m[20:24] not in self.answers:
            self.answers = {m[20:24]: self.sealed(INFO, 0, b"", struct.unpack(">I", m[20:24])[0], INITIATOR | RESPONSE)}
        return self.answers[m[20:24]]

    def ask_once(self):
        question = self.protected(INFO, [])
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.send(question)
            if self.take(AGAIN):
                self.message_id += 1
                return True
        return False


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
gateway, local, identity, key, inner, behind, path = sys.argv[1:]
with open(key, "rb") as f:
    p = Asker(gateway, local, identity.encode(), f.read().strip(), inner, behind)
p.answers = {}
assert p.up(), "the gateway did not let it in"
with open(path, "w", buffering=1) as f:
    while p.ask_once():
        print("%.6f" % time.monotonic(), file=f)
        p.take(PACE)
print("no answer for %d s" % PATIENCE)
sys.exit(1)
