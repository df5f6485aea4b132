# SPDX-License-Identifier: Apache-2.0
# One program of the left gateway behind the other, with the same SAs: what must stay, and traffic meanwhile. Needs
# say.sh, net.sh, gateway.sh, office.sh, steady.sh; $bin is a folder of our own, $built the one that was built.

install_program() { # FILE: as a package manager does it, under another inode
	cp "$1" "$bin/posternd.new"
	chmod 0755 "$bin/posternd.new"
	mv "$bin/posternd.new" "$bin/posternd"
}
real_program() { install_program "$built/posternd"; }
# What it keeps is of another version; nothing else in it is.
other_format() {
	LC_ALL=C sed 's/postern hand-over %d/postern hand-OVER %d/' "$built/posternd" >"$work/other"
	! cmp -s "$built/posternd" "$work/other" && install_program "$work/other"
}
shows_logs() {
	tail -40 "$work/gwl/log"
	echo '--- right'
	tail -10 "$work/gwr/log"
	return 1
}
told() { grep -c "event=$1" "$work/gwl/log"; }
told_more() { [ "$(told "$1")" -gt "$2" ]; }
heard() { grep -c "event=$1" "$work/gwr/log"; }

# ---- what must stay ----

names() { # both ends' SPIs, of the IKE SA and of the child
	local ns
	for ns in gwl gwr; do
		postern $ns status --json | jq -c '.connections[] | select(.name == "office") | [.spi_local, .spi_remote, (.children[] | .spi_in, .spi_out)]'
	done
}
# None is missing, and what the one end calls its own is the other's peer's.
are_names() { # AS
	[ "$(grep -cE '^\["0x[0-9a-f]{16}","0x[0-9a-f]{16}","0x[0-9a-f]{8}","0x[0-9a-f]{8}"\]$' <<<"$1")" -eq 2 ] &&
		jq -es '.[0] == (.[1] | [.[1], .[0], .[3], .[2]])' >/dev/null <<<"$1"
}
names_are_told() { are_names "$(names)"; }
same_names() { # AS
	local now
	now=$(names)
	are_names "$now" && [ "$now" = "$1" ] || { printf 'they were\n%s\nand are\n%s\n' "$1" "$now"; return 1; }
}
new_names() { # AS [PART]: new ones in that part, as jq has it, and no others
	local now part="del(${2:-.})"
	now=$(names)
	are_names "$now" && [ "$now" != "$1" ] && [ "$(jq -c "$part" <<<"$now")" = "$(jq -c "$part" <<<"$1")" ] ||
		{ printf 'they were\n%s\nand are\n%s\n' "$1" "$now"; return 1; }
}
# Nobody negotiated, nobody was told goodbye, no process died.
no_news() {
	[ "$(told child_down)" -eq "$downs" ] && [ "$(told connection_up)" -eq "$ups" ] &&
		[ "$(heard connection_down)" -eq "$peer_downs" ] && [ "$(heard connection_up)" -eq "$peer_ups" ] || shows_logs
}
remember() {
	gateway_new_keys gwl office && eventually 10 names_are_told
	spis=$(names) ups=$(told connection_up) downs=$(told child_down)
	peer_downs=$(heard connection_down) peer_ups=$(heard connection_up)
}

# ---- packets ----

is_whole() { [ "$(gateway_crew gwl | wc -l)" -eq 5 ]; }
answers() { eventually 10 is_whole; }
under_traffic() { # SECONDS COMMAND...
	local seconds=$1 pid code n
	shift
	n=$((seconds * steady_rate))
	steady_traffic "$seconds" >"$work/steady" &
	pid=$!
	"$@"
	code=$?
	wait $pid
	cat "$work/steady"
	lost=$((2 * n - $(awk '/received/ { sum += $4 } END { print sum }' "$work/ping-left" "$work/ping-right")))
	summary="of $((2 * n)) packets and their answers $lost are missing"
	echo "$summary"
	return $code
}
numbers() { tcpdump -nn -r "$1" 'esp or udp port 4500' 2>/dev/null | sed -n 's/.*ESP(spi=\(0x[0-9a-f]*\),seq=\(0x[0-9a-f]*\)).*/\1 \2/p'; }
none_twice() { # FILE
	[ "$(numbers "$1" | wc -l)" -gt 100 ] && ! numbers "$1" | sort | uniq -d | grep .
}
nothing_in_clear() { # FILE
	[ "$(numbers "$1" | wc -l)" -gt 0 ] && [ "$(watch_leaks "$1")" -eq 0 ]
}

# ---- ends ----

# request NS JSON: a line to its control socket, and the last one of the answer
request() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n")
print(s.makefile().read().splitlines()[-1])' "$work/$1/run/control.sock" "$2"
}

peer_heard_of_it() { [ "$(heard connection_down)" -gt "$peer_downs" ]; }
guarded() { in_ns gwl ip xfrm policy | grep -q 'action block' && gateway_silent left "$right_lan4.10"; }
