/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of xfrm/names.h. Salts: RFC 4106 8.1 (GCM, 4 bytes), RFC 4309 7.1 (CCM, 3), RFC 3686
 * 5.1 (CTR, 4), RFC 7634 2 (ChaCha20, 4).
 */
#include "xfrm/names.h"

static const struct name_encr encr_names[] = {
	/* id, key, with salt, ICV */
	{ 12, 128, 128, 0, "cbc(aes)", "AES-CBC" },
	{ 12, 192, 192, 0, "cbc(aes)", "AES-CBC" },
	{ 12, 256, 256, 0, "cbc(aes)", "AES-CBC" },
	{ 20, 128, 160, 128, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 20, 192, 224, 128, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 20, 256, 288, 128, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 19, 128, 160, 96, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 19, 192, 224, 96, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 19, 256, 288, 96, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 18, 128, 160, 64, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 18, 192, 224, 64, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 18, 256, 288, 64, "rfc4106(gcm(aes))", "AES-GCM" },
	{ 28, 0, 288, 128, "rfc7539esp(chacha20,poly1305)", "ChaCha20-Poly1305" },
	{ 16, 128, 152, 128, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 16, 192, 216, 128, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 16, 256, 280, 128, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 15, 128, 152, 96, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 15, 192, 216, 96, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 15, 256, 280, 96, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 14, 128, 152, 64, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 14, 192, 216, 64, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 14, 256, 280, 64, "rfc4309(ccm(aes))", "AES-CCM" },
	{ 13, 128, 160, 0, "rfc3686(ctr(aes))", "AES-CTR" },
	{ 13, 192, 224, 0, "rfc3686(ctr(aes))", "AES-CTR" },
	{ 13, 256, 288, 0, "rfc3686(ctr(aes))", "AES-CTR" },
};

static const struct name_integ integ_names[] = {
	/* id, key, ICV; RFC 4868 2.6, RFC 2404, RFC 3566, RFC 4494 */
	{ 12, 256, 128, "hmac(sha256)", "HMAC-SHA2-256" },
	{ 13, 384, 192, "hmac(sha384)", "HMAC-SHA2-384" },
	{ 14, 512, 256, "hmac(sha512)", "HMAC-SHA2-512" },
	{ 2, 160, 96, "hmac(sha1)", "HMAC-SHA1" },
	{ 5, 128, 96, "xcbc(aes)", "AES-XCBC" },
	{ 8, 128, 96, "cmac(aes)", "AES-CMAC" },
};

#define N_OF(v) (sizeof(v) / sizeof((v)[0]))

const struct name_encr *names_encr(uint16_t id, uint16_t key_bits)
{
	for (size_t i = 0; i < N_OF(encr_names); i++) {
		if (encr_names[i].id == id && encr_names[i].key_bits == key_bits)
			return &encr_names[i];
	}
	return NULL;
}

const struct name_integ *names_integ(uint16_t id)
{
	for (size_t i = 0; i < N_OF(integ_names); i++) {
		if (integ_names[i].id == id)
			return &integ_names[i];
	}
	return NULL;
}

const struct name_encr *names_encr_row(size_t i)
{
	return i < N_OF(encr_names) ? &encr_names[i] : NULL;
}

const struct name_integ *names_integ_row(size_t i)
{
	return i < N_OF(integ_names) ? &integ_names[i] : NULL;
}
