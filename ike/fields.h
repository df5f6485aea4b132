/* SPDX-License-Identifier: Apache-2.0 */
/* Plain data as bytes and back, by one table for both ways, so that what is written and what is
 * read cannot drift apart: each row is a field of a struct, and what kind of value it has. The
 * bytes may come from somebody who was taken over: whatever is no value of its kind breaks the
 * reader.
 */
#ifndef IKE_FIELDS_H
#define IKE_FIELDS_H

#include <stddef.h>

#include "base/clock.h"
#include "base/pack.h"
#include "ike/nonce.h"
#include "ike/window.h"

struct suite;
struct ke_group;

enum field_kind {
	FIELD_BOOL,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_ENUM,  /* its size: how many values */
	FIELD_PAST,  /* a time that is over */
	FIELD_WHEN,  /* a time that may come, or NEVER */
	FIELD_TEXT,  /* its size: of the array */
	FIELD_BYTES, /* the same; a secret may be in it */
	FIELD_ADDR,
	FIELD_ENDPOINT,
	FIELD_PATH,
	FIELD_KEY,
	FIELD_LOW,     /* struct low_nonce */
	FIELD_SUITE,   /* none of it: all NULL */
	FIELD_GROUP,   /* a pointer to a row; NULL: none */
	FIELD_PACKETS, /* owned */
	FIELD_SELECTORS,
};

struct field {
	size_t at;
	enum field_kind kind;
	size_t size;
};

/* clang-format off */
#define FIELD_KIND(type, name) _Generic(((type *)NULL)->name, \
	bool: FIELD_BOOL, uint8_t: FIELD_U8, uint16_t: FIELD_U16, uint32_t: FIELD_U32, \
	uint64_t: FIELD_U64, struct addr: FIELD_ADDR, struct endpoint: FIELD_ENDPOINT, \
	struct path: FIELD_PATH, struct key: FIELD_KEY, struct low_nonce: FIELD_LOW, \
	struct suite: FIELD_SUITE, struct packets: FIELD_PACKETS, \
	struct ts_list: FIELD_SELECTORS, const struct ke_group *: FIELD_GROUP)
/* clang-format on */

/* Rows. The kind follows from the type, but where one type has several. */
#define FIELD(type, name)                                       \
	{                                                       \
		offsetof(type, name), FIELD_KIND(type, name), 0 \
	}
#define FIELD_OF(type, name, n)                     \
	{                                           \
		offsetof(type, name), FIELD_ENUM, n \
	}
#define PAST(type, name)                            \
	{                                           \
		offsetof(type, name), FIELD_PAST, 0 \
	}
#define WHEN(type, name)                            \
	{                                           \
		offsetof(type, name), FIELD_WHEN, 0 \
	}
#define TEXT(type, name)                                                       \
	{                                                                      \
		offsetof(type, name), FIELD_TEXT, sizeof(((type *)NULL)->name) \
	}
#define BYTES(type, name)                                                       \
	{                                                                       \
		offsetof(type, name), FIELD_BYTES, sizeof(((type *)NULL)->name) \
	}

struct fields {
	const struct field *v;
	size_t n;
};
#define FIELDS(rows) ((struct fields){ rows, sizeof(rows) / sizeof((rows)[0]) })

void fields_put(struct wr *w, struct fields f, const void *from);
/* Into a struct whose owned fields are empty; they are the caller's then, also on failure.
 * ERR_SYNTAX, ERR_NOMEM. */
MUST_USE enum err fields_get(struct rd *r, struct fields f, void *to, mono_ns now);

#endif
