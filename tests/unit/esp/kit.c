/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/esp/kit.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/alg.h"
#include "esp/checksum.h"
#include "esp/inner.h"
#include "tests/unit/unit.h"

const struct kit_suite kit_suites[KIT_SUITES] = {
	{ "aes256gcm16", ENCR_AES_GCM_16, 256, 0, 36, 0 },
	{ "aes128gcm16", ENCR_AES_GCM_16, 128, 0, 20, 0 },
	{ "chacha20poly1305", ENCR_CHACHA20_POLY1305, 0, 0, 36, 0 },
	{ "aes256-sha256", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128, 32, 32 },
	{ "aes256-sha384", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_384_192, 32, 48 },
	{ "aes256-sha512", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256, 32, 64 },
	{ "aes128-sha256", ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128, 16, 32 },
	{ "aes128-sha384", ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_384_192, 16, 48 },
	{ "aes128-sha512", ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256, 16, 64 },
	{ "aes192gcm16", ENCR_AES_GCM_16, 192, 0, 28, 0 },
	{ "aes256gcm12", ENCR_AES_GCM_12, 256, 0, 36, 0 },
	{ "aes128gcm8", ENCR_AES_GCM_8, 128, 0, 20, 0 },
	{ "aes256ccm16", ENCR_AES_CCM_16, 256, 0, 35, 0 },
	{ "aes192ccm12", ENCR_AES_CCM_12, 192, 0, 27, 0 },
	{ "aes128ccm8", ENCR_AES_CCM_8, 128, 0, 19, 0 },
	{ "aes256ctr-sha256", ENCR_AES_CTR, 256, INTEG_HMAC_SHA2_256_128, 36, 32 },
	{ "aes192ctr-aescmac", ENCR_AES_CTR, 192, INTEG_AES_CMAC_96, 28, 16 },
	{ "aes128ctr-aesxcbc", ENCR_AES_CTR, 128, INTEG_AES_XCBC_96, 20, 16 },
	{ "aes192-sha1", ENCR_AES_CBC, 192, INTEG_HMAC_SHA1_96, 24, 20 },
	{ "aes128-aesxcbc", ENCR_AES_CBC, 128, INTEG_AES_XCBC_96, 16, 16 },
};

struct addr kit_addr(const char *text)
{
	struct addr a;

	if (!addr_parse(text, &a))
		abort();
	return a;
}

struct endpoint kit_endpoint(const char *addr, uint16_t port)
{
	return (struct endpoint){ .addr = kit_addr(addr), .port = port };
}

struct ts kit_ts(const char *net)
{
	struct net n;

	if (!net_parse(net, &n))
		abort();
	return ts_from_net(&n);
}

static void keys(struct key *k, uint8_t len, uint8_t first)
{
	k->len = len;
	for (uint8_t i = 0; i < len; i++)
		k->b[i] = (uint8_t)(first + i);
}

void kit_sa_make(struct kit_sa *k, const struct kit_suite *s, enum sa_dir dir, uint32_t spi)
{
	*k = (struct kit_sa){ .local = kit_ts("10.1.0.0/16"), .remote = kit_ts("10.2.0.0/16") };
	k->d = (struct sa_desc){
		.dir = dir,
		.mode = SA_TUNNEL,
		.spi = spi,
		.child_id = 1,
		.encap = true,
		.replay_window = 1024,
		.path = { kit_endpoint("192.0.2.1", 4500), kit_endpoint("192.0.2.2", 4500) },
		.encr_id = s->encr_id,
		.encr_key_bits = s->encr_key_bits,
		.integ_id = s->integ_id,
	};
	keys(&k->d.encr_key, s->encr_key_len, 1);
	keys(&k->d.integ_key, s->integ_key_len, 101);
	k->d.local = (struct ts_list){ 1, &k->local };
	k->d.remote = (struct ts_list){ 1, &k->remote };
}

void kit_sa_join(struct kit_sa *k, const char *local, const char *remote)
{
	k->d.mode = SA_TRANSPORT;
	k->d.path.local.addr = kit_addr(local);
	k->d.path.remote.addr = kit_addr(remote);
	k->local = kit_ts(local);
	k->remote = kit_ts(remote);
}

void kit_sa_mirror(struct kit_sa *k)
{
	struct endpoint e = k->d.path.local;
	struct ts t = k->local;

	k->d.path.local = k->d.path.remote;
	k->d.path.remote = e;
	k->local = k->remote;
	k->remote = t;
}

uint16_t kit_upper_sum(struct span p, uint8_t proto, const struct addr *src, const struct addr *dst)
{
	size_t head = p.p[0] >> 4 == 4 ? (size_t)(p.p[0] & 0x0f) * 4 : IP6_HEAD_LEN;
	struct span body = span_tail(p, head);
	uint32_t sum = checksum_add(0, addr_span(src));

	sum = checksum_add(sum, addr_span(dst)) + proto + (uint32_t)body.len;
	return checksum_fold(checksum_add(sum, body));
}

void kit_fix_v4(uint8_t *p)
{
	struct wr w = wr_into(p, IP4_HEAD_MIN);
	size_t head_len = (size_t)(p[0] & 0x0f) * 4;

	(void)wr_take(&w, 10);
	wr_u16(&w, 0);
	wr_fill_u16(&w, 10, checksum_fold(checksum_add(0, span_of(p, head_len))));
}

bool kit_v4_sum_ok(struct span p)
{
	return checksum_fold(checksum_add(0, span_head(p, (size_t)(p.p[0] & 0x0f) * 4))) == 0;
}

struct span kit_udp(uint8_t *buf, size_t len, const char *src, const char *dst)
{
	struct addr s = kit_addr(src), d = kit_addr(dst);
	struct wr w = wr_into(buf, len);

	if (s.family == AF_INET) {
		wr_u16(&w, 0x4500);
		wr_u16(&w, (uint16_t)len);
		wr_u32(&w, 0x12340000); /* identification; no DF */
		wr_u32(&w, 64u << 24 | PROTO_UDP << 16);
	} else {
		wr_u32(&w, 6u << 28);
		wr_u16(&w, (uint16_t)(len - IP6_HEAD_LEN));
		wr_u8(&w, PROTO_UDP);
		wr_u8(&w, 64);
	}
	wr_span(&w, addr_span(&s));
	wr_span(&w, addr_span(&d));
	wr_u16(&w, 1000);
	wr_u16(&w, 2000);
	wr_u16(&w, (uint16_t)wr_left(&w));
	wr_u16(&w, 0);
	for (uint8_t i = 0; wr_left(&w) > 0; i++)
		wr_u8(&w, i);
	if (!wr_ok(&w))
		abort();
	if (s.family == AF_INET)
		kit_fix_v4(buf);
	return span_of(buf, len);
}

struct inner kit_parsed(struct span p)
{
	struct inner in;

	ck_assert_int_eq(inner_parse(p, &in), OK);
	return in;
}
