/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket: what anybody writes who may open it, in pieces, while the engine goes on,
 * tells what happens and is given other answers. Whatever comes back is JSON, line by line. The
 * first byte: are counters fresh. Then steps: what, how long, bytes.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/load.h"
#include "daemon/control.h"
#include "tests/fuzz/fuzz.h"

enum { STEPS_MAX = 24, CLIENTS = 4, ROOM = 256 * 1024 };

enum step { STEP_WRITE, STEP_READ, STEP_GO, STEP_NOTE, STEP_RELOADED, STEP_SETTLE, N_STEPS };

/* One run. */
struct scene {
	struct loop *loop;
	struct loop_timer timer;
	struct control *control;
	struct ike_engine *engine;
	struct sockaddr_un at;
	socklen_t at_len;
	int client[CLIENTS]; /* -1: not there */
	struct rd script;
	int steps;
	uint8_t how;
	uint64_t ticket;
};

static const char text[] =
	"me {\n identity = gw.example.org\n certificate = me.pem\n key = me.key\n trust = ca.pem\n}\n"
	"connection office {\n address = 192.0.2.1\n identity = hq.example.org\n auth = psk\n"
	" psk_file = office.psk\n child lan {\n  local = 10.1.0.0/16\n  remote = 10.2.0.0/16\n }\n"
	" child lab {\n  local = 10.3.0.0/16\n  remote = 10.4.0.0/16\n }\n}\n"
	"connection road {\n address = any\n identity = any\n auth = certificate\n"
	" start = manual\n child net {\n  local = 10.5.0.0/16\n  remote = 10.6.0.0/16\n }\n}\n";

/* ---- the engine that is looked at ---- */

static enum err read_any(void *ctx, enum conf_file_kind kind, const char *path, struct span *bytes,
			 char why[static 256])
{
	(void)ctx;
	(void)kind;
	(void)path;
	(void)why;
	*bytes = span_str(strdup("correct horse battery staple"));
	return bytes->p ? OK : ERR_NOMEM;
}

static const struct conf *conf(void)
{
	static struct conf *c;
	const struct conf_source src = { .read = read_any };
	struct conf_problems problems;

	if (!c)
		FUZZ_HOLDS(conf_load("postern.conf", span_str(text), &src, &c, &problems) == OK);
	return c;
}

static bool fill(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 0x5a, len);
	return true;
}

static struct span nothing(void *ctx, const struct conf_me *me)
{
	(void)ctx;
	(void)me;
	return SPAN_EMPTY;
}

static void drain(struct scene *s)
{
	struct ike_action a;

	while (ike_engine_next(s->engine, &a)) {
		if (a.kind == IKE_ACT_NOTE)
			control_note(s->control, a.note);
	}
}

/* ---- what the control socket asks for ---- */

static struct ike_engine *get_engine(void *ctx)
{
	const struct scene *s = ctx;

	return s->engine;
}

static void command(void *ctx, bool up, const char *connection, const char *child)
{
	struct scene *s = ctx;
	struct ike_event ev = { .kind = up ? IKE_EV_UP : IKE_EV_DOWN,
				.command = { .connection = connection, .child = child } };

	ike_engine_event(s->engine, &ev, mono_now());
}

static void rekey(void *ctx, enum ike_rekey what, const char *connection, const char *child)
{
	struct scene *s = ctx;
	struct ike_event ev = {
		.kind = IKE_EV_REKEY,
		.command = { .connection = connection, .child = child, .rekey = what }
	};

	ike_engine_event(s->engine, &ev, mono_now());
}

static int64_t not_kept(void *ctx)
{
	(void)ctx;
	return -1;
}

static bool counters_fresh(void *ctx)
{
	const struct scene *s = ctx;

	return !(s->how & 1);
}

static void change(void *ctx, enum control_change what, const struct msg_restart *about)
{
	struct scene *s = ctx;

	(void)what;
	s->ticket = about->ticket;
}

/* ---- clients ---- */

/* A socket of nobody's file: the kernel gives it an abstract name. */
static int listener(struct scene *s)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	s->at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	s->at_len = sizeof(s->at);
	FUZZ_HOLDS(fd >= 0 && bind(fd, (const struct sockaddr *)&s->at, sizeof(sa_family_t)) == 0);
	FUZZ_HOLDS(listen(fd, CLIENTS) == 0);
	FUZZ_HOLDS(getsockname(fd, (struct sockaddr *)&s->at, &s->at_len) == 0);
	return fd;
}

/* Some may only look; who is not root here can be nothing else. */
static int client_new(const struct scene *s, bool root)
{
	const bool drops = geteuid() == 0 && !root;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	FUZZ_HOLDS(fd >= 0 && (!drops || seteuid(65534) == 0));
	FUZZ_HOLDS(connect(fd, (const struct sockaddr *)&s->at, s->at_len) == 0);
	FUZZ_HOLDS(!drops || seteuid(0) == 0);
	return fd;
}

static int *client_of(struct scene *s, uint8_t which)
{
	int *fd = &s->client[which % CLIENTS];

	if (*fd < 0)
		*fd = client_new(s, which % 2 == 0);
	return fd;
}

/* Every whole line is an object, and says its version and kind. */
static void judge_line(const char *line, size_t len)
{
	json_t *o = json_loadb(line, len, 0, NULL);

	FUZZ_HOLDS(json_is_object(o));
	FUZZ_HOLDS(json_integer_value(json_object_get(o, "v")) == REPORT_VERSION);
	FUZZ_HOLDS(json_is_string(json_object_get(o, "kind")) ||
		   json_is_string(json_object_get(o, "event")));
	json_decref(o);
}

static void hear(int fd)
{
	static char answer[ROOM];
	ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	const char *at = answer, *end;

	while (n > 0 && (end = memchr(at, '\n', (size_t)(answer + n - at)))) {
		judge_line(at, (size_t)(end - at));
		at = end + 1;
	}
}

/* ---- steps ---- */

static void say(struct scene *s, uint8_t which, struct span words)
{
	int fd = *client_of(s, which);

	(void)send(fd, words.p, words.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (which & 64)
		(void)send(fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void leave(struct scene *s, uint8_t which)
{
	int *fd = client_of(s, which);

	close(*fd);
	*fd = -1;
}

/* Text of strangers goes in here in the end. */
static void any_note(struct scene *s, uint8_t kind, struct span words)
{
	struct ike_note n = { .kind = (enum ike_note_kind)(kind % N_IKE_NOTES),
			      .initiator = kind & 32 };
	struct rd r = rd_from(words);

	n.err = (enum err)(rd_left(&r) > 0 ? rd_u8(&r) % N_ERR : 0);
	if (kind & 64)
		memcpy(n.connection, "office", 7);
	if (kind & 128)
		memcpy(n.child, "lan", 4);
	if (identity_from_wire(&n.identity, ID_KEY_ID, span_head(rd_rest(&r), 64)) != OK)
		n.identity = (struct identity){ .type = ID_NONE };
	memcpy(n.text, "words", 6);
	control_note(s->control, &n);
}

static void carry_out(struct scene *s, uint8_t what, uint8_t arg, struct span bytes)
{
	switch ((enum step)(what % N_STEPS)) {
	case STEP_WRITE:
		say(s, arg, bytes);
		break;
	case STEP_READ:
		hear(*client_of(s, arg));
		break;
	case STEP_GO:
		leave(s, arg);
		break;
	case STEP_NOTE:
		any_note(s, arg, bytes);
		break;
	case STEP_RELOADED:
		control_reloaded(s->control, s->ticket, (enum err)(arg % N_ERR), bytes);
		break;
	case STEP_SETTLE:
		ike_engine_tick(s->engine, mono_now());
		break;
	case N_STEPS:
		break;
	}
}

static void next(void *ctx)
{
	struct scene *s = ctx;
	uint8_t what, arg;
	uint16_t len;

	if (rd_left(&s->script) < 4 || s->steps++ >= STEPS_MAX) {
		loop_stop(s->loop, 0);
		return;
	}
	what = rd_u8(&s->script);
	arg = rd_u8(&s->script);
	len = rd_u16(&s->script);
	len = len < rd_left(&s->script) ? len : (uint16_t)rd_left(&s->script);
	carry_out(s, what, arg, rd_take(&s->script, len));
	loop_timer_set(s->loop, &s->timer, mono_now());
}

static void after(void *ctx)
{
	struct scene *s = ctx;

	drain(s);
	control_settle(s->control);
}

static void begin(struct scene *s)
{
	const struct control_env env = { .loop = s->loop,
					 .engine = get_engine,
					 .command = command,
					 .rekey = rekey,
					 .counters_fresh = counters_fresh,
					 .not_kept = not_kept,
					 .change = change,
					 .ctx = s };
	const struct ike_env ike = { .random = { .fill = fill },
				     .n_owners = 1,
				     .certificates = nothing,
				     .authorities = nothing };

	FUZZ_HOLDS(control_new(&env, &s->control) == OK);
	FUZZ_HOLDS(control_listen(s->control, listener(s)) == OK);
	s->engine = ike_engine_new(&ike, conf(), mono_now());
	FUZZ_HOLDS(s->engine != NULL && control_begin(s->control) == OK);
	s->timer = (struct loop_timer){ .fire = next, .ctx = s };
	loop_after(s->loop, after, s);
	loop_timer_set(s->loop, &s->timer, mono_now());
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct scene s = { .script = rd_from(span_of(bytes, len)), .client = { -1, -1, -1, -1 } };

	if (len < 1)
		return 0;
	s.how = rd_u8(&s.script);
	FUZZ_HOLDS(loop_new(&s.loop) == OK);
	begin(&s);
	loop_run(s.loop);
	for (int i = 0; i < CLIENTS; i++) {
		if (s.client[i] >= 0)
			leave(&s, (uint8_t)i);
	}
	control_free(s.control);
	ike_engine_free(s.engine);
	loop_free(s.loop);
	return 0;
}
