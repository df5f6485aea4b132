# SPDX-License-Identifier: Apache-2.0
# What must be on the machine: Debian packages, and the users that the processes run as.

# Packages to build, to build and test, and to show: each list is whole.
needs_build='autoconf automake gcc libc6-dev make pkg-config flex bison libssl-dev libgmp-dev libnl-3-dev
	libnl-route-3-dev libjansson-dev libcap-ng-dev libsystemd-dev check'
needs_demo='iproute2 iputils-ping iperf3 tcpdump openssl nftables procps passwd'
needs_test='clang libclang-rt-14-dev clang-format-14 binutils python3 python3-scapy python3-cryptography tshark
	debootstrap groff-base man-db libxml2-utils jq strace xz-utils util-linux'
# To boot another kernel in an emulated machine (tests/kernel/run).
needs_kernel='qemu-system-x86 qemu-system-common debian-archive-keyring cpio kmod xz-utils zstd util-linux'

needs_updated=
# Tests that run side by side wait for each other here.
needs_install() {
	local p missing=
	for p in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" -eq 0 ] || die "these packages are missing and only root can install them:$missing"
	export DEBIAN_FRONTEND=noninteractive
	if [ -z "$needs_updated" ]; then
		flock /var/lib/dpkg apt-get -q update >"${needs_log:-/dev/null}" 2>&1 || die 'apt-get update failed; is a Debian mirror configured?'
		needs_updated=yes
	fi
	printf 'installing%s\n' "$missing" | fold -s -w 78
	# shellcheck disable=SC2086
	flock /var/lib/dpkg apt-get -q install -y --no-install-recommends $missing >"${needs_log:-/dev/null}" 2>&1 ||
		die "apt-get could not install:$missing"
}

# The system users of conf/sysusers.d. What is made here is remembered, and needs_users_drop takes it away.
needs_users_made=
needs_users() {
	local u
	for u in postern postern-sign postern-verify postern-fetch; do
		id "$u" >/dev/null 2>&1 && continue
		useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$u" ||
			die "could not make the system user $u"
		needs_users_made="$needs_users_made $u"
	done
}
needs_users_drop() {
	local u
	for u in $needs_users_made; do userdel "$u" 2>/dev/null; done
	needs_users_made=
}
