# SPDX-License-Identifier: Apache-2.0
# strongSwan as Debian ships it, in a tree of its own, standing in a namespace of the small world, with its userspace
# ESP (kernel-libipsec) or with the kernel's. Needs tree.sh, net.sh, gateway.sh, say.sh.

swan_packages='strongswan-charon strongswan-swanctl libcharon-extra-plugins libstrongswan-extra-plugins
	libstrongswan-standard-plugins iproute2 kmod procps'

# shellcheck disable=SC2086
swan_tree() { tree_make strongswan $swan_packages; swan_root=$tree; }

# swan_start NS CONFIG-DIR [kernel]: CONFIG-DIR holds swanctl.conf and x509/, x509ca/, private/ as swanctl wants them.
# Runs in the tree with a private /run and /etc/swanctl; all mounts die with the process.
swan_start() {
	local ns=$1 dir=$2
	mkdir -p "$dir/run" "$dir/x509" "$dir/x509ca" "$dir/private"
	swan_plugins "${3:-user}" >"$dir/strongswan.conf"
	ip netns exec "$net-$ns" unshare -m bash -c '
		root=$1 dir=$2
		mount --make-rprivate /
		mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc" && mount -t sysfs sys "$root/sys"
		mount --bind "$dir/run" "$root/run"
		mount --bind "$dir" "$root/etc/swanctl"
		mount --bind "$dir/strongswan.conf" "$root/etc/strongswan.conf"
		exec chroot "$root" /usr/lib/ipsec/charon' swan "$swan_root" "$dir" >"$dir/out" 2>&1 &
	printf '%s\n' $! >"$dir/pid"
	eventually 20 test -S "$dir/run/charon.vici" || { cat "$dir/out"; return 1; }
	swanctl "$dir" --load-all >"$dir/load" 2>&1 || { cat "$dir/load"; return 1; }
}
# A short list, one setting a line: all of them take long to start where a processor is emulated. $swan_more is
# another setting.
swan_plugins() {
	local esp='kernel-libipsec kernel-netlink' routes=yes
	[ "$1" = user ] || esp=kernel-netlink routes=no
	cat <<-C
	charon {
		load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints curve25519 kdf drbg gcm ccm ctr aes sha1 sha2 hmac cmac xcbc chapoly $esp socket-default vici updown
		install_routes = $routes
		${swan_more:-}
		filelog {
			log {
				path = /run/charon.log
				time_format = %s
				time_add_ms = yes
				default = 1
				ike = 2
				flush_line = yes
			}
		}
	}
	C
}
# swanctl CONFIG-DIR ARGUMENTS...
swanctl() {
	local dir=$1
	shift
	nsenter -m -n -r -w -t "$(cat "$dir/pid")" /usr/sbin/swanctl "$@"
}
swan_stop() {
	local pid
	[ -f "$1/pid" ] || return 0
	pid=$(cat "$1/pid")
	rm -f "$1/pid"
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || eventually 10 gateway_gone "$pid"
}
