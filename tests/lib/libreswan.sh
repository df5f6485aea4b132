# SPDX-License-Identifier: Apache-2.0
# libreswan as Debian ships it, in a tree of its own, standing in a namespace of the small world. Its ESP is the
# kernel's. Needs tree.sh, net.sh, gateway.sh, say.sh.

libre_packages='libreswan libnss3-tools iproute2 kmod procps'

# shellcheck disable=SC2086
libre_tree() { tree_make libreswan $libre_packages; libre_root=$tree; }

# libre_nss FOLDER NAME: FOLDER/nss-NAME becomes a database of certificates that knows FOLDER/ca.pem and, by the nickname
# NAME, FOLDER/NAME.pem with its key. Needs no kernel, so it is made before a guest is booted.
libre_nss() {
	mkdir "$1/nss-$2"
	openssl pkcs12 -export -in "$1/$2.pem" -inkey "$1/$2.key" -name "$2" -passout pass: -out "$1/$2.p12" || return 1
	timeout 60 unshare -m bash -ec '
		root=$1 name=$3
		mount --make-rprivate /
		mount --bind "$2" "$root/mnt"
		db=sql:/mnt/nss-$name
		mount --rbind /dev "$root/dev"
		in_tree() { chroot "$root" "$@"; }
		in_tree certutil -N -d "$db" --empty-password
		in_tree certutil -A -d "$db" -n ca -t CT,, -a -i /mnt/ca.pem
		in_tree pk12util -i "/mnt/$name.p12" -d "$db" -W ""' nss "$libre_root" "$1" "$2" </dev/null || return 1
	rm "$1/$2.p12"
}

# libre_start NS CONFIG-DIR: CONFIG-DIR holds ipsec.conf, ipsec.secrets and nss/. Runs in the tree with a private /run;
# all mounts die with the process. The scripts that ipsec(8) would run first load kernel modules and change the host.
libre_start() {
	local ns=$1 dir=$2
	mkdir -p "$dir/run/pluto"
	ip netns exec "$net-$ns" unshare -m bash -ec '
		root=$1 dir=$2
		mount --make-rprivate /
		mount --rbind /dev "$root/dev"
		mount -t proc proc "$root/proc"
		mount -t sysfs sys "$root/sys"
		mount --bind "$dir/run" "$root/run"
		mount --bind "$dir/nss" "$root/var/lib/ipsec/nss"
		mount --bind "$dir/ipsec.conf" "$root/etc/ipsec.conf"
		mount --bind "$dir/ipsec.secrets" "$root/etc/ipsec.secrets"
		exec chroot "$root" /usr/libexec/ipsec/pluto --nofork --no-dnssec --logfile /run/pluto.log --rundir /run/pluto \
			--config /etc/ipsec.conf' pluto "$libre_root" "$dir" >"$dir/out" 2>&1 &
	printf '%s\n' $! >"$dir/pid"
	eventually 20 libre_ready "$dir" || { cat "$dir/out"; return 1; }
}
# It loads the connection that the file names, and then listens, by itself some time after its start.
libre_ready() {
	local status
	status=$(whack "$1" --status 2>/dev/null)
	[[ $status == *'000 interface '* && $status == *'connections: loaded '[1-9]* ]]
}

# whack CONFIG-DIR ARGUMENTS...
whack() {
	local dir=$1
	shift
	nsenter -m -n -r -w -t "$(cat "$dir/pid")" /usr/libexec/ipsec/whack --rundir /run/pluto "$@"
}
libre_stop() {
	local pid
	[ -f "$1/pid" ] || return 0
	pid=$(cat "$1/pid")
	rm -f "$1/pid"
	kill "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || eventually 10 gateway_gone "$pid"
}
