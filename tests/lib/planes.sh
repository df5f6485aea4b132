# SPDX-License-Identifier: Apache-2.0
# Two gateways with two tunnels between them: one that the kernel is free to carry, and beside it one of userspace
# ESP. For the scripts of tests/kernel/in-guest. Needs say, needs, net, xfrm, pki, gateway and $bin.

second_left4=10.11.0 second_right4=10.12.0 second_left6=2001:db8:11: second_right6=2001:db8:12:

stop_all() {
	[ -z "${watch_pid:-}" ] || watch_stop
	gateway_stop gwl
	gateway_stop gwr
}

# config SIDE [OPTION-LINE...]: two connections with the same peer under two names each; lines for both connections
config() {
	local me=$1 peer=right address=$right_wan4.2 ours=left theirs=right
	shift
	[ "$me" = left ] || { peer=left address=$left_wan4.2 ours=right theirs=left; }
	local lan4=${ours}_lan4 far4=${theirs}_lan4 lan6=${ours}_lan6 far6=${theirs}_lan6
	local s4=second_${ours}4 t4=second_${theirs}4 s6=second_${ours}6 t6=second_${theirs}6
	cat <<-C
	me first {
		identity = $me.example.org
	}
	me second {
		identity = second.$me.example.org
	}
	connection office {
		me       = first
		address  = $address
		identity = $peer.example.org
		auth     = psk
		psk_file = office.psk
		$(printf '%s\n' "$@")
		child lan {
			local  = { ${!lan4}.0/24, ${!lan6}:/64 }
			remote = { ${!far4}.0/24, ${!far6}:/64 }
		}
	}
	connection other {
		me       = second
		address  = $address
		identity = second.$peer.example.org
		auth     = psk
		psk_file = office.psk
		$(printf '%s\n' "$@")
		child dmz {
			local     = { ${!s4}.0/24, ${!s6}:/64 }
			remote    = { ${!t4}.0/24, ${!t6}:/64 }
			dataplane = user
		}
	}
	C
}
configs() {
	config left "$@" >"$work/left.conf"
	config right "$@" >"$work/right.conf"
}
# The second network of each side, on the same hosts.
second_networks() {
	net_addr left lan "$second_left4.10/24"
	net_addr left lan "$second_left6:10/64"
	net_addr gwl lan "$second_left4.1/24"
	net_addr gwl lan "$second_left6:1/64"
	net_addr right lan "$second_right4.10/24"
	net_addr right lan "$second_right6:10/64"
	net_addr gwr lan "$second_right4.1/24"
	net_addr gwr lan "$second_right6:1/64"
}
start_both() { gateway_start gwl "$work/left.conf" && gateway_start gwr "$work/right.conf"; }
json() { postern "$1" status --json | jq -r "$2"; }
is_up() { [ "$(json "$1" .summary.up)" = "$2" ]; }
plane_of() { json "$1" ".connections[] | select(.name == \"$2\") | .children[0] | \"\(.dataplane) \(.state)\""; }
said() { # WANTED GOT
	[ "$1" = "$2" ] || { echo "wanted: $1"; echo "got: $2"; return 1; }
}
shows_logs() {
	local ns
	for ns in gwl gwr; do
		echo "--- $ns"
		grep -vE 'event=(proved|process_started)' "$work/$ns/log" | tail -12
		in_ns $ns ip -s xfrm state | grep -E '^src|spi|bytes|failed' | head -6
	done
	return 1
}
# Packets that states of the kernel have carried in this direction, by the address that they are sent to.
kernel_packets() { # NS DESTINATION
	in_ns "$1" ip -s xfrm state | awk -v to="$2" '
		/^src / { mine = $4 == to }
		/lifetime current/ { getline; if (mine) { gsub(/[^0-9]+/, " "); n += $2 } }
		END { print n + 0 }'
}
# Not those that stand for a question to the daemon (ACQUIRE).
states() { in_ns "$1" ip xfrm state | grep -c 'proto esp spi 0x[0-9a-f]*[1-9a-f]'; }
states_are() { said "$2" "$(states "$1")"; }
or_logs() { "$@" || shows_logs; }
leaks() { said 0 "$(watch_count "$1" "$inner")" || { tcpdump -nn -tttt -r "$1" "$inner" | head -8; return 1; }; }

pings() { # the four ways through one child: SIDE-SUFFIX
	gateway_ping left "$1.10" && gateway_ping left "$3:10" && gateway_ping right "$2.10" && gateway_ping right "$4:10"
}
routed_first() { pings "$right_lan4" "$left_lan4" "$right_lan6" "$left_lan6"; }
own_first() { # what the gateway itself sends, from an address of its own in the selector
	gateway_ping gwl "$right_lan4.10" && gateway_ping gwl "$right_lan6:10" && gateway_ping gwr "$left_lan4.10" && gateway_ping gwr "$left_lan6:10"
}
routed_second() {
	in_ns left ping -q -n -c 3 -i 0.2 -W 2 -I "$second_left4.10" "$second_right4.10" >/dev/null &&
		in_ns left ping -q -n -c 3 -i 0.2 -W 2 -I "$second_left6:10" "$second_right6:10" >/dev/null
}
own_second() { gateway_ping gwl "$second_right4.10" && gateway_ping gwl "$second_right6:10"; }
comes_up() { start_both && postern gwl up office && postern gwl up other || shows_logs; }

# planes_world: everything but the gateways. Sets $net, $work and $inner, the watcher's filter for all that is inner.
planes_world() {
	net=pst-pla-$$
	work=$(mktemp -d /tmp/postern-planes.XXXXXX)
	chmod 0755 "$work"
	trap 'stop_all; net_down; needs_users_drop; rm -rf "$work"' EXIT
	(umask 077; echo 'forty-two geese fly over Lake Geneva' >"$work/office.psk")
	needs_users
	net_up
	net_leaky_router
	second_networks
	inner="$watch_inner or net $second_left4.0/24 or net $second_right4.0/24"
	inner="$inner or net $second_left6:/64 or net $second_right6:/64"
}
