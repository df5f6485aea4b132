/* SPDX-License-Identifier: Apache-2.0 */
/* One allocation after the other fails, ours and those of the JSON library, while somebody asks at
 * the control socket: an answer is whole, or its client is let go behind whole lines of it; and the
 * next one is answered.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/alg.h"
#include "crypto/ke.h"
#include "daemon/control.h"
#include "tests/unit/daemon/heard.h"
#include "tests/unit/memory/failing.h"
#include "tests/unit/unit.h"

enum { ALLOCATIONS_MAX = 5000, TURNS = 4 };

struct world;

struct scene {
	const char *request;
	const char *tells; /* the whole answer has it */
	void (*before)(struct world *w);
	void (*meanwhile)(struct world *w);
};

struct world {
	const struct scene *scene;
	size_t nth;
	bool failed;
	struct loop *loop;
	struct loop_timer timer;
	struct control *control;
	struct sockaddr_un at;
	socklen_t at_len;
	int step, client;
	bool up;
	uint64_t ticket;
	struct heard *first, *second;
};

/* ---- what the engine knows ---- */

static struct world *world; /* of the running scene: whose `up` the views tell */

static char host_name[] = "gw.example.org";
static struct conf_child lan = { .name = "lan", .interface = "ipsec7" };
static struct conf_connection office = { .name = "office", .priority = 3, .policy.weak = true },
			      road = { .name = "road",
				       .address_name = host_name,
				       .any_address = true };
static struct ts nets[2], half;
static struct ts_list agreed;
static struct ike_note failure = { .kind = IKE_NOTE_REFUSED,
				   .err = ERR_AUTH,
				   .connection = "office",
				   .initiator = true,
				   .proved = true,
				   .next_try_ms = 8000,
				   .text = "the peer says \"no\"",
				   .offered = "modp2048",
				   .wanted = "x25519",
				   .got = "modp1024",
				   .fix = "policy",
				   .line = 7 };

static void facts_make(void)
{
	struct net n;

	ck_assert_int_eq(identity_parse(&failure.identity, "right.example.org"), OK);
	ck_assert(addr_parse("203.0.113.2", &failure.path.remote.addr));
	ck_assert(net_parse("10.1.0.0/16", &n));
	nets[0] = ts_from_net(&n);
	ck_assert(net_parse("10.2.0.0/16", &n));
	nets[1] = ts_from_net(&n);
	lan.local = (struct ts_list){ 1, &nets[0] };
	lan.remote = (struct ts_list){ 1, &nets[1] };
	ck_assert(net_parse("10.1.0.0/17", &n));
	half = ts_from_net(&n);
	agreed = (struct ts_list){ 1, &half };
}

static struct ike_child_view child_view(void)
{
	return (struct ike_child_view){ .conf = &lan,
					.up = world->up,
					.n_pairs = 1,
					.next_try = NEVER,
					.spi_in = 0xc1,
					.spi_out = 0xc2,
					.mtu = 1400,
					.local = &agreed,
					.remote = &lan.remote,
					.suite = { .encr = encr_find(12, 256),
						   .integ = integ_find(12) },
					.plane_why = "the kernel has it" };
}

void ike_engine_views(const struct ike_engine *e, ike_view_fn *fn, void *ctx)
{
	const struct ike_child_view child = child_view();
	struct ike_view v = {
		.conf = &office,
		.state = world->up ? IKE_STATE_UP : IKE_STATE_CONNECTING,
		.next_try = NEVER,
		.suite = { .encr = encr_find(20, 256), .prf = prf_find(5), .ke = ke_find(31) },
		.scheme = "ed25519",
		.last_failure = failure,
		.asked = world->up ? 0 : 3,
		.asked_auth = true,
		.n_children = 1,
		.children = &child
	};

	(void)e;
	v.path.remote = v.path.local = failure.path.remote;
	v.local_identity = v.remote_identity = failure.identity;
	fn(ctx, &v);
	v = (struct ike_view){ .conf = &road, .next_try = NEVER, .rekey_at = NEVER };
	fn(ctx, &v);
}

void ike_engine_refresh(struct ike_engine *e, mono_ns now)
{
	(void)e;
	(void)now;
}

static struct ike_engine *engine(void *ctx)
{
	return ctx;
}

static void command(void *ctx, bool up, const char *connection, const char *child)
{
	(void)ctx;
	(void)up;
	(void)connection;
	(void)child;
}

static void rekey(void *ctx, enum ike_rekey what, const char *connection, const char *child)
{
	(void)ctx;
	(void)what;
	(void)connection;
	(void)child;
}

static int64_t not_kept(void *ctx)
{
	(void)ctx;
	return 5;
}

static bool counters_fresh(void *ctx)
{
	(void)ctx;
	return true;
}

static void change(void *ctx, enum control_change what, const struct msg_restart *about)
{
	(void)what;
	((struct world *)ctx)->ticket = about->ticket;
}

/* ---- scenes ---- */

static void is_up(struct world *w)
{
	w->up = true;
}

static void calls_are_refused(struct world *w)
{
	struct ike_note n = failure;

	n.initiator = false;
	control_note(w->control, &n);
	n.connection[0] = '\0';
	control_note(w->control, &n);
	n.err = ERR_UNKNOWN_PEER;
	control_note(w->control, &n);
	control_note(w->control, &n);
	control_not_upgraded(w->control, span_str("it is no program"));
}

static void it_comes_up(struct world *w)
{
	struct ike_note n = { .kind = IKE_NOTE_CHILD_UP, .connection = "office", .child = "lan" };

	control_note(w->control, &n);
	n.kind = IKE_NOTE_UP;
	control_note(w->control, &n);
	w->up = true;
}

static void it_is_refused(struct world *w)
{
	control_note(w->control, &failure);
}

static void the_peer_closes(struct world *w)
{
	struct ike_note n = { .kind = IKE_NOTE_CHILD_FAILED,
			      .err = ERR_TS,
			      .connection = "office",
			      .child = "lan" };

	control_note(w->control, &n);
	n = (struct ike_note){ .kind = IKE_NOTE_DOWN,
			       .err = ERR_PEER_DELETED,
			       .connection = "office" };
	control_note(w->control, &n);
}

static void reload_is_done(struct world *w)
{
	control_config(w->control, 1000000000);
	control_reloaded(w->control, w->ticket, OK,
			 span_str("postern.conf:3: warning: weak\n\foffice: restarts, identity "
				  "changed\nguests: added\n"));
}

static void reload_is_refused(struct world *w)
{
	control_reloaded(w->control, w->ticket, ERR_CONFIG,
			 span_str("postern.conf:3: no such setting"));
}

static void upgrade_goes_on(struct world *w)
{
	control_leave(w->control);
}

#define ASK(verb)	   "{\"v\":1,\"do\":\"" verb "\"}\n"
#define ASK_OF(verb, name) "{\"v\":1,\"do\":\"" verb "\",\"name\":\"" name "\"}\n"

static const struct scene scenes[] = {
	{ ASK("status"), "\"last_refusal\":{\"v\"", calls_are_refused, NULL },
	{ ASK("status"), "\"times\":2,\"over\":false}]", calls_are_refused, NULL },
	{ ASK("status"), "\"attempt\":{\"exchange\"", NULL, NULL },
	{ ASK_OF("status", "office"), "\"not_carried\":{\"local\":[\"10.1.0.0/16\"]", is_up, NULL },
	{ ASK_OF("status", "offcie"), "did you mean `office`?", NULL, NULL },
	{ ASK_OF("wait", "office/lna"), "did you mean `office/lan`?", NULL, NULL },
	{ ASK_OF("watch", "lan"), "did you mean `office/lan`?", NULL, NULL },
	{ ASK_OF("rekey", "nobody"), "\"not-found\"", is_up, NULL },
	{ ASK_OF("wait", "office/lan"), "\"ok\":true", NULL, it_comes_up },
	{ ASK_OF("up", "office"), "\"reason\":\"wrong-proof\"", NULL, it_is_refused },
	{ ASK_OF("up", "office"), "\"reason\":\"selectors-disjoint\"", NULL, the_peer_closes },
	{ ASK_OF("up", "road"), "waits for its peer", NULL, NULL },
	{ ASK_OF("down", "road"), "\"ok\":true", NULL, NULL },
	{ ASK("watch"), "\"event\"", NULL, it_is_refused },
	{ ASK_OF("rekey", "office"), "\"ok\":true", is_up, NULL },
	{ ASK("reload"), "no such setting", NULL, reload_is_refused },
	{ ASK("reload"), "\"changes\":[\"office: restarts, identity changed\",\"guests: added\"]",
	  NULL, reload_is_done },
	{ ASK("upgrade"), "\"ok\":true", NULL, upgrade_goes_on },
	{ ASK("dance"), "of one version", NULL, NULL },
	{ "nonsense\n", "", NULL, NULL },
};
enum { N_SCENES = sizeof(scenes) / sizeof(scenes[0]) };

/* ---- clients ---- */

static int listener(struct world *w)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	w->at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	w->at_len = sizeof(w->at);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&w->at, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&w->at, &w->at_len), 0);
	return fd;
}

static void client_asks(struct world *w, const char *request)
{
	const size_t len = strlen(request);

	w->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(w->client, (const struct sockaddr *)&w->at, w->at_len), 0);
	ck_assert_int_eq(send(w->client, request, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void client_hears(struct world *w, struct heard *h)
{
	ssize_t n;

	while ((n = recv(w->client, h->text + h->len, HEARD_MAX - h->len, MSG_DONTWAIT)) > 0)
		h->len += (size_t)n;
	/* Nobody reads what a client says whom there is no memory for. */
	h->over = n == 0 || (n < 0 && errno == ECONNRESET);
	close(w->client);
}

/* ---- one run, a step in each turn of the loop: nothing but what the daemon does may fail ---- */

static void happens(struct world *w, void (*what)(struct world *w))
{
	failing_hold(false);
	if (what)
		what(w);
	failing_hold(true);
}

static void step(void *ctx)
{
	struct world *w = ctx;

	failing_hold(true);
	switch (w->step++) {
	case 0:
		failing_arm(w->nth);
		happens(w, w->scene->before);
		client_asks(w, w->scene->request);
		break;
	case TURNS:
		happens(w, w->scene->meanwhile);
		break;
	case 2 * TURNS:
		w->failed = failing_disarm() && w->nth > 0;
		client_hears(w, w->first);
		client_asks(w, ASK("status"));
		break;
	case 3 * TURNS:
		client_hears(w, w->second);
		loop_stop(w->loop, 0);
		break;
	default:
		break;
	}
	loop_timer_set(w->loop, &w->timer, w->step > 3 * TURNS ? NEVER : mono_now());
	failing_hold(false);
}

static void after(void *ctx)
{
	const struct world *w = ctx;

	control_settle(w->control);
}

static void world_run(struct world *w)
{
	const struct control_env env = { .engine = engine,
					 .command = command,
					 .rekey = rekey,
					 .not_kept = not_kept,
					 .counters_fresh = counters_fresh,
					 .change = change,
					 .ctx = w };
	struct control_env here = env;

	world = w;
	ck_assert_int_eq(loop_new(&w->loop), OK);
	here.loop = w->loop;
	ck_assert_int_eq(control_new(&here, &w->control), OK);
	ck_assert_int_eq(control_listen(w->control, listener(w)), OK);
	w->timer = (struct loop_timer){ .fire = step, .ctx = w };
	loop_after(w->loop, after, w);
	loop_timer_set(w->loop, &w->timer, mono_now());
	ck_assert_int_eq(loop_run(w->loop), 0);
	control_free(w->control);
	loop_free(w->loop);
}

/* ---- the test ---- */

static struct heard whole[2], heard[2];

static bool run(const struct scene *s, size_t nth, struct heard into[2])
{
	struct world w = { .scene = s, .nth = nth, .first = &into[0], .second = &into[1] };
	const long before = failing_live();

	memset(into, 0, 2 * sizeof(into[0]));
	world_run(&w);
	ck_assert_msg(failing_live() == before, "allocation %zu: %ld are left", nth,
		      failing_live() - before);
	return w.failed;
}

START_TEST(a_client_is_answered_whole_or_let_go)
{
	const struct scene *s = &scenes[_i];
	size_t n = 0, lost = 0;

	facts_make();
	json_set_alloc_funcs(malloc, free);
	/* The control: none does. */
	ck_assert(!run(s, 0, whole));
	ck_assert_msg(strstr(whole[0].text, s->tells) != NULL, "not: %s\n%s", s->tells,
		      whole[0].text);
	heard_judge_end(&whole[0]);
	heard_judge_end(&whole[1]);
	while (run(s, ++n, heard)) {
		ck_assert_uint_lt(n, ALLOCATIONS_MAX);
		lost += !heard_judge(&whole[0], &heard[0], n) || heard[0].over != whole[0].over;
		ck_assert_msg(heard_judge(&whole[1], &heard[1], n), "allocation %zu: and the next?",
			      n);
	}
	ck_assert(lost > 0 || whole[0].len == 0);
	ck_assert_uint_gt(n, 2);
	if (getenv("MEMORY_COUNT"))
		fprintf(stderr, "%zu allocations, %zu lost: %s", n - 1, lost, s->request);
}
END_TEST

START_TEST(without_memory_there_is_no_socket)
{
	const struct control_env env = { .engine = engine };
	const long before = failing_live();
	struct control *c;

	failing_arm(1);
	ck_assert_int_eq(control_new(&env, &c), ERR_NOMEM);
	ck_assert(failing_disarm());
	ck_assert_ptr_null(c);
	ck_assert_int_eq(failing_live(), before);
}
END_TEST

UNIT("daemon/control-memory")
{
	tcase_add_test(tc, without_memory_there_is_no_socket);
	tcase_add_loop_test(tc, a_client_is_answered_whole_or_let_go, 0, N_SCENES);
}
