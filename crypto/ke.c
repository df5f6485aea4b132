/* SPDX-License-Identifier: Apache-2.0 */
/* Transform type 4, key exchange: the rows, and what holds for every group whatever its kind: the
 * lengths of values (checked here, once, and not in the back ends: CVE-2023-41913) and the refusal
 * of a secret that is all zero.
 *
 * Private values are twice the group's strength (SP 800-56A rev. 3, table 26: 112, 128, 152,
 * 176, 200 bits for the MODP groups), at least 256 bits.
 */
#include "crypto/ke.h"

#include <openssl/bn.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "crypto/ke_ops.h"
#include "crypto/rows.h"

static const struct modp modp_2048 = { .prime = BN_get_rfc3526_prime_2048 };
static const struct modp modp_3072 = { .prime = BN_get_rfc3526_prime_3072 };
static const struct modp modp_4096 = { .prime = BN_get_rfc3526_prime_4096 };
static const struct modp modp_6144 = { .prime = BN_get_rfc3526_prime_6144 };
static const struct modp modp_8192 = { .prime = BN_get_rfc3526_prime_8192 };

static const struct ecp ecp_256 = { .nid = NID_X9_62_prime256v1, .top = 0xff };
static const struct ecp ecp_384 = { .nid = NID_secp384r1, .top = 0xff };
static const struct ecp ecp_521 = { .nid = NID_secp521r1, .top = 0x01 };
static const struct ecp brainpool_256 = { .nid = NID_brainpoolP256r1, .top = 0xff };
static const struct ecp brainpool_384 = { .nid = NID_brainpoolP384r1, .top = 0xff };
static const struct ecp brainpool_512 = { .nid = NID_brainpoolP512r1, .top = 0xff };

const struct ke_impl ke_rows[N_KE] = {
	[X25519] = {
		.row = { .id = KE_CURVE25519, .keyword = "x25519", .name = "Curve25519",
			 .public_len = 32, .secret_len = 32, .private_len = 32 },
		.ops = &ke_x_ops, .param = "X25519",
	},
	[X448] = {
		.row = { .id = KE_CURVE448, .keyword = "x448", .name = "Curve448",
			 .public_len = 56, .secret_len = 56, .private_len = 56 },
		.ops = &ke_x_ops, .param = "X448",
	},
	[ECP384] = {
		.row = { .id = KE_ECP_384, .keyword = "ecp384", .name = "ECP-384",
			 .public_len = 96, .secret_len = 48, .private_len = 48 },
		.ops = &ke_ecp_ops, .param = &ecp_384,
	},
	[ECP256] = {
		.row = { .id = KE_ECP_256, .keyword = "ecp256", .name = "ECP-256",
			 .public_len = 64, .secret_len = 32, .private_len = 32 },
		.ops = &ke_ecp_ops, .param = &ecp_256,
	},
	[ECP521] = {
		.row = { .id = KE_ECP_521, .keyword = "ecp521", .name = "ECP-521",
			 .public_len = 132, .secret_len = 66, .private_len = 66 },
		.ops = &ke_ecp_ops, .param = &ecp_521,
	},
	[BRAINPOOL256] = {
		.row = { .id = KE_BRAINPOOL_256, .keyword = "ecp256bp", .name = "Brainpool-256",
			 .public_len = 64, .secret_len = 32, .private_len = 32 },
		.ops = &ke_ecp_ops, .param = &brainpool_256,
	},
	[BRAINPOOL384] = {
		.row = { .id = KE_BRAINPOOL_384, .keyword = "ecp384bp", .name = "Brainpool-384",
			 .public_len = 96, .secret_len = 48, .private_len = 48 },
		.ops = &ke_ecp_ops, .param = &brainpool_384,
	},
	[BRAINPOOL512] = {
		.row = { .id = KE_BRAINPOOL_512, .keyword = "ecp512bp", .name = "Brainpool-512",
			 .public_len = 128, .secret_len = 64, .private_len = 64 },
		.ops = &ke_ecp_ops, .param = &brainpool_512,
	},
	[MODP3072] = {
		.row = { .id = KE_MODP_3072, .keyword = "modp3072", .name = "MODP-3072",
			 .public_len = 384, .secret_len = 384, .private_len = 32 },
		.ops = &ke_modp_ops, .param = &modp_3072,
	},
	[MODP4096] = {
		.row = { .id = KE_MODP_4096, .keyword = "modp4096", .name = "MODP-4096",
			 .public_len = 512, .secret_len = 512, .private_len = 38, .slow = true },
		.ops = &ke_modp_ops, .param = &modp_4096,
	},
	[MODP6144] = {
		.row = { .id = KE_MODP_6144, .keyword = "modp6144", .name = "MODP-6144",
			 .public_len = 768, .secret_len = 768, .private_len = 44, .slow = true },
		.ops = &ke_modp_ops, .param = &modp_6144,
	},
	[MODP8192] = {
		.row = { .id = KE_MODP_8192, .keyword = "modp8192", .name = "MODP-8192",
			 .public_len = 1024, .secret_len = 1024, .private_len = 50, .slow = true },
		.ops = &ke_modp_ops, .param = &modp_8192,
	},
	[MODP2048] = {
		.row = { .id = KE_MODP_2048, .keyword = "modp2048", .name = "MODP-2048",
			 .public_len = 256, .secret_len = 256, .private_len = 32 },
		.ops = &ke_modp_ops, .param = &modp_2048,
	},
};

const struct ke_group *ke_find(uint16_t id)
{
	for (size_t i = 0; i < N_KE; i++)
		if (ke_rows[i].row.id == id)
			return &ke_rows[i].row;
	return NULL;
}

const struct ke_group *ke_by_keyword(const char *kw)
{
	for (size_t i = 0; i < N_KE; i++)
		if (strcmp(ke_rows[i].row.keyword, kw) == 0)
			return &ke_rows[i].row;
	return NULL;
}

const struct ke_group *ke_row(size_t i)
{
	return i < N_KE ? &ke_rows[i].row : NULL;
}

static const struct ke_impl *ke_impl(const struct ke_group *g)
{
	for (size_t i = 0; g && i < N_KE; i++)
		if (ke_rows[i].row.id == g->id)
			return &ke_rows[i];
	return NULL;
}

enum err ke_public(const struct ke_group *g, struct span priv, uint8_t *pub)
{
	const struct ke_impl *impl = ke_impl(g);
	enum err e;

	if (!impl)
		return ERR_UNSUPPORTED;
	if (priv.len != g->private_len)
		return ERR_KE_VALUE;
	e = impl->ops->make_public(g, impl->param, priv, pub);
	if (e != OK)
		memset(pub, 0, g->public_len);
	return e;
}

enum err ke_shared(const struct ke_group *g, struct span priv, struct span peer_pub,
		   uint8_t *secret)
{
	static const uint8_t zero[KE_SECRET_MAX];
	const struct ke_impl *impl = ke_impl(g);
	const struct span side[2] = { [KE_SIDE_PRIVATE] = priv, [KE_SIDE_PEER] = peer_pub };
	enum err e = ERR_KE_VALUE;

	if (!impl)
		return ERR_UNSUPPORTED;
	if (priv.len == g->private_len && peer_pub.len == g->public_len)
		e = impl->ops->share(g, impl->param, side, secret);
	/* A zero secret is one that a stranger knows (RFC 8031 5, RFC 7748 6.1). */
	if (e == OK && secret_eq(span_of(secret, g->secret_len), span_of(zero, g->secret_len)))
		e = ERR_KE_VALUE;
	if (e != OK)
		secret_wipe(secret, g->secret_len);
	return e;
}
