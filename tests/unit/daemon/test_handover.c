/* SPDX-License-Identifier: Apache-2.0 */
/* What one program hands over to the next: exactly that is read, and nothing else. */
#include "daemon/handover.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/sealed.h"
#include "daemon/vault_memory.h"
#include "tests/unit/daemon/handover_scene.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

static int sealed(const void *p, size_t len)
{
	int fd;

	ck_assert_int_eq(sealed_make("test", &fd), OK);
	ck_assert_int_eq(sealed_append(fd, span_of(p, len)), OK);
	ck_assert_int_eq(sealed_seal(fd), OK);
	return fd;
}

/* The bytes of a record, malloc'd. */
static uint8_t *bytes_of(const struct handover *h, size_t *len)
{
	struct stat st;
	uint8_t *b;
	int fd;

	ck_assert_int_eq(handover_write(h, &fd), OK);
	ck_assert_int_eq(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	b = malloc(*len);
	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(pread(fd, b, *len, 0), (ssize_t)*len);
	close(fd);
	return b;
}

static enum err read_bytes(const uint8_t *b, size_t len, char why[static HANDOVER_WHY_MAX])
{
	struct handover h;
	int fd = sealed(b, len);
	enum err e = handover_read(fd, NULL, &h, why);

	close(fd);
	if (e != OK)
		ck_assert_ptr_null(h.devices);
	handover_free(&h);
	return e;
}

START_TEST(what_was_written_is_read)
{
	struct handover h, back;
	char why[HANDOVER_WHY_MAX];
	int fd;

	handover_filled(&h);
	ck_assert_int_eq(handover_write(&h, &fd), OK);
	ck_assert_msg(handover_read(fd, NULL, &back, why) == OK, "%s", why);
	ck_assert_str_eq(back.version, h.version);
	ck_assert_str_eq(back.tun_name, h.tun_name);
	ck_assert_str_eq(back.caps.lacks, h.caps.lacks);
	ck_assert_mem_eq(&back.sockets, &h.sockets, sizeof h.sockets);
	ck_assert_mem_eq(back.tun, h.tun, sizeof h.tun);
	ck_assert_mem_eq(back.bundle, h.bundle, sizeof h.bundle);
	ck_assert_mem_eq(back.mark_key, h.mark_key, sizeof h.mark_key);
	ck_assert_uint_eq(back.left_at, h.left_at);
	ck_assert_uint_eq(back.n_devices, DEVICES);
	for (size_t i = 0; i < DEVICES; i++) {
		ck_assert_str_eq(back.devices[i].name, h.devices[i].name);
		ck_assert_uint_eq(back.devices[i].if_id, h.devices[i].if_id);
		ck_assert_mem_eq(back.devices[i].fd, h.devices[i].fd, WORKERS * sizeof(int));
	}
	ck_assert_int_eq(back.control, h.control);
	ck_assert_int_eq(back.notify, h.notify);
	ck_assert_int_eq(back.engine, h.engine);
	ck_assert_int_eq(back.esp, h.esp);
	ck_assert_int_eq(back.book, h.book);
	ck_assert_uint_eq(back.watchdog, h.watchdog);
	close(fd);
	handover_free(&h);
	handover_free(&back);
}
END_TEST

START_TEST(a_record_that_ends_anywhere_is_none)
{
	char why[HANDOVER_WHY_MAX];
	struct handover h;
	size_t len;
	uint8_t *b, *longer;

	handover_filled(&h);
	b = bytes_of(&h, &len);
	ck_assert_int_eq(read_bytes(b, len, why), OK);
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_ne(read_bytes(b, cut, why), OK);
	longer = calloc(1, len + 1);
	ck_assert_ptr_nonnull(longer);
	memcpy(longer, b, len);
	ck_assert_int_ne(read_bytes(longer, len + 1, why), OK);
	free(longer);
	free(b);
	handover_free(&h);
}
END_TEST

/* Whatever one byte is: it is read as something else, or refused. */
START_TEST(no_byte_of_it_hurts)
{
	char why[HANDOVER_WHY_MAX];
	struct handover h;
	size_t len, refused = 0;
	uint8_t *b;

	handover_filled(&h);
	b = bytes_of(&h, &len);
	for (size_t i = 0; i < len; i++) {
		b[i] ^= 0xff;
		refused += read_bytes(b, len, why) != OK;
		b[i] ^= 0xff;
	}
	ck_assert_uint_gt(refused, len / 4);
	free(b);
	handover_free(&h);
}
END_TEST

START_TEST(another_version_is_refused_in_words)
{
	char why[HANDOVER_WHY_MAX], ours[HANDOVER_WHY_MAX];
	struct handover h;
	size_t len;
	uint8_t *b;

	handover_filled(&h);
	b = bytes_of(&h, &len);
	handover_formats(ours);
	for (size_t i = 0; i < strlen(ours); i++) {
		b[4 + i]++; /* behind its length */
		ck_assert_int_eq(read_bytes(b, len, why), ERR_UNSUPPORTED);
		ck_assert_ptr_nonnull(strstr(why, ours));
		b[4 + i]--;
	}
	free(b);
	handover_free(&h);
}
END_TEST

START_TEST(who_is_not_sealed_is_refused)
{
	char why[HANDOVER_WHY_MAX];
	struct handover h, back;
	size_t len;
	uint8_t *b;
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	handover_filled(&h);
	b = bytes_of(&h, &len);
	ck_assert_int_eq(write(fd, b, len), (ssize_t)len);
	ck_assert_int_eq(handover_read(fd, NULL, &back, why), ERR_DENIED);
	close(fd);
	ck_assert_int_eq(handover_read(fd, NULL, &back, why), ERR_DENIED);
	free(b);
	handover_free(&h);
}
END_TEST

/* A host may forbid that memory is executed (vm.memfd_noexec, Linux 6.3): one seal more. */
START_TEST(a_record_with_one_seal_more_is_read)
{
	enum { NOEXEC_SEAL = 8 };
	char why[HANDOVER_WHY_MAX];
	struct handover h, back;
	size_t len;
	uint8_t *b;
	int fd = memfd_create("test", MFD_CLOEXEC | NOEXEC_SEAL);

	if (fd < 0) /* an older kernel has no such seal */
		ck_assert_int_eq(sealed_make("test", &fd), OK);
	handover_filled(&h);
	b = bytes_of(&h, &len);
	ck_assert_int_eq(sealed_append(fd, span_of(b, len)), OK);
	ck_assert_int_eq(sealed_seal(fd), OK);
	ck_assert_int_eq(handover_read(fd, NULL, &back, why), OK);
	handover_free(&back);
	close(fd);
	free(b);
	handover_free(&h);
}
END_TEST

/* ---- numbers ---- */

struct seek {
	int *fd[256];
	bool needed[256];
	size_t n;
};

static bool list(void *ctx, const struct handover_place *p)
{
	struct seek *s = ctx;

	s->needed[s->n] = p->needed;
	s->fd[s->n++] = p->fd;
	return true;
}

static enum err with_number(size_t place, int fd)
{
	char why[HANDOVER_WHY_MAX];
	struct seek s = { .n = 0 };
	struct handover h;
	size_t len;
	uint8_t *b;
	enum err e;

	handover_filled(&h);
	ck_assert(handover_each(&h, list, &s));
	*s.fd[place] = fd;
	b = bytes_of(&h, &len);
	e = read_bytes(b, len, why);
	free(b);
	handover_free(&h);
	return e;
}

START_TEST(no_descriptor_has_two_places_or_is_one_of_the_standard_ones)
{
	struct seek s = { .n = 0 };
	struct handover h;

	handover_filled(&h);
	ck_assert(handover_each(&h, list, &s));
	handover_free(&h);
	ck_assert_uint_gt(s.n, 30);
	for (size_t i = 0; i < s.n; i++) {
		ck_assert_int_eq(with_number(i, 3), OK);
		ck_assert_int_eq(with_number(i, FIRST_FD + (i == 0)), ERR_SYNTAX);
		ck_assert_int_eq(with_number(i, STDERR_FILENO), ERR_SYNTAX);
		ck_assert_int_eq(with_number(i, HANDOVER_FDS_MAX), ERR_SYNTAX);
		ck_assert_int_eq(with_number(i, -2), ERR_SYNTAX);
		ck_assert_int_eq(with_number(i, -1), s.needed[i] ? ERR_SYNTAX : OK);
	}
}
END_TEST

START_TEST(there_are_no_more_workers_and_devices_than_there_can_be)
{
	char why[HANDOVER_WHY_MAX];
	struct handover h;
	size_t len;
	uint8_t *b;

	handover_filled(&h);
	h.sockets.n_workers = 0;
	b = bytes_of(&h, &len);
	ck_assert_int_eq(read_bytes(b, len, why), ERR_SYNTAX);
	free(b);
	handover_free(&h);
	handover_filled(&h);
	free(h.devices);
	h.n_devices = OWN_TUNS_MAX + 1;
	h.devices = calloc(h.n_devices, sizeof *h.devices);
	b = bytes_of(&h, &len);
	ck_assert_int_eq(read_bytes(b, len, why), ERR_SYNTAX);
	free(b);
	handover_free(&h);
}
END_TEST

/* ---- kinds ---- */

static bool with_pipe(void *ctx, const struct handover_place *p)
{
	int *fd = ctx;

	if (fd[1]-- == 0)
		*p->fd = fd[0];
	else
		*p->fd = -1;
	return true;
}

/* None of the places takes what is something else. */
START_TEST(a_pipe_is_nothing_of_it)
{
	char why[HANDOVER_WHY_MAX];
	struct seek s = { .n = 0 };
	struct handover h;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	handover_filled(&h);
	ck_assert(handover_each(&h, list, &s));
	for (size_t i = 0; i < s.n; i++) {
		int ctx[2] = { ends[0], (int)i };

		ck_assert(handover_each(&h, with_pipe, ctx));
		ck_assert_int_eq(handover_judge(&h, why), ERR_DENIED);
	}
	handover_free(&h);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static int listening(bool listens)
{
	const struct sockaddr_un nowhere = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* the kernel gives it a name */
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&nowhere, sizeof(sa_family_t)), 0);
	if (listens)
		ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

START_TEST(each_kind_is_told_from_its_like)
{
	char why[HANDOVER_WHY_MAX];
	struct handover h;
	int memory, control = listening(true), idle = listening(false);

	ck_assert_int_eq(vault_memory_make(&memory), OK);
	handover_blank(&h);
	h.engine = memory;
	h.control = control;
	ck_assert_msg(handover_judge(&h, why) == OK, "%s", why);
	h.control = idle;
	ck_assert_int_eq(handover_judge(&h, why), ERR_DENIED);
	h.control = -1;
	h.bundle[0] = memory; /* sealed otherwise: it can be written to */
	ck_assert_int_eq(handover_judge(&h, why), ERR_DENIED);
	h.bundle[0] = -1;
	h.engine = sealed("bundle", 6);
	ck_assert_int_eq(handover_judge(&h, why), ERR_DENIED);
	h.bundle[0] = h.engine;
	h.engine = -1;
	ck_assert_msg(handover_judge(&h, why) == OK, "%s", why);
	h.notify = idle;
	ck_assert_int_eq(handover_judge(&h, why), ERR_DENIED);
	close(h.bundle[0]);
	close(memory);
	close(control);
	close(idle);
}
END_TEST

START_TEST(nothing_is_in_two_places)
{
	char why[HANDOVER_WHY_MAX] = "";
	struct handover h;

	handover_blank(&h);
	ck_assert_int_eq(vault_memory_make(&h.engine), OK);
	ck_assert_int_eq(vault_memory_make(&h.book), OK);
	ck_assert_msg(handover_judge(&h, why) == OK, "%s", why);
	h.esp = fcntl(h.engine, F_DUPFD_CLOEXEC, 0);
	ck_assert_int_gt(h.esp, 0);
	ck_assert_int_eq(handover_judge(&h, why), ERR_DENIED);
	ck_assert_msg(strstr(why, "another place") != NULL, "%s", why);
	close(h.esp);
	close(h.engine);
	close(h.book);
}
END_TEST

START_TEST(descriptors_are_inherited_only_while_they_shall_be)
{
	struct handover h;
	int memory;

	ck_assert_int_eq(vault_memory_make(&memory), OK);
	handover_blank(&h);
	h.esp = memory;
	ck_assert_int_eq(fcntl(memory, F_GETFD), FD_CLOEXEC);
	handover_inherit(&h, true);
	ck_assert_int_eq(fcntl(memory, F_GETFD), 0);
	handover_inherit(&h, false);
	ck_assert_int_eq(fcntl(memory, F_GETFD), FD_CLOEXEC);
	close(memory);
}
END_TEST

/* The monitor goes on with what it has, or the next one refuses it. */
START_TEST(a_record_is_written_and_read_whole_or_not_at_all)
{
	const long before = failing_live();
	char why[HANDOVER_WHY_MAX];
	struct handover h, back;
	bool failed = true;
	size_t n;

	handover_filled(&h);
	for (n = 0; failed; n++) {
		enum err e, written;
		int fd;

		failing_arm(n);
		e = written = handover_write(&h, &fd);
		if (e == OK)
			e = handover_read(fd, NULL, &back, why);
		failed = failing_disarm() && n > 0;
		ck_assert_int_eq(e, failed && e != OK ? ERR_NOMEM : OK);
		ck_assert_int_eq(e == OK, !failed);
		ck_assert_int_eq(written == OK, fd >= 0);
		if (e == OK)
			handover_free(&back);
		if (fd >= 0)
			close(fd);
		failed = failed || n == 0;
	}
	ck_assert_uint_gt(n, 4);
	handover_free(&h);
	ck_assert_int_eq(failing_live(), before);
}
END_TEST

UNIT("daemon/handover")
{
	tcase_add_test(tc, a_record_is_written_and_read_whole_or_not_at_all);
	tcase_add_test(tc, what_was_written_is_read);
	tcase_add_test(tc, a_record_that_ends_anywhere_is_none);
	tcase_add_test(tc, no_byte_of_it_hurts);
	tcase_add_test(tc, another_version_is_refused_in_words);
	tcase_add_test(tc, who_is_not_sealed_is_refused);
	tcase_add_test(tc, a_record_with_one_seal_more_is_read);
	tcase_add_test(tc, no_descriptor_has_two_places_or_is_one_of_the_standard_ones);
	tcase_add_test(tc, there_are_no_more_workers_and_devices_than_there_can_be);
	tcase_add_test(tc, a_pipe_is_nothing_of_it);
	tcase_add_test(tc, each_kind_is_told_from_its_like);
	tcase_add_test(tc, nothing_is_in_two_places);
	tcase_add_test(tc, descriptors_are_inherited_only_while_they_shall_be);
}
