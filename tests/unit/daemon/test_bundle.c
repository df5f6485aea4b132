/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/bundle.h"
#include "daemon/sealed.h"
#include "tests/unit/unit.h"

static const char text[] = "qcd_secret_file = host.qcd\n"
			   "me {\n"
			   "	identity        = left.example.org\n"
			   "	certificate     = left.pem\n"
			   "	key             = left.key\n"
			   "	passphrase_file = left.pass\n"
			   "	trust           = ca.pem\n"
			   "}\n"
			   "connection office {\n"
			   "	address  = 203.0.113.2\n"
			   "	identity = right.example.org\n"
			   "	child lan {\n"
			   "		local  = 10.1.0.0/16\n"
			   "		remote = 10.2.0.0/16\n"
			   "	}\n"
			   "}\n"
			   "connection branch {\n"
			   "	address  = 203.0.113.3\n"
			   "	identity = branch.example.org\n"
			   "	auth     = psk\n"
			   "	psk_file = branch.psk\n"
			   "	child lan {\n"
			   "		local  = 10.1.0.0/16\n"
			   "		remote = 10.3.0.0/16\n"
			   "	}\n"
			   "}\n";

static const char mark_key[] = "known to the monitor alone";

/* What each file holds, so that it can be found again in a bundle. */
static const char *const contents[] = {
	[CONF_FILE_CERTIFICATE] = "bytes of the certificate",
	[CONF_FILE_KEY] = "bytes of the private key",
	[CONF_FILE_PASSPHRASE] = "bytes of the passphrase",
	[CONF_FILE_PSK] = "0a1b2c3d4e5f6071-pre-shared-key",
	[CONF_FILE_TRUST] = "bytes of the authority",
	[CONF_FILE_QCD_SECRET] = "32 bytes for the tokens of this host",
};
enum { N_KINDS = sizeof contents / sizeof contents[0] };

static enum err read_contents(void *ctx, enum conf_file_kind kind, const char *path,
			      struct span *bytes, char why[static 256])
{
	(void)ctx;
	(void)path;
	(void)why;
	*bytes = span_str(strdup(contents[kind]));
	return bytes->p != NULL ? OK : ERR_NOMEM;
}

static enum err read_other(void *ctx, enum conf_file_kind kind, const char *path,
			   struct span *bytes, char why[static 256])
{
	const char *const *other = ctx;

	(void)path;
	(void)why;
	*bytes = span_str(strdup(other[kind]));
	return bytes->p != NULL ? OK : ERR_NOMEM;
}

static struct conf *conf_made(void)
{
	const struct conf_source src = { .read = read_contents };
	struct conf_problems problems = { 0 };
	struct conf *c;

	ck_assert_int_eq(
		conf_load("/etc/postern/postern.conf", span_str(text), &src, &c, &problems), OK);
	return c;
}

static int bundle_made(enum role r)
{
	struct conf *c = conf_made();
	int fd;

	ck_assert_int_eq(sealed_make("test", &fd), OK);
	ck_assert_int_eq(bundle_write(fd, r, span_str(text), c, span_str(mark_key)), OK);
	conf_free(c);
	return fd;
}

static bool file_holds(int fd, const char *what)
{
	struct stat st;
	bool found;
	void *p;

	ck_assert_int_eq(fstat(fd, &st), 0);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	found = memmem(p, (size_t)st.st_size, what, strlen(what)) != NULL;
	munmap(p, (size_t)st.st_size);
	return found;
}

/* Who sees what: written out here once more, so that a slip in the table is seen. */
static const bool sees[N_ROLES][N_KINDS] = {
	[ROLE_ENGINE] = { [CONF_FILE_CERTIFICATE] = true,
			  [CONF_FILE_TRUST] = true,
			  [CONF_FILE_QCD_SECRET] = true },
	[ROLE_SIGNER] = { [CONF_FILE_KEY] = true,
			  [CONF_FILE_PASSPHRASE] = true,
			  [CONF_FILE_PSK] = true },
	[ROLE_VERIFIER] = { [CONF_FILE_TRUST] = true },
};

START_TEST(a_bundle_holds_what_its_process_may_see_and_nothing_else)
{
	int fd = bundle_made((enum role)_i);

	for (size_t k = 0; k < N_KINDS; k++)
		ck_assert_int_eq(file_holds(fd, contents[k]), sees[_i][k]);
	close(fd);
}
END_TEST

START_TEST(a_process_loads_the_same_configuration_from_its_bundle)
{
	struct conf_problems problems = { 0 };
	int fd = bundle_made((enum role)_i);
	struct conf *here = conf_made(), *there;
	struct bundle *b;

	ck_assert_int_eq(bundle_read(fd, &b), OK);
	ck_assert_str_eq(bundle_file(b), "/etc/postern/postern.conf");
	ck_assert(span_eq(bundle_text(b), span_str(text)));
	ck_assert_int_eq(bundle_load(b, &there, &problems), OK);
	bundle_free(b);
	ck_assert_uint_eq(there->n_connections, here->n_connections);
	ck_assert_uint_eq(there->connections[1].children[0].reqid,
			  here->connections[1].children[0].reqid);
	ck_assert_int_eq(there->connections[1].psk.bytes.len > 0, sees[_i][CONF_FILE_PSK]);
	ck_assert_int_eq(there->mes[0].key.bytes.len > 0, sees[_i][CONF_FILE_KEY]);
	ck_assert_int_eq(there->mes[0].trust.bytes.len > 0, sees[_i][CONF_FILE_TRUST]);
	conf_free(there);
	conf_free(here);
	close(fd);
}
END_TEST

START_TEST(a_sealed_bundle_cannot_be_changed)
{
	int fd = bundle_made(ROLE_SIGNER);

	ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
	ck_assert_int_ne(ftruncate(fd, 1), 0);
	close(fd);
}
END_TEST

START_TEST(a_bundle_that_is_not_sealed_is_not_read)
{
	struct bundle *b;
	int fd;

	ck_assert_int_eq(sealed_make("test", &fd), OK);
	ck_assert_int_eq(write(fd, "psB1", 4), 4);
	ck_assert_int_eq(bundle_read(fd, &b), ERR_DENIED);
	ck_assert_ptr_null(b);
	close(fd);
}
END_TEST

static enum err read_damaged(const uint8_t *p, size_t len)
{
	struct bundle *b;
	enum err e;
	int fd;

	ck_assert_int_eq(sealed_make("test", &fd), OK);
	ck_assert_int_eq(sealed_append(fd, span_of(p, len)), OK);
	ck_assert_int_eq(sealed_seal(fd), OK);
	e = bundle_read(fd, &b);
	bundle_free(b);
	close(fd);
	return e;
}

START_TEST(a_damaged_bundle_is_refused)
{
	int fd = bundle_made(ROLE_SIGNER);
	uint8_t bytes[4096];
	ssize_t n = pread(fd, bytes, sizeof bytes - 1, 0);

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(read_damaged(bytes, (size_t)n), OK);
	for (size_t len = 1; len < (size_t)n; len++)
		ck_assert_int_eq(read_damaged(bytes, len), ERR_SYNTAX);
	ck_assert_int_eq(read_damaged(bytes, (size_t)n + 1), ERR_SYNTAX);
	bytes[0] ^= 1;
	ck_assert_int_eq(read_damaged(bytes, (size_t)n), ERR_SYNTAX);
	close(fd);
}
END_TEST

/* The configuration as this process has it when one file holds something else. */
static struct conf *conf_of(enum role r, enum conf_file_kind kind, const char *holds)
{
	const char *other[N_KINDS];
	const struct conf_source src = { .read = read_other, .ctx = other };
	struct conf_problems problems = { 0 };
	struct conf *c, *there;
	struct bundle *b;
	int fd;

	memcpy(other, contents, sizeof other);
	other[kind] = holds;
	ck_assert_int_eq(conf_load("postern.conf", span_str(text), &src, &c, &problems), OK);
	ck_assert_int_eq(sealed_make("test", &fd), OK);
	ck_assert_int_eq(bundle_write(fd, r, span_str(text), c, span_str(mark_key)), OK);
	conf_free(c);
	ck_assert_int_eq(bundle_read(fd, &b), OK);
	close(fd);
	ck_assert_int_eq(bundle_load(b, &there, &problems), OK);
	bundle_free(b);
	return there;
}

/* clang-format off */
static const struct {
	enum conf_file_kind kind;
	const char *holds;
	bool office, branch; /* is it another connection then? */
} replaced[] = {
	{ CONF_FILE_CERTIFICATE, "bytes of the certificate", false, false },
	{ CONF_FILE_CERTIFICATE, "bytes of a renewed certificate", true, true },
	{ CONF_FILE_KEY, "bytes of another private key", true, true },
	{ CONF_FILE_PASSPHRASE, "bytes of another passphrase", true, true },
	{ CONF_FILE_TRUST, "bytes of another authority", true, true },
	{ CONF_FILE_PSK, "another-1b2c3d4e5f6071-pre-shared-key", false, true },
	{ CONF_FILE_PSK, "0a1b2c3d4e5f6071-pre-shared-key\n", false, false }, /* the same key */
	{ CONF_FILE_QCD_SECRET, "32 bytes for the tokens of another", false, false },
};
/* clang-format on */
enum { N_REPLACED = sizeof replaced / sizeof replaced[0] };

static void judge_replaced(enum role r, int i)
{
	enum conf_file_kind kind = replaced[i].kind;
	struct conf *was = conf_of(r, kind, contents[kind]);
	struct conf *is = conf_of(r, kind, replaced[i].holds);

	ck_assert_int_eq(!conf_connection_same(&was->connections[0], &is->connections[0]),
			 replaced[i].office);
	ck_assert_int_eq(!conf_connection_same(&was->connections[1], &is->connections[1]),
			 replaced[i].branch);
	/* What an engine leaves says it to the next one, too. */
	ck_assert_int_eq(conf_connection_digest(&was->connections[0]) !=
				 conf_connection_digest(&is->connections[0]),
			 replaced[i].office);
	ck_assert_int_eq(conf_connection_digest(&was->connections[1]) !=
				 conf_connection_digest(&is->connections[1]),
			 replaced[i].branch);
	conf_free(was);
	conf_free(is);
}

START_TEST(a_file_replaced_under_its_name_is_a_change_to_who_compares)
{
	judge_replaced(ROLE_ENGINE, _i);
	judge_replaced(ROLE_MONITOR, _i);
}
END_TEST

/* Or somebody who has the engine could try keys at leisure. */
START_TEST(a_mark_says_nothing_without_the_monitors_key)
{
	struct conf *c = conf_made();
	struct bundle *b[2];
	struct conf_problems problems = { 0 };
	struct conf *there[2];
	int fd[2];

	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(sealed_make("test", &fd[i]), OK);
		ck_assert_int_eq(bundle_write(fd[i], ROLE_ENGINE, span_str(text), c,
					      span_str(i == 0 ? "one start" : "the next")),
				 OK);
		ck_assert_int_eq(bundle_read(fd[i], &b[i]), OK);
		ck_assert_int_eq(bundle_load(b[i], &there[i], &problems), OK);
		bundle_free(b[i]);
		close(fd[i]);
	}
	ck_assert_mem_ne(there[0]->connections[1].psk.mark, there[1]->connections[1].psk.mark,
			 CONF_MARK_LEN);
	conf_free(there[0]);
	conf_free(there[1]);
	conf_free(c);
}
END_TEST

/* Who asks nothing of a file is told nothing of it. */
START_TEST(who_does_not_compare_has_no_marks)
{
	static const uint8_t none[CONF_MARK_LEN];
	struct conf *c = conf_of((enum role)_i, CONF_FILE_PSK, contents[CONF_FILE_PSK]);
	bool compares = _i == ROLE_MONITOR || _i == ROLE_ENGINE;

	ck_assert_int_eq(memcmp(c->connections[1].psk.mark, none, sizeof none) != 0, compares);
	ck_assert_int_eq(memcmp(c->mes[0].key.mark, none, sizeof none) != 0, compares);
	conf_free(c);
}
END_TEST

UNIT("daemon/bundle")
{
	tcase_add_loop_test(tc, a_file_replaced_under_its_name_is_a_change_to_who_compares, 0,
			    N_REPLACED);
	tcase_add_test(tc, a_mark_says_nothing_without_the_monitors_key);
	tcase_add_loop_test(tc, who_does_not_compare_has_no_marks, 0, N_ROLES);
	tcase_add_loop_test(tc, a_bundle_holds_what_its_process_may_see_and_nothing_else,
			    ROLE_MONITOR, N_ROLES);
	tcase_add_loop_test(tc, a_process_loads_the_same_configuration_from_its_bundle,
			    ROLE_MONITOR, N_ROLES);
	tcase_add_test(tc, a_sealed_bundle_cannot_be_changed);
	tcase_add_test(tc, a_bundle_that_is_not_sealed_is_not_read);
	tcase_add_test(tc, a_damaged_bundle_is_refused);
}
