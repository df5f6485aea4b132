# SPDX-License-Identifier: Apache-2.0
# The two ends of a pair of gateways that interoperate: the left one (gwl) calls, the right one (gwr) answers. An end is
# a place and a kind:
#
#	postern-user postern-kernel	postern with that data plane
#	swan swan-user			strongSwan with the kernel's ESP, or its own
#	libre				libreswan
#
# What is agreed stands in these variables: auth (psk or the kind of key), mode, outer (family), inner (4, 6 or 46), encap
# (raw, udp, nat), suite, esn (esn, short). Lines of postern's connection stand in $postern_more, of strongSwan's in
# $swan_conn; with roams=yes the left one goes elsewhere, and the right one need not know it beforehand. $pki holds a folder for each kind of key, $work all files of a run.
# Needs net.sh, gateway.sh, strongswan.sh, libreswan.sh, xfrm.sh, and extglob.

psk='correct horse battery staple, 27 ponies'

# end_at PLACE: sets here, there (left, right), their outer addresses, and their inner networks with commas
end_at() {
	case $1 in
	gwl) here=left there=right ;;
	gwr) here=right there=left ;;
	esac
	outer_here=$(end_outer $here) outer_there=$(end_outer $there)
	nets=$(end_nets $here) nets_there=$(end_nets $there)
	[ "${roams:-}$here" != yesleft ] || outer_here=any
	[ "$encap$here" = natright ] || [ "${roams:-}$here" = yesright ] || return 0
	# the right one sees the address of the translator, and need not know it beforehand
	outer_there=any
	[ "$mode" != transport ] || nets_there=$(end_outer router)
}
end_outer() {
	case $1$outer in
	left4) echo "$left_wan4.2" ;;
	right4) echo "$right_wan4.2" ;;
	left6) echo "$left_wan6:2" ;;
	right6) echo "$right_wan6:2" ;;
	# as the right one sees what is behind the translator
	router4) echo "$right_wan4.1" ;;
	router6) echo "$right_wan6:1" ;;
	esac
}
end_nets() {
	local four six
	case $1$mode in
	*transport) end_outer "$1"; return ;;
	left*) four=$left_lan4.0/24 six=$left_lan6:/64 ;;
	right*) four=$right_lan4.0/24 six=$right_lan6:/64 ;;
	esac
	case $inner in
	4) echo "$four" ;;
	6) echo "$six" ;;
	46) echo "$four,$six" ;;
	esac
}

# suite | words of postern's policy | strongSwan: IKE | ESP | libreswan: IKE | ESP | as the kernel shows it
end_suites() {
	cat <<-S
	gcm256|aes256gcm16 prfsha384 x25519|aes256gcm16-prfsha384-x25519|aes256gcm16|aes_gcm256-sha2_384;dh31|aes_gcm256|rfc4106(gcm(aes)):288
	gcm128|aes128gcm16 prfsha256 ecp256|aes128gcm16-prfsha256-ecp256|aes128gcm16|aes_gcm128-sha2_256;dh19|aes_gcm128|rfc4106(gcm(aes)):160
	chacha|chacha20poly1305 prfsha256 x25519|chacha20poly1305-prfsha256-x25519|chacha20poly1305|chacha20_poly1305-sha2_256;dh31|chacha20_poly1305|rfc7539esp(chacha20,poly1305):288
	cbc256|aes256 sha256 prfsha256 ecp256|aes256-sha256-ecp256|aes256-sha256|aes256-sha2_256;dh19|aes256-sha2_256|hmac(sha256):256+cbc(aes):256
	cbc128|aes128 sha384 prfsha384 ecp384|aes128-sha384-ecp384|aes128-sha384|aes128-sha2_384;dh20|aes128-sha2_384|hmac(sha384):384+cbc(aes):128
	cbc512|aes256 sha512 prfsha512 x25519|aes256-sha512-x25519|aes256-sha512|aes256-sha2_512;dh31|aes256-sha2_512|hmac(sha512):512+cbc(aes):256
	S
}
end_suite() { end_suites | awk -F'|' -v s="$suite" -v f="$1" '$1 == s { print $f }'; }

end_start() { # PLACE KIND
	end_at "$1"
	case $2 in
	postern-*) end_start_postern "$1" "${2#postern-}" ;;
	swan) end_start_swan "$1" kernel ;;
	swan-user) end_start_swan "$1" user ;;
	libre) end_start_libre "$1" ;;
	esac
}

end_start_postern() { # PLACE PLANE
	local dir=$work/conf-$1
	end_keys "$dir" "$dir" "$dir"
	(umask 077; printf '%s\n' "$psk" >"$dir/peer.psk")
	cat >"$dir/postern.conf" <<-C
	me {
		identity    = $here.example.org
		certificate = $here.pem
		key         = $here.key
		trust       = ca.pem
	}

	connection peer {
		address  = $outer_there
		identity = $there.example.org
		auth     = $([ "$auth" = psk ] && echo psk || echo certificate)
		$([ "$auth" = psk ] && echo 'psk_file = peer.psk')
		policy   = { $(end_suite 2 | sed 's/ /, /g') }
		encap    = $([ "$encap" = udp ] && echo always || echo auto)
		start    = manual
		${postern_more:-}

		child net {
			local     = { ${nets/,/, } }
			remote    = { ${nets_there/,/, } }
			$([ "$mode" = tunnel ] || echo "mode = $mode")
			dataplane = $2
			esn       = $([ "$esn" = esn ] && echo yes || echo no)
		}
	}
	C
	gateway_start "$1" "$dir/postern.conf"
}

# end_keys CERTIFICATES AUTHORITIES KEYS: what this end proves itself with.
end_keys() {
	local from=$pki/$auth
	[ "$auth" != psk ] || from=$pki/ecdsa
	mkdir -p "$@"
	cp "$from/$here.pem" "$1/"
	cp "$from/ca.pem" "$2/"
	cp "$from/$here.key" "$3/"
}

end_start_swan() { # PLACE ESP
	local dir=$work/conf-$1 way=pubkey
	[ "$auth" != psk ] || way=psk
	end_keys "$dir/x509" "$dir/x509ca" "$dir/private"
	cat >"$dir/swanctl.conf" <<-C
	connections {
		peer {
			version = 2
			local_addrs = ${outer_here/any/%any}
			${swan_conn:-}
			remote_addrs = ${outer_there/any/%any}
			proposals = $(end_suite 3)
			encap = $([ "$encap" = udp ] && echo yes || echo no)
			send_cert = always
			local {
				auth = $way
				id = $here.example.org
				$([ $way = psk ] || echo "certs = $here.pem")
			}
			remote {
				auth = $way
				id = $there.example.org
			}
			children {
				net {
					local_ts = $([ "$mode" = tunnel ] && echo "$nets" || echo dynamic)
					remote_ts = $([ "$mode" = tunnel ] && echo "$nets_there" || echo dynamic)
					esp_proposals = $(end_suite 4)-$([ "$esn" = esn ] && echo esn || echo noesn)
					mode = $mode
				}
			}
		}
	}
	secrets {
		ike-peer {
			secret = "$psk"
		}
	}
	C
	swan_start "$1" "$dir" "$2"
}

end_start_libre() { # PLACE
	local dir=$work/conf-$1 way cert="leftcert=$here" from=$pki/$auth
	mkdir -p "$dir"
	case $auth in
	psk) way=secret cert= from=$pki/ecdsa ;;
	rsa) way=rsa-sha2 ;;
	*) way=$auth ;;
	esac
	cp -r "$from/nss-$here" "$dir/nss"
	printf '@%s.example.org @%s.example.org : PSK "%s"\n' $here $there "$psk" >"$dir/ipsec.secrets"
	# settings are indented, and an empty line would end a section
	sed '/^ *$/d' >"$dir/ipsec.conf" <<-C
	config setup
	  uniqueids=yes
	conn peer
	  auto=add
	  ikev2=insist
	  hostaddrfamily=ipv$outer
	  left=${outer_here/any/%defaultroute}
	  leftid=@$here.example.org
	  right=${outer_there/any/%any}
	  rightid=@$there.example.org
	  $([ "$mode" = transport ] || echo "leftsubnet=$nets")
	  $([ "$mode" = transport ] || echo "rightsubnet=$nets_there")
	  authby=$way
	  $cert
	  ike=$(end_suite 5)
	  esp=$(end_suite 6)
	  esn=$([ "$esn" = esn ] && echo yes || echo no)
	  type=$mode
	  encapsulation=$([ "$encap" = udp ] && echo yes || echo auto)
	  pfs=no
	  mobike=${roams:-no}
	  rekey=no
	  leftupdown=%disabled
	C
	libre_start "$1" "$dir"
}

end_up() { # PLACE KIND
	case $2 in
	postern-*) postern "$1" up peer ;;
	swan*) swanctl "$work/conf-$1" --initiate --child net ;;
	libre) whack "$work/conf-$1" --name peer --initiate ;;
	esac
}
end_down() {
	case $2 in
	postern-*) postern "$1" down peer ;;
	swan*) swanctl "$work/conf-$1" --terminate --ike peer ;;
	libre) whack "$work/conf-$1" --name peer --terminate ;;
	esac
}
# New keys of the child or of the IKE SA, or a new proof, now.
end_renew() { # PLACE KIND child|ike|proof
	case $2-$3 in
	postern-*-child) postern "$1" -q rekey peer ;;
	postern-*-ike) postern "$1" -q rekey peer --ike ;;
	postern-*-proof) postern "$1" -q rekey peer --reauthenticate ;;
	swan*-child) swanctl "$work/conf-$1" --rekey --child net ;;
	swan*-ike) swanctl "$work/conf-$1" --rekey --ike peer ;;
	swan*-proof) swanctl "$work/conf-$1" --rekey --ike peer --reauth ;;
	libre-child) whack "$work/conf-$1" --name peer --rekey-ipsec --asynchronous ;;
	libre-ike) whack "$work/conf-$1" --name peer --rekey-ike --asynchronous ;;
	esac
}
# What the end itself says of what is up.
end_status() {
	case $2 in
	postern-*) postern "$1" status --json ;;
	swan*) swanctl "$work/conf-$1" --list-sas ;;
	libre) whack "$work/conf-$1" --trafficstatus ;;
	esac
}
end_is_up() {
	local said
	said=$(end_status "$@")
	case $2 in
	postern-*) [[ ${said##*\"children\":} == *'"state":"up"'* ]] ;;
	swan*) [[ $said == *INSTALLED* ]] ;;
	libre) [[ $said == *'"peer"'* ]] ;;
	esac
}
# And nothing of it is left in the kernel; a state without an SPI only waits for a negotiation.
end_is_down() {
	! end_is_up "$@" && [[ $(ip -n "$net-$1" xfrm state) != *'esp spi 0x'*([0-9a-f])[1-9a-f]* ]]
}

# end_look PLACE KIND: takes down what the end says and what the kernel has, for the questions below.
end_look() {
	looked=$2 said=$(end_status "$@") sas=
	! end_in_kernel "$2" || sas=$(xfrm_sas "$1")
	end_at "$1"
}
# said_key KEY: of the child, or else of the connection
said_key() {
	local re="\"$1\":\"?([^,\"}]*)"
	[[ ${said##*\"children\":} =~ $re || $said =~ $re ]] && echo "${BASH_REMATCH[1]}"
}
# Packets in and out, as it counts itself (libreswan counts bytes) and as the kernel counts: a line each.
look_counts() {
	case $looked in
	postern-*) echo "$(said_key in_packets) $(said_key out_packets)" ;;
	swan*) awk '/^ +in / { i += $5 } /^ +out / { o += $5 } END { print i + 0, o + 0 }' <<<"$said" ;;
	esac
	[ -z "$sas" ] || awk -v here="$outer_here" '$2 == here { i += $8; next } { o += $8 } END { print i + 0, o + 0 }' <<<"$sas"
}
# The SPIs of what is up, both ways.
look_spis() {
	[[ $looked != postern-* ]] || printf '%s\n%s\n' "$(said_key spi_in)" "$(said_key spi_out)"
	[ -z "$sas" ] || cut -d' ' -f3 <<<"$sas"
}
# What postern says: data plane, mode, raw or udp, esn or short.
look_says() {
	local way=raw numbers=short
	[ "$(said_key encapsulated)" = false ] || way=udp
	[ "$(said_key esn)" = false ] || numbers=esn
	echo "$(said_key dataplane) $(said_key mode) $way $numbers"
}
end_in_kernel() { case $1 in *-user) return 1 ;; esac }
end_stop() {
	case $2 in
	postern-*) gateway_stop "$1" ;;
	swan*) swan_stop "$work/conf-$1" ;;
	libre)
		libre_stop "$work/conf-$1"
		# it leaves its exceptions for neighbour discovery, which postern takes for another program's
		ip -n "$net-$1" xfrm policy flush
		;;
	esac
}
end_log() {
	printf -- '--- %s, %s\n' "$1" "$2"
	[ ! -s "$work/conf-$1/out" ] || tail -5 "$work/conf-$1/out"
	case $2 in
	postern-*) tail -15 "$work/$1/log" ;;
	swan*) tail -25 "$work/conf-$1/run/charon.log" ;;
	libre) tail -25 "$work/conf-$1/run/pluto.log" ;;
	esac
}
