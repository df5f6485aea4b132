# SPDX-License-Identifier: Apache-2.0
# What peers of postern need before they start: Debian trees, keys, and where the kernel's ESP is wanted an emulated machine,
# in which the same script runs again. Needs say, needs, pki, tree, strongswan, libreswan, and $top.

peers_trees() {
	# shellcheck disable=SC2086
	needs_install $needs_demo debootstrap jq python3
	needs_users
	swan_tree
	libre_tree
}
# In a folder $pki: a CA and two ends for each kind of key.
peers_keys() {
	local kind auth
	for auth in ecdsa rsa ed25519; do
		mkdir -p "$pki/$auth"
		case $auth in
		ecdsa) kind=ec:P-256 ;;
		rsa) kind=rsa:2048 ;;
		ed25519) kind=ed25519 ;;
		esac
		pki_ca "$pki/$auth" $kind
		for name in left right; do
			pki_cert "$pki/$auth" $name DNS:$name.example.org $kind
			# libreswan has no Ed25519
			[ $auth = ed25519 ] || libre_nss "$pki/$auth" $name >/dev/null || die "no NSS database for $auth"
		done
	done
}
# peers_boot SCRIPT [ARGUMENT...]: it runs in the guest, which has no network, with POSTERN_PKI. A guest that says nothing
# for as long as several rows take, or whose time is over, gets another one.
peers_boot() {
	local code try
	[ "$(id -u)" -eq 0 ] || die "$1 makes Debian trees and boots a kernel: run it as root"
	peers_trees
	pki=$(mktemp -d /tmp/postern-pki.XXXXXX)
	trap 'rm -rf "$pki"; needs_users_drop' EXIT
	peers_keys
	export POSTERN_PKI=$pki POSTERN_BIN=${POSTERN_BIN:-$top/build/gcc}
	for try in 1 2; do
		"$top/tests/kernel/run" -t "${POSTERN_LIMIT:-2400}" -q 480 "$@" &
		guest=$!
		# a signal to us alone ends the guest, too
		trap 'kill $guest; wait $guest; exit 143' INT TERM
		wait $guest
		code=$?
		[ $code -eq 124 ] || break
		[ $try -eq 2 ] || echo 'the guest has stood still or used up its time: all of it once more'
	done
	[ $code -ne 77 ] || { skip interop 'no kernel with ESP is to be had'; tally; }
	return $code
}
