# SPDX-License-Identifier: Apache-2.0
"""Clients of tests/net/flood: one after the other connects to the gateway, with a key that is good, sends again what
is not answered as RFC 7296 2.4 wants it, and says how long it took. Fails when one gave up, or when fewer than 99 of
100 were up within 3 s.

    flood_clients.py GATEWAY LOCAL PSK-FILE CLIENTS
"""

import sys
import time

from ike_peer import *

# As often as our own engine (ike/retransmit.h), in about the same 30 s for each exchange.
TRIES, FIRST_WAIT, LONGEST_WAIT = 13, 0.5, 3.0
SOON, PERCENT = 3.0, 99


class Client(Peer):
    def ask(self, datagram, timeout=None):
        wait = FIRST_WAIT
        for _ in range(TRIES):
            self.send(datagram)
            self.tries += 1
            until = time.monotonic() + wait
            wait = min(wait * 1.5, LONGEST_WAIT)
            while time.monotonic() < until:
                answer = self.receive(max(until - time.monotonic(), 0.001))
                # an answer to what was sent before may still come
                if len(answer) >= 28 and answer[18] == datagram[18] and answer[20:24] == datagram[20:24]:
                    if answer != self.last:
                        self.last = answer
                        return answer
        return b""

    def connect(self):
        self.tries, self.last = 0, b""
        began = time.monotonic()
        good = self.up()
        return time.monotonic() - began if good else None


gateway, local, key = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read().strip()
took, lost, again = [], 0, 0
for _ in range(int(sys.argv[4])):
    c = Client(gateway, local, psk=key)
    seconds = c.connect()
    if seconds is None:
        lost += 1
        print("a client gave up, after", c.tries, "datagrams")
    else:
        took.append(seconds)
        c.send(c.protected(INFO, [delete(1)]))
        again += c.tries - (3 if c.cookie else 2)
    c.gone()
took.sort()
soon = sum(t <= SOON for t in took)
print("%d up, %d of them within %.0f s, %d gave up; median %.0f ms, longest %.0f ms, %d datagrams sent again" % (
    len(took), soon, SOON, lost, took[len(took) // 2] * 1000 if took else 0, took[-1] * 1000 if took else 0, again))
sys.exit(lost > 0 or not took or soon * 100 < len(took) * PERCENT)
