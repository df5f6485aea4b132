/* SPDX-License-Identifier: Apache-2.0 */
/* Trying what the kernel can do: see xfrm/probe.h.
 *
 * First whether a family has ESP at all, then the algorithms on one family, then the features on
 * each. Whatever the kernel did not refuse in so many words is deleted, for it may stand.
 */
#include "xfrm/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "xfrm/attr.h"
#include "xfrm/names.h"
#include "xfrm/state.h"

enum {
	PROBE_SPI_MASK = 0x7ffffeff, /* of the kernel's half ... */
	PROBE_SPI_BASE = 0x100,	     /* ... and not reserved */
	PROBE_SPI_TRIES = 8,
	PROBE_DELETE_TRIES = 3,
	PROBE_HARD_S = 10,
	PROBE_IF_ID = 0x50505050,
	PROBE_PORT = 4500,
	BITS = 8,
};

struct probe {
	struct netlink *nl;
	struct plane_caps *caps;
	bool broken; /* the kernel refuses to talk to us at all: nothing more is asked */
	size_t row;  /* the first cipher that works */
};

static void lacks(struct probe *p, const char *what)
{
	char *to = p->caps->lacks;
	size_t len = strlen(to);
	size_t more = strlen(what) + (len > 0 ? 2 : 0);

	if (len + more < sizeof(p->caps->lacks))
		snprintf(to + len, sizeof(p->caps->lacks) - len, "%s%s", len > 0 ? ", " : "", what);
}

static void key_fill(struct key *k, uint16_t bits)
{
	k->len = (uint8_t)(bits / BITS);
	for (size_t i = 0; i < k->len; i++)
		k->b[i] = (uint8_t)(i + 1);
}

static struct sa_desc probe_desc(sa_family_t family, const struct name_encr *e,
				 const struct name_integ *i)
{
	struct sa_desc d = {
		.dir = SA_IN,
		.mode = SA_TUNNEL,
		.plane = PLANE_KERNEL,
		.reqid = PROBE_REQID,
		.replay_window = STATE_WINDOW_MIN,
		.encr_id = e->id,
		.encr_key_bits = e->key_bits,
		.offload = OFFLOAD_NO,
	};
	bool six = family == AF_INET6;

	/* Constants: they parse. */
	(void)!addr_parse(six ? "2001:db8::1" : "192.0.2.1", &d.path.local.addr);
	(void)!addr_parse(six ? "2001:db8::2" : "192.0.2.2", &d.path.remote.addr);
	key_fill(&d.encr_key, e->keymat_bits);
	if (e->icv_bits == 0) {
		d.integ_id = i->id;
		key_fill(&d.integ_key, i->key_bits);
	}
	return d;
}

static bool probe_spi(struct probe *p, struct sa_desc *d)
{
	uint32_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r)) {
		p->broken = true;
		return false;
	}
	d->spi = (r & PROBE_SPI_MASK) | PROBE_SPI_BASE;
	return true;
}

static enum err take(void *ctx, const struct nlmsghdr *m)
{
	return state_read(m, ctx);
}

static void probe_delete(const struct probe *p, const struct state_id *id)
{
	for (int tries = PROBE_DELETE_TRIES; tries > 0; tries--) {
		struct ask req = state_ask_delete(id);
		struct answer a;
		enum err err = netlink_ask(p->nl, &req, &a);

		if (err == OK || err == ERR_NOT_FOUND)
			return;
	}
}

static void probe_read(const struct probe *p, const struct state_id *id, struct state_info *got)
{
	const struct netlink_sink sink = { .take = take, .ctx = got };
	struct ask req = state_ask_get(id);
	struct answer a;

	if (netlink_get(p->nl, &req, &sink, &a) != OK)
		*got = (struct state_info){ .spi = 0 };
}

/* Puts a state in and takes it away again; `got` (may be NULL) is what it looked like meanwhile.
 * The kernel's errno, 0 when it took it. */
static int probe_once(struct probe *p, const struct sa_desc *d, const struct state_extra *x,
		      struct state_info *got)
{
	struct state_id id = state_id_of(d);
	struct ask req = state_ask_add(d, x);
	struct answer a;
	enum err err = netlink_ask(p->nl, &req, &a);

	if (err == OK && got != NULL)
		probe_read(p, &id, got);
	if (a.error == 0)
		probe_delete(p, &id);
	p->broken = p->broken || err == ERR_DENIED || (err != OK && a.error == 0);
	if (err == ERR_DENIED)
		lacks(p, "CAP_NET_ADMIN");
	return err == OK ? 0 : a.error != 0 ? a.error : EIO;
}

static int probe_try(struct probe *p, struct sa_desc *d, bool attributes, struct state_info *got)
{
	struct state_extra x = { .sa_dir = attributes,
				 .if_id = attributes ? PROBE_IF_ID : 0,
				 .hard_s = PROBE_HARD_S };
	int error = EEXIST;

	for (int tries = PROBE_SPI_TRIES; error == EEXIST && tries > 0 && !p->broken; tries--) {
		if (probe_spi(p, d))
			error = probe_once(p, d, &x, got);
	}
	return p->broken ? EIO : error;
}

static int probe_row(struct probe *p, sa_family_t family, const struct name_encr *e,
		     const struct name_integ *i)
{
	struct sa_desc d = probe_desc(family, e, i);

	return probe_try(p, &d, false, NULL);
}

/* "Requested type not found" is the kernel's word for a family without ESP; it comes after the
 * algorithms were found, so a cipher that is missing says nothing yet. p->row is where to begin,
 * and moves on over ciphers that are missing. */
static bool probe_family(struct probe *p, sa_family_t family)
{
	const struct name_integ *integ = names_integ_row(0);
	const char *missing = NULL;
	const struct name_encr *e;

	for (size_t i = p->row; (e = names_encr_row(i)) != NULL && !p->broken; i++) {
		int error =
			e->kernel != missing ? probe_row(p, family, e, integ) : ENOSYS;

		if (error == 0 || error == EPROTONOSUPPORT || error == EAFNOSUPPORT) {
			p->row = i;
			return error == 0;
		}
		missing = error == ENOSYS ? e->kernel : missing;
	}
	return false;
}

/* Rows of one kernel name stand together: when the name is not known (ENOSYS) the others are not
 * asked for, each of which would look for a module again. */
static void probe_ciphers(struct probe *p, sa_family_t family)
{
	const struct name_integ *integ = names_integ_row(0);
	struct plane_caps *caps = p->caps;
	const char *missing = NULL;
	const char *found = NULL;
	const struct name_encr *e;

	for (size_t i = 0; (e = names_encr_row(i)) != NULL && caps->n_encr < PLANE_ENCR_MAX; i++) {
		int error = ENOSYS;

		if (i >= p->row && e->kernel != missing)
			error = probe_row(p, family, e, integ);
		if (error == 0) {
			caps->encr[caps->n_encr].id = e->id;
			caps->encr[caps->n_encr++].key_bits = e->key_bits;
			found = e->kernel;
		} else if (error == ENOSYS && e->kernel != missing && e->kernel != found) {
			missing = e->kernel;
			lacks(p, e->text);
		}
	}
}

static void probe_macs(struct probe *p, sa_family_t family)
{
	const struct name_encr *cbc = names_encr_row(0);
	struct plane_caps *caps = p->caps;
	const struct name_integ *m;

	if (!plane_caps_encr(caps, cbc->id, cbc->key_bits))
		return;
	for (size_t i = 0; (m = names_integ_row(i)) != NULL && !p->broken; i++) {
		if (caps->n_integ < PLANE_INTEG_MAX && probe_row(p, family, cbc, m) == 0)
			caps->integ[caps->n_integ++] = m->id;
		else
			lacks(p, m->text);
	}
}

struct feature {
	const char *text;
	enum sa_mode mode;
	bool encap;
	bool esn;
};

static bool probe_feature(struct probe *p, sa_family_t family, const struct feature *f)
{
	struct sa_desc d = probe_desc(family, names_encr_row(p->row), names_integ_row(0));

	d.mode = f->mode;
	d.encap = f->encap;
	d.esn = f->esn;
	d.replay_window = f->esn ? STATE_WINDOW_MAX : STATE_WINDOW_MIN;
	d.path.local.port = d.path.remote.port = PROBE_PORT;
	return probe_try(p, &d, false, NULL) == 0;
}

/* In each family that there is. */
static bool probe_everywhere(struct probe *p, const struct feature *f)
{
	bool there = (!p->caps->v4 || probe_feature(p, AF_INET, f)) &&
		     (!p->caps->v6 || probe_feature(p, AF_INET6, f));

	if (!there && !p->broken)
		lacks(p, f->text);
	return there;
}

/* What is accepted in silence by a kernel that does not know it. */
static void probe_attributes(struct probe *p, sa_family_t family)
{
	struct sa_desc d = probe_desc(family, names_encr_row(p->row), names_integ_row(0));
	struct state_info got = { .spi = 0 };

	if (probe_try(p, &d, true, &got) != 0)
		return;
	p->caps->sa_dir = got.dir == ATTR_DIR_IN;
	p->caps->interface = got.if_id == PROBE_IF_ID;
}

static void probe_features(struct probe *p, sa_family_t family)
{
	static const struct feature encap = { "UDP encapsulation", SA_TUNNEL, true, false };
	static const struct feature transport = { "transport mode", SA_TRANSPORT, false, false };
	static const struct feature esn = { "ESN", SA_TUNNEL, false, true };

	p->caps->encap = probe_everywhere(p, &encap);
	p->caps->transport = probe_everywhere(p, &transport);
	p->caps->esn = probe_everywhere(p, &esn);
	probe_attributes(p, family);
}

void probe_all(struct netlink *nl, bool has6, struct plane_caps *caps)
{
	struct probe p = { .nl = nl, .caps = caps };
	sa_family_t family;

	*caps = (struct plane_caps){ .no_v6 = !has6 };
	if (nl->buf == NULL) {
		lacks(&p, "CONFIG_XFRM_USER");
		return;
	}
	caps->v4 = probe_family(&p, AF_INET);
	if (!caps->v4 && !p.broken)
		lacks(&p, "CONFIG_INET_ESP");
	caps->v6 = has6 && !p.broken && probe_family(&p, AF_INET6);
	if (has6 && caps->v4 && !caps->v6 && !p.broken)
		lacks(&p, "CONFIG_INET6_ESP");
	family = caps->v4 ? AF_INET : AF_INET6;
	if (!caps->v4 && !caps->v6)
		return;
	probe_ciphers(&p, family);
	probe_macs(&p, family);
	probe_features(&p, family);
}
