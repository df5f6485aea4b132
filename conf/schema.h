/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of postern.conf as a row of one const table. Parser, suggestions, defaults, `postern
 * show config`, completion and the manual follow from the rows: a new option is a row here and a
 * field of the model.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "conf/load.h"

enum schema_block { SCHEMA_GLOBAL, SCHEMA_ME, SCHEMA_CONNECTION, SCHEMA_CHILD };
enum { N_SCHEMA_BLOCKS = SCHEMA_CHILD + 1 };

enum schema_type {
	SCHEMA_YES_NO,	  /* bool */
	SCHEMA_NUMBER,	  /* uint16_t or uint32_t */
	SCHEMA_TIME,	  /* mono_ns; min and max in seconds */
	SCHEMA_CHOICE,	  /* an enum: one of `choices` */
	SCHEMA_DEVICE,	  /* char[16]: the name of a network device, "" when not set */
	SCHEMA_FILE,	  /* struct conf_file */
	SCHEMA_IDENTITY,  /* struct identity; `any` where the row says so */
	SCHEMA_PEER,	  /* where the peer is: address_name, addresses, any_address */
	SCHEMA_ADDRESS,	  /* struct addr */
	SCHEMA_ADDRESSES, /* of a device, with their networks: addresses, n_addresses of a child */
	SCHEMA_SELECTORS, /* struct ts_list */
	SCHEMA_POLICY,	  /* struct suite_policy */
	SCHEMA_ME_NAME,	  /* pointer to a struct conf_me */
};

/* What a reload does that finds the option changed. */
enum schema_reload {
	RELOAD_QUIET,	   /* in effect without interrupting anything */
	RELOAD_CONNECTION, /* the connection restarts */
	RELOAD_DAEMON,	   /* needs a restart of the daemon */
};

struct schema_choice {
	const char *word;
	unsigned int value;
};

struct schema_option {
	enum schema_block block;
	const char *name;
	enum schema_type type;
	size_t offset; /* of the field in the block's struct */
	size_t size;
	size_t pos_offset; /* of the struct conf_pos that keeps the place; 0: none */
	const struct schema_choice *choices; /* ends with a NULL word */
	enum conf_file_kind file;
	bool required;
	bool any;	    /* the word `any` is a value */
	bool secret;	    /* what the file holds is never shown */
	const char *unit;   /* "seconds", "bytes", "packets", or NULL */
	const char *preset; /* the default as one would write it, NULL: none */
	uint64_t min;
	uint64_t max;
	const char *since;
	enum schema_reload reload;
	const char *values;  /* "NAME | { ADDRESS, ... } | any", for people */
	const char *brief;   /* one line */
	const char *text;    /* the rest of the manual's entry, or NULL */
	const char *example; /* a whole line */
};

/* Row i in the order of the manual, NULL behind the last. */
const struct schema_option *schema_row(size_t i);
const struct schema_option *schema_find(enum schema_block block, const char *name);
/* An option of that name, in any block? */
bool schema_knows(const char *name);
/* "me", "connection" or "child"? */
bool schema_block_known(const char *word);
/* "connection", or NULL for the block-less beginning. */
const char *schema_block_word(enum schema_block block);
/* "a connection", "the file outside of blocks" */
const char *schema_block_title(enum schema_block block);

/* The option of the block that `name` may be a slip of, or NULL. */
const char *schema_suggest(enum schema_block block, const char *name);
/* Slips (wrong, missing, additional, exchanged letters) between two words; more than 3 counts as 4.
 */
unsigned int word_distance(const char *a, const char *b);
/* How many of them a word may have and still be meant. */
unsigned int word_slips(const char *word);

#endif
