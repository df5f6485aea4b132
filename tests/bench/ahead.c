/* SPDX-License-Identifier: Apache-2.0 */
/* What it costs an engine to write ahead (ike/keep.h): the same exchanges between two ends in one
 * process, where both write down what they have in a vault, and where neither does, by turns. Time
 * is the processor's, of both ends; the ratio is that of each pair of blocks, and the median
 * counts. It measures and does not judge.
 *
 *	ahead [BLOCKS]	of each kind; 40 when not said
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/vault.h"
#include "crypto/prf.h"
#include "ike/child.h"
#include "ike/life.h"
#include "tests/bench/engine.h"

/* A gateway with as much in its vault as a thousand peers leave there. */
enum { OTHERS = 1000, OTHER_LEN = 2048, VAULT_SIZE = 256 << 20, BLOCKS_MAX = 1000 };

enum side { LEFT, RIGHT };

static const char *const confs[] = {
	"me {\n identity = left.example.org\n}\n"
	"connection site {\n address = 198.51.100.2\n identity = right.example.org\n auth = psk\n"
	" psk_file = any.psk\n start = manual\n"
	" child net {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n}\n",
	"me {\n identity = right.example.org\n}\n"
	"connection site {\n address = 192.0.2.1\n identity = left.example.org\n auth = psk\n"
	" psk_file = any.psk\n start = manual\n"
	" child net {\n  local = 10.2.0.0/16\n  remote = 10.1.0.0/16\n }\n}\n",
};

struct world;

struct end {
	struct world *world;
	struct conf *conf;
	struct ike_engine *e;
	struct vault vault;
	uint8_t *memory; /* NULL: nothing is kept */
};

struct packet {
	struct packet *next;
	enum side to;
	struct path path;
	size_t len;
	uint8_t bytes[];
};

struct world {
	struct end end[2];
	struct packet *first, **last;
	bench_chance chance;
	mono_ns now;
	uint64_t written; /* bytes of records */
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* ---- the world around the engines ---- */

static void send_it(struct end *from, const struct ike_action *a)
{
	struct world *w = from->world;
	struct packet *p = malloc(sizeof(*p) + a->send.bytes.len);

	must(p, "no memory");
	*p = (struct packet){ .to = from == &w->end[LEFT] ? RIGHT : LEFT,
			      .path = { a->send.path.remote, a->send.path.local },
			      .len = a->send.bytes.len };
	memcpy(p->bytes, a->send.bytes.p, p->len);
	*w->last = p;
	w->last = &p->next;
}

/* Both know the same secret, and whose MAC it is does not matter here. */
static void do_job(struct end *end, const struct job *j)
{
	struct job_result r = { .ticket = j->ticket, .kind = j->kind };
	struct ike_event ev = { .kind = IKE_EV_JOB, .job = &r };
	struct key mac = { .len = 0 };
	struct span secret = span_str(BENCH_SECRET);

	must(j->kind == JOB_PSK_MAC, "a job that is not expected");
	r.err = prf_compute(prf_find(j->psk_mac.prf_id), secret, &j->psk_mac.octets, 1, &mac);
	r.bytes = key_span(&mac);
	ike_engine_event(end->e, &ev, end->world->now);
}

static void do_sa(struct end *end, const struct sa_cmd *cmd)
{
	struct sa_done done = { .ticket = cmd->ticket, .spi = cmd->sa.spi, .dir = cmd->sa.dir };
	struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };

	if (cmd->ticket)
		ike_engine_event(end->e, &ev, end->world->now);
}

static void resolve(struct end *end, const char *connection)
{
	struct ike_resolved names = { .connection = connection, .n = 1 };
	struct ike_event ev = { .kind = IKE_EV_RESOLVED, .resolved = &names };
	bool left = end == &end->world->end[LEFT];

	must(addr_parse(left ? "192.0.2.1" : "198.51.100.2", &names.paths[0].local.addr) &&
		     addr_parse(left ? "198.51.100.2" : "192.0.2.1", &names.paths[0].remote.addr),
	     "no addresses");
	ike_engine_event(end->e, &ev, end->world->now);
}

static void keep(struct end *end, const struct ike_action *a)
{
	if (a->kind == IKE_ACT_COMMIT)
		vault_commit(&end->vault);
	else if (a->keep.gone)
		vault_forget(&end->vault, a->keep.key);
	else
		must(vault_put(&end->vault, a->keep.key, a->keep.bytes) == OK, "a full vault");
	if (a->kind == IKE_ACT_KEEP)
		end->world->written += a->keep.bytes.len;
}

static void act(struct end *end)
{
	struct ike_action a;

	while (ike_engine_next(end->e, &a)) {
		if (a.kind == IKE_ACT_SEND)
			send_it(end, &a);
		else if (a.kind == IKE_ACT_JOB)
			do_job(end, a.job);
		else if (a.kind == IKE_ACT_SA)
			do_sa(end, a.sa);
		else if (a.kind == IKE_ACT_RESOLVE)
			resolve(end, a.resolve.connection->name);
		else if (a.kind == IKE_ACT_KEEP || a.kind == IKE_ACT_COMMIT)
			keep(end, &a);
	}
}

/* Until nothing is on the wire. */
static void settle(struct world *w)
{
	act(&w->end[LEFT]);
	act(&w->end[RIGHT]);
	while (w->first) {
		struct packet *p = w->first;

		w->first = p->next;
		w->last = w->first ? w->last : &w->first;
		ike_engine_datagram(w->end[p->to].e, &p->path, span_of(p->bytes, p->len), w->now);
		act(&w->end[p->to]);
		free(p);
	}
}

/* What is due until then. */
static void pass(struct world *w, mono_ns time)
{
	w->now += time;
	for (enum side s = LEFT; s <= RIGHT; s++)
		ike_engine_tick(w->end[s].e, w->now);
	settle(w);
}

static void fill_vault(struct end *end)
{
	uint8_t other[OTHER_LEN];
	uint32_t key = 0;

	end->memory = calloc(1, VAULT_SIZE);
	must(end->memory && vault_open(&end->vault, end->memory, VAULT_SIZE) == OK, "no vault");
	for (; key < OTHERS; key++) {
		bench_draw(&end->world->chance, other, sizeof(other));
		must(vault_put(&end->vault, span_of(&key, sizeof(key)),
			       span_of(other, sizeof(other))) == OK,
		     "a full vault");
	}
	vault_commit(&end->vault);
}

static void begin(struct world *w, bool keeps)
{
	*w = (struct world){ .chance = 88172645463325252u, .now = NS_PER_S };
	w->last = &w->first;
	for (enum side s = LEFT; s <= RIGHT; s++) {
		struct end *end = &w->end[s];

		end->world = w;
		end->e = bench_engine_new(confs[s], &w->chance, w->now, keeps, &end->conf);
		if (keeps)
			fill_vault(end);
	}
	settle(w);
}

static void end_all(struct world *w)
{
	for (enum side s = LEFT; s <= RIGHT; s++) {
		ike_engine_free(w->end[s].e);
		conf_free(w->end[s].conf);
		vault_close(&w->end[s].vault);
		free(w->end[s].memory);
	}
}

/* ---- what is measured ---- */

static void command(struct world *w, enum ike_event_kind kind, enum ike_rekey what)
{
	struct ike_event ev = { .kind = kind, .command = { .connection = "site", .rekey = what } };

	ike_engine_event(w->end[LEFT].e, &ev, w->now);
	settle(w);
}

static struct ike_sa *sa_up(struct world *w)
{
	struct table_node *n = NULL;

	while ((n = table_next(&w->end[LEFT].e->by_spi, n))) {
		struct ike_sa *sa = container_of(n, struct ike_sa, by_spi);

		if (sa->state == S_UP && sa->children)
			return sa;
	}
	must(false, "nothing is up");
	return NULL;
}

static void handshake(struct world *w)
{
	command(w, IKE_EV_UP, IKE_REKEY_CHILD);
	(void)sa_up(w);
	command(w, IKE_EV_DOWN, IKE_REKEY_CHILD);
}

static void child(struct world *w)
{
	uint32_t was = sa_up(w)->children->id;

	command(w, IKE_EV_REKEY, IKE_REKEY_CHILD);
	pass(w, 6 * NS_PER_S);
	must(sa_up(w)->children->id != was, "the child was not rekeyed");
}

static void ike(struct world *w)
{
	uint64_t was = sa_up(w)->spi_i;

	command(w, IKE_EV_REKEY, IKE_REKEY_IKE);
	pass(w, NS_PER_S);
	must(sa_up(w)->spi_i != was, "the IKE SA was not rekeyed");
}

static void alive(struct world *w)
{
	struct ike_sa *sa = sa_up(w);
	uint32_t was = sa->window.next_out;

	sa->alive_wanted = true;
	sa_settle(sa);
	settle(w);
	must(sa->window.next_out == was + 1 && !sa->window.asked, "nothing was asked");
}

static const struct {
	const char *what;
	void (*once)(struct world *w);
	int n; /* of a block */
} kinds[] = {
	{ "IKE SA with a child, up and down", handshake, 20 },
	{ "new keys of the child", child, 20 },
	{ "new keys of the IKE SA", ike, 20 },
	{ "INFORMATIONAL", alive, 500 },
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t block(struct world *w, size_t kind)
{
	uint64_t before = cpu_ns();

	for (int i = 0; i < kinds[kind].n; i++)
		kinds[kind].once(w);
	return (cpu_ns() - before) / (uint64_t)kinds[kind].n;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(v[0]), by_number);
	return v[n / 2];
}

static void measure(struct world with[static 2], size_t kind, size_t n)
{
	static uint64_t ns[2][BLOCKS_MAX], ratios[BLOCKS_MAX];
	uint64_t before = with[true].written, plain, kept;

	for (int k = 0; k < 2 && kinds[kind].once != handshake; k++)
		command(&with[k], IKE_EV_UP, IKE_REKEY_CHILD);
	for (size_t i = 0; i < n; i++) {
		bool first = i % 2;

		ns[first][i] = block(&with[first], kind);
		ns[!first][i] = block(&with[!first], kind);
		ratios[i] = ns[true][i] * 10000 / ns[false][i];
	}
	before = (with[true].written - before) / (n * (uint64_t)kinds[kind].n);
	plain = median(ns[false], n);
	kept = median(ns[true], n);
	printf("%-34s %6" PRIu64 " us, writing ahead %6" PRIu64 " us: ratio %" PRIu64 ".%04" PRIu64
	       ", %" PRIu64 " bytes\n",
	       kinds[kind].what, plain / 1000, kept / 1000, median(ratios, n) / 10000,
	       median(ratios, n) % 10000, before);
	for (int k = 0; k < 2 && kinds[kind].once != handshake; k++)
		command(&with[k], IKE_EV_DOWN, IKE_REKEY_CHILD);
}

int main(int argc, char **argv)
{
	static struct world with[2];
	size_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 40;

	must(n > 0 && n <= BLOCKS_MAX, "ahead [BLOCKS]");
	begin(&with[false], false);
	begin(&with[true], true);
	for (size_t i = 0; i < N_KINDS; i++)
		measure(with, i, n);
	end_all(&with[false]);
	end_all(&with[true]);
	return 0;
}
