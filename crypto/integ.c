/* SPDX-License-Identifier: Apache-2.0 */
/* Transform type 3, integrity: the rows. All are MACs cut to icv_len: HMAC (RFC 4868 2, RFC 2404),
 * AES-CMAC (RFC 4494) and AES-XCBC (RFC 3566), which some peers offer alone. */
#include <string.h>

#include "crypto/rows.h"

const struct integ_impl integ_rows[N_INTEG] = {
	[MAC_SHA256] = {
		.row = { .id = INTEG_HMAC_SHA2_256_128, .keyword = "sha256",
			 .name = "HMAC-SHA2-256-128", .key_len = 32, .icv_len = 16 },
		.mac = { BY_HMAC, "SHA256", 32 },
	},
	[MAC_SHA384] = {
		.row = { .id = INTEG_HMAC_SHA2_384_192, .keyword = "sha384",
			 .name = "HMAC-SHA2-384-192", .key_len = 48, .icv_len = 24 },
		.mac = { BY_HMAC, "SHA384", 48 },
	},
	[MAC_SHA512] = {
		.row = { .id = INTEG_HMAC_SHA2_512_256, .keyword = "sha512",
			 .name = "HMAC-SHA2-512-256", .key_len = 64, .icv_len = 32 },
		.mac = { BY_HMAC, "SHA512", 64 },
	},
	[MAC_CMAC] = {
		.row = { .id = INTEG_AES_CMAC_96, .keyword = "aescmac", .name = "AES-CMAC-96",
			 .key_len = 16, .icv_len = 12 },
		.mac = { BY_CMAC, "AES-128-CBC", 16 },
	},
	[MAC_XCBC] = {
		.row = { .id = INTEG_AES_XCBC_96, .keyword = "aesxcbc", .name = "AES-XCBC-96",
			 .key_len = 16, .icv_len = 12 },
		.mac = { BY_XCBC, "AES-128-CBC", 16 },
	},
	[MAC_SHA1] = {
		.row = { .id = INTEG_HMAC_SHA1_96, .keyword = "sha1", .name = "HMAC-SHA1-96",
			 .key_len = 20, .icv_len = 12, .weak = true },
		.mac = { BY_HMAC, "SHA1", 20 },
	},
};

const struct integ_impl *integ_impl(const struct integ *integ)
{
	for (size_t i = 0; integ && i < N_INTEG; i++)
		if (integ_rows[i].row.id == integ->id)
			return &integ_rows[i];
	return NULL;
}

const struct integ *integ_find(uint16_t id)
{
	for (size_t i = 0; i < N_INTEG; i++)
		if (integ_rows[i].row.id == id)
			return &integ_rows[i].row;
	return NULL;
}

const struct integ *integ_by_keyword(const char *kw)
{
	for (size_t i = 0; i < N_INTEG; i++)
		if (strcmp(integ_rows[i].row.keyword, kw) == 0)
			return &integ_rows[i].row;
	return NULL;
}

const struct integ *integ_row(size_t i)
{
	return i < N_INTEG ? &integ_rows[i].row : NULL;
}
