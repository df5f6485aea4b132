/* SPDX-License-Identifier: Apache-2.0 */
/* The first inputs of fuzz_certs. Keys are fixed and Ed25519 signs without chance, so the same
 * bytes come out each time.
 */
#include <openssl/x509.h>

#include "tests/fuzz/certs_input.h"
#include "tests/fuzz/seeds.h"

struct seed {
	const char *name;
	const struct cert *const *chain;
	const char *claimed;
	enum certs_wanted wanted;
};

static void seed_write(struct pki *p, struct seeds *out, const struct seed *s)
{
	const struct identity id = pki_id(s->claimed);
	struct span auth = ask_sign(p, s->chain[0], AUTH_SIGNATURE, ASK_OCTETS);
	static uint8_t buf[65536];
	struct wr w = wr_into(buf, sizeof(buf));

	wr_u8(&w, AUTH_SIGNATURE);
	wr_u8(&w, (uint8_t)s->wanted);
	wr_u8(&w, id.type);
	wr_u16(&w, id.len);
	wr_span(&w, identity_span(&id));
	wr_u16(&w, (uint16_t)auth.len);
	wr_span(&w, auth);
	wr_span(&w, pki_chain(p, s->chain));
	FUZZ_HOLDS(wr_ok(&w));
	seed_save(out, "certs", s->name, wr_done(&w));
}

static const struct cert *with(struct pki *p, const struct cert *issuer, struct cert_spec s)
{
	s.issuer = issuer;
	s.key = issuer->key;
	s.subject = s.subject ? s.subject : "O=Example,CN=gw";
	return pki_cert(p, &s);
}

#define GW "DNS:" CERTS_GATEWAY

int main(int argc, char **argv)
{
	struct seeds out = seeds_begin(argc, argv);
	struct pki *p = pki_new();
	EVP_PKEY *key = certs_key();
	const struct cert *root = certs_root(p, key);
	const struct cert *ca = with(
		p, root,
		(struct cert_spec){
			.subject = "CN=CA",
			.basic = "CA:TRUE,pathlen:0",
			.constraints = "permitted;DNS:example.org,excluded;email:example.net" });
	const struct cert *good = with(
		p, root,
		(struct cert_spec){
			.alt = GW
			",IP:192.0.2.1,IP:2001:db8::1,email:gw@example.org,dirName:d,URI:http://x,RID:1.2.3",
			.conf = "[d]\nCN=gw\n" });
	const struct cert *below = with(p, ca,
					(struct cert_spec){ .alt = GW,
							    .usage = "digitalSignature",
							    .purpose = "serverAuth" });
	const struct cert *evil =
		with(p, ca, (struct cert_spec){ .alt = GW ",email:a@EXAMPLE.net" });
	const struct cert *old =
		with(p, root,
		     (struct cert_spec){ .alt = GW, .from = PKI_NOW - 9, .until = PKI_NOW - 1 });
	const struct cert *odd =
		with(p, root, (struct cert_spec){ .alt = GW, .critical_oid = "1.2.3.4" });
	const struct cert *code =
		with(p, root, (struct cert_spec){ .alt = GW, .purpose = "codeSigning" });
	const struct seed seeds[] = {
		{ "good", CERTS(good), CERTS_GATEWAY, WANTED_GATEWAY },
		{ "good-any-dn", CERTS(good), "O=Example,CN=gw", WANTED_ANY },
		{ "good-dirname", CERTS(good), "CN=gw", WANTED_CLAIMED },
		{ "good-ipv4", CERTS(good), "192.0.2.1", WANTED_CLAIMED },
		{ "good-ipv6", CERTS(good), "2001:db8::1", WANTED_CLAIMED },
		{ "good-email", CERTS(good), "gw@example.org", WANTED_CLAIMED },
		{ "good-below", CERTS(below, ca), CERTS_GATEWAY, WANTED_CLAIMED },
		{ "good-crowd", CERTS(below, root, good, ca), CERTS_GATEWAY, WANTED_CLAIMED },
		{ "wrong-claim", CERTS(good), "hq.example.org", WANTED_GATEWAY },
		{ "wrong-wanted", CERTS(good), "192.0.2.1", WANTED_GATEWAY },
		{ "missing", CERTS(below), CERTS_GATEWAY, WANTED_CLAIMED },
		{ "constraint", CERTS(evil, ca), CERTS_GATEWAY, WANTED_CLAIMED },
		{ "ended", CERTS(old), CERTS_GATEWAY, WANTED_CLAIMED },
		{ "critical", CERTS(odd), CERTS_GATEWAY, WANTED_CLAIMED },
		{ "purpose", CERTS(code), CERTS_GATEWAY, WANTED_CLAIMED },
	};

	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		seed_write(p, &out, &seeds[i]);
	pki_free(p);
	EVP_PKEY_free(key);
	return seeds_end(&out);
}
