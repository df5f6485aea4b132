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
# The key, and left.conf and right.conf.
office_files() {
	(umask 077; echo 'forty-two geese fly over Lake Geneva' >"$work/office.psk")
	office_config left >"$work/left.conf"
	office_config right >"$work/right.conf"
}
# What the gateway of that namespace says of its tunnel: `office_is gwl dataplane`.
office_is() { postern "$1" status --json | jq -r ".connections[] | select(.name == \"office\") | .children[0].$2"; }
