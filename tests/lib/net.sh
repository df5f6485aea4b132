# SPDX-License-Identifier: Apache-2.0
# A small world in network namespaces:
#
#	left --lan-- gwl --wan-- router --wan-- gwr --lan-- right
#
# Both LANs and both outer links speak IPv4 and IPv6. Everything has the prefix $net, so that several
# worlds may stand side by side, and net_down takes away exactly what net_up made.

net=${net:-pst-$$}
left_lan4=10.1.0 right_lan4=10.2.0 left_wan4=198.51.100 right_wan4=203.0.113
left_lan6=2001:db8:1: right_lan6=2001:db8:2: left_wan6=2001:db8:a: right_wan6=2001:db8:b:

in_ns() {
	local ns=$1
	shift
	ip netns exec "$net-$ns" "$@"
}

# net_wire A IF-A B IF-B: a veth between two namespaces.
net_wire() { ip link add "$2" netns "$net-$1" type veth peer name "$4" netns "$net-$3"; }

net_addr() {
	case $3 in
	*:*) ip -n "$net-$1" addr add "$3" dev "$2" nodad ;;
	*) ip -n "$net-$1" addr add "$3" dev "$2" ;;
	esac
	ip -n "$net-$1" link set "$2" up
}

net_up() {
	local ns
	for ns in left gwl router gwr right; do
		ip netns add "$net-$ns"
		ip -n "$net-$ns" link set lo up
		in_ns "$ns" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
			net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	done
	net_wire left lan gwl lan
	net_wire gwl wan router wanl
	net_wire router wanr gwr wan
	net_wire gwr lan right lan
	net_side left gwl wanl "$left_lan4" "$left_wan4" "$left_lan6" "$left_wan6"
	net_side right gwr wanr "$right_lan4" "$right_wan4" "$right_lan6" "$right_wan6"
	for ns in gwl router gwr; do
		in_ns "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
}

# One side: host .10 behind the gateway .1; the gateway .2 before the router .1.
net_side() {
	net_addr "$1" lan "$4.10/24"
	net_addr "$1" lan "$6:10/64"
	net_addr "$2" lan "$4.1/24"
	net_addr "$2" lan "$6:1/64"
	net_addr "$2" wan "$5.2/24"
	net_addr "$2" wan "$7:2/64"
	net_addr router "$3" "$5.1/24"
	net_addr router "$3" "$7:1/64"
	ip -n "$net-$1" route add default via "$4.1"
	ip -n "$net-$1" -6 route add default via "$6:1"
	ip -n "$net-$2" route add default via "$5.1"
	ip -n "$net-$2" -6 route add default via "$7:1"
}

# The router hides the left gateway behind its own right address; where it is at this address alone: a NAT that takes up
# flows which are under way could take one end's for the other's, and change its port.
net_nat_on() { # [ADDRESS]
	in_ns router nft -f - <<-N
	table inet nat {
		chain post {
			type nat hook postrouting priority srcnat;
			oifname "wanr" ${1:+ip saddr $1} masquerade
		}
	}
	N
}
# What it has translated it translates again if there is a NAT within the next minutes.
net_nat_off() { in_ns router nft delete table inet nat; }

# Without a tunnel the LANs would reach each other through the router: so a leak would be seen, not lost.
net_leaky_router() {
	ip -n "$net-router" route add "$left_lan4.0/24" via "$left_wan4.2"
	ip -n "$net-router" route add "$right_lan4.0/24" via "$right_wan4.2"
	ip -n "$net-router" -6 route add "$left_lan6:/64" via "$left_wan6:2"
	ip -n "$net-router" -6 route add "$right_lan6:/64" via "$right_wan6:2"
}

net_down() {
	local ns pid
	for ns in left gwl router gwr right; do
		ip netns list | grep -q "^$net-$ns\b" || continue
		for pid in $(ip netns pids "$net-$ns"); do kill -9 "$pid" 2>/dev/null; done
		ip netns del "$net-$ns"
	done
}

# The watcher: records what crosses one interface of the router, whole packets, unbuffered.
# Immediate, because what waits in the kernel's ring when the watcher ends is lost, a leak of the last second too.
#	watch_start FILE IF; ...; watch_stop; watch_count FILE [pcap filter...]
watch_start() {
	rm -f "$1.log" # what an earlier one said there
	ip netns exec "$net-router" tcpdump -i "$2" --immediate-mode -U -s 0 -w "$1" >"$1.log" 2>&1 &
	watch_pid=$! watch_file=$1 watch_if=$2
	eventually 10 grep -q 'listening on' "$1.log" || { cat "$1.log"; return 1; }
}
# A watcher that had no time to look has seen nothing, so before it ends it must have seen a last packet: to all
# neighbours on this link, which concerns nobody and no filter. What is in its buffer reaches the file when it ends.
watch_last() {
	in_ns router bash -c "echo last >/dev/udp/ff02::1%$watch_if/9"
	[ "$(watch_count "$watch_file" udp dst port 9 and ip6 dst ff02::1)" -gt 0 ]
}
watch_stop() {
	! kill -0 "$watch_pid" 2>/dev/null || eventually 10 watch_last || echo "the watcher of $watch_if has not seen the end"
	kill -INT "$watch_pid" 2>/dev/null
	wait "$watch_pid" 2>/dev/null
	watch_pid=
}
watch_count() {
	local file=$1
	shift
	tcpdump -nn -r "$file" "$@" 2>/dev/null | wc -l
}
# All that carries an inner address in its outermost header, or the marker text anywhere, is in clear.
watch_inner="net $left_lan4.0/24 or net $right_lan4.0/24 or net $left_lan6:/64 or net $right_lan6:/64"
watch_leaks() {
	local n
	n=$(watch_count "$1" "$watch_inner")
	[ -z "${2:-}" ] || n=$((n + $(grep -acF "$2" "$1")))
	echo "$n"
}
