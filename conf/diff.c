/* SPDX-License-Identifier: Apache-2.0 */
/* The difference of two configurations, by names: a connection that was renamed is a removed and an
 * added one. */
#include "conf/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/field.h"

static void changed(struct conf_diff_row *row, const char *child,
		    const struct schema_option *option)
{
	row->change = CONF_CHANGED;
	row->child = child;
	row->option = option ? option->name : NULL;
	row->restarts = !option || option->reload != RELOAD_QUIET;
}

/* The first whose change interrupts something, else the first. */
static void children_compare(struct conf_diff_row *row)
{
	for (size_t i = 0; i < row->is->n_children; i++) {
		const struct conf_child *is = &row->is->children[i];
		const struct conf_child *was = conf_child_find(row->was, is->name);
		const struct schema_option *option =
			was ? field_difference(SCHEMA_CHILD, was, is) : NULL;

		if (was && conf_child_eq(was, is) && (!option || row->change == CONF_CHANGED))
			continue;
		changed(row, is->name, option);
		if (row->restarts)
			return;
	}
	for (size_t i = 0; i < row->was->n_children; i++) {
		if (!conf_child_find(row->is, row->was->children[i].name)) {
			changed(row, row->was->children[i].name, NULL);
			return;
		}
	}
}

static void row_compare(struct conf_diff_row *row)
{
	const struct schema_option *option = field_difference(SCHEMA_CONNECTION, row->was, row->is);

	if (!option || option->reload == RELOAD_QUIET)
		children_compare(row);
	if (option && row->change == CONF_UNCHANGED)
		changed(row, NULL, option);
}

static const char *daemon_difference(const struct conf *was, const struct conf *is)
{
	const struct schema_option *row;

	for (size_t i = 0; (row = schema_row(i)); i++) {
		if (row->block == SCHEMA_GLOBAL && row->reload == RELOAD_DAEMON &&
		    !field_eq(row, was, is))
			return row->name;
	}
	return NULL;
}

enum err conf_diff(const struct conf *was, const struct conf *is, struct conf_diff *out)
{
	*out = (struct conf_diff){ .daemon_option = daemon_difference(was, is) };
	out->rows = calloc(was->n_connections + is->n_connections + 1, sizeof(*out->rows));
	if (!out->rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < is->n_connections; i++) {
		struct conf_diff_row *row = &out->rows[out->n++];

		row->is = &is->connections[i];
		row->was = conf_connection_find(was, row->is->name);
		if (row->was)
			row_compare(row);
		else
			row->change = CONF_ADDED;
		out->n_changes += row->change != CONF_UNCHANGED;
	}
	for (size_t i = 0; i < was->n_connections; i++) {
		if (conf_connection_find(is, was->connections[i].name))
			continue;
		out->rows[out->n++] = (struct conf_diff_row){ .change = CONF_REMOVED,
							      .was = &was->connections[i] };
		out->n_changes++;
	}
	return OK;
}

void conf_diff_free(struct conf_diff *d)
{
	free(d->rows);
	*d = (struct conf_diff){ .n = 0 };
}

const char *conf_diff_text(const struct conf_diff_row *row, char buf[static 128])
{
	const char *effect = row->restarts && row->option ? "restarts, " : "";
	const char *child = row->child ? row->child : "";

	switch (row->change) {
	case CONF_UNCHANGED:
		snprintf(buf, 128, "unchanged");
		break;
	case CONF_ADDED:
		snprintf(buf, 128, "added");
		break;
	case CONF_REMOVED:
		snprintf(buf, 128, "removed");
		break;
	case CONF_CHANGED:
		snprintf(buf, 128, "%s%s%s%s%s changed", row->child ? "child " : "", child,
			 row->child && row->option ? " " : "", effect,
			 row->option ? row->option : "");
		break;
	}
	return buf;
}

/* The child that has this device. */
static const struct conf_child *device_find(const struct conf *c, const char *name,
					    const struct conf_connection **of)
{
	for (size_t i = 0; i < c->n_connections; i++) {
		for (size_t k = 0; k < c->connections[i].n_children; k++) {
			*of = &c->connections[i];
			if (strcmp((*of)->children[k].interface, name) == 0)
				return &(*of)->children[k];
		}
	}
	return NULL;
}

static bool child_takes(const struct conf *was, const struct conf_connection *cn,
			const struct conf_child *ch, char text[static 256])
{
	const struct conf_connection *old_cn;
	const struct conf_child *old;

	if (ch->interface[0] == '\0')
		return false;
	old = device_find(was, ch->interface, &old_cn);
	if (!old || (strcmp(old_cn->name, cn->name) == 0 && strcmp(old->name, ch->name) == 0))
		return false;
	snprintf(text, 256,
		 "interface %s is still that of %s/%s: reload first without it, "
		 "then give it to the other child",
		 ch->interface, old_cn->name, old->name);
	return true;
}

bool conf_device_moves(const struct conf *was, const struct conf *is, char text[static 256])
{
	for (size_t i = 0; i < is->n_connections; i++) {
		const struct conf_connection *cn = &is->connections[i];

		for (size_t k = 0; k < cn->n_children; k++) {
			if (child_takes(was, cn, &cn->children[k], text))
				return true;
		}
	}
	return false;
}
