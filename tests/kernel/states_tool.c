/* SPDX-License-Identifier: Apache-2.0 */
/* Calls xfrm/state.h and xfrm/probe.h from the command line, for tests/kernel/in-guest/states.
 *
 *	add NAME=VALUE...	puts a state in, reads it back, and compares what it reads with what
 *				it asked for. Keys count up from 1, those of MACs from 65. Names:
 *				dir mode local remote lport rport spi encr bits integ esn encap
 *				window sadir if packets soft bytes sent nat hard device offload
 *				counted (so many packets, of 100 bytes, from a day in 2023 on)
 *	show SPI ADDRESS	the state's message, in hexadecimal
 *	larval SOURCE TARGET REQID SEQ	frees the way for the next packet: gives the larval state an
 *				SPI and deletes it
 *	clear			deletes every state of ours
 *	probe			what the kernel can do
 */
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm/attr.h"
#include "xfrm/names.h"
#include "xfrm/probe.h"
#include "xfrm/state.h"

enum { BITS = 8, MAC_FIRST = 65, STATES_MAX = 256 };

struct tool {
	struct netlink nl;
	struct sa_desc d;
	struct state_extra x;
	struct state_info got[STATES_MAX];
	size_t n;
};

static int failed(const char *what, enum err err, const struct answer *a)
{
	char words[NETLINK_WORDS_MAX];

	fprintf(stderr, "states_tool: %s: %s\n", what, netlink_words(err, a, words));
	return 1;
}

static void key_fill(struct key *k, uint16_t bits, uint8_t first)
{
	k->len = (uint8_t)(bits / BITS);
	for (uint8_t i = 0; i < k->len; i++)
		k->b[i] = (uint8_t)(first + i);
}

static void count_on(struct state_extra *x, uint64_t packets)
{
	x->counted = true;
	x->packets = packets;
	x->bytes = packets * 100;
	x->added_s = 1700000000;
	x->used_s = 1700000001;
}

static bool option_word(struct tool *t, const char *name, const char *value)
{
	struct sa_desc *d = &t->d;

	if (strcmp(name, "dir") == 0)
		d->dir = strcmp(value, "out") == 0 ? SA_OUT : SA_IN;
	else if (strcmp(name, "mode") == 0)
		d->mode = strcmp(value, "transport") == 0 ? SA_TRANSPORT : SA_TUNNEL;
	else if (strcmp(name, "offload") == 0)
		d->offload = strcmp(value, "packet") == 0 ? OFFLOAD_PACKET : OFFLOAD_CRYPTO;
	else if (strcmp(name, "local") == 0)
		return addr_parse(value, &d->path.local.addr);
	else if (strcmp(name, "remote") == 0)
		return addr_parse(value, &d->path.remote.addr);
	else if (strcmp(name, "nat") == 0)
		return addr_parse(value, &d->nat_remote);
	else if (strcmp(name, "counted") == 0)
		count_on(&t->x, strtoull(value, NULL, 0));
	else
		return false;
	return true;
}

static bool option_number(struct tool *t, const char *name, const char *value)
{
	unsigned long long v = strtoull(value, NULL, 0);
	struct sa_desc *d = &t->d;
	const struct {
		const char *name;
		uint64_t *wide;
		uint32_t *word;
		uint16_t *half;
		bool *flag;
	} known[] = {
		{ .name = "lport", .half = &d->path.local.port },
		{ .name = "rport", .half = &d->path.remote.port },
		{ .name = "spi", .word = &d->spi },
		{ .name = "encr", .half = &d->encr_id },
		{ .name = "bits", .half = &d->encr_key_bits },
		{ .name = "integ", .half = &d->integ_id },
		{ .name = "esn", .flag = &d->esn },
		{ .name = "encap", .flag = &d->encap },
		{ .name = "window", .word = &d->replay_window },
		{ .name = "sadir", .flag = &t->x.sa_dir },
		{ .name = "if", .word = &t->x.if_id },
		{ .name = "hard", .word = &t->x.hard_s },
		{ .name = "device", .word = &t->x.ifindex },
		{ .name = "sent", .wide = &t->x.sent },
		{ .name = "packets", .wide = &d->packet_limit },
		{ .name = "soft", .wide = &d->packet_soft },
		{ .name = "bytes", .wide = &d->byte_limit },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		if (known[i].wide != NULL)
			*known[i].wide = v;
		else if (known[i].word != NULL)
			*known[i].word = (uint32_t)v;
		else if (known[i].half != NULL)
			*known[i].half = (uint16_t)v;
		else
			*known[i].flag = v != 0;
		return true;
	}
	return false;
}

static bool options(struct tool *t, char **v)
{
	for (; *v != NULL; v++) {
		char *value = strchr(*v, '=');

		if (value != NULL)
			*value++ = '\0';
		if (value == NULL || (!option_word(t, *v, value) && !option_number(t, *v, value))) {
			fprintf(stderr, "states_tool: what is \"%s\"?\n", *v);
			return false;
		}
	}
	return true;
}

static bool keys(struct sa_desc *d)
{
	const struct name_encr *e = names_encr(d->encr_id, d->encr_key_bits);
	const struct name_integ *i = names_integ(d->integ_id);

	if (e != NULL)
		key_fill(&d->encr_key, e->keymat_bits, 1);
	if (i != NULL)
		key_fill(&d->integ_key, i->key_bits, MAC_FIRST);
	return state_check(d) == OK;
}

static enum err take(void *ctx, const struct nlmsghdr *m)
{
	struct tool *t = ctx;

	return t->n == STATES_MAX ? ERR_LIMIT : state_read(m, &t->got[t->n++]);
}

static enum err take_hex(void *ctx, const struct nlmsghdr *m)
{
	const uint8_t *p = (const uint8_t *)m;

	(void)ctx;
	for (uint32_t i = 0; i < m->nlmsg_len; i++)
		printf("%02x", p[i]);
	printf("\n");
	return OK;
}

static bool same(const char *what, uint64_t got, uint64_t wanted)
{
	if (got == wanted)
		return true;
	fprintf(stderr, "states_tool: %s: got %llu, not %llu\n", what, (unsigned long long)got,
		(unsigned long long)wanted);
	return false;
}

static bool as_asked(const struct tool *t, const struct state_info *s)
{
	const struct sa_desc *d = &t->d;
	bool out = d->dir == SA_OUT;
	const struct endpoint *src = out ? &d->path.local : &d->path.remote;
	const struct endpoint *dst = out ? &d->path.remote : &d->path.local;
	bool good = same("source", addr_eq(&s->src, &src->addr), true);

	good = same("target", addr_eq(&s->dst, &dst->addr), true) && good;
	good = same("ours", state_is_ours(s), true) && good;
	good = same("spi", s->spi, d->spi) && good;
	good = same("larval", s->larval, false) && good;
	good = same("reqid", s->reqid, d->reqid) && good;
	good = same("mode", s->mode, d->mode == SA_TRANSPORT ? 0 : 1) && good;
	good = same("esn", (s->flags & XFRM_STATE_ESN) != 0, d->esn) && good;
	good = same("encap", s->encap, d->encap) && good;
	good = same("source port", s->encap_sport, d->encap ? src->port : 0) && good;
	good = same("target port", s->encap_dport, d->encap ? dst->port : 0) && good;
	good = same("interface", s->if_id, t->x.if_id) && good;
	good = same("mark", s->set_mark, out ? 0x50000000 : 0) && good;
	good = same("mask", s->set_mark_mask, 0x70000000) && good;
	good = same("sent", s->sent, t->x.sent) && good;
	if (t->x.counted) {
		good = same("packets", s->packets, t->x.packets) && good;
		good = same("bytes", s->bytes, t->x.bytes) && good;
		good = same("added", s->added_s, t->x.added_s) && good;
		good = same("used", s->used_s, t->x.used_s) && good;
	}
	if (!out)
		good = same("window", s->window, d->replay_window) && good;
	if (t->x.sa_dir)
		good = same("direction", s->dir, out ? ATTR_DIR_OUT : ATTR_DIR_IN) && good;
	return good;
}

static int add(struct tool *t, char **v)
{
	const struct netlink_sink sink = { .take = take, .ctx = t };
	struct state_id id;
	struct ask req;
	struct answer a = { .error = 0 };
	enum err err;

	t->d.reqid = SA_REQID_BASE | 7;
	if (!options(t, v))
		return 2;
	if (!keys(&t->d))
		return failed("add", state_check(&t->d), &a);
	req = state_ask_add(&t->d, &t->x);
	err = netlink_ask(&t->nl, &req, &a);
	if (err != OK)
		return failed("add", err, &a);
	id = state_id_of(&t->d);
	req = state_ask_get(&id);
	err = netlink_get(&t->nl, &req, &sink, &a);
	if (err != OK || t->n != 1)
		return failed("get", err, &a);
	if (t->got[0].offload != OFFLOAD_NO)
		printf("offload %d\n", (int)t->got[0].offload);
	return as_asked(t, &t->got[0]) ? 0 : 1;
}

static int show(struct tool *t, char **v)
{
	const struct netlink_sink sink = { .take = take_hex };
	struct state_id id = { .spi = (uint32_t)strtoul(v[0], NULL, 0) };
	struct answer a = { .error = 0 };
	struct ask req;
	enum err err;

	if (!addr_parse(v[1], &id.dst))
		return 2;
	req = state_ask_get(&id);
	err = netlink_get(&t->nl, &req, &sink, &a);
	return err == OK ? 0 : failed("get", err, &a);
}

static enum err delete_one(struct tool *t, const struct state_info *s, struct answer *a)
{
	struct state_id id = { .dst = s->dst, .spi = s->spi };
	struct ask req = state_ask_delete(&id);

	return netlink_ask(&t->nl, &req, a);
}

static int larval(struct tool *t, char **v)
{
	const struct netlink_sink sink = { .take = take, .ctx = t };
	struct state_larval l = { .reqid = (uint32_t)strtoul(v[2], NULL, 0),
				  .seq = (uint32_t)strtoul(v[3], NULL, 0) };
	struct answer a = { .error = 0 };
	struct ask req;
	enum err err;

	if (!addr_parse(v[0], &l.src) || !addr_parse(v[1], &l.dst))
		return 2;
	req = state_ask_allocspi(&l);
	err = netlink_get(&t->nl, &req, &sink, &a);
	if (err != OK || t->n != 1)
		return failed("allocspi", err, &a);
	printf("seq %u spi %#x\n", t->got[0].seq, t->got[0].spi);
	err = delete_one(t, &t->got[0], &a);
	return err == OK ? 0 : failed("delete", err, &a);
}

static int clear(struct tool *t)
{
	const struct netlink_sink sink = { .take = take, .ctx = t };
	struct answer a = { .error = 0 };
	struct ask req = state_ask_dump();
	enum err err = netlink_dump(&t->nl, &req, &sink, &a);

	for (size_t i = 0; err == OK && i < t->n; i++) {
		if (state_is_ours(&t->got[i]))
			err = delete_one(t, &t->got[i], &a);
	}
	printf("%zu\n", t->n);
	return err == OK ? 0 : failed("clear", err, &a);
}

static int probe(struct tool *t)
{
	struct plane_caps c;

	probe_all(&t->nl, true, &c);
	printf("v4 %d v6 %d encap %d transport %d esn %d sadir %d interface %d lacks [%s]\n", c.v4,
	       c.v6, c.encap, c.transport, c.esn, c.sa_dir, c.interface, c.lacks);
	for (uint8_t i = 0; i < c.n_encr; i++)
		printf("%u/%u ", c.encr[i].id, c.encr[i].key_bits);
	for (uint8_t i = 0; i < c.n_integ; i++)
		printf("%u%s", c.integ[i], i + 1 < c.n_integ ? " " : "");
	printf("\n");
	return 0;
}

static int run(struct tool *t, int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "add") == 0)
		return add(t, argv + 2);
	if (argc == 4 && strcmp(argv[1], "show") == 0)
		return show(t, argv + 2);
	if (argc == 6 && strcmp(argv[1], "larval") == 0)
		return larval(t, argv + 2);
	if (argc == 2 && strcmp(argv[1], "clear") == 0)
		return clear(t);
	if (argc == 2 && strcmp(argv[1], "probe") == 0)
		return probe(t);
	fprintf(stderr, "states_tool: see the head of its source\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct tool *t = calloc(1, sizeof(*t));
	int code;

	if (t == NULL || netlink_open(&t->nl, NETLINK_XFRM) != OK) {
		fprintf(stderr, "states_tool: no XFRM\n");
		free(t);
		return 1;
	}
	code = run(t, argc, argv);
	netlink_close(&t->nl);
	free(t);
	return code;
}
