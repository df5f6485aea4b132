# SPDX-License-Identifier: Apache-2.0
# A TCP connection from LAN to LAN that goes on all the while, and how long it stood still. Needs net.sh, $work and $top.

stream_start() {
	rm -f "$work/served" # what the one before it said
	ip netns exec "$net-right" python3 "$top/tests/net/tcp_stream.py" receive "$right_lan4.10" 5001 "$work/arrived" >"$work/served" 2>&1 &
	stream_served=$!
	eventually 5 grep -q listening "$work/served" || return 1
	ip netns exec "$net-left" python3 "$top/tests/net/tcp_stream.py" send "$right_lan4.10" 5001 >"$work/sent" 2>&1 &
	stream_sent=$!
}
stream_lines() { wc -l <"$work/arrived"; }
# Has something come so many times since that line?
stream_goes_on() { [ "$(stream_lines)" -gt $(($1 + $2)) ]; }
# The longest time between two arrivals since that line, ms.
stream_gap() { tail -n "+$1" "$work/arrived" | awk 'last && $1 - last > most { most = $1 - last } { last = $1 } END { printf "%d\n", most * 1000 }'; }
# All that was sent has come, in its order.
stream_end() {
	kill "$stream_sent" 2>/dev/null
	wait "$stream_sent" 2>/dev/null
	wait "$stream_served"
	cat "$work/served"
	grep -qE '^whole [1-9][0-9]+' "$work/served"
}
