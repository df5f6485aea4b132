# SPDX-License-Identifier: Apache-2.0
# Debian trees of their own, made by debootstrap from the mirror that apt already uses: peers live there, because
# they conflict with each other as packages, and tests/fresh tries the README there. Kept between runs.

cache=${POSTERN_CACHE:-/var/cache/postern-tests}

# The mirror of Debian 12 that this machine's apt uses, as apt itself tells.
tree_mirror() {
	apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
		awk '$2 == "bookworm" && $3 == "main" { print $1; exit }'
}

# tree_make NAME PACKAGES...: $cache/NAME, whole or not at all, and once by whoever comes first. Sets $tree.
tree_make() {
	tree=$cache/$1
	mkdir -p "$cache"
	(
		flock 9
		[ -f "$tree/.whole" ] || tree_build "$@"
	) 9>"$tree.lock" || exit 1
}
tree_build() {
	local name=$1 mirror part=$tree.part
	shift
	mirror=$(tree_mirror)
	[ -n "$mirror" ] || die 'apt knows no Debian 12 mirror, so no tree can be made'
	rm -rf "$part" "$tree"
	printf 'making a Debian tree: %s\n' "$name"
	debootstrap --variant=minbase bookworm "$part" "$mirror" >"$cache/$name.log" 2>&1 ||
		die "debootstrap failed; see $cache/$name.log"
	printf '#!/bin/sh\nexit 101\n' >"$part/usr/sbin/policy-rc.d"
	chmod 0755 "$part/usr/sbin/policy-rc.d"
	cp /etc/resolv.conf "$part/etc/resolv.conf"
	if [ $# -gt 0 ]; then
		tree_apt "$part" update && tree_apt "$part" install -y --no-install-recommends "$@" ||
			die "apt-get failed in the tree; see $cache/$name.log"
	fi
	touch "$part/.whole"
	mv "$part" "$tree"
}
tree_apt() {
	local dir=$1
	shift
	DEBIAN_FRONTEND=noninteractive chroot "$dir" apt-get -q "$@" >>"$cache/${dir##*/}.log" 2>&1
}
