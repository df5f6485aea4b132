# SPDX-License-Identifier: Apache-2.0
# The left gateway of tests/lib/net.sh goes elsewhere, while pings every 10 ms and a TCP connection go on from LAN to
# LAN. Needs net.sh, gateway.sh, stream.sh, $work and $top.

roam_lte4=192.0.2

# A second way out of the left gateway's place.
roam_second_link() {
	net_wire gwl lte router lte
	net_addr gwl lte "$roam_lte4.2/24"
	net_addr router lte "$roam_lte4.1/24"
}
# Does the right gateway have the left one there?
roam_is_at() {
	local now
	now=$(postern gwr status --json | jq -r '.connections[] | select(.state == "up") | .remote.address' | head -1)
	[ "$now" = "$1" ] || { echo "the right gateway has it at $now"; return 1; }
}
# COMMAND...: of `ip`, each a line, in one go.
roam_link() {
	printf '%s\n' "$@" | ip -n "$net-gwl" -batch -
}

# ---- what goes on inside ----

roam_flow_start() {
	rm -f "$work/ping"
	ip netns exec "$net-left" ping -n -D -i 0.01 -W 2 "$right_lan4.10" >"$work/ping" 2>/dev/null &
	roam_ping=$!
	stream_start || return 1
	eventually 5 grep -q '^\[' "$work/ping"
}
# The longest time between two answers since the line, ms.
roam_gap() {
	tail -n "+$1" "$work/ping" | awk -F'[][]' '/bytes from/ { if (last && $2 - last > most) most = $2 - last; last = $2 } END { printf "%d\n", most * 1000 }'
}
roam_lines() { wc -l <"$work/ping"; }
roam_answers_again() { [ "$(tail -n "+$1" "$work/ping" | grep -c 'bytes from')" -gt 20 ]; }

# roam_moves WHERE-TO COMMAND...: the commands of `ip` in the left gateway, after which the right one has it there; how
# long no answer came is in $roam_ms.
roam_moves() {
	local to=$1 from
	shift
	from=$(roam_lines)
	roam_link "$@" && eventually 10 roam_is_at "$to" && eventually 10 roam_answers_again "$(roam_lines)" || return 1
	roam_ms=$(roam_gap "$from")
}
# All that was sent has come, in its order.
roam_flow_end() {
	kill "$roam_ping" 2>/dev/null
	wait "$roam_ping" 2>/dev/null
	stream_end
}
