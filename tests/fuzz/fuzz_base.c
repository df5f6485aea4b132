/* SPDX-License-Identifier: Apache-2.0 */
/* The decoders of base/: what another process sends. The first byte chooses. Whatever is taken has
 * to encode to the same bytes again.
 */
#include "base/jobs.h"
#include "base/sadesc.h"
#include "tests/fuzz/fuzz.h"

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
	struct wr w = wr_into(again, sizeof(again));
	struct plane_event ev;

	if (plane_event_decode(s, &ev) != OK)
		return;
	plane_event_encode(&w, &ev);
	same_again(&w, s);
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

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static void (*const targets[])(struct span) = {
		fuzz_sa_cmd, fuzz_sa_done, fuzz_plane_event, fuzz_job, fuzz_job_result,
	};

	if (len > 1)
		targets[bytes[0] % (sizeof(targets) / sizeof(targets[0]))](
			span_of(bytes + 1, len - 1));
	return 0;
}
