/* SPDX-License-Identifier: Apache-2.0 */
/* Payload bodies. The first byte chooses the payload. What is taken is written again and has to be
 * read as the same; what is chosen lies in our policy; what is narrowed lies on both sides.
 */
#include "tests/fuzz/texts.h"

#include <string.h>

#include "ike/narrow.h"
#include "ike/payload.h"
#include "ike/proposal.h"

enum { ROOM = 160 * 1024 };

static uint8_t again[ROOM];

static void fuzz_ke(struct span s)
{
	struct wr w = wr_into(again, ROOM);
	struct pl_ke a, b;

	if (pl_ke_decode(s, &a) != OK)
		return;
	pl_ke_encode(&w, &a);
	FUZZ_HOLDS(pl_ke_decode(wr_done(&w), &b) == OK);
	FUZZ_HOLDS(a.group == b.group && span_eq(a.data, b.data) && wr_len(&w) == s.len);
}

static void fuzz_id(struct span s)
{
	struct wr w = wr_into(again, ROOM);
	struct identity a, b;

	if (pl_identity_decode(s, &a) != OK)
		return;
	pl_id_encode(&w, &a);
	FUZZ_HOLDS(pl_identity_decode(wr_done(&w), &b) == OK);
	FUZZ_HOLDS(a.type == b.type && span_eq(identity_span(&a), identity_span(&b)));
}

static void fuzz_cert(struct span s)
{
	struct wr w = wr_into(again, ROOM);
	struct pl_cert a, b;

	if (pl_certreq_decode(s, &a) != OK)
		return;
	pl_cert_encode(&w, &a);
	FUZZ_HOLDS(span_eq(wr_done(&w), s));
	FUZZ_HOLDS((pl_cert_decode(s, &b) == OK) == (a.data.len > 0));
}

static void fuzz_auth(struct span s)
{
	struct wr w = wr_into(again, ROOM);
	struct pl_auth a, b;

	if (pl_auth_decode(s, &a) != OK)
		return;
	pl_auth_encode(&w, &a);
	FUZZ_HOLDS(pl_auth_decode(wr_done(&w), &b) == OK);
	FUZZ_HOLDS(a.method == b.method && span_eq(a.data, b.data));
}

static void fuzz_notify(struct span s)
{
	struct wr w = wr_into(again, ROOM);
	struct pl_notify n;
	uint32_t hashes;

	if (pl_notify_decode(s, &n) != OK)
		return;
	pl_notify_encode(&w, &n);
	FUZZ_HOLDS(span_eq(wr_done(&w), s));
	if (sighash_decode(n.data, &hashes) == OK) {
		w = wr_into(again, ROOM);
		sighash_encode(&w, hashes);
		FUZZ_HOLDS(wr_len(&w) <= 64);
	}
}

static void fuzz_delete(struct span s)
{
	struct wr w = wr_into(again, ROOM);
	static uint32_t spis[UINT16_MAX];
	struct pl_delete d;

	if (pl_delete_decode(s, &d) != OK)
		return;
	for (uint16_t i = 0; i < d.n; i++)
		spis[i] = pl_delete_spi(&d, i);
	FUZZ_HOLDS(pl_delete_spi(&d, d.n) == 0);
	pl_delete_encode(&w, d.protocol, spis, d.n);
	FUZZ_HOLDS(span_eq(wr_done(&w), s));
}

/* What we answer with must be in the offer, and the initiator must find it so. */
static void judge(struct span s, const struct proposal_want *want)
{
	struct wr w = wr_into(again, ROOM);
	struct proposal_chosen c, back;
	struct proposal_texts t;
	enum err err = proposal_choose(s, want, &c);

	proposal_explain(s, want, &t);
	FUZZ_HOLDS(strlen(t.offered) < PROPOSAL_TEXT_MAX && strlen(t.differs) < PROPOSAL_TEXT_MAX);
	FUZZ_HOLDS(err == OK || err == ERR_NO_PROPOSAL || err == ERR_SYNTAX);
	FUZZ_HOLDS((err == ERR_SYNTAX) == (offer_check(s) != OK));
	if (err == OK) {
		FUZZ_HOLDS((c.suite.integ == NULL) == c.suite.encr->aead);
		proposal_answer(&w, want, &c, UINT64_C(0x1234567890));
		FUZZ_HOLDS(offer_check(wr_done(&w)) == OK);
		FUZZ_HOLDS(proposal_choose(wr_done(&w), want, &back) == OK);
		FUZZ_HOLDS(memcmp(&back.suite, &c.suite, sizeof(c.suite)) == 0);
	}
	if (proposal_verify(s, want, &back) == OK)
		FUZZ_HOLDS(err == OK && memcmp(&back.suite, &c.suite, sizeof(c.suite)) == 0);
}

static void fuzz_sa(struct span s)
{
	for (unsigned int i = 0; i < 16; i++) {
		struct proposal_want want = {
			.policy = i & 1 ? suite_policy_modern() : suite_policy_compatible(),
			.protocol = i & 2 ? PROTO_IKE : PROTO_ESP,
			.rekey = (i & 4) != 0,
			.with_ke = (i & 4) != 0,
			.esn = (i & 8) != 0,
		};

		judge(s, &want);
	}
}

static void fuzz_ts(struct span s)
{
	struct ts mine[] = { fuzz_net_ts("10.0.0.0/9"), fuzz_net_ts("10.1.0.0/16"),
			     fuzz_net_ts("2001:db8::/32") };
	struct ts_pair ours = { { 3, mine }, { 3, mine } }, offer, got;
	struct wr w = wr_into(again, ROOM);
	struct ts_list l, back;

	if (ts_payload_decode(s, &l) != OK)
		return;
	if (l.n > 0) {
		ts_payload_encode(&w, &l);
		FUZZ_HOLDS(ts_payload_decode(wr_done(&w), &back) == OK);
		FUZZ_HOLDS(ts_list_eq(&l, &back));
		ts_list_free(&back);
	}
	offer = (struct ts_pair){ l, l };
	if (narrow_respond(&offer, &ours, &got) == OK) {
		FUZZ_HOLDS(narrow_verify(&offer, &got) == OK);
		FUZZ_HOLDS(narrow_verify(&ours, &got) == OK);
		ts_pair_free(&got);
	}
	ts_list_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static void (*const targets[])(struct span) = {
		fuzz_ke, fuzz_id, fuzz_cert, fuzz_auth, fuzz_notify, fuzz_delete, fuzz_sa, fuzz_ts,
	};

	if (len > 0)
		targets[bytes[0] % 8](span_of(bytes + 1, len - 1));
	return 0;
}
