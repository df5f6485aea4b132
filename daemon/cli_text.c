/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "daemon/cli.h"

enum { COLUMNS = 80 };

const char *cli_bytes(json_int_t n, char buf[static CLI_WORDS_MAX])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	json_int_t tenths = n * 10;
	size_t u = 0;

	while (tenths >= 10240 && u + 1 < sizeof(units) / sizeof(units[0])) {
		tenths /= 1024;
		u++;
	}
	if (u == 0 || tenths >= 100)
		snprintf(buf, CLI_WORDS_MAX, "%lld %s", (long long)(tenths / 10), units[u]);
	else
		snprintf(buf, CLI_WORDS_MAX, "%lld.%lld %s", (long long)(tenths / 10),
			 (long long)(tenths % 10), units[u]);
	return buf;
}

const char *cli_duration(json_int_t s, char buf[static CLI_WORDS_MAX])
{
	long long d = s / 86400, h = s / 3600 % 24, m = s / 60 % 60;

	if (s < 60)
		snprintf(buf, CLI_WORDS_MAX, "%llds", (long long)s);
	else if (s < 3600)
		snprintf(buf, CLI_WORDS_MAX, "%lldm%02llds", m, (long long)(s % 60));
	else if (s < 86400)
		snprintf(buf, CLI_WORDS_MAX, "%lldh%02lldm", h, m);
	else
		snprintf(buf, CLI_WORDS_MAX, "%lldd%02lldh", d, h);
	return buf;
}

json_int_t cli_ago(const char *rfc3339)
{
	struct tm tm = { 0 };
	time_t then;

	if (!strptime(rfc3339, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return 0;
	then = timegm(&tm);
	return time(NULL) > then ? time(NULL) - then : 0;
}

const char *cli_str(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : otherwise;
}

json_int_t cli_num(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

bool cli_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

const char *cli_join(const json_t *o, const char *key, char *buf, size_t size)
{
	const json_t *a = json_object_get(o, key);
	struct wr w = wr_into(buf, size);

	for (size_t i = 0; i < json_array_size(a); i++) {
		const char *s = json_string_value(json_array_get(a, i));

		if (i > 0)
			wr_span(&w, span_str(", "));
		wr_span(&w, span_str(s ? s : ""));
	}
	wr_u8(&w, 0);
	if (!wr_ok(&w))
		snprintf(buf, size, "%zu networks", json_array_size(a));
	return buf;
}

const char *cli_less(const json_t *child, char buf[static CLI_LESS_MAX])
{
	const json_t *lack = json_object_get(child, "not_carried");
	char local[512], remote[512];
	bool both = json_array_size(json_object_get(lack, "local")) > 0 &&
		    json_array_size(json_object_get(lack, "remote")) > 0;

	buf[0] = '\0';
	if (json_is_object(lack))
		snprintf(buf, CLI_LESS_MAX,
			 "not wholly carried: %s%s%s; the peer agreed to no more",
			 cli_join(lack, "local", local, sizeof(local)), both ? " and " : "",
			 cli_join(lack, "remote", remote, sizeof(remote)));
	return buf;
}

const char *cli_attempt(const json_t *connection, char buf[static CLI_ATTEMPT_MAX])
{
	const json_t *a = json_object_get(connection, "attempt");
	const bool auth = strcmp(cli_str(a, "exchange", ""), "IKE_AUTH") == 0;
	const json_int_t n = cli_num(a, "messages");
	char silent[CLI_WORDS_MAX];

	buf[0] = '\0';
	if (json_is_object(a))
		snprintf(buf, CLI_ATTEMPT_MAX, "%s%lld message%s sent, no answer for %s",
			 auth ? "it answered; then " : "", (long long)n, n == 1 ? "" : "s",
			 cli_duration(cli_ago(cli_str(a, "silent_since", "")), silent));
	return buf;
}

size_t cli_less_print(const json_t *connection, const char *child)
{
	const json_t *children = json_object_get(connection, "children");
	char less[CLI_LESS_MAX], line[CLI_LESS_MAX + 160];
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(children); i++) {
		const json_t *k = json_array_get(children, i);

		if ((child && strcmp(child, cli_str(k, "name", "")) != 0) || !cli_less(k, less)[0])
			continue;
		snprintf(line, sizeof(line), "%s/%s: %s", cli_str(connection, "name", "-"),
			 cli_str(k, "name", "-"), less);
		cli_wrap(stdout, 0, 2, line);
		n++;
	}
	return n;
}

void cli_wrap(FILE *to, size_t at, size_t indent, const char *text)
{
	size_t column = at;
	bool begun = false;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (begun && column + 1 + len > COLUMNS) {
			fprintf(to, "\n%*s", (int)indent, "");
			column = indent;
		} else if (begun) {
			fputc(' ', to);
			column++;
		}
		fwrite(text, 1, len, to);
		column += len;
		begun = true;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', to);
}

void cli_print_json(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(o);
}
