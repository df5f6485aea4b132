/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "conf/load.h"
#include "tests/unit/unit.h"

enum { PATH_LEN = 256 };

static char folder[64];

static void folder_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/postern-source-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void folder_remove(void)
{
	static const char *const names[] = { "file", "link", "fifo", "dir" };
	char path[PATH_LEN];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		remove(path);
	}
	rmdir(folder);
}

static const char *path_of(const char *name, char path[static PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/%s", folder, name);
	return path;
}

static void file_make(size_t size, mode_t mode)
{
	char path[PATH_LEN];
	int fd = open(path_of("file", path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	ck_assert_int_eq((int)write(fd, "secret\n", 7), 7);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static enum err take(enum conf_file_kind kind, const char *name, struct span *bytes,
		     char why[static 256])
{
	struct conf_source src = conf_source_disk();
	char path[PATH_LEN];

	*bytes = SPAN_EMPTY;
	why[0] = '\0';
	return src.read(src.ctx, kind, path_of(name, path), bytes, why);
}

static const struct {
	mode_t mode;
	enum conf_file_kind kind;
	enum err expected;
} modes[] = {
	{ 0600, CONF_FILE_PSK, OK },
	{ 0400, CONF_FILE_KEY, OK },
	{ 0644, CONF_FILE_PSK, ERR_DENIED },
	{ 0640, CONF_FILE_KEY, ERR_DENIED },
	{ 0604, CONF_FILE_PASSPHRASE, ERR_DENIED },
	{ 0620, CONF_FILE_PSK, ERR_DENIED },
	{ 0601, CONF_FILE_KEY, ERR_DENIED },
	{ 0700, CONF_FILE_KEY, ERR_DENIED },
	{ 0644, CONF_FILE_QCD_SECRET, ERR_DENIED },
	{ 0644, CONF_FILE_CERTIFICATE, OK },
	{ 0644, CONF_FILE_TRUST, OK },
};

START_TEST(a_secret_that_others_can_read_is_refused)
{
	char why[256];
	struct span bytes;

	file_make(7, modes[_i].mode);
	ck_assert_int_eq(take(modes[_i].kind, "file", &bytes, why), modes[_i].expected);
	if (modes[_i].expected == OK)
		ck_assert(span_eq(bytes, span_str("secret\n")));
	else
		ck_assert_ptr_nonnull(strstr(why, "\nchmod 0600 /tmp/postern-source-"));
	secret_free((void *)(uintptr_t)bytes.p, bytes.len);
}
END_TEST

static void text_make(const char *text, mode_t mode)
{
	char path[PATH_LEN];
	int fd = open(path_of("file", path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

#define PEM(label) "-----BEGIN " label "-----\nAAAA\n-----END " label "-----\n"

static const struct {
	const char *text;
	const char *why;
} open_keys[] = {
	{ PEM("CERTIFICATE"), "holds a certificate, not a private key\n/tmp/" },
	{ PEM("CERTIFICATE") PEM("PRIVATE KEY"),
	  "can be read by others (mode 0644)\nchmod 0600 /tmp/" },
	{ PEM("EC PRIVATE KEY"), "can be read by others (mode 0644)\nchmod 0600 /tmp/" },
	{ "", "can be read by others (mode 0644)\nchmod 0600 /tmp/" },
};

START_TEST(a_certificate_in_the_place_of_a_key_is_not_to_be_closed)
{
	char why[256];
	struct span bytes;

	text_make(open_keys[_i].text, 0644);
	ck_assert_int_eq(take(CONF_FILE_KEY, "file", &bytes, why), ERR_DENIED);
	ck_assert_uint_eq(bytes.len, 0);
	why[strlen(open_keys[_i].why)] = '\0';
	ck_assert_str_eq(why, open_keys[_i].why);
}
END_TEST

START_TEST(a_secret_of_another_user_is_refused)
{
	char why[256];
	char path[PATH_LEN];
	struct span bytes;

	file_make(7, 0600);
	/* Only root can give files away; others have no way to make such a file. */
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(path_of("file", path), 12345, 0), 0);
	ck_assert_int_eq(take(CONF_FILE_PSK, "file", &bytes, why), ERR_DENIED);
	ck_assert_ptr_nonnull(strstr(why, "user 12345"));
	ck_assert_int_eq(take(CONF_FILE_TRUST, "file", &bytes, why), OK);
	secret_free((void *)(uintptr_t)bytes.p, bytes.len);
}
END_TEST

START_TEST(a_link_is_followed_and_its_target_judged)
{
	char why[256];
	char path[PATH_LEN];
	struct span bytes;

	file_make(7, 0644);
	ck_assert_int_eq(symlink("file", path_of("link", path)), 0);
	ck_assert_int_eq(take(CONF_FILE_PSK, "link", &bytes, why), ERR_DENIED);
	ck_assert_int_eq(take(CONF_FILE_CERTIFICATE, "link", &bytes, why), OK);
	secret_free((void *)(uintptr_t)bytes.p, bytes.len);
}
END_TEST

static const struct {
	size_t size;
	enum conf_file_kind kind;
	enum err expected;
} sizes[] = {
	{ 64 * 1024, CONF_FILE_KEY, OK },
	{ 64 * 1024 + 1, CONF_FILE_KEY, ERR_LIMIT },
	{ 1024 * 1024, CONF_FILE_TRUST, OK },
	{ 1024 * 1024 + 1, CONF_FILE_TRUST, ERR_LIMIT },
};

START_TEST(a_file_has_a_largest_size)
{
	char why[256];
	struct span bytes;

	file_make(sizes[_i].size, 0600);
	ck_assert_int_eq(take(sizes[_i].kind, "file", &bytes, why), sizes[_i].expected);
	ck_assert_uint_eq(bytes.len, sizes[_i].expected == OK ? sizes[_i].size : 0);
	secret_free((void *)(uintptr_t)bytes.p, bytes.len);
}
END_TEST

START_TEST(what_is_no_file_is_refused_without_waiting)
{
	char why[256];
	char path[PATH_LEN];
	struct span bytes;

	ck_assert_int_eq(mkfifo(path_of("fifo", path), 0600), 0);
	ck_assert_int_eq(mkdir(path_of("dir", path), 0700), 0);
	ck_assert_int_eq(take(CONF_FILE_PSK, "fifo", &bytes, why), ERR_DENIED);
	ck_assert_int_eq(take(CONF_FILE_PSK, "dir", &bytes, why), ERR_DENIED);
	ck_assert_int_eq(take(CONF_FILE_PSK, "nothing", &bytes, why), ERR_NOT_FOUND);
	ck_assert_int_eq(take(CONF_FILE_PSK, "fifo/nothing", &bytes, why), ERR_NOT_FOUND);
}
END_TEST

UNIT("conf/source")
{
	tcase_add_checked_fixture(tc, folder_make, folder_remove);
	tcase_add_loop_test(tc, a_secret_that_others_can_read_is_refused, 0,
			    sizeof(modes) / sizeof(modes[0]));
	tcase_add_loop_test(tc, a_certificate_in_the_place_of_a_key_is_not_to_be_closed, 0,
			    sizeof(open_keys) / sizeof(open_keys[0]));
	tcase_add_test(tc, a_secret_of_another_user_is_refused);
	tcase_add_test(tc, a_link_is_followed_and_its_target_judged);
	tcase_add_loop_test(tc, a_file_has_a_largest_size, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tc, what_is_no_file_is_refused_without_waiting);
}
