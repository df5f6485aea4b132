# SPDX-License-Identifier: Apache-2.0
# Exchanges of two gateways that cross: the router holds back some IKE messages and lets ESP through. What is held is
# lost, so its sender sends it again; or the way is long. Needs net.sh.

# collide_hold WORD...: lost from now on are the requests of the left or right gateway, or all responses; requests are
# counted, the lost ones, too. Responses have a flag in IKE's header, which is at the front at 500 and behind a marker at 4500.
collide_hold() {
	local word
	in_ns router nft 'add table inet collide; flush table inet collide
		add chain inet collide held { type filter hook forward priority 0; }'
	for word in "$@" left_passed right_passed; do
		case $word in
		left) collide_rule wanl == 0 'counter drop comment "left lost"' ;;
		right) collide_rule wanr == 0 'counter drop comment "right lost"' ;;
		responses) collide_rule 'wan*' '!=' 0 drop ;;
		left_passed) collide_rule wanl == 0 'counter comment "left passed"' ;;
		right_passed) collide_rule wanr == 0 'counter comment "right passed"' ;;
		esac
	done
}
collide_rule() { # DEVICE FLAG-IS... WHAT
	in_ns router nft "add rule inet collide held iifname $1 udp dport 500 @th,216,8 & 0x20 $2 $3 $4
		add rule inet collide held iifname $1 udp dport 4500 @th,64,32 0 @th,248,8 & 0x20 $2 $3 $4"
}
# A request from that side has come through, or was lost, since the last hold.
collide_passed() { collide_seen "$1 passed"; }
collide_lost() { collide_seen "$1 lost"; }
collide_seen() { in_ns router nft list table inet collide | collide_counted "$1"; }
collide_counted() { grep "\"$1\"" | grep -qv 'packets 0 '; }
collide_release() { in_ns router nft delete table inet collide; }
# All that passes takes MS longer each way from now on, which wants a kernel with netem. What is under way when this ends is lost.
collide_late() { # MS
	local dev
	for dev in wanl wanr; do
		in_ns router tc qdisc replace dev $dev root netem limit 10000 delay "${1}ms" || return 1
	done
}
collide_in_time() { in_ns router tc qdisc del dev wanl root && in_ns router tc qdisc del dev wanr root; }
# Counts CREATE_CHILD_SA (36) from now on, at port 500: who has asked, and whether anybody has answered.
collide_watch() {
	in_ns router nft 'add table inet collide; flush table inet collide
		add chain inet collide held { type filter hook forward priority 0; }
		add rule inet collide held udp dport 500 @th,208,8 36 @th,216,8 & 0x20 != 0 counter comment "answered"
		add rule inet collide held iifname wanl udp dport 500 @th,208,8 36 counter comment "left asked"
		add rule inet collide held iifname wanr udp dport 500 @th,208,8 36 counter comment "right asked"'
}
# Both have asked, and nobody has answered.
collide_under_way() {
	local seen
	seen=$(in_ns router nft list table inet collide)
	collide_counted 'left asked' <<<"$seen" && collide_counted 'right asked' <<<"$seen" && ! collide_counted answered <<<"$seen"
}
