/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders of base/: what another process sends, and identities. The first byte chooses.
 * Whatever is taken has to encode to the same bytes again, and whatever is shown has to be
 * printable.
 */
#include "tests/fuzz/texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/identity.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/sadesc.h"

enum { ROOM = 256 * 1024 };

static uint8_t again[ROOM];

static void same_again(const struct wr *w, struct span s)
{
	FUZZ_HOLDS(wr_ok(w));
	FUZZ_HOLDS(span_eq(wr_done(w), s));
}

static void fuzz_sa_cmd(struct span s)
{
	struct wr w = wr_into(again, sizeof(again));
	struct sa_cmd cmd;

	if (sa_cmd_decode(s, &cmd) != OK)
		return;
	sa_cmd_encode(&w, &cmd);
	same_again(&w, s);
	sa_desc_wipe(&cmd.sa);
}

static void fuzz_sa_done(struct span s)
{
	struct wr w = wr_into(again, sizeof(again));
	struct sa_done done;

	if (sa_done_decode(s, &done) != OK)
		return;
	sa_done_encode(&w, &done);
	same_again(&w, s);
}

static void fuzz_plane_event(struct span s)
{
	struct plane_event ev;

	if (plane_event_decode(s, &ev) == OK)
		FUZZ_HOLDS(ev.kind <= PLANE_MTU);
}

static void fuzz_job(struct span s)
{
	struct wr w = wr_into(again, sizeof(again));
	struct job j;

	if (job_decode(s, &j) != OK)
		return;
	job_encode(&w, &j);
	same_again(&w, s);
}

static void fuzz_job_result(struct span s)
{
	struct wr w = wr_into(again, sizeof(again));
	struct job_result r;

	if (job_result_decode(s, &r) != OK)
		return;
	job_result_encode(&w, &r);
	same_again(&w, s);
}

static void fuzz_identity_wire(struct span s)
{
	char text[IDENTITY_TEXT_MAX];
	struct rd r = rd_from(s);
	uint8_t type = rd_u8(&r);
	struct identity id;
	struct log_line l = log_event(LOG_LEVEL_INFO, "x");

	if (identity_from_wire(&id, type, rd_rest(&r)) != OK)
		return;
	FUZZ_HOLDS(identity_eq(&id, &id));
	fuzz_printable(identity_text(&id, text));
	log_identity(&l, "id", &id);
	l.text[l.len] = '\0';
	fuzz_printable(l.text);
}

static void fuzz_text(struct span s)
{
	char shown[ESCAPE_TEXT_MAX];
	char text[1024] = "";
	struct identity id;
	struct net n;

	fuzz_printable(escape_peer(s, shown, sizeof(shown)));
	memcpy(text, s.p, s.len < sizeof(text) ? s.len : sizeof(text) - 1);
	if (identity_parse(&id, text) == OK)
		FUZZ_HOLDS(id.len > 0);
	if (net_parse(text, &n))
		FUZZ_HOLDS(net_contains(&n, &n.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static void (*const targets[])(struct span) = {
		fuzz_sa_cmd,	 fuzz_sa_done,	     fuzz_plane_event, fuzz_job,
		fuzz_job_result, fuzz_identity_wire, fuzz_text,
	};

	if (len > 1)
		targets[bytes[0] % 7](span_of(bytes + 1, len - 1));
	return 0;
}
