/* SPDX-License-Identifier: Apache-2.0 */
/* The ECP groups (RFC 5903) and those of Brainpool (RFC 6954): public values are x | y, the shared
 * secret is x alone (section 7; RFC 6954 2.3).
 *
 * Points rather than EVP keys, because only they make a public value from a given private one. A
 * single scalar multiplication is OpenSSL's ladder (or its nistz256), constant in time. A peer's
 * point has to be on the curve, with coordinates below the field's prime (RFC 6989 2.3); the
 * cofactor is 1, so that no point of small order is left.
 */
#include <openssl/bn.h>
#include <openssl/ec.h>

#include "base/secret.h"
#include "crypto/ke.h"
#include "crypto/ke_ops.h"
#include "crypto/ossl.h"

enum { SCALAR_MAX = 66, POINT_MAX = 1 + 2 * SCALAR_MAX }; /* 0x04 | x | y of the largest curve */

struct ecp_work {
	EC_GROUP *group;
	EC_POINT *peer;
	EC_POINT *result;
	BIGNUM *scalar;
	BN_CTX *ctx;
};

static void ecp_end(struct ecp_work *w)
{
	BN_clear_free(w->scalar);
	EC_POINT_clear_free(w->result);
	EC_POINT_free(w->peer);
	EC_GROUP_free(w->group);
	BN_CTX_free(w->ctx); /* secure: its numbers are wiped */
}

/* ECP-521 has seven bits more in its bytes than in its order; hardly any draw would be below it. */
static bool ecp_scalar(struct ecp_work *w, const struct ecp *curve, struct span priv)
{
	uint8_t b[SCALAR_MAX] = { 0 };
	struct rd r = rd_from(priv);
	bool good;

	rd_copy(&r, b, priv.len <= sizeof(b) ? priv.len : 0);
	b[0] &= curve->top;
	good = rd_end(&r) && BN_bin2bn(b, (int)priv.len, w->scalar);
	secret_wipe(b, sizeof(b));
	return good;
}

/* ERR_KE_VALUE when the private bytes are 0, or the order and above: the caller draws again (of
 * Brainpool's groups a third of the time, or nearly half). Reducing them instead would favour some
 * values. */
static enum err ecp_begin(struct ecp_work *w, const struct ecp *curve, struct span priv)
{
	w->ctx = BN_CTX_secure_new();
	w->group = EC_GROUP_new_by_curve_name_ex(NULL, NULL, curve->nid);
	w->scalar = BN_secure_new();
	if (!w->ctx || !w->group || !w->scalar)
		return ERR_CRYPTO;
	w->peer = EC_POINT_new(w->group);
	w->result = EC_POINT_new(w->group);
	if (!w->peer || !w->result || !ecp_scalar(w, curve, priv))
		return ERR_CRYPTO;
	BN_set_flags(w->scalar, BN_FLG_CONSTTIME);
	if (BN_is_zero(w->scalar) || BN_cmp(w->scalar, EC_GROUP_get0_order(w->group)) >= 0)
		return ERR_KE_VALUE;
	return OK;
}

/* w->result without the byte that says "uncompressed". `len` bytes of it, x first. */
static enum err ecp_result(struct ecp_work *w, const struct ke_group *g, uint8_t *out, size_t len)
{
	uint8_t point[POINT_MAX];
	size_t point_len = EC_POINT_point2oct(w->group, w->result, POINT_CONVERSION_UNCOMPRESSED,
					      point, sizeof(point), w->ctx);
	struct rd r = rd_from(span_of(point, point_len));

	rd_skip(&r, 1);
	rd_copy(&r, out, len);
	secret_wipe(point, sizeof(point));
	return rd_ok(&r) && point_len == 1u + g->public_len ? OK : ERR_CRYPTO;
}

static enum err ecp_public(const struct ke_group *g, const void *param, struct span priv,
			   uint8_t *pub)
{
	struct ecp_work w = { 0 };
	enum err e = ecp_begin(&w, param, priv);

	if (e == OK && !ossl_ok(EC_POINT_mul(w.group, w.result, w.scalar, NULL, NULL, w.ctx)))
		e = ERR_CRYPTO;
	if (e == OK)
		e = ecp_result(&w, g, pub, g->public_len);
	ecp_end(&w);
	return e == OK ? OK : ossl_fail(e);
}

static enum err ecp_peer(struct ecp_work *w, struct span peer)
{
	uint8_t point[POINT_MAX];
	struct wr wr = wr_into(point, sizeof(point));
	struct span s;

	wr_u8(&wr, POINT_CONVERSION_UNCOMPRESSED);
	wr_span(&wr, peer);
	s = wr_done(&wr);
	/* Refuses coordinates that are not below the prime, and what is not on the curve. */
	if (!ossl_ok(EC_POINT_oct2point(w->group, w->peer, s.p, s.len, w->ctx)) ||
	    !ossl_ok(EC_POINT_is_on_curve(w->group, w->peer, w->ctx)) ||
	    EC_POINT_is_at_infinity(w->group, w->peer) != 0)
		return ERR_KE_VALUE;
	return OK;
}

static enum err ecp_share(const struct ke_group *g, const void *param, const struct span side[2],
			  uint8_t *out)
{
	struct ecp_work w = { 0 };
	enum err e = ecp_begin(&w, param, side[KE_SIDE_PRIVATE]);

	if (e == OK)
		e = ecp_peer(&w, side[KE_SIDE_PEER]);
	if (e == OK && !ossl_ok(EC_POINT_mul(w.group, w.result, NULL, w.peer, w.scalar, w.ctx)))
		e = ERR_CRYPTO;
	if (e == OK)
		e = ecp_result(&w, g, out, g->secret_len);
	ecp_end(&w);
	return e == OK ? OK : ossl_fail(e);
}

const struct ke_ops ke_ecp_ops = { .make_public = ecp_public, .share = ecp_share };
