/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* Writes `l` and gives back what came out of fd 2. */
static const char *written(struct log_line *l, char *buf, size_t size)
{
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	ck_assert_ptr_nonnull(f);
	dup2(fileno(f), STDERR_FILENO);
	log_write(l);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
	return buf;
}

static void plain(void)
{
	log_setup(LOG_LEVEL_INFO, LOG_FORM_BARE, NULL);
}

START_TEST(a_line_has_its_keys_in_order)
{
	struct log_line l;
	struct endpoint e = { .port = 500 };
	char buf[2048];

	plain();
	ck_assert(addr_parse("203.0.113.2", &e.addr));
	l = log_event(LOG_LEVEL_NOTICE, "connection_up");
	log_str(&l, "connection", "office");
	log_endpoint(&l, "peer", &e);
	log_num(&l, "ms", -204);
	log_hex(&l, "spi", 0xc0ffee);
	log_err(&l, ERR_WRONG_IDENTITY);
	ck_assert_str_eq(written(&l, buf, sizeof(buf)),
			 "event=connection_up connection=office peer=203.0.113.2:500 ms=-204 "
			 "spi=0xc0ffee reason=wrong-identity\n");
}
END_TEST

static const struct {
	const char *value;
	const char *line;
} values[] = {
	{ "plain", "event=x v=plain\n" },
	{ NULL, "event=x v=-\n" },
	{ "", "event=x v=\"\"\n" },
	{ "two words", "event=x v=\"two words\"\n" },
	{ "a=b", "event=x v=\"a=b\"\n" },
	{ "say \"no\"", "event=x v=\"say \\\"no\\\"\"\n" },
	{ "a\nevent=forged", "event=x v=\"a\\x0aevent=forged\"\n" },
};

START_TEST(values_cannot_forge_keys_or_lines)
{
	struct log_line l;
	char buf[2048];

	plain();
	l = log_event(LOG_LEVEL_INFO, "x");
	log_str(&l, "v", values[_i].value);
	ck_assert_str_eq(written(&l, buf, sizeof(buf)), values[_i].line);
}
END_TEST

START_TEST(what_a_peer_sent_is_escaped_once)
{
	struct log_line l;
	struct identity id;
	char buf[2048];

	plain();
	ck_assert_int_eq(identity_from_wire(&id, ID_FQDN, span_str("gw \"2\"")), OK);
	l = log_event(LOG_LEVEL_INFO, "x");
	log_identity(&l, "got", &id);
	log_peer(&l, "said", span_of("a\0\"b", 4));
	ck_assert_str_eq(written(&l, buf, sizeof(buf)),
			 "event=x got=\"gw \\\"2\\\"\" said=\"a\\x00\\\"b\"\n");
}
END_TEST

START_TEST(the_journal_gets_a_priority_and_a_role_stands_in_every_line)
{
	struct log_line l;
	char buf[2048];

	log_setup(LOG_LEVEL_INFO, LOG_FORM_JOURNAL, "engine");
	l = log_event(LOG_LEVEL_WARNING, "x");
	ck_assert_str_eq(written(&l, buf, sizeof(buf)), "<4>event=x role=engine\n");
}
END_TEST

START_TEST(elsewhere_a_line_begins_with_its_time)
{
	static const char shape[] = "time=dddd-dd-ddTdd:dd:dd.dddZ event=x\n";
	struct log_line l;
	char buf[2048];
	char year[8];
	time_t now = time(NULL);
	struct tm tm;

	log_setup(LOG_LEVEL_INFO, LOG_FORM_TIMED, NULL);
	l = log_event(LOG_LEVEL_INFO, "x");
	written(&l, buf, sizeof(buf));
	ck_assert_uint_eq(strlen(buf), strlen(shape));
	strftime(year, sizeof(year), "%Y", gmtime_r(&now, &tm));
	ck_assert_mem_eq(buf + strlen("time="), year, 3);
	for (size_t i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == 'd' && i < strlen("time=dddd-dd-ddTdd:dd:dd.ddd"))
			ck_assert(buf[i] >= '0' && buf[i] <= '9');
		else
			ck_assert_int_eq(buf[i], shape[i]);
	}
}
END_TEST

START_TEST(less_important_lines_are_not_written)
{
	struct log_line l;
	char buf[2048];

	log_setup(LOG_LEVEL_WARNING, LOG_FORM_BARE, NULL);
	ck_assert(log_wanted(LOG_LEVEL_ERROR) && log_wanted(LOG_LEVEL_WARNING) &&
		  !log_wanted(LOG_LEVEL_NOTICE));
	l = log_event(LOG_LEVEL_NOTICE, "x");
	ck_assert_str_eq(written(&l, buf, sizeof(buf)), "");
}
END_TEST

START_TEST(a_full_line_says_that_it_is_cut_and_stays_one_line)
{
	char value[200];
	struct log_line l;
	char buf[2048];
	size_t len;

	plain();
	memset(value, '"', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	l = log_event(LOG_LEVEL_INFO, "x");
	for (unsigned int i = 0; i < 20; i++)
		log_str(&l, "v", value);
	log_num(&l, "n", 1);
	len = strlen(written(&l, buf, sizeof(buf)));
	ck_assert_uint_le(len, sizeof(l.text) + 1);
	ck_assert_str_eq(buf + len - 9, " cut=yes\n");
	ck_assert_ptr_eq(strchr(buf, '\n'), buf + len - 1);
	ck_assert_ptr_nonnull(strstr(buf, " n=1 "));
}
END_TEST

START_TEST(a_value_longer_than_a_line_is_left_out)
{
	static char value[4096];
	struct log_line l;
	char buf[2048];

	plain();
	memset(value, 'x', sizeof(value) - 1);
	l = log_event(LOG_LEVEL_INFO, "x");
	log_str(&l, "v", value);
	ck_assert_ptr_null(strstr(written(&l, buf, sizeof(buf)), "xxxx"));
	ck_assert_ptr_nonnull(strstr(buf, " cut=yes\n"));
}
END_TEST

UNIT("base/log")
{
	tcase_add_test(tc, a_line_has_its_keys_in_order);
	tcase_add_loop_test(tc, values_cannot_forge_keys_or_lines, 0,
			    sizeof(values) / sizeof(values[0]));
	tcase_add_test(tc, what_a_peer_sent_is_escaped_once);
	tcase_add_test(tc, the_journal_gets_a_priority_and_a_role_stands_in_every_line);
	tcase_add_test(tc, elsewhere_a_line_begins_with_its_time);
	tcase_add_test(tc, less_important_lines_are_not_written);
	tcase_add_test(tc, a_full_line_says_that_it_is_cut_and_stays_one_line);
	tcase_add_test(tc, a_value_longer_than_a_line_is_left_out);
}
