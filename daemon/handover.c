/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pack.h"
#include "base/secret.h"
#include "base/vault.h"
#include "config.h"
#include "daemon/sealed.h"
#include "esp/esp.h"
#include "ike/engine.h"

enum { CAPS_MAX = 512 };

void handover_blank(struct handover *h)
{
	*h = (struct handover){ .control = -1, .notify = -1, .engine = -1, .esp = -1, .book = -1 };
	memset(&h->sockets, 0xff, sizeof h->sockets);
	memset(h->tun, 0xff, sizeof h->tun);
	memset(h->bundle, 0xff, sizeof h->bundle);
	h->sockets.n_workers = 0;
}

void handover_free(struct handover *h)
{
	free(h->devices);
	secret_wipe(h, sizeof *h);
	handover_blank(h);
}

const char *handover_formats(char text[static HANDOVER_WHY_MAX])
{
	snprintf(text, HANDOVER_WHY_MAX, "postern hand-over %d, engine %d, esp %d, vault %d, SA %d",
		 HANDOVER_VERSION, IKE_KEPT_FORMAT, ESP_FORMAT, VAULT_FORMAT, SA_FORMAT);
	return text;
}

/* ---- the places, in the order of the record ---- */

struct walk {
	handover_fn *fn;
	void *ctx;
	bool good;
	unsigned int n[N_HANDOVER][2];
};

static void visit_place(struct walk *w, struct handover_place p)
{
	p.index = w->n[p.kind][p.v]++;
	w->good = w->good && w->fn(w->ctx, &p);
}

static void visit(struct walk *w, enum handover_kind kind, int v, bool needed, int *fd)
{
	visit_place(w, (struct handover_place){ .kind = kind, .v = v, .needed = needed, .fd = fd });
}

static void visit_family(struct walk *w, struct sockets *s, int v)
{
	const bool needed = v == 0; /* there are machines without IPv6 */

	for (int i = 0; i < N_IKE_QUEUES; i++) {
		visit(w, HANDOVER_IKE, v, needed, &s->ike[v][i]);
		visit(w, HANDOVER_NAT, v, needed, &s->nat[v][i]);
	}
	for (unsigned int i = 0; i < s->n_workers; i++)
		visit(w, HANDOVER_NAT, v, needed, &s->worker[v][i]);
	visit(w, HANDOVER_PROBE, v, needed, &s->probe[v]);
	visit(w, HANDOVER_RAW, v, needed, &s->raw[v]);
	visit(w, HANDOVER_ENCAP, v, false, &s->encap[v]);
}

static void visit_tun(struct walk *w, const struct handover *h, const char *name, int *fds)
{
	for (unsigned int i = 0; i < h->sockets.n_workers; i++)
		visit_place(w, (struct handover_place){ .kind = HANDOVER_TUN,
							.device = name,
							.needed = true,
							.fd = &fds[i] });
}

bool handover_each(struct handover *h, handover_fn *fn, void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx, .good = true };

	for (int v = 0; v < 2; v++)
		visit_family(&w, &h->sockets, v);
	visit_tun(&w, h, h->tun_name, h->tun);
	for (size_t i = 0; i < h->n_devices; i++)
		visit_tun(&w, h, h->devices[i].name, h->devices[i].fd);
	visit(&w, HANDOVER_CONTROL, 0, false, &h->control);
	visit(&w, HANDOVER_NOTIFY, 0, false, &h->notify);
	for (unsigned int r = 0; r < N_ROLES; r++)
		visit(&w, HANDOVER_BUNDLE, 0, true, &h->bundle[r]);
	visit(&w, HANDOVER_MEMORY, 0, false, &h->engine);
	visit(&w, HANDOVER_MEMORY, 0, false, &h->esp);
	visit(&w, HANDOVER_MEMORY, 0, false, &h->book);
	return w.good;
}

static const char *const names[N_HANDOVER] = {
	[HANDOVER_IKE] = "ike",		[HANDOVER_NAT] = "nat",	      [HANDOVER_PROBE] = "probe",
	[HANDOVER_RAW] = "raw",		[HANDOVER_ENCAP] = "encap",   [HANDOVER_TUN] = "tun",
	[HANDOVER_CONTROL] = "control", [HANDOVER_NOTIFY] = "notify", [HANDOVER_BUNDLE] = "bundle",
	[HANDOVER_MEMORY] = "memory",
};

const char *handover_name(const struct handover_place *p, char name[static STORE_NAME_MAX])
{
	const char *family = p->kind >= HANDOVER_TUN ? "" : p->v == 0 ? "4" : "6";

	snprintf(name, STORE_NAME_MAX, "%s%s-%u", names[p->kind], family, p->index);
	return name;
}

static bool set_inherited(void *ctx, const struct handover_place *p)
{
	const bool *inherit = ctx;

	if (*p->fd >= 0)
		(void)fcntl(*p->fd, F_SETFD, *inherit ? 0 : FD_CLOEXEC);
	return true;
}

void handover_inherit(struct handover *h, bool inherit)
{
	(void)handover_each(h, set_inherited, &inherit);
}

/* ---- writing ---- */

static bool put_fd(void *ctx, const struct handover_place *p)
{
	wr_u32(ctx, (uint32_t)*p->fd);
	return true;
}

static void put_caps(struct wr *w, const struct plane_caps *caps)
{
	uint8_t b[CAPS_MAX];
	struct wr c = wr_into(b, sizeof b);

	plane_caps_encode(&c, caps);
	if (!wr_ok(&c))
		wr_fail(w);
	pack_span(w, wr_done(&c));
}

static void put(struct wr *w, const struct handover *h)
{
	char formats[HANDOVER_WHY_MAX];

	pack_text(w, handover_formats(formats), sizeof formats);
	pack_text(w, h->version, sizeof h->version);
	wr_u8(w, (uint8_t)h->sockets.n_workers);
	pack_text(w, h->tun_name, sizeof h->tun_name);
	wr_u16(w, (uint16_t)h->n_devices);
	for (size_t i = 0; i < h->n_devices; i++) {
		pack_text(w, h->devices[i].name, sizeof h->devices[i].name);
		wr_u32(w, h->devices[i].if_id);
	}
	wr_u64(w, h->watchdog);
	wr_u64(w, h->left_at);
	wr_span(w, span_of(h->mark_key, sizeof h->mark_key));
	put_caps(w, &h->caps);
}

enum err handover_write(const struct handover *h, int *fd)
{
	struct handover places = *h; /* the walk gives places that may be written to */
	uint8_t *b = malloc(HANDOVER_MAX);
	struct wr w = wr_into(b, b != NULL ? HANDOVER_MAX : 0);
	enum err e = b != NULL ? OK : ERR_NOMEM;

	*fd = -1;
	put(&w, h);
	(void)handover_each(&places, put_fd, &w);
	secret_wipe(&places, sizeof places);
	if (e == OK && !wr_ok(&w))
		e = ERR_SPACE;
	if (e == OK)
		e = sealed_make("postern-hand-over", fd);
	if (e == OK)
		e = sealed_append(*fd, wr_done(&w));
	if (e == OK)
		e = sealed_seal(*fd);
	if (e == OK && lseek(*fd, 0, SEEK_SET) != 0)
		e = ERR_SYSTEM;
	if (e != OK && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	secret_free(b, HANDOVER_MAX);
	return e;
}

/* ---- reading ---- */

struct fds {
	struct rd r;
	struct store *kept;
	uint8_t taken[HANDOVER_FDS_MAX / 8]; /* a bit each */
};

static bool get_fd(void *ctx, const struct handover_place *p)
{
	struct fds *f = ctx;
	uint32_t n = rd_u32(&f->r);
	char name[STORE_NAME_MAX];

	if (n == (uint32_t)-1 && !p->needed)
		return rd_ok(&f->r);
	if (f->kept != NULL && n != (uint32_t)-1)
		n = (uint32_t)store_find(f->kept, handover_name(p, name));
	if (n <= STDERR_FILENO || n >= HANDOVER_FDS_MAX || (f->taken[n / 8] & 1u << n % 8) != 0)
		rd_fail(&f->r);
	if (!rd_ok(&f->r))
		return false;
	f->taken[n / 8] |= (uint8_t)(1u << n % 8);
	*p->fd = (int)n;
	return true;
}

static enum err get_devices(struct rd *r, struct handover *h)
{
	size_t n = rd_u16(r);

	if (n > OWN_TUNS_MAX)
		rd_fail(r);
	if (!rd_ok(r))
		return ERR_SYNTAX;
	h->devices = calloc(n + 1, sizeof *h->devices);
	if (h->devices == NULL)
		return ERR_NOMEM;
	h->n_devices = n;
	for (size_t i = 0; i < n; i++) {
		struct handover_device *d = &h->devices[i];

		memset(d->fd, 0xff, sizeof d->fd);
		unpack_text(r, d->name, sizeof d->name);
		d->if_id = rd_u32(r);
	}
	return rd_ok(r) ? OK : ERR_SYNTAX;
}

/* Of another version nothing behind its name is looked at. */
static enum err get_formats(struct rd *r, struct handover *h, char why[static HANDOVER_WHY_MAX])
{
	char ours[HANDOVER_WHY_MAX], theirs[HANDOVER_WHY_MAX];

	unpack_text(r, theirs, sizeof theirs);
	if (!rd_ok(r))
		return ERR_SYNTAX;
	if (strcmp(theirs, handover_formats(ours)) != 0) {
		snprintf(
			why, HANDOVER_WHY_MAX,
			"what the running program keeps is \"%.90s\", and this one reads \"%.90s\"",
			theirs, ours);
		return ERR_UNSUPPORTED;
	}
	unpack_text(r, h->version, sizeof h->version);
	return OK;
}

static enum err get_values(struct rd *r, struct handover *h)
{
	enum err e;

	h->sockets.n_workers = rd_u8(r);
	if (h->sockets.n_workers == 0 || h->sockets.n_workers > SOCKETS_WORKERS_MAX)
		rd_fail(r);
	unpack_text(r, h->tun_name, sizeof h->tun_name);
	e = get_devices(r, h);
	h->watchdog = rd_u64(r);
	h->left_at = rd_u64(r);
	rd_copy(r, h->mark_key, sizeof h->mark_key);
	return e == OK ? plane_caps_decode(unpack_span(r, CAPS_MAX), &h->caps) : e;
}

static enum err get(struct span s, struct store *kept, struct handover *h,
		    char why[static HANDOVER_WHY_MAX])
{
	struct fds *f = calloc(1, sizeof *f);
	struct rd r = rd_from(s);
	enum err e = f != NULL ? get_formats(&r, h, why) : ERR_NOMEM;

	if (e == OK)
		e = get_values(&r, h);
	if (e == OK) {
		f->r = r;
		f->kept = kept;
		if (!handover_each(h, get_fd, f) || !rd_end(&f->r) ||
		    (kept != NULL && !store_all_found(kept)))
			e = ERR_SYNTAX;
	}
	free(f);
	return e;
}

/* A store may still have a record that was gone on with, if its manager is slow and the reader was
 * killed. All who have a descriptor of it share one offset, so that says whether it was read,
 * and is moved. False: it was read before. */
static bool mark_read(int fd)
{
	return lseek(fd, 0, SEEK_CUR) == 0 && lseek(fd, 1, SEEK_SET) == 1;
}

void handover_spoil(int fd)
{
	(void)lseek(fd, 1, SEEK_SET);
}

bool handover_is_fresh(const struct handover *h, mono_ns now)
{
	return h->left_at <= now && now - h->left_at < ENGINE_PATIENCE;
}

enum err handover_read(int fd, struct store *kept, struct handover *h,
		       char why[static HANDOVER_WHY_MAX])
{
	uint8_t *b;
	size_t len;
	enum err e = sealed_read(fd, HANDOVER_MAX, &b, &len);

	handover_blank(h);
	if (kept == NULL)
		snprintf(why, HANDOVER_WHY_MAX, "descriptor %d is no record of a running posternd",
			 fd);
	else
		snprintf(why, HANDOVER_WHY_MAX, "it is not all that a posternd has left, or more");
	if (e == OK && kept != NULL && !mark_read(fd)) {
		snprintf(why, HANDOVER_WHY_MAX, "another posternd has gone on with it");
		e = ERR_EXISTS;
	}
	if (e == OK)
		e = get(span_of(b, len), kept, h, why);
	if (e != OK)
		handover_free(h);
	secret_free(b, len);
	return e;
}
