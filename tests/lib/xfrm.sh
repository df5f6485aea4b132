# SPDX-License-Identifier: Apache-2.0
# Looking at the kernel's IPsec in a namespace of the small world. Needs net.sh.

# xfrm_packets NS [what `ip xfrm state list` takes]: what these states have carried, all together.
xfrm_packets() {
	local ns=$1
	shift
	ip -s -n "$net-$ns" xfrm state list "$@" |
		awk '/lifetime current/ { getline; sub(/.*, */, ""); n += $0 } END { print n + 0 }'
}
# xfrm_states NS [the same]: how many there are.
xfrm_states() {
	local ns=$1
	shift
	ip -n "$net-$ns" xfrm state list "$@" | grep -c '^src '
}
# xfrm_dump NS: all that others could have changed, counters and times included: what nobody touched and no packet met
# looks the same later.
xfrm_dump() {
	ip -s -n "$net-$1" xfrm state list
	ip -s -n "$net-$1" xfrm policy list nosock
}
# xfrm_early_stands NS: packets can wait there for their state (xfrm/early.h).
xfrm_early_stands() {
	ip netns exec "$net-$1" nft list chain inet postern-early arriving && ip netns exec "$net-$1" grep . /proc/net/netfilter/nfnetlink_queue
}
# xfrm_sas NS: one line for each ESP state: source, destination, SPI, mode, algorithms with the bits of their keys,
# raw or udp, esn or short, packets. States without an SPI only wait for a negotiation. Needs $top.
xfrm_sas() { ip -n "$net-$1" -s xfrm state | awk -f "$top/tests/lib/xfrm.awk"; }
