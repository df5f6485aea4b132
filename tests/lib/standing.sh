# SPDX-License-Identifier: Apache-2.0
# What stands in the kernel of a gateway, whoever made it, and what others could have there. Needs net.sh.

standing_lines() { awk '/^[^ \t]/ { if (l) print l; l = "" } { sub(/^[ \t]+/, " "); l = l $0 } END { if (l) print l }' | sort; }
# standing NS: states, policies, rules, routes, tables of nftables, links and addresses, in an order of their own,
# without counters and times. Byte by byte the same as long as nobody has made or taken away anything.
standing() {
	local n=$net-$1
	echo '--- states'
	ip -n "$n" -d xfrm state | standing_lines
	echo '--- policies'
	ip -n "$n" -d xfrm policy list nosock | standing_lines
	echo '--- rules'
	{ ip -n "$n" -4 rule && ip -n "$n" -6 rule; } | sort
	echo '--- routes'
	{ ip -n "$n" -4 route show table all && ip -n "$n" -6 route show table all; } | sort
	echo '--- nftables'
	# postern-early is made when the daemon is up where the kernel has ESP, and goes with the monitor
	ip netns exec "$n" nft list ruleset | awk '/^table inet postern-early /, /^}/ { next } 1' | sed 's/packets [0-9]* bytes [0-9]*//'
	echo '--- links'
	{ ip -n "$n" -d -o link && ip -n "$n" -o addr; } | sed 's/^[0-9]*: //' | sort
}
standing_is() { # FILE NS: the same as when the file was written
	standing "$2" >"$1.now"
	diff "$1" "$1.now"
}

# standing_of_others KERNEL_HAS_ESP NS: neighbours of what is ours, each lacking one mark of it.
standing_of_others() {
	local n=$net-$2 x
	x="ip -n $n xfrm"
	$x policy add src "$left_lan4.0/24" dst "$right_lan4.0/24" proto 99 dir out priority 77 action allow &&
		$x policy add src 10.8.0.0/24 dst 10.9.0.0/24 dir out tmpl src 198.51.100.77 dst 198.51.100.78 proto esp reqid 7 mode tunnel &&
		ip -n "$n" rule add pref 5050 from 10.99.0.0/16 table 77 &&
		ip -n "$n" -6 rule add pref 5051 from 2001:db8:99::/48 table 77 &&
		ip -n "$n" route add blackhole 10.98.0.0/16 table 5050 proto static &&
		ip -n "$n" -6 route add blackhole 2001:db8:98::/48 table 5050 proto static &&
		ip -n "$n" route add unreachable 10.97.0.0/16 &&
		ip netns exec "$n" nft add table inet office '{ chain c { type filter hook prerouting priority 0; meta mark 0x60000000 counter; }; }' &&
		ip -n "$n" tuntap add dev tun9 mode tun || return
	[ "$1" = no ] || {
		$x state add src 198.51.100.77 dst 198.51.100.78 proto esp spi 0x9001 reqid 7 mode tunnel enc 'ecb(cipher_null)' '' &&
			$x state add src "$left_wan4.2" dst "$right_wan4.2" proto esp spi 0x9002 mode tunnel enc 'ecb(cipher_null)' ''
	}
}
# standing_seen FILE NS: one more of each kind is noticed, and that it is gone too.
standing_seen() {
	local add del n=$net-$2
	while IFS='|' read -r add del; do
		eval "$add" || { echo "cannot be: $add"; return 1; }
		! standing_is "$1" "$2" >/dev/null || { echo "not noticed: $add"; return 1; }
		eval "$del" && standing_is "$1" "$2" || { echo "still there: $add"; return 1; }
	done <<-P
	ip -n $n xfrm policy add src 10.96.0.0/16 dir out priority 4030000000 action block | ip -n $n xfrm policy delete src 10.96.0.0/16 dir out
	ip -n $n -6 rule add pref 5050 from 2001:db8:96::/48 unreachable | ip -n $n -6 rule del pref 5050 from 2001:db8:96::/48 unreachable
	ip -n $n route add unreachable 10.96.0.0/16 table 5050 proto 80 | ip -n $n route del unreachable 10.96.0.0/16 table 5050
	ip netns exec $n nft add table inet orphan | ip netns exec $n nft delete table inet orphan
	ip -n $n tuntap add dev postern0 mode tun | ip -n $n tuntap del dev postern0 mode tun
	P
	[ "$(wc -l <"$1")" -gt 10 ]
}
