# SPDX-License-Identifier: Apache-2.0
"""Clients of tests/net/flood: one after the other connects to the gateway, with a key that is good, sends again what
is not answered as RFC 7296 2.4 wants it, and says how long it took.

    flood_clients.py GATEWAY LOCAL PSK-FILE CLIENTS
"""

import sys
import time

from ike_peer import *

FIRST_WAIT, PATIENCE = 0.5, 3.0


class Client(Peer):
    def ask(self, datagram, timeout=None):
        wait = FIRST_WAIT
        while time.monotonic() < self.until:
            self.send(datagram)
            self.tries += 1
            until = min(time.monotonic() + wait, self.until)
            wait *= 1.5
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
        self.until = began + PATIENCE
        good = self.up()
        return time.monotonic() - began if good else None


gateway, local, key = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read().strip()
took, late, again = [], 0, 0
for _ in range(int(sys.argv[4])):
    c = Client(gateway, local, psk=key)
    seconds = c.connect()
    if seconds is None:
        late += 1
        print("a client was not up in", PATIENCE, "s, after", c.tries, "datagrams", file=sys.stderr)
    else:
        took.append(seconds)
        c.send(c.protected(INFO, [delete(1)]))
        again += c.tries - (3 if c.cookie else 2)
    c.gone()
took.sort()
print(len(took), "up", late, "late", "median", "%.0f" % (took[len(took) // 2] * 1000 if took else 0), "ms",
      "longest", "%.0f" % (took[-1] * 1000 if took else 0), "ms", again, "datagrams sent again")
