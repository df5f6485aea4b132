/* SPDX-License-Identifier: Apache-2.0 */
/* Transform type 1, encryption: the rows. Order is our taste and shows in lists; what a connection
 * prefers stands in its policy (suite.c).
 */
#include <string.h>

#include "crypto/rows.h"

const struct encr_impl encr_rows[N_ENCR] = {
	[AES256_GCM16] = {
		.row = { .id = ENCR_AES_GCM_16, .key_bits = 256, .keyword = "aes256gcm16",
			 .name = "AES-GCM-16-256", .key_len = 32, .salt_len = 4, .iv_len = 8,
			 .icv_len = 16, .block_len = 1, .aead = true },
		.cipher = "AES-256-GCM",
	},
	[AES128_GCM16] = {
		.row = { .id = ENCR_AES_GCM_16, .key_bits = 128, .keyword = "aes128gcm16",
			 .name = "AES-GCM-16-128", .key_len = 16, .salt_len = 4, .iv_len = 8,
			 .icv_len = 16, .block_len = 1, .aead = true },
		.cipher = "AES-128-GCM",
	},
	[CHACHA20] = {
		/* RFC 7634 2: the key has one length, so the Key Length attribute is never sent. */
		.row = { .id = ENCR_CHACHA20_POLY1305, .key_bits = 0,
			 .keyword = "chacha20poly1305", .name = "CHACHA20-POLY1305",
			 .key_len = 32, .salt_len = 4, .iv_len = 8, .icv_len = 16,
			 .block_len = 1, .aead = true },
		.cipher = "ChaCha20-Poly1305",
	},
	[AES256_CBC] = {
		.row = { .id = ENCR_AES_CBC, .key_bits = 256, .keyword = "aes256",
			 .name = "AES-CBC-256", .key_len = 32, .iv_len = 16, .block_len = 16 },
		.cipher = "AES-256-CBC",
		.iv_cipher = "AES-256-ECB",
	},
	[AES128_CBC] = {
		.row = { .id = ENCR_AES_CBC, .key_bits = 128, .keyword = "aes128",
			 .name = "AES-CBC-128", .key_len = 16, .iv_len = 16, .block_len = 16 },
		.cipher = "AES-128-CBC",
		.iv_cipher = "AES-128-ECB",
	},
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
