# SPDX-License-Identifier: Apache-2.0
# Looking at the kernel's IPsec in a namespace of the small world. Needs net.sh.

# xfrm_packets NS SOURCE DESTINATION: what all states of this direction have carried.
xfrm_packets() {
	ip -s -n "$net-$1" xfrm state list src "$2" dst "$3" |
		awk '/lifetime current/ { getline; sub(/.* /, ""); n += $0 } END { print n + 0 }'
}
# xfrm_states NS [what `ip xfrm state list` takes]: how many there are.
xfrm_states() {
	local ns=$1
	shift
	ip -n "$net-$ns" xfrm state list "$@" | grep -c '^src '
}
# xfrm_policies NS [what `ip xfrm policy list` takes]
xfrm_policies() {
	local ns=$1
	shift
	ip -n "$net-$ns" xfrm policy list "$@" | grep -c '^src '
}
# xfrm_dump NS: states and policies without what counts or tells a time; those that nobody touches look the same later.
xfrm_dump() {
	ip -n "$net-$1" xfrm state
	ip -n "$net-$1" -d xfrm policy list nosock
}
