# SPDX-License-Identifier: Apache-2.0
# One tunnel between the two gateways of the small world, by a pre-shared key, that comes up by itself and is kept up.
# Needs net.sh, gateway.sh and $work.

# office_config SIDE [spare [START]]: on standard output; `spare` adds a connection that nobody answers
office_config() {
	local me=left peer=right address=$right_wan4.2 l4=$left_lan4 r4=$right_lan4 l6=$left_lan6 r6=$right_lan6
	[ "$1" = left ] || { me=right peer=left address=$left_wan4.2 l4=$right_lan4 r4=$left_lan4 l6=$right_lan6 r6=$left_lan6; }
	cat <<-C
	me { identity = $me.example.org }
	connection office {
		address  = $address
		identity = $peer.example.org
		auth     = psk
		psk_file = office.psk
		start    = ${3:-always}
		liveness = 2s
		child lan {
			local  = { $l4.0/24, $l6:/64 }
			remote = { $r4.0/24, $r6:/64 }
		}
	}
	C
	[ "${2:-}" != spare ] || cat <<-C
	connection spare {
		address  = 192.0.2.9
		identity = spare.example.org
		auth     = psk
		psk_file = office.psk
		start    = manual
		child lan {
			local  = $l4.0/24
			remote = 10.9.0.0/16
		}
	}
	C
}
# office_write SIDE [the same]: its file, whole at any moment: who reads it just now reads the old one or the new one
office_write() {
	office_config "$@" >"$work/$1.new"
	mv "$work/$1.new" "$work/$1.conf"
}
# The key, and left.conf and right.conf.
office_files() {
	(umask 077; echo 'forty-two geese fly over Lake Geneva' >"$work/office.psk")
	office_write left
	office_write right
}
# What the gateway of that namespace says of its tunnel: `office_is gwl dataplane`.
office_is() { postern "$1" status --json | jq -r ".connections[] | select(.name == \"office\") | .children[0].$2"; }

# ---- the left gateway: is it back ----

monitor() { cat "$work/gwl/pid"; }
# launch [PROGRAM...]: under this program
launch() { gateway_launch gwl "$work/left.conf" "$@"; }
# All its processes, the tunnel by its own account, and a packet to the other side and back.
is_back() {
	[ "$(gateway_crew gwl | wc -l)" -eq 5 ] && [ "$(office_is gwl state)" = up ] &&
		in_ns left ping -q -n -c 1 -W 0.3 "$right_lan4.10"
}
# comes_back SECONDS: asks all the time, to measure by; fails at once when it is dead.
comes_back() {
	local end=$(($(say_now) + $1 * 1000 * ${POSTERN_SLOW:-1}))
	until is_back >/dev/null 2>&1; do
		! gateway_gone "$(monitor)" && [ "$(say_now)" -lt "$end" ] || return 1
	done
}

# ---- its life, message by message ----

# launch_to [MESSAGE]: killed before it sends that one; counted are those to the kernel and those to its own processes.
launch_to() { launch strace -D -qq -o "$work/trace" -e signal=none -e trace=sendmsg ${1:+-e inject=sendmsg:signal=KILL:when=$1}; }
# Started, in use, another configuration, and back, and stopped; fails as soon as it is dead.
life() { # [MESSAGE]
	launch_to "$@"
	comes_back 20 || return 1
	office_write left spare
	postern gwl reload >/dev/null 2>&1
	office_write left
	postern gwl reload >/dev/null 2>&1
	kill "$(monitor)" 2>/dev/null
	wait "$(monitor)"
}
# In $work/messages: the numbers of those that go to the kernel, in a life without a kill. $last is that of the last.
messages_known() {
	life || { tail -20 "$work/gwl/log"; return 1; }
	grep -n AF_NETLINK "$work/trace" | cut -d: -f1 >"$work/messages"
	last=$(wc -l <"$work/trace")
	summary="$(wc -l <"$work/messages") messages to the kernel among $last"
	[ "$(wc -l <"$work/messages")" -gt 20 ]
}

# ---- numbers ----

# nth PART: of the numbers on standard input; 0.5 is the median, 1 the largest
nth() { sort -n | awk -v part="$1" '{ v[NR] = $1 } END { i = int(NR * part + 0.999); print v[i < 1 ? 1 : i] }'; }
# spread HOW-MANY SEED: so many of the lines on standard input, at even distances; or `all`
spread() {
	awk -v want="$1" -v seed="$2" '{ v[NR] = $0 }
		END { if (want == "all") want = NR
			for (i = 0; i < want && i < NR; i++) print v[int((i + (want < NR) * (seed % 7) / 7) * NR / (want < NR ? want : NR)) + 1] }'
}
# told NAME COMMAND...: a check, and what it found, which it leaves in $summary
told() {
	summary=
	check "$@"
	[ -z "$summary" ] || echo "$summary" | show
}
