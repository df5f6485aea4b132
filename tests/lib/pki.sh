# SPDX-License-Identifier: Apache-2.0
# A CA and gateway certificates, made with the openssl command into a folder.

# pki_ca DIR [ALGORITHM OPTIONS of genpkey...]
pki_ca() {
	local dir=$1
	shift
	pki_key "$dir/ca.key" "${@:-ec:P-256}"
	openssl req -x509 -new -key "$dir/ca.key" -days 30 -subj '/O=Example/CN=Example VPN CA' \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-out "$dir/ca.pem" 2>/dev/null
}
# pki_key FILE KIND: ec:P-256, ec:P-384, ec:P-521, rsa:3072, ed25519, ed448
pki_key() {
	case $2 in
	ec:*) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:${2#ec:}" -out "$1" ;;
	rsa:*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa:}" -out "$1" ;;
	ed25519) openssl genpkey -algorithm ED25519 -out "$1" ;;
	ed448) openssl genpkey -algorithm ED448 -out "$1" ;;
	esac 2>/dev/null
	chmod 0600 "$1"
}
# pki_cert DIR NAME SUBJECTALTNAME [KIND [ISSUER]]: DIR/NAME.key and DIR/NAME.pem, signed by DIR/ISSUER
pki_cert() {
	local dir=$1 name=$2 san=$3 kind=${4:-ec:P-256} issuer=${5:-ca}
	pki_key "$dir/$name.key" "$kind"
	openssl req -new -key "$dir/$name.key" -subj "/O=Example/CN=$name" -out "$dir/$name.csr" 2>/dev/null
	printf 'subjectAltName=%s\nkeyUsage=critical,digitalSignature\n' "$san" >"$dir/$name.ext"
	openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$issuer.pem" -CAkey "$dir/$issuer.key" -CAcreateserial \
		-days 30 -extfile "$dir/$name.ext" -out "$dir/$name.pem" 2>/dev/null
}
# pki_intermediate DIR NAME: a CA below DIR/ca
pki_intermediate() {
	pki_key "$1/$2.key" ec:P-256
	openssl req -new -key "$1/$2.key" -subj "/O=Example/CN=$2" -out "$1/$2.csr" 2>/dev/null
	printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n' >"$1/$2.ext"
	openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 30 \
		-extfile "$1/$2.ext" -out "$1/$2.pem" 2>/dev/null
}
