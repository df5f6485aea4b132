/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/strangers.h"

#include "daemon/loop.h"

void strangers_keep(struct strangers *s, const struct ike_note *n)
{
	size_t at = s->n++ % STRANGERS_MAX;

	s->note[at] = *n;
	s->at[at] = mono_now();
}

json_t *strangers_report(const struct strangers *s, const struct report_now *now)
{
	size_t kept = s->n < STRANGERS_MAX ? s->n : STRANGERS_MAX;
	json_t *a = json_array();

	for (size_t i = s->n - kept; i < s->n; i++) {
		mono_ns ago = now->mono - s->at[i % STRANGERS_MAX];

		json_array_append_new(a, report_note(&s->note[i % STRANGERS_MAX],
						     now->wall - (time_t)(ago / NS_PER_S)));
	}
	return a;
}
