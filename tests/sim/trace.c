/* SPDX-License-Identifier: Apache-2.0 */
/* What --trace shows: every datagram, note, job and command, with the virtual time. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "ike/header.h"
#include "tests/sim/world.h"

static bool on;

static const char *const note_names[] = {
	[IKE_NOTE_CONNECTING] = "connecting",
	[IKE_NOTE_ANSWERED] = "answered",
	[IKE_NOTE_HINT] = "hint",
	[IKE_NOTE_PROVED] = "proved",
	[IKE_NOTE_UP] = "up",
	[IKE_NOTE_CHILD_UP] = "child up",
	[IKE_NOTE_CHILD_DOWN] = "child down",
	[IKE_NOTE_DOWN] = "down",
	[IKE_NOTE_REFUSED] = "refused",
	[IKE_NOTE_MOVED] = "moved",
	[IKE_NOTE_DROPPED] = "dropped",
	[IKE_NOTE_COOKIE] = "cookies",
	[IKE_NOTE_CHILD_FAILED] = "child failed",
	[IKE_NOTE_CHILD_LIMIT] = "child limit",
	[IKE_NOTE_CHILD_REKEYED] = "rekeyed",
	[IKE_NOTE_REKEYED] = "IKE SA rekeyed",
	[IKE_NOTE_REKEY_FAILED] = "rekey failed",
	[IKE_NOTE_PASSED_OVER] = "passed over",
	[IKE_NOTE_USED_AGAIN] = "used again",
};

void trace_set(bool yes)
{
	on = yes;
}

bool trace_on(void)
{
	return on;
}

static void begin(const struct sim *s, enum side side)
{
	printf("%9" PRIu64 " ms  %-5s  ", (uint64_t)(s->now / NS_PER_MS) - 1000000,
	       side == LEFT ? "left" : "right");
}

void trace_line(const struct sim *s, enum side side, const char *format, ...)
{
	va_list args;

	if (!on)
		return;
	begin(s, side);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void trace_packet(const struct sim *s, const struct sim_packet *p, const char *fate)
{
	struct ike_header h = { 0 };
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];

	if (!on)
		return;
	(void)!header_decode(span_of(p->bytes, p->len), &h);
	trace_line(s, fate[0] == 'a' ? p->ev.side : p->from,
		   "%s > %s  %s %s id %u, %016" PRIx64 " %016" PRIx64 ", %zu bytes: %s",
		   endpoint_text(&p->path.remote, from), endpoint_text(&p->path.local, to),
		   exchange_name(h.exchange), header_is_response(&h) ? "response" : "request",
		   h.message_id, h.spi_i, h.spi_r, p->len, fate);
}

void trace_note(const struct end *end, const struct ike_note *n)
{
	if (!on)
		return;
	trace_line(end->sim, end->side, "note %s %s %s: %s %s", note_names[n->kind], n->connection,
		   n->child, n->err == OK ? "" : err_slug(n->err), n->text);
}
