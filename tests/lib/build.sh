# SPDX-License-Identifier: Apache-2.0
# Building out of the tree, one folder a flavour: build/gcc, build/asan, build/tsan.

# `build_in NAME [configure arguments...]` configures once and makes; the log is build/NAME.log.
build_in() {
	local name=$1 dir=$top/build/$1 log=$top/build/$1.log
	shift
	[ ! -e "$top/config.status" ] ||
		die "this checkout was configured in its own folder, and then no other can build it: run 'make distclean' first"
	mkdir -p "$dir"
	[ -x "$top/configure" ] && [ "$top/configure" -nt "$top/configure.ac" ] ||
		(cd "$top" && ./autogen.sh) >"$log" 2>&1 || build_failed "$log"
	[ -f "$dir/Makefile" ] ||
		(cd "$dir" && "$top/configure" --prefix=/usr --sysconfdir=/etc --localstatedir=/var "$@") >>"$log" 2>&1 ||
		build_failed "$log"
	make -C "$dir" -j "$(nproc)" >>"$log" 2>&1 || build_failed "$log"
}
build_failed() {
	tail -30 "$1" >&2
	die "the build failed; all of it stands in $1"
}
