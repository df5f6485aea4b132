# SPDX-License-Identifier: Apache-2.0
# ICMP errors about packets that a tunnel brought: whether they arrive, and whether what they quote is in clear on the
# wire. Wants net.sh and $work.

# refused TO PORT [TTL]: from the left host, to a port where nobody listens; does it hear so, by an ICMP error? With a TTL
# of 2 the right gateway itself sends the error. The word is in each, quoted.
refused() {
	in_ns left python3 - "$@" <<-'P'
	import socket, sys, time
	to, port, ttl = sys.argv[1], int(sys.argv[2]), int((sys.argv + ['64'])[3])
	v6 = ':' in to
	level, errors, hops = (socket.IPPROTO_IPV6, 25, socket.IPV6_UNICAST_HOPS) if v6 else (socket.IPPROTO_IP, 11, socket.IP_TTL)
	s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
	s.setsockopt(level, errors, 1)  # IP_RECVERR, IPV6_RECVERR
	s.setsockopt(level, hops, ttl)
	s.connect((to, port))
	for n in range(20):
	    try:
	        s.send(b'QUOTED01')
	    except OSError:
	        pass
	    time.sleep(0.2)
	    try:
	        print(s.recvmsg(2048, 2048, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT))
	        sys.exit(0)
	    except BlockingIOError:
	        pass
	print('nobody said anything')
	sys.exit(1)
	P
}
# The word behind ICMP and the headers that it quotes; the first four bytes tell.
quoted_seen='(icmp[36:4] == 0x51554f54) or (ip6[96:4] == 0x51554f54)'
quoted() { # COMMAND...: counts in in_clear_quoted the errors that were in clear meanwhile
	local code
	watch_start "$work/wire.pcap" wanr
	"$@"
	code=$?
	watch_stop
	in_clear_quoted=$(watch_count "$work/wire.pcap" "$quoted_seen")
	return $code
}
both_refused() { refused "$right_lan4.10" "$@" && refused "$right_lan6:10" "$@"; }
none_refused() { ! refused "$right_lan4.10" "$@" && ! refused "$right_lan6:10" "$@"; }
hidden() { quoted "$@" && [ "$in_clear_quoted" -eq 0 ] || { tcpdump -nn -r "$work/wire.pcap" "$quoted_seen"; return 1; }; }
shown() { quoted "$@" && [ "$in_clear_quoted" -ge 2 ]; }
# held_back NS: how many have been, by either table: the one that was set last comes first.
held_back() {
	local table
	for table in postern postern-held; do in_ns "$1" nft list chain inet $table hold_error 2>/dev/null; done |
		awk '/drop/ { for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1) } END { print n + 0 }'
}
