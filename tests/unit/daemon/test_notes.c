/* SPDX-License-Identifier: Apache-2.0 */
/* Notes as lines: what is written, and what is only counted. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/notes.h"
#include "daemon/options.h"
#include "tests/unit/unit.h"

/* Lines go to fd 2, which is a memfd meanwhile. */
static char written[8192];

static int stderr_take(int *saved)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	*saved = dup(STDERR_FILENO);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	return fd;
}

static const char *log_of(struct notes *n, const struct ike_note *note, mono_ns now)
{
	int saved, fd = stderr_take(&saved);
	ssize_t len;

	notes_log(n, note, now);
	dup2(saved, STDERR_FILENO);
	close(saved);
	len = pread(fd, written, sizeof written - 1, 0);
	close(fd);
	written[len > 0 ? len : 0] = '\0';
	return written;
}

static const char *tick_of(struct notes *n, mono_ns now)
{
	int saved, fd = stderr_take(&saved);
	ssize_t len;

	notes_tick(n, now);
	dup2(saved, STDERR_FILENO);
	close(saved);
	len = pread(fd, written, sizeof written - 1, 0);
	close(fd);
	written[len > 0 ? len : 0] = '\0';
	return written;
}

static struct notes *notes_made(void)
{
	struct notes *n;

	log_setup(LOG_LEVEL_INFO, LOG_FORM_BARE, NULL);
	ck_assert_int_eq(notes_new(&n), OK);
	return n;
}

START_TEST(a_connection_that_is_up_is_one_line)
{
	struct ike_note note = { .kind = IKE_NOTE_UP,
				 .connection = "office",
				 .initiator = true,
				 .ms = 204,
				 .suite = "aes256gcm16 prfsha384 x25519" };
	struct notes *n = notes_made();
	const char *line;

	ck_assert(endpoint_from_sockaddr(&note.path.remote,
					 (const struct sockaddr *)&(struct sockaddr_in){
						 .sin_family = AF_INET,
						 .sin_port = htons(500),
						 .sin_addr.s_addr = htonl(0xcb007102) }));
	line = log_of(n, &note, 1);
	ck_assert_ptr_nonnull(strstr(line, "event=connection_up "));
	ck_assert_ptr_nonnull(strstr(line, " connection=office "));
	ck_assert_ptr_nonnull(strstr(line, " peer=203.0.113.2:500 "));
	ck_assert_ptr_nonnull(strstr(line, " role=initiator "));
	ck_assert_ptr_nonnull(strstr(line, " ms=204"));
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	notes_free(n);
}
END_TEST

/* Each kind of note that has a suite; nothing weak is nothing to say. */
START_TEST(what_is_weak_is_said_beside_its_suite)
{
	static const enum ike_note_kind kinds[] = { IKE_NOTE_ANSWERED, IKE_NOTE_UP,
						    IKE_NOTE_CHILD_UP };
	struct ike_note note = { .kind = kinds[_i], .suite = "aes128 sha1 prfsha1 x25519" };
	struct notes *n = notes_made();

	ck_assert_ptr_null(strstr(log_of(n, &note, 1), "weak="));
	snprintf(note.weak, sizeof note.weak, "sha1 prfsha1");
	ck_assert_ptr_nonnull(
		strstr(log_of(n, &note, 2),
		       " suite=\"aes128 sha1 prfsha1 x25519\" weak=\"sha1 prfsha1\""));
	notes_free(n);
}
END_TEST

START_TEST(a_repeated_refusal_is_counted)
{
	struct ike_note note = { .kind = IKE_NOTE_REFUSED,
				 .connection = "branch",
				 .err = ERR_WRONG_IDENTITY };
	struct notes *n = notes_made();
	mono_ns t = NS_PER_S;

	ck_assert_ptr_nonnull(strstr(log_of(n, &note, t), "reason=wrong-identity"));
	for (int i = 0; i < 11; i++)
		ck_assert_str_eq(log_of(n, &note, t += NS_PER_S), "");
	ck_assert_ptr_nonnull(strstr(log_of(n, &note, 601 * NS_PER_S), " repeated=11 seconds=600"));
	notes_free(n);
}
END_TEST

/* The operator who tries again a minute later finds it in the log, and what is refused all day
 * comes seldom. */
START_TEST(the_count_is_told_without_another_one_and_ever_later)
{
	struct ike_note note = { .kind = IKE_NOTE_REFUSED, .err = ERR_UNKNOWN_PEER };
	struct notes *n = notes_made();
	unsigned int lines = 0;

	ck_assert_str_ne(log_of(n, &note, NS_PER_S), "");
	ck_assert_str_eq(log_of(n, &note, 5 * NS_PER_S), "");
	ck_assert_str_eq(tick_of(n, 29 * NS_PER_S), "");
	ck_assert_ptr_nonnull(strstr(tick_of(n, 31 * NS_PER_S), " repeated=1 seconds=30"));
	ck_assert_str_eq(tick_of(n, 3600 * NS_PER_S), "");
	for (mono_ns t = 4000; t < 4000 + 86400; t += 10) {
		lines += *log_of(n, &note, t * NS_PER_S) != '\0';
		lines += *tick_of(n, t * NS_PER_S) != '\0';
	}
	ck_assert_uint_le(lines, 86400 / 600 + 8);
	ck_assert_uint_ge(lines, 86400 / 600);
	notes_free(n);
}
END_TEST

START_TEST(a_refusal_that_says_something_else_is_written_up_to_a_limit)
{
	struct ike_note note = { .kind = IKE_NOTE_REFUSED, .err = ERR_UNKNOWN_PEER };
	struct notes *n = notes_made();
	unsigned int lines = 0;

	for (unsigned int i = 0; i < 600; i++) {
		snprintf(note.got, sizeof note.got, "fqdn gw%u.example.org", i);
		if (i < 5)
			ck_assert_ptr_nonnull(
				strstr(log_of(n, &note, (i + 1) * NS_PER_S), note.got));
		else
			lines += *log_of(n, &note, (i + 1) * NS_PER_S) != '\0';
	}
	ck_assert_uint_ge(lines, 1);
	ck_assert_uint_le(lines, 20);
	notes_free(n);
}
END_TEST

/* What a peer that makes new keys without pause can write, of each kind. */
START_TEST(what_goes_well_without_pause_is_counted)
{
	static const enum ike_note_kind kinds[] = { IKE_NOTE_PROVED,	    IKE_NOTE_CHILD_UP,
						    IKE_NOTE_CHILD_REKEYED, IKE_NOTE_REKEYED,
						    IKE_NOTE_CHILD_DOWN,    IKE_NOTE_MOVED };
	struct ike_note note = { .kind = kinds[_i], .connection = "office", .child = "lan" };
	struct notes *n = notes_made();
	unsigned int lines = 0, first = 0;

	for (unsigned int i = 0; i < 6000; i++) {
		bool wrote = *log_of(n, &note, NS_PER_S + i * (NS_PER_S / 10)) != '\0';

		lines += wrote;
		first += wrote && i < 50;
	}
	ck_assert_uint_eq(first, 50);
	ck_assert_uint_le(lines, 60 + 60);
	ck_assert_ptr_nonnull(strstr(log_of(n, &note, 700 * NS_PER_S), " repeated="));
	notes_free(n);
}
END_TEST

START_TEST(one_peer_without_pause_leaves_others_of_its_connection_their_lines)
{
	struct ike_note note = { .kind = IKE_NOTE_PROVED, .connection = "road", .proved = true };
	struct notes *n = notes_made();

	ck_assert_int_eq(identity_parse(&note.identity, "a.example.org"), OK);
	for (unsigned int i = 0; i < 100; i++)
		(void)log_of(n, &note, NS_PER_S);
	ck_assert_str_eq(log_of(n, &note, NS_PER_S), "");
	ck_assert_int_eq(identity_parse(&note.identity, "b.example.org"), OK);
	ck_assert_str_ne(log_of(n, &note, NS_PER_S), "");
	notes_free(n);
}
END_TEST

/* Also where the level hides that it was up meanwhile. */
START_TEST(a_refusal_after_it_was_up_is_news)
{
	const struct ike_note refused = { .kind = IKE_NOTE_REFUSED,
					  .err = ERR_NO_ANSWER,
					  .connection = "office" };
	const struct ike_note up = { .kind = IKE_NOTE_UP, .connection = "office" };
	struct notes *n = notes_made();

	log_setup(_i ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, LOG_FORM_BARE, NULL);
	ck_assert_str_ne(log_of(n, &refused, NS_PER_S), "");
	ck_assert_str_eq(log_of(n, &refused, 2 * NS_PER_S), "");
	(void)log_of(n, &up, 3 * NS_PER_S);
	ck_assert_str_ne(log_of(n, &refused, 4 * NS_PER_S), "");
	notes_free(n);
}
END_TEST

START_TEST(another_reason_or_connection_is_news)
{
	struct ike_note note = { .kind = IKE_NOTE_REFUSED,
				 .connection = "branch",
				 .err = ERR_WRONG_IDENTITY };
	struct ike_note up = { .kind = IKE_NOTE_UP, .connection = "branch" };
	struct notes *n = notes_made();

	ck_assert_str_ne(log_of(n, &note, 1), "");
	note.err = ERR_NO_PROPOSAL;
	ck_assert_str_ne(log_of(n, &note, 2), "");
	note.connection[0] = 'x';
	ck_assert_str_ne(log_of(n, &note, 3), "");
	ck_assert_str_eq(log_of(n, &note, 4), "");
	note.connection[0] = 'b';
	ck_assert_str_eq(log_of(n, &note, 5), "");
	ck_assert_str_ne(log_of(n, &up, 6), "");
	ck_assert_str_ne(log_of(n, &note, 7), "");
	notes_free(n);
}
END_TEST

/* More different refusals than are remembered: each is written, none is lost. */
START_TEST(many_strangers_do_not_fill_the_memory)
{
	struct ike_note note = { .kind = IKE_NOTE_REFUSED, .err = ERR_WRONG_PSK };
	struct notes *n = notes_made();

	for (int i = 0; i < 1500; i++) {
		snprintf(note.connection, sizeof note.connection, "c%d", i);
		ck_assert_str_ne(log_of(n, &note, (mono_ns)i + 1), "");
	}
	notes_free(n);
}
END_TEST

START_TEST(every_kind_of_note_has_its_name)
{
	for (int k = 0; k < N_IKE_NOTES; k++)
		ck_assert_str_ne(note_event((enum ike_note_kind)k), "note");
	ck_assert_str_eq(note_event((enum ike_note_kind)99), "note");
}
END_TEST

/* CVE-2020-1763 and CVE-2022-23094: loggers that took for granted that there is an SA. */
START_TEST(a_note_about_nobody_is_a_line_like_any_other)
{
	struct notes *n = notes_made();
	struct ike_note note;
	const char *line;

	log_setup(LOG_LEVEL_DEBUG, LOG_FORM_BARE, NULL);
	for (unsigned int k = 0; k < N_IKE_NOTES; k++) {
		for (unsigned int e = 0; e < N_ERR; e++) {
			note = (struct ike_note){ .kind = (enum ike_note_kind)k,
						  .err = (enum err)e };
			line = log_of(n, &note, (k * N_ERR + e + 1) * 3600 * NS_PER_S);
			ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
			ck_assert_ptr_nonnull(strstr(line, note_event(note.kind)));
		}
	}
	notes_free(n);
}
END_TEST

static const struct {
	const char *argument;
	int code; /* -1: goes on */
} arguments[] = {
	{ "--log-level=debug", -1 }, { "--log-level=7", -1 },	{ "--log-level=loud", 2 },
	{ "--role=engine", -1 },     { "--role=monitor", 2 },	{ "--role=nobody", 2 },
	{ "--config=/x", -1 },	     { "--no-such-option", 2 }, { "word", 2 },
	{ "--version", 0 },
};

START_TEST(the_command_line_is_judged)
{
	char *argv[] = { (char *)(uintptr_t) "posternd", (char *)(uintptr_t)arguments[_i].argument,
			 NULL };
	int code, saved, fd = stderr_take(&saved);
	struct options o;
	bool on;

	optind = 0;
	on = options_parse(2, argv, &o, &code);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	ck_assert_int_eq(on ? -1 : code, arguments[_i].code);
}
END_TEST

UNIT("daemon/notes")
{
	tcase_add_test(tc, a_connection_that_is_up_is_one_line);
	tcase_add_loop_test(tc, what_is_weak_is_said_beside_its_suite, 0, 3);
	tcase_add_test(tc, a_repeated_refusal_is_counted);
	tcase_add_test(tc, the_count_is_told_without_another_one_and_ever_later);
	tcase_add_test(tc, a_refusal_that_says_something_else_is_written_up_to_a_limit);
	tcase_add_loop_test(tc, what_goes_well_without_pause_is_counted, 0, 6);
	tcase_add_test(tc, one_peer_without_pause_leaves_others_of_its_connection_their_lines);
	tcase_add_loop_test(tc, a_refusal_after_it_was_up_is_news, 0, 2);
	tcase_add_test(tc, another_reason_or_connection_is_news);
	tcase_add_test(tc, many_strangers_do_not_fill_the_memory);
	tcase_add_test(tc, every_kind_of_note_has_its_name);
	tcase_add_test(tc, a_note_about_nobody_is_a_line_like_any_other);
	tcase_add_loop_test(tc, the_command_line_is_judged, 0,
			    sizeof arguments / sizeof arguments[0]);
}
