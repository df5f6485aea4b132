/* SPDX-License-Identifier: Apache-2.0 */
/* Two engines that go through every exchange once, and one message of it that its sender, who has
 * the keys, writes otherwise. The matrices (test_matrix_*.c) say what it writes, and what must not
 * come of it.
 *
 * The run is the same each time: LEFT makes the IKE SA with child `net`; then one of the two makes
 * child `lab`, and takes it down again. The linker puts our protect_seal_fragments before ike's,
 * and our allocator's functions before the C library's.
 */
#ifndef TESTS_UNIT_IKE_MATRIX_H
#define TESTS_UNIT_IKE_MATRIX_H

#include "ike/message.h"
#include "tests/unit/ike/pair.h"

enum station {
	M_INIT_ASK,
	M_INIT_ANSWER,
	M_AUTH_ASK,
	M_AUTH_ANSWER,
	M_CREATE_ASK,
	M_CREATE_ANSWER,
	M_INFO_ASK,
	M_INFO_ANSWER,
	N_STATIONS
};
extern const char *const station_names[N_STATIONS];

enum { CHAIN_MAX = 16384, PARTS_MAX = 64 };

/* The payloads of a message, in clear or inside of SK. */
struct chain {
	uint8_t first;
	size_t len;
	uint8_t b[CHAIN_MAX];
};

/* A payload of it: its body is len bytes from at, behind four of header. */
struct part {
	uint8_t type;
	size_t at;
	size_t len;
};

struct scene {
	enum station at;
	bool cert;
	enum side second; /* who makes and deletes the second child */
	const char *more; /* of both connections; NULL: nothing */
};

struct matrix {
	const struct scene *scene;
	struct pair *p;
	const struct chain *bad; /* is sent instead, once; NULL: nothing is changed */
	struct chain good;
	bool seen;	     /* the message has passed */
	bool answered_sa;    /* ... and the receiver then sent an SA payload */
	uint16_t notify;     /* the receiver's first error afterwards; 0: none */
	uint8_t notify_byte; /* the first byte that came with it */
	long live;	     /* blocks, before it all */
};

/* The configuration of one end, with two children. */
const char *matrix_conf(const struct scene *sc, enum side s);
/* Who sends the message of a scene, and who receives it. */
enum side scene_from(const struct scene *s);
enum side scene_to(const struct scene *s);

/* Plays until the message was dealt with; no time passes but what datagrams take. */
void matrix_play(struct matrix *m, const struct scene *s, const struct chain *bad);
/* The message once as it should be. */
void matrix_record(const struct scene *s, struct chain *good);
/* From now on all goes well: LEFT takes everything down and up again, and then it stands. */
void matrix_recover(struct matrix *m, const char *what);
/* Frees; whatever was allocated since matrix_play is gone. */
void matrix_end(struct matrix *m, const char *what);
/* No error that no RFC has for such a case, and none to the other end about a message in clear
 * that is an answer. */
void matrix_expect_legal(const struct matrix *m, const char *what);

/* From now on no protected request has a payload of this type; 0: as they are. */
void matrix_leave_out(uint8_t type);

/* The IKE SA of a side that is on its way or up; NULL: none. */
struct ike_sa *matrix_sa(const struct matrix *m, enum side s);

/* The payloads, read by other code than ike's. False: the lengths do not hold. */
bool chain_parts(const struct chain *c, struct part parts[PARTS_MAX], size_t *n);
/* Puts a chain together again from the parts of another one. */
void chain_put(struct chain *c, uint8_t type, const void *body, size_t len);
const struct part *part_find(const struct part *parts, size_t n, uint8_t type);

/* MATRIX_ALL is set: the whole product, however long that takes. */
bool matrix_all(void);
/* MATRIX_SAMPLE=N: of the cases of each test the first, and every Nth after it; 1 without. Odd, so
 * that of cases in pairs both halves come. */
size_t matrix_sample(void);
/* Counts a case; true: it is not of the sample. */
bool matrix_passes_over(void);

#endif
