# SPDX-License-Identifier: Apache-2.0
# Two gateways, each with a network behind it and the kernel's data plane by itself (tests/kernel/plane_tool.c).
#
#	l (10.1.0.10) -- gl ==192.0.2.0/24== gr -- r (10.2.0.10)

# shellcheck disable=SC2154 # top is the script's
plane_tool_begin() { # NAME: of the script
	tool=${POSTERN_BIN:-$top/build/gcc}/tests/kernel/plane_tool
	[ -x "$tool" ] || die "$tool is not built"
	net=pst-$1-$$
	work=$(mktemp -d "/tmp/postern-$1.XXXXXX")
	trap 'world_down; rm -rf "$work"' EXIT
}

on() { local ns=$1; shift; ip netns exec "$net-$ns" "$@"; }
wire() { ip link add "$2" netns "$net-$1" type veth peer name "$4" netns "$net-$3"; }
address() { ip -n "$net-$1" addr add "$3" dev "$2"; ip -n "$net-$1" link set "$2" up; }
world_up() {
	local ns
	for ns in l gl gr r; do
		ip netns add "$net-$ns"
		ip -n "$net-$ns" link set lo up
		on $ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	done
	wire l e0 gl l0; wire gl w0 gr w0; wire gr l0 r e0
	address l e0 10.1.0.10/24; address gl l0 10.1.0.1/24; address gl w0 192.0.2.1/24
	address r e0 10.2.0.10/24; address gr l0 10.2.0.1/24; address gr w0 192.0.2.2/24
	ip -n $net-gl addr add 192.0.2.11/24 dev w0
	ip -n $net-l route add default via 10.1.0.1; ip -n $net-r route add default via 10.2.0.1
	ip -n $net-gl route add default via 192.0.2.2; ip -n $net-gr route add default via 192.0.2.1
	on gl sysctl -qw net.ipv4.ip_forward=1; on gr sysctl -qw net.ipv4.ip_forward=1
}
world_down() {
	local ns pid
	exec 5>&- 7>&-
	wait
	for ns in l gl gr r; do
		for pid in $(ip netns pids "$net-$ns" 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
		ip netns del "$net-$ns" 2>/dev/null
	done
}

# ---- the tools: one in each gateway, that hold their books from command to command ----

tool_start() {
	mkfifo "$work/$1.in" "$work/$1.out"
	ip netns exec "$net-$1" "$tool" <"$work/$1.in" >"$work/$1.out" 2>"$work/$1.err" &
	eval "tool_$1=$!"
	if [ "$1" = gl ]; then exec 5>"$work/gl.in" 6<"$work/gl.out"; else exec 7>"$work/gr.in" 8<"$work/gr.out"; fi
}
# gl COMMAND...: what it said is in $said; fails when it ended in an error.
ask() {
	local to=$1 from=$2 line
	shift 2
	said=
	echo "$*" >&"$to"
	while read -r -t 60 line <&"$from"; do
		said="$said$line"$'\n'
		case $line in ok*) return 0 ;; error*) echo "$*: $line"; return 1 ;; esac
	done
	echo "$*: no answer"
	return 1
}
gl() { ask 5 6 "$@"; }
gr() { ask 7 8 "$@"; }
says() { [[ $said == *"$1"* ]] || { echo "said: $said"; return 1; }; }
