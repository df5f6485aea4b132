/* SPDX-License-Identifier: Apache-2.0 */
/* Transform type 1, encryption: the rows. Order is our taste and shows in lists; what a connection
 * prefers stands in its policy (suite.c).
 */
#include <string.h>

#include "crypto/rows.h"

/* A shorter ICV is weak: of GCM's each forgery that is tried teaches about the key of its hash (SP
 * 800-38D appendix C), and one of 8 bytes can be met by trying. */
enum { ICV_FAIR = 12 };

/* clang-format off */
/* RFC 4106 8, RFC 5282 7 */
#define GCM(bits, icv) { \
	.row = { .id = ENCR_AES_GCM_##icv, .key_bits = bits, .keyword = "aes" #bits "gcm" #icv, \
		 .name = "AES-GCM-" #icv "-" #bits, .key_len = bits / 8, .salt_len = 4, \
		 .iv_len = 8, .icv_len = icv, .block_len = 1, .aead = true, \
		 .weak = icv < ICV_FAIR }, \
	.cipher = "AES-" #bits "-GCM", .ops = &seal_aead_ops }

/* RFC 4309 7, RFC 5282 7 */
#define CCM(bits, icv) { \
	.row = { .id = ENCR_AES_CCM_##icv, .key_bits = bits, .keyword = "aes" #bits "ccm" #icv, \
		 .name = "AES-CCM-" #icv "-" #bits, .key_len = bits / 8, .salt_len = 3, \
		 .iv_len = 8, .icv_len = icv, .block_len = 1, .aead = true, \
		 .weak = icv < ICV_FAIR }, \
	.cipher = "AES-" #bits "-CCM", .ops = &seal_ccm_ops }

/* RFC 3686 5, RFC 5930 2 */
#define CTR(bits) { \
	.row = { .id = ENCR_AES_CTR, .key_bits = bits, .keyword = "aes" #bits "ctr", \
		 .name = "AES-CTR-" #bits, .key_len = bits / 8, .salt_len = 4, .iv_len = 8, \
		 .block_len = 1 }, \
	.cipher = "AES-" #bits "-CTR", .ops = &seal_mac_ops }

/* RFC 3602 */
#define CBC(bits) { \
	.row = { .id = ENCR_AES_CBC, .key_bits = bits, .keyword = "aes" #bits, \
		 .name = "AES-CBC-" #bits, .key_len = bits / 8, .iv_len = 16, .block_len = 16 }, \
	.cipher = "AES-" #bits "-CBC", .iv_cipher = "AES-" #bits "-ECB", .ops = &seal_mac_ops }
/* clang-format on */

const struct encr_impl encr_rows[N_ENCR] = {
	[AES256_GCM16] = GCM(256, 16),
	[AES192_GCM16] = GCM(192, 16),
	[AES128_GCM16] = GCM(128, 16),
	[CHACHA20] = {
		/* RFC 7634 2: the key has one length, so the Key Length attribute is never sent. */
		.row = { .id = ENCR_CHACHA20_POLY1305, .key_bits = 0,
			 .keyword = "chacha20poly1305", .name = "CHACHA20-POLY1305",
			 .key_len = 32, .salt_len = 4, .iv_len = 8, .icv_len = 16,
			 .block_len = 1, .aead = true },
		.cipher = "ChaCha20-Poly1305",
		.ops = &seal_aead_ops,
	},
	[AES256_CCM16] = CCM(256, 16),
	[AES192_CCM16] = CCM(192, 16),
	[AES128_CCM16] = CCM(128, 16),
	[AES256_GCM12] = GCM(256, 12),
	[AES192_GCM12] = GCM(192, 12),
	[AES128_GCM12] = GCM(128, 12),
	[AES256_CCM12] = CCM(256, 12),
	[AES192_CCM12] = CCM(192, 12),
	[AES128_CCM12] = CCM(128, 12),
	[AES256_CBC] = CBC(256),
	[AES192_CBC] = CBC(192),
	[AES128_CBC] = CBC(128),
	[AES256_CTR] = CTR(256),
	[AES192_CTR] = CTR(192),
	[AES128_CTR] = CTR(128),
	[AES256_GCM8] = GCM(256, 8),
	[AES192_GCM8] = GCM(192, 8),
	[AES128_GCM8] = GCM(128, 8),
	[AES256_CCM8] = CCM(256, 8),
	[AES192_CCM8] = CCM(192, 8),
	[AES128_CCM8] = CCM(128, 8),
};

const struct encr_impl *encr_impl(const struct encr *encr)
{
	for (size_t i = 0; encr && i < N_ENCR; i++)
		if (encr_rows[i].row.id == encr->id && encr_rows[i].row.key_bits == encr->key_bits)
			return &encr_rows[i];
	return NULL;
}

const struct encr *encr_find(uint16_t id, uint16_t key_bits)
{
	for (size_t i = 0; i < N_ENCR; i++)
		if (encr_rows[i].row.id == id && encr_rows[i].row.key_bits == key_bits)
			return &encr_rows[i].row;
	return NULL;
}

const struct encr *encr_by_keyword(const char *kw)
{
	for (size_t i = 0; i < N_ENCR; i++)
		if (strcmp(encr_rows[i].row.keyword, kw) == 0)
			return &encr_rows[i].row;
	return NULL;
}

const struct encr *encr_row(size_t i)
{
	return i < N_ENCR ? &encr_rows[i].row : NULL;
}
