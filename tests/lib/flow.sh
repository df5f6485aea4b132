# SPDX-License-Identifier: Apache-2.0
# Numbered packets that go on all the time, from each LAN to the other one, while things happen between them: how many
# were lost, came twice, and how long none came, since the last mark. Needs net.sh, say.sh and $work.

# Seconds between two; an emulated machine is 10 to 20 times slower.
flow_every=0.01
[ -z "${POSTERN_RIG:-}" ] || flow_every=0.04

flow_start() {
	ip netns exec "$net-left" ping -n -D -i $flow_every -W 2 "$right_lan4.10" >"$work/flow-left" 2>&1 &
	flow_pids=$!
	ip netns exec "$net-right" ping -n -D -i $flow_every -W 2 "$left_lan4.10" >"$work/flow-right" 2>&1 &
	flow_pids="$flow_pids $!"
	flow_at_left=0 flow_at_right=0
	eventually 5 flow_more && flow_mark
}
flow_mark() { flow_from_left=$(wc -l <"$work/flow-left") flow_from_right=$(wc -l <"$work/flow-right"); }
# The answers since the mark, in any order: which numbers between the lowest and the highest have none.
flow_account() { # SIDE LINE
	tail -n "+$2" "$work/flow-$1" | awk -F'[][ =]+' '
		/bytes from/ {
			for (i = 1; i < NF; i++) if ($i == "icmp_seq") n = $(i + 1)
			if (/DUP!/) { twice++; next }
			if (n < low || !low) low = n
			if (n > high) high = n
			came++
			if (last && $2 - last > most) most = $2 - last
			last = $2
		}
		END { print came + 0, (came ? high - low + 1 - came : -1), twice + 0, int(most * 1000) }'
}
# flow_count: sets flow_came, flow_lost, flow_twice and flow_ms, the longest time without an answer, and says them. What
# was sent before a step and answered after its mark belongs to it.
flow_count() {
	local came lost twice ms side from
	flow_came=0 flow_lost=0 flow_twice=0 flow_ms=0
	flow_settles || { echo 'no packet comes any more'; return 1; }
	for side in left right; do
		from=flow_from_$side
		read -r came lost twice ms < <(flow_account $side "${!from}")
		[ "$lost" -ge 0 ] || return 1
		flow_came=$((flow_came + came)) flow_lost=$((flow_lost + lost)) flow_twice=$((flow_twice + twice))
		[ "$ms" -le "$flow_ms" ] || flow_ms=$ms
	done
	echo "of $((flow_came + flow_lost)) packets that were asked to come back $flow_lost did not, $flow_twice came twice;" \
		"none came for $flow_ms ms at most"
	flow_mark
}
flow_settles() { flow_note && eventually 10 flow_more; }
flow_note() { flow_at_left=$(wc -l <"$work/flow-left") flow_at_right=$(wc -l <"$work/flow-right"); }
# Twenty more answers each way: by then what was under way has come, or is lost.
flow_more() {
	local side at
	for side in left right; do
		at=flow_at_$side
		[ "$(tail -n "+$((${!at} + 1))" "$work/flow-$side" | grep -c 'bytes from')" -gt 20 ] || return 1
	done
}
flow_end() {
	# shellcheck disable=SC2086
	kill $flow_pids 2>/dev/null
	# shellcheck disable=SC2086
	wait $flow_pids 2>/dev/null
	flow_pids=
}
