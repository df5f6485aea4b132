# SPDX-License-Identifier: Apache-2.0
# `ip -s xfrm state` as one line for each ESP state; see xfrm.sh.

function told() {
	if (spi != "" && spi != "0x00000000")
		print src, dst, spi, mode, alg, encap, esn, packets
	spi = alg = ""
	encap = "raw"
	esn = "short"
	packets = 0
}
function bits(   i) {
	for (i = 1; i < NF; i++)
		if ($(i + 1) == "bits)") return substr($i, 2)
}
/^src / { told(); src = $2; dst = $4 }
/^\tproto esp / { spi = substr($4, 1, 10); for (i = 1; i < NF; i++) if ($i == "mode") mode = $(i + 1) }
/^\t(aead|enc|auth|auth-trunc) / { alg = alg (alg == "" ? "" : "+") $2 ":" bits() }
/^\tencap type espinudp / { encap = "udp" }
/^\t.*flag.* esn/ { esn = "esn" }
/^\t *[0-9]+\(bytes\), / { packets = $2 + 0 }
END { told() }
