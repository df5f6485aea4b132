# SPDX-License-Identifier: Apache-2.0
# A tunnel outlives processes of its gateways, while a TCP connection goes on inside. Needs net.sh, gateway.sh, stream.sh
# and $work.

# The SPIs of both gateways' Child SAs.
outlive_esp() {
	local ns
	for ns in gwl gwr; do postern $ns status --json | jq -r '.connections[].children[] | .spi_in // empty, .spi_out // empty'; done | sort -u | paste -sd' '
}
outlive_one_pair() { [ "$(outlive_esp | wc -w)" -eq 2 ]; }
# The SPIs of the IKE SAs whose messages on 4500 the watcher has seen: they follow on the marker, 32 bytes behind the start.
outlive_ike() { tcpdump -nn -x -r "$1" 'udp port 4500 and udp[8:4] = 0' 2>/dev/null | sed -n 's/^\s*0x0020:\s*//p' | sort -u; }
outlive_other_engine() { # NS PID
	local now
	now=$(gateway_crew "$1" engine) && [ -n "$now" ] && [ "$now" != "$2" ] && postern "$1" status
}
outlive_up() { [ "$(postern "$1" status --json | jq -r '.connections[0].state')" = up ]; }

# outlive_kill NS...: kill -9 of their engines; the next ones have the tunnel, and the transfer goes on. The longest time
# without an arrival is in $outlive_ms.
outlive_kill() {
	local ns pids from
	from=$(stream_lines)
	pids=$(for ns in "$@"; do gateway_crew "$ns" engine; done)
	# shellcheck disable=SC2086
	kill -9 $pids || return 1
	for ns in "$@"; do
		eventually 10 outlive_other_engine "$ns" "${pids%%$'\n'*}" && eventually 10 outlive_up "$ns" || return 1
		pids=${pids#*$'\n'}
	done
	eventually 10 stream_goes_on "$(stream_lines)" 50 || return 1
	outlive_ms=$(stream_gap "$from")
}
# outlive_upgrade NS: another program in the place of the daemon (here the same one, once more), and the transfer goes on.
# The longest time without an arrival is in $outlive_ms.
outlive_upgrade() {
	local from pid
	from=$(stream_lines) pid=$(gateway_crew "$1" engine)
	postern "$1" upgrade || return 1
	eventually 10 outlive_other_engine "$1" "$pid" && eventually 10 outlive_up "$1" && eventually 10 stream_goes_on "$(stream_lines)" 50 || return 1
	outlive_ms=$(stream_gap "$from")
}
# outlive_restart NS CONFIG: the whole daemon is stopped in order, and started again. In $outlive_up_ms how long it took
# until it had a tunnel; TCP tries again somewhat later.
outlive_restart() {
	local from begun
	from=$(stream_lines)
	begun=$(say_now)
	gateway_stop "$1"
	gateway_start "$1" "$2" && eventually 10 outlive_up "$1" || return 1
	outlive_up_ms=$(($(say_now) - begun))
	eventually 30 stream_goes_on "$(stream_lines)" 50 || return 1
	outlive_ms=$(stream_gap "$from")
}
