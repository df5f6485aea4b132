# SPDX-License-Identifier: Apache-2.0
# Starting and stopping posternd in a namespace of the small world, and asking it.
# $bin is the folder with the built posternd and postern, $work a folder for all files.

# gateway_launch NS CONFIG [PROGRAM...]: does not wait until it runs; under this program, which becomes it
gateway_launch() {
	local ns=$1 config=$2
	shift 2
	mkdir -p "$work/$ns/run" "$work/$ns/state"
	# the group of people who may read is that of the control socket; others need only pass
	chmod 0755 "$work" "$work/$ns" "$work/$ns/run"
	ip netns exec "$net-$ns" "$@" "$bin/posternd" --config "$config" --run-dir "$work/$ns/run" \
		--state-dir "$work/$ns/state" >>"$work/$ns/log" 2>&1 &
	printf '%s\n' $! >"$work/$ns/pid"
}
# gateway_start NS CONFIG
gateway_start() {
	gateway_launch "$1" "$2"
	if ! eventually 10 postern "$1" status; then
		tail -20 "$work/$1/log" >&2
		return 1
	fi
}
# Its other processes, by the monitor's; all of them, or one role's.
gateway_crew() { pgrep -P "$(cat "$work/$1/pid")" -f "^postern-${2:-}" 2>/dev/null; }
gateway_stop() {
	local pid
	[ -f "$work/$1/pid" ] || return 0
	pid=$(cat "$work/$1/pid")
	rm -f "$work/$1/pid"
	kill "$pid" 2>/dev/null
	# it may have been started in a subshell, and then it is not ours to wait for
	wait "$pid" 2>/dev/null || eventually 10 gateway_gone "$pid"
	gateway_complaints "$work/$1/log" >>"$work/complaints"
}
# What a sanitizer said, in builds that have one; it counts even when the daemon went on.
gateway_complaints() { grep -hE '(ERROR|WARNING): [A-Za-z]+Sanitizer|runtime error:|LeakSanitizer' "$1"; }
gateway_sound() {
	echo '==1==ERROR: AddressSanitizer: heap-use-after-free' >"$work/control"
	[ -n "$(gateway_complaints "$work/control")" ] || { echo 'a complaint would not be seen'; return 1; }
	cat "$work/complaints"
	! [ -s "$work/complaints" ]
}
gateway_gone() { ! kill -0 "$1" 2>/dev/null; }
# Nobody lives in that namespace any more; says who does. All processes end with the monitor, by themselves: whoever starts
# the next one after a kill -9 waits for that, as systemd does.
gateway_dead() { [ -z "$(ip netns pids "$net-$1")" ] || { ip netns pids "$net-$1" | xargs ps -f; return 1; }; }
# postern NS ARGUMENTS...: the command, talking to that gateway
postern() {
	local ns=$1
	shift
	in_ns "$ns" "$bin/postern" --run-dir "$work/$ns/run" --state-dir "$work/$ns/state" "$@"
}
# gateway_new_keys NS CONNECTION: whether both ends can make them is tried early, once (ike/rekey.h). Here and now, so that
# no SPI changes by itself later; unless it has been.
gateway_has_new_keys() {
	awk -v of=" connection=$2 child=" 'index($0, of) && /event=(child_up|rekeyed) / { new = /event=rekeyed/ } END { exit !new }' "$work/$1/log"
}
gateway_new_keys() { gateway_has_new_keys "$@" || { postern "$1" -q rekey "$2" && eventually 10 gateway_has_new_keys "$@"; }; }
# gateway_ping FROM ADDRESS [COUNT]: all must come back
gateway_ping() { in_ns "$1" ping -q -n -c "${3:-3}" -i 0.2 -W 2 "$2" >/dev/null; }
gateway_silent() { ! in_ns "$1" ping -q -n -c 2 -i 0.2 -W 1 "$2" >/dev/null 2>&1; }
