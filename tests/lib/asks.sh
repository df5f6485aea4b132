# SPDX-License-Identifier: Apache-2.0
# A peer that asks over its IKE SA all the time whether the left gateway lives, and how long no answer came. It is the
# connection `spare` of office_config, and stands in the router's place. Needs say.sh, net.sh, office.sh, $work and $top.

asks_start() {
	rm -f "$work/answers"
	ip -n "$net-router" addr replace 192.0.2.9/32 dev lo
	ip netns exec "$net-router" python3 "$top/tests/net/ike_asks.py" "$left_wan4.2" 192.0.2.9 spare.example.org "$work/office.psk" \
		10.9.0.0/16 "$left_lan4.0/24" "$work/answers" >"$work/asks" 2>&1 &
	asks_pid=$!
	eventually 10 asks_goes_on 0
}
asks_lines() { wc -l <"$work/answers"; }
# Was it answered twenty times since that line?
asks_goes_on() { [ "$(asks_lines)" -gt $(($1 + 20)) ]; }
# The longest time between two answers since that line, ms.
asks_gap() { tail -n "+$1" "$work/answers" | awk 'last && $1 - last > most { most = $1 - last } { last = $1 } END { printf "%d\n", most * 1000 + 0.5 }'; }
# The one IKE SA was answered to the end.
asks_end() {
	kill -0 "$asks_pid" 2>/dev/null || { cat "$work/asks"; return 1; }
	kill "$asks_pid"
	wait "$asks_pid"
}
# asks_while COMMAND...: how long no answer came while that went on is in $asks_ms.
asks_while() {
	local from
	from=$(asks_lines)
	"$@" && eventually 10 asks_goes_on "$(asks_lines)" || { cat "$work/asks"; return 1; }
	asks_ms=$(asks_gap "$from")
}
# asks_within MILLISECONDS TIMES COMMAND...: half of so many times it was no longer than that. A machine that is busy just
# then may need three rounds; what is slow by itself is so in each.
asks_within() {
	local i round
	for round in 1 2 3; do
		: >"$work/away"
		for ((i = 0; i < $2; i++)); do
			asks_while "${@:3}" || return 1
			echo "$asks_ms" >>"$work/away"
		done
		summary="no answer for $(nth 0.5 <"$work/away") ms (median), $(nth 1 <"$work/away") (most)"
		echo "$summary"
		[ "$(nth 0.5 <"$work/away")" -gt $(($1 * ${POSTERN_SLOW:-1})) ] || return 0
	done
	return 1
}
# The IKE SA that was asked over is not known any more: that is seen.
asks_is_lost() { eventually 15 asks_gave_up && grep 'does not know this IKE SA' "$work/asks"; }
asks_gave_up() { ! kill -0 "$asks_pid" 2>/dev/null; }
# measured NAME COMMAND...: a check, and what it found
measured() {
	summary=
	check "$@"
	[ -z "$summary" ] || show <<<"$summary"
}
