/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the parts of postern.conf(5) that follow from tables: the options, and the algorithms that
 * a policy may name. `doc/man-parts` puts them into the page.
 *
 *	schema-man options | algorithms
 */
#include <stdio.h>
#include <string.h>

#include "conf/schema.h"
#include "crypto/alg.h"

/* Text for roff: backslashes and quotes as characters, a minus that can be pasted. */
static void roff(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '"')
			fputs("\\(dq", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else if (*s == '\'')
			fputs("\\(aq", stdout);
		else
			putchar(*s);
	}
}

static void sentence(const char *s)
{
	if (!s)
		return;
	roff(s);
	puts(s[strlen(s) - 1] == '.' ? "" : ".");
}

static const char *reload_text(const struct schema_option *row)
{
	switch (row->reload) {
	case RELOAD_QUIET:
		return "a reload applies it without interrupting anything";
	case RELOAD_CONNECTION:
		return row->block == SCHEMA_CHILD ? "a reload restarts the child, and no other"
						  : "a reload restarts the connection";
	case RELOAD_DAEMON:
		return "it is in effect after a restart of posternd";
	}
	return "";
}

static void bounds(const struct schema_option *row)
{
	const char *letter = row->type == SCHEMA_TIME ? "s" : "";

	if (row->type != SCHEMA_NUMBER && row->type != SCHEMA_TIME)
		return;
	printf("From %llu%s to %llu%s", (unsigned long long)row->min, letter,
	       (unsigned long long)row->max, letter);
	if (row->unit && row->type == SCHEMA_NUMBER)
		printf(" %s", row->unit);
	puts(".");
}

static void option(const struct schema_option *row)
{
	printf(".TP\n.BI \"");
	roff(row->name);
	printf(" = \" \"");
	roff(row->values);
	puts("\"");
	fputs(row->brief[0] >= 'a' && row->brief[0] <= 'z' ? "" : "\\&", stdout);
	putchar(row->brief[0] >= 'a' && row->brief[0] <= 'z' ? row->brief[0] - 'a' + 'A'
							     : row->brief[0]);
	sentence(row->brief + 1);
	sentence(row->text);
	bounds(row);
	if (row->required)
		puts("Required.");
	if (row->preset) {
		fputs("Default: ", stdout);
		roff(row->preset);
		puts(".");
	}
	printf("Since %s; %s.\n", row->since, reload_text(row));
	fputs(".IP\n.EX\n", stdout);
	roff(row->example);
	puts("\n.EE");
}

static void options(void)
{
	static const char *const headings[] = {
		[SCHEMA_GLOBAL] = "OPTIONS OUTSIDE OF BLOCKS",
		[SCHEMA_ME] = "ME",
		[SCHEMA_CONNECTION] = "CONNECTION",
		[SCHEMA_CHILD] = "CHILD",
	};
	static const char *const leads[] = {
		[SCHEMA_GLOBAL] = "These stand at the beginning of the file, or between blocks.",
		[SCHEMA_ME] =
			("Who we are. One block\n.B me { ... }\nis enough for most; several have names,\n"
			 ".BR \"me NAME { ... }\" ,\nand connections choose by\n.BR \"me = NAME\" ."),
		[SCHEMA_CONNECTION] =
			"A peer, and the IKE SA with it:\n.BR \"connection NAME { ... }\" .\nIt holds one child or more, at most 64.",
		[SCHEMA_CHILD] =
			"What is joined to what, inside a connection:\n.BR \"child NAME { ... }\" .",
	};
	const struct schema_option *row;

	for (unsigned int b = SCHEMA_GLOBAL; b < N_SCHEMA_BLOCKS; b++) {
		printf(".SH %s\n%s\n", headings[b], leads[b]);
		for (size_t i = 0; (row = schema_row(i)); i++) {
			if (row->block == (enum schema_block)b)
				option(row);
		}
	}
}

static void algorithm(const char *keyword, const char *name, bool weak)
{
	printf(".TP\n.B ");
	roff(keyword);
	putchar('\n');
	roff(name);
	puts(weak ? " (weak: shown as weak everywhere)" : "");
}

static void algorithms(void)
{
	puts("Encryption:");
	for (size_t i = 0; encr_row(i); i++)
		algorithm(encr_row(i)->keyword, encr_row(i)->name, encr_row(i)->weak);
	puts(".PP\nIntegrity, for encryption that has none of its own:");
	for (size_t i = 0; integ_row(i); i++)
		algorithm(integ_row(i)->keyword, integ_row(i)->name, integ_row(i)->weak);
	puts(".PP\nPseudo\\-random functions:");
	for (size_t i = 0; prf_row(i); i++)
		algorithm(prf_row(i)->keyword, prf_row(i)->name, prf_row(i)->weak);
	puts(".PP\nKey exchange:");
	for (size_t i = 0; ke_row(i); i++)
		algorithm(ke_row(i)->keyword, ke_row(i)->name, ke_row(i)->weak);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "options") == 0)
		options();
	else if (argc == 2 && strcmp(argv[1], "algorithms") == 0)
		algorithms();
	else
		return 2;
	return fflush(stdout) == 0 ? 0 : 1;
}
