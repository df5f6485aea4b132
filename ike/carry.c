/* SPDX-License-Identifier: Apache-2.0 */
/* Planes, suites and paths: see carry.h. Userspace carries every suite that a policy can name; what
 * the kernel carries was found out by trying (struct plane_caps). */
#include "ike/carry.h"

#include "ike/note.h"

enum sa_plane carry_plane(const struct ike_engine *e, const struct conf_connection *cn,
			  const struct conf_child *ch, char why[static CONF_PLANE_WHY_MAX])
{
	return conf_child_plane(cn, ch, &e->env.kernel, why);
}

static enum sa_plane plane_of(const struct ike_engine *e, const struct conf_connection *cn,
			      const struct conf_child *ch)
{
	char why[CONF_PLANE_WHY_MAX];

	return carry_plane(e, cn, ch, why);
}

/* The policy without what `kernel` lacks, its order kept. */
static void reduce(const struct suite_policy *from, const struct plane_caps *kernel,
		   struct suite_policy *to)
{
	size_t n = 0;

	*to = *from;
	for (size_t i = 0; i < SUITE_ENCR_MAX && from->encr[i]; i++) {
		if (plane_caps_encr(kernel, from->encr[i]->id, from->encr[i]->key_bits))
			to->encr[n++] = from->encr[i];
	}
	for (; n < SUITE_ENCR_MAX; n++)
		to->encr[n] = NULL;
	n = 0;
	for (size_t i = 0; i < SUITE_INTEG_MAX && from->integ[i]; i++) {
		if (plane_caps_integ(kernel, from->integ[i]->id))
			to->integ[n++] = from->integ[i];
	}
	for (; n < SUITE_INTEG_MAX; n++)
		to->integ[n] = NULL;
}

/* One cipher with all that it needs. */
static bool has_suite(const struct suite_policy *p)
{
	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i]; i++) {
		if (p->encr[i]->aead || p->integ[0])
			return true;
	}
	return false;
}

static enum err lack(char why[static CONF_PLANE_WHY_MAX], const char *what)
{
	note_print(why, CONF_PLANE_WHY_MAX, "the kernel lacks %s",
		   what[0] ? what : "what this child needs");
	return ERR_UNSUPPORTED;
}

enum err carry_judge(const struct ike_engine *e, const struct conf_connection *cn,
		     const struct conf_child *ch, char why[static CONF_PLANE_WHY_MAX])
{
	const struct plane_caps *kernel = &e->env.kernel;
	struct suite_policy left;

	if (carry_plane(e, cn, ch, why) == PLANE_USER)
		return OK;
	if (!plane_caps_esp(kernel))
		return lack(why, kernel->lacks);
	if (ch->mode == CONF_MODE_TRANSPORT && !kernel->transport)
		return lack(why, "transport mode");
	if (ch->interface[0] && !kernel->interface)
		return lack(why, "CONFIG_XFRM_INTERFACE");
	reduce(&cn->policy, kernel, &left);
	return has_suite(&left) ? OK : lack(why, "every suite of the policy");
}

enum err carry_judge_path(const struct ike_sa *sa, const struct conf_child *ch,
			  char why[static CONF_PLANE_WHY_MAX])
{
	const struct plane_caps *kernel = &sa->e->env.kernel;
	enum err err = carry_judge(sa->e, sa->conn->conf, ch, why);
	bool v6 = sa->path.remote.addr.family == AF_INET6;

	if (err != OK || plane_of(sa->e, sa->conn->conf, ch) == PLANE_USER)
		return err;
	if (!(v6 ? kernel->v6 : kernel->v4))
		return lack(why, v6 ? "ESP over IPv6" : "ESP over IPv4");
	return sa->encap && !kernel->encap ? lack(why, "ESP in UDP") : OK;
}

void carry_explain(const struct conf_child *ch, const char *why, struct ike_note *n)
{
	n->err = ERR_UNSUPPORTED;
	n->line = ch->pos.line;
	note_print(n->text, sizeof(n->text), "child %s cannot be carried: %s", ch->name, why);
	if (ch->dataplane == CONF_PLANE_KERNEL)
		n->line = ch->dataplane_pos.line;
	else if (conf_child_insists(ch))
		n->line = ch->offload_pos.line;
	note_print(n->fix, sizeof(n->fix), "%sa kernel that has it",
		   ch->dataplane == CONF_PLANE_KERNEL ? "dataplane = auto, or "
		   : conf_child_insists(ch)	      ? "offload = auto, or "
						      : "");
}

bool carry_any(const struct conn *c, struct ike_note *n)
{
	char why[CONF_PLANE_WHY_MAX];

	for (size_t i = 0; i < c->conf->n_children; i++) {
		if (c->children[i].down)
			continue;
		if (carry_judge(c->e, c->conf, &c->conf->children[i], why) == OK)
			return true;
		carry_explain(&c->conf->children[i], why, n);
	}
	return n->text[0] == 0;
}

bool carry_transport(const struct ike_engine *e, const struct conf_connection *cn,
		     const struct conf_child *ch)
{
	return plane_of(e, cn, ch) == PLANE_USER || e->env.kernel.transport;
}

struct proposal_want carry_want(const struct ike_sa *sa, const struct conf_child *ch,
				struct suite_policy *room)
{
	const struct conf_connection *cn = sa->conn->conf;
	const struct plane_caps *kernel = &sa->e->env.kernel;
	bool user = plane_of(sa->e, cn, ch) == PLANE_USER;

	if (user)
		*room = cn->policy;
	else
		reduce(&cn->policy, kernel, room);
	return (struct proposal_want){ .policy = room,
				       .protocol = PROTO_ESP,
				       .esn = ch->esn && (user || kernel->esn) };
}
