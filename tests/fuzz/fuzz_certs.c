/* SPDX-License-Identifier: Apache-2.0 */
/* certs: a peer's CERT payloads, identity and AUTH, as the verifier gets them, against one fixed CA
 * at one fixed time. Whatever they are, a yes has a proved identity and a scheme, a no has words,
 * and before chain and signature hold nothing of the certificate is in the result.
 */
#include <stdlib.h>

#include "tests/fuzz/certs_input.h"
#include "tests/fuzz/texts.h"

/* What was proved is spelled as the certificate does it: names are compared without regard to case
 * and spaces (RFC 5280, 7.1). */
static bool same_name(const struct identity *a, const struct identity *b)
{
	const unsigned char *x = a->b, *y = b->b;
	X509_NAME *nx, *ny;
	bool same;

	if (a->type != ID_DER_ASN1_DN || b->type != ID_DER_ASN1_DN)
		return identity_eq(a, b);
	nx = d2i_X509_NAME(NULL, &x, a->len);
	ny = d2i_X509_NAME(NULL, &y, b->len);
	same = nx != NULL && ny != NULL && X509_NAME_cmp(nx, ny) == 0;
	X509_NAME_free(nx);
	X509_NAME_free(ny);
	return same;
}

static void judge(const struct job *j, const struct job_result *r)
{
	const bool yes = r->err == OK;

	FUZZ_HOLDS((r->text[0] != '\0') == !yes);
	FUZZ_HOLDS((r->scheme[0] != '\0') == (yes || r->err == ERR_WRONG_IDENTITY));
	FUZZ_HOLDS(r->proved.type == ID_NONE || yes || r->err == ERR_WRONG_IDENTITY);
	FUZZ_HOLDS(!yes || same_name(&r->proved, &j->verify.claimed));
	FUZZ_HOLDS(r->bytes.len == 0);
	fuzz_printable(r->text);
	fuzz_printable(r->scheme);
}

static struct verifier *verifier(void)
{
	static struct verifier *v;
	EVP_PKEY *key;
	struct pki *p;

	if (v)
		return v;
	p = pki_new();
	key = certs_key();
	v = ask_verifier(p, CERTS(certs_root(p, key)));
	EVP_PKEY_free(key);
	pki_free(p);
	return v;
}

/* As base/jobs makes them: an identity of good form or none at all. */
static struct job job_read(struct span s)
{
	struct rd r = rd_from(s);
	struct job j = { .kind = JOB_VERIFY,
			 .verify = { .connection = "office", .octets = span_str(ASK_OCTETS) } };
	uint8_t wanted, type;

	j.verify.method = rd_u8(&r);
	wanted = rd_u8(&r) % N_WANTED;
	type = rd_u8(&r);
	if (identity_from_wire(&j.verify.claimed, type, rd_take(&r, rd_u16(&r))) != OK)
		j.verify.claimed = (struct identity){ 0 };
	j.verify.auth = rd_take(&r, rd_u16(&r));
	j.verify.chain = rd_rest(&r);
	if (wanted == WANTED_CLAIMED)
		j.verify.wanted = j.verify.claimed;
	if (wanted == WANTED_GATEWAY)
		j.verify.wanted = pki_id(CERTS_GATEWAY);
	return j;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct job j = job_read(span_of(bytes, len));
	struct job_result r;

	verifier_do(verifier(), &j, PKI_NOW, &r);
	judge(&j, &r);
	return 0;
}
