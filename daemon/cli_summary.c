/* SPDX-License-Identifier: Apache-2.0 */
/* The last line of `postern status`: how many connections there are of each state, and what the
 * number of those that are up would hide. */
#include <string.h>

#include "base/bytes.h"
#include "conf/model.h"
#include "daemon/cli.h"

enum { NAMED_MAX = 3, BUT_MAX = 600 };

/* What the number of those that are up does not say. */
struct but {
	size_t passed_over;
	size_t n_missing; /* children that are not up with their connection */
	char missing[NAMED_MAX * (2 * CONF_NAME_MAX + 4)];
};

/* One that waits for its first packet is as it should be, and so is one that was taken down. */
static bool is_missing(const json_t *c, const json_t *k)
{
	bool traffic = strcmp(cli_str(c, "start", ""), "traffic") == 0;

	return strcmp(cli_str(k, "state", ""), "up") != 0 &&
	       (cli_true(k, "wanted") || (cli_true(k, "guarded") && !traffic));
}

static void but_child(struct but *but, const json_t *c, const json_t *k)
{
	size_t len = strlen(but->missing);

	if (but->n_missing < NAMED_MAX)
		snprintf(but->missing + len, sizeof(but->missing) - len, "%s%s/%s",
			 len > 0 ? ", " : "", cli_str(c, "name", "-"), cli_str(k, "name", "-"));
	but->n_missing++;
}

static void but_count(struct but *but, const json_t *c)
{
	const json_t *children = json_object_get(c, "children");

	if (strcmp(cli_str(c, "state", ""), "up") != 0)
		return;
	but->passed_over += cli_true(c, "passed_over");
	for (size_t i = 0; i < json_array_size(children); i++) {
		if (is_missing(c, json_array_get(children, i)))
			but_child(but, c, json_array_get(children, i));
	}
}

/* "2 up (1 passed over, without office/lan)" */
static const char *but_words(const json_t *connections, char buf[static BUT_MAX])
{
	struct but but = { .passed_over = 0 };
	struct wr w = wr_into(buf, BUT_MAX - 1);
	char text[80];

	for (size_t i = 0; i < json_array_size(connections); i++)
		but_count(&but, json_array_get(connections, i));
	if (but.passed_over > 0) {
		snprintf(text, sizeof(text), "%zu passed over", but.passed_over);
		wr_span(&w, span_str(text));
	}
	if (but.n_missing > 0) {
		wr_span(&w, span_str(but.passed_over > 0 ? ", without " : "without "));
		wr_span(&w, span_str(but.missing));
	}
	if (but.n_missing > NAMED_MAX) {
		snprintf(text, sizeof(text), " and %zu more", but.n_missing - NAMED_MAX);
		wr_span(&w, span_str(text));
	}
	buf[wr_len(&w)] = '\0';
	return buf;
}

/* "3 up (1 passed over), 1 waiting" */
static void counts_words(const json_t *counts, const char *but, struct wr *w)
{
	static const char *const words[] = { "up", "connecting", "waiting", "failing", "off" };
	const char *comma = ": ";
	char text[40];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cli_num(counts, words[i]) == 0)
			continue;
		snprintf(text, sizeof(text), "%s%lld %s", comma,
			 (long long)cli_num(counts, words[i]), words[i]);
		wr_span(w, span_str(text));
		comma = ", ";
		if (i > 0 || !but[0])
			continue;
		wr_span(w, span_str(" ("));
		wr_span(w, span_str(but));
		wr_span(w, span_str(")"));
	}
}

/* In the status of no connection would they be found. */
static void strangers_print(const json_t *strangers)
{
	const size_t n = json_array_size(strangers);
	const json_t *last = n > 0 ? json_array_get(strangers, n - 1) : NULL;
	char ago[CLI_WORDS_MAX];

	if (!last)
		return;
	cli_duration(cli_ago(cli_str(last, "time", "")), ago);
	printf("%zu unknown peer%s refused, the last %s ago: postern explain\n", n,
	       n == 1 ? " was" : "s were", ago);
}

void cli_summary(const json_t *summary, const json_t *connections, bool one)
{
	const json_t *counts = json_object_get(summary, "summary");
	const size_t n = json_array_size(connections);
	char but[BUT_MAX], line[BUT_MAX + 300];
	struct wr w = wr_into(line, sizeof(line) - 1);

	wr_span(&w, span_str(n == 1 ? "1 connection" : ""));
	if (n != 1) {
		snprintf(but, sizeof(but), "%zu connections", n);
		wr_span(&w, span_str(but));
	}
	counts_words(counts, but_words(connections, but), &w);
	wr_u8(&w, '.');
	line[wr_len(&w)] = '\0';
	cli_wrap(stdout, 0, 2, line);
	if (!one)
		strangers_print(json_object_get(summary, "unknown_peers"));
}
