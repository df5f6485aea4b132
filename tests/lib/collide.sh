# SPDX-License-Identifier: Apache-2.0
# Exchanges of two gateways that cross: the router holds back some IKE messages and lets ESP through. What is held is
# lost, so its sender sends it again. Needs net.sh.

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
collide_seen() { in_ns router nft list table inet collide | grep "\"$1\"" | grep -qv 'packets 0 '; }
collide_release() { in_ns router nft delete table inet collide; }
