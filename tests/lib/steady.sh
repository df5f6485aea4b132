# SPDX-License-Identifier: Apache-2.0
# Packets that are counted where they leave and where they come, so that one missing among thousands is seen. Needs
# net.sh; $work is a folder for files.

# Each host sends 100 packets a second and answers as many, so an SA carries 200 a second.
steady_rate=100 # by -i 0.01

# A count of the host itself.
steady_counter() { # HOST NAME
	in_ns "$1" awk -v name="$2" '$1 == "Icmp:" && !n { for (i = 2; i <= NF; i++) if ($i == name) n = i; next }
		$1 == "Icmp:" { print $n }' /proc/net/snmp
}
steady_ping() { # FROM TO N
	in_ns "$1" ping -q -n -c "$3" -i 0.01 -W 2 "$2" >"$work/ping-$1" 2>&1
}
# steady_traffic SECONDS: both hosts send; whoever sent counts what came back, whoever was sent to counts what came.
# Fails when one packet is missing.
steady_traffic() {
	local l0 r0 l r n=$(($1 * steady_rate)) pid
	l0=$(steady_counter left InEchos) r0=$(steady_counter right InEchos)
	steady_ping right "$left_lan4.10" "$n" &
	pid=$!
	steady_ping left "$right_lan4.10" "$n"
	wait "$pid"
	l=$(($(steady_counter left InEchos) - l0)) r=$(($(steady_counter right InEchos) - r0))
	grep -h transmitted "$work/ping-left" "$work/ping-right"
	echo "$n were sent each way; $r came to the right, $l to the left"
	[ "$l" -eq "$n" ] && [ "$r" -eq "$n" ] && [ "$(cat "$work/ping-left" "$work/ping-right" | grep -c " $n received")" -eq 2 ]
}
