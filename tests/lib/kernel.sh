# SPDX-License-Identifier: Apache-2.0
# A Debian kernel for the rig: `kernel_make bookworm` or `kernel_make trixie` fetches its package, unpacks it into
# the cache and makes the first part of the initial RAM disk. Nothing is installed, and the machine's apt is only
# asked for its mirror: the lists and downloads are those of an apt configuration of our own. Needs say.sh, tree.sh.

# Loaded before the root is there: the devices of the rig, then what mounts the host's tree and lays a layer over it.
kernel_modules='virtio_pci virtio_console virtio_rng virtiofs overlay'

# kernel_make SUITE: $cache/kernel-SUITE, whole or not at all. Sets $kernel; fails with a sentence on stderr.
kernel_make() {
	local part
	kernel=$cache/kernel-$1 part=$cache/kernel-$1.part
	mkdir -p "$cache"
	exec {kernel_lock}>"$cache/kernel-$1.lock"
	flock "$kernel_lock"
	if [ ! -f "$kernel/.whole" ]; then
		printf 'fetching the kernel of Debian %s\n' "$1" >&2
		rm -rf "$part" "$kernel"
		kernel_fetch "$1" "$part" >"$cache/kernel-$1.log" 2>&1 && kernel_modules_pack "$part" >>"$cache/kernel-$1.log" 2>&1 &&
			touch "$part/.whole" && mv "$part" "$kernel"
	fi
	exec {kernel_lock}>&-
	[ -f "$kernel/.whole" ] && return
	printf 'the kernel of Debian %s is not to be had; see %s\n' "$1" "$cache/kernel-$1.log" >&2
	return 1
}

# The packages, unpacked: the cloud kernel (all that a virtual machine needs, no more) and the busybox that mounts.
kernel_fetch() {
	local suite=$1 dir=$2 mirror image
	mirror=$(tree_mirror)
	[ -n "$mirror" ] || { echo 'apt knows no Debian 12 mirror'; return 1; }
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/archives/partial" "$dir/deb"
	printf 'deb [signed-by=%s] %s %s main\n' /usr/share/keyrings/debian-archive-keyring.gpg "$mirror" "$suite" \
		>"$dir/apt/sources.list"
	kernel_apt get update || return
	image=$(kernel_apt cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
	[ -n "$image" ] || { echo "$suite has no cloud kernel"; return 1; }
	(cd "$dir/deb" && kernel_apt get download "$image" busybox-static) || return
	for image in "$dir"/deb/*.deb; do dpkg -x "$image" "$dir" || return; done
	[ -e "$dir/lib" ] || ln -s usr/lib "$dir/lib"
	[ -e "$dir/bin" ] || ln -s usr/bin "$dir/bin"
	rm -rf "$dir/apt" "$dir/deb"
}
kernel_apt() {
	local tool=$1
	shift
	"apt-$tool" -q -o Dir::Etc::sourcelist="$dir/apt/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$dir/apt/lists" -o Dir::Cache="$dir/apt" -o Dir::Cache::archives="$dir/apt/archives" \
		-o APT::Sandbox::User=root -o APT::Update::Error-Mode=any "$@"
}

# modules.cpio: /bin/busybox, /modules/NN-NAME.ko in the order in which they must be loaded.
kernel_modules_pack() {
	local dir=$1 release ram file n=10
	release=$(basename "$dir"/lib/modules/*)
	ram=$dir/ram
	depmod -b "$dir" "$release" || return
	mkdir -p "$ram/bin" "$ram/modules"
	cp "$dir/bin/busybox" "$ram/bin/"
	# shellcheck disable=SC2086
	modprobe -d "$dir" -S "$release" --show-depends -a $kernel_modules | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r file; do
			n=$((n + 1))
			kernel_unpacked "$file" >"$ram/modules/$n-$(basename "$file" | sed 's/\.ko.*/.ko/')" || exit
		done || return
	[ -n "$(ls "$ram/modules")" ] || return
	(cd "$ram" && find . | cpio --quiet -o -H newc) >"$dir/modules.cpio" || return
	rm -rf "$ram"
}
kernel_unpacked() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dc "$1" ;;
	*) cat "$1" ;;
	esac
}
