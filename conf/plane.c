/* SPDX-License-Identifier: Apache-2.0 */
/* Which data plane carries a child: conf_child_plane of model.h, conf_check_planes of load.h. */
#include <stdio.h>

#include "conf/load.h"
#include "crypto/alg.h"

static bool encr_carried(const struct suite_policy *p, const struct plane_caps *kernel,
			 char why[static CONF_PLANE_WHY_MAX])
{
	bool plain = false; /* one that needs integrity of its own */

	for (size_t i = 0; i < SUITE_ENCR_MAX && p->encr[i] != NULL; i++) {
		const struct encr *e = p->encr[i];

		plain = plain || !e->aead;
		if (!plane_caps_encr(kernel, e->id, e->key_bits)) {
			snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks %s", e->name);
			return false;
		}
	}
	for (size_t i = 0; plain && i < SUITE_INTEG_MAX && p->integ[i] != NULL; i++) {
		if (!plane_caps_integ(kernel, p->integ[i]->id)) {
			snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks %s", p->integ[i]->name);
			return false;
		}
	}
	return true;
}

/* The family of the peer's address, as far as the configuration says it; AF_UNSPEC: either. In
 * transport mode the selectors are addresses of the ends themselves. */
static sa_family_t outer_family(const struct conf_connection *cn, const struct conf_child *ch)
{
	const struct ts_list *inner = &ch->local;
	bool six = false;
	bool four = false;

	/* The same plane for all of its peers, wherever they are. */
	if (ch->set != 0)
		return AF_UNSPEC;
	if (cn->local_address.family != AF_UNSPEC)
		return cn->local_address.family;
	for (size_t i = 0; i < cn->n_addresses; i++) {
		six = six || cn->addresses[i].family == AF_INET6;
		four = four || cn->addresses[i].family == AF_INET;
	}
	for (size_t i = 0; cn->n_addresses == 0 && i < inner->n; i++) {
		six = six || ch->mode != CONF_MODE_TRANSPORT || inner->v[i].lo.family == AF_INET6;
		four = four || ch->mode != CONF_MODE_TRANSPORT || inner->v[i].lo.family == AF_INET;
	}
	return six == four ? AF_UNSPEC : six ? AF_INET6 : AF_INET;
}

/* Only of the families that the peer can come by. Where both can, both are needed, for which one it
 * is shows only after the plane was chosen; but none comes by IPv6 to a host without it. What is
 * inside does not matter: the kernel puts either into either. */
static bool family_carried(const struct conf_connection *cn, const struct conf_child *ch,
			   const struct plane_caps *kernel, char why[static CONF_PLANE_WHY_MAX])
{
	sa_family_t family = outer_family(cn, ch);
	bool needs6 = family == AF_INET6 || (family == AF_UNSPEC && !kernel->no_v6);

	if (!plane_caps_esp(kernel))
		snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks %s", kernel->lacks);
	else if (family != AF_INET6 && !kernel->v4)
		snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks CONFIG_INET_ESP");
	else if (needs6 && !kernel->v6)
		snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks %s",
			 kernel->no_v6 ? "IPv6" : "CONFIG_INET6_ESP");
	else
		return true;
	return false;
}

static bool carried(const struct conf_connection *cn, const struct conf_child *ch,
		    const struct plane_caps *kernel, char why[static CONF_PLANE_WHY_MAX])
{
	/* It takes that of the route. */
	if (ch->ttl != 0) {
		snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks a TTL for each child");
		return false;
	}
	if (!family_carried(cn, ch, kernel, why))
		return false;
	/* Whether a NAT is on the way is known only after the plane was chosen. */
	if (!kernel->encap) {
		snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks ESP in UDP");
		return false;
	}
	if (ch->interface[0] != '\0' && !kernel->interface) {
		snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks CONFIG_XFRM_INTERFACE");
		return false;
	}
	if (ch->mode != CONF_MODE_TUNNEL && !kernel->transport) {
		snprintf(why, CONF_PLANE_WHY_MAX, "the kernel lacks transport mode");
		return false;
	}
	return encr_carried(&cn->policy, kernel, why);
}

static bool wants_card(const struct conf_child *ch)
{
	return ch->offload == OFFLOAD_CRYPTO || ch->offload == OFFLOAD_PACKET;
}

bool conf_child_insists(const struct conf_child *ch)
{
	return ch->dataplane == CONF_PLANE_KERNEL ||
	       (ch->dataplane == CONF_PLANE_AUTO && wants_card(ch));
}

enum sa_plane conf_child_plane(const struct conf_connection *cn, const struct conf_child *ch,
			       const struct plane_caps *kernel, char why[static CONF_PLANE_WHY_MAX])
{
	snprintf(why, CONF_PLANE_WHY_MAX, "as configured");
	if (ch->dataplane == CONF_PLANE_USER)
		return PLANE_USER;
	if (ch->dataplane == CONF_PLANE_KERNEL)
		return PLANE_KERNEL;
	/* Userspace would carry it without the card that was insisted on, and nobody would know. */
	if (conf_child_insists(ch)) {
		snprintf(why, CONF_PLANE_WHY_MAX, "its offload wants a network card");
		return PLANE_KERNEL;
	}
	if (ch->set_lacks != NULL) {
		snprintf(why, CONF_PLANE_WHY_MAX, "its connection has a priority, and %s",
			 ch->set_lacks);
		return PLANE_USER;
	}
	if (!carried(cn, ch, kernel, why))
		return PLANE_USER;
	snprintf(why, CONF_PLANE_WHY_MAX, "the kernel carries every suite of its policy");
	return PLANE_KERNEL;
}

struct sa_headers conf_child_headers(const struct conf_child *ch)
{
	bool in = ch->copy_dscp == CONF_DSCP_IN || ch->copy_dscp == CONF_DSCP_BOTH;
	bool out = ch->copy_dscp == CONF_DSCP_OUT || ch->copy_dscp == CONF_DSCP_BOTH;

	return (struct sa_headers){ .dscp_hide = !out,
				    .dscp_adopt = in,
				    .ecn_off = !ch->ecn,
				    .label_copy = ch->flow_label == CONF_LABEL_COPY,
				    .icmp_errors = ch->icmp_errors,
				    .ttl = (uint8_t)ch->ttl };
}

/* By which option nothing but the kernel will do. */
static const char *insisting(const struct conf_child *ch)
{
	if (ch->dataplane == CONF_PLANE_KERNEL)
		return "dataplane = kernel";
	return ch->offload == OFFLOAD_CRYPTO ? "offload = crypto" : "offload = packet";
}

static void lack_say(struct conf_problems *problems, const struct conf_child *ch, const char *where,
		     const char *why, bool refuse)
{
	bool plane = ch->dataplane == CONF_PLANE_KERNEL;
	struct conf_pos at = plane ? ch->dataplane_pos : ch->offload_pos;
	char text[CONF_PLANE_WHY_MAX + 256];

	snprintf(text, sizeof(text), "%s%s, but %s%s", where, insisting(ch),
		 refuse ? "" : "on this machine ", why);
	(refuse ? conf_problem_add : conf_problem_warn)(
		problems, at, 6, text, plane ? "dataplane = auto" : "offload = auto");
}

/* Its device can be made by nobody. */
static bool device_missing(const struct conf_child *ch, const struct plane_caps *kernel)
{
	return ch->interface[0] != '\0' && !kernel->interface && conf_child_insists(ch);
}

#define DEVICE_LACKS "its interface needs CONFIG_XFRM_INTERFACE, which the kernel lacks"

void conf_check_planes(const struct conf *c, const struct plane_caps *kernel,
		       struct conf_problems *problems)
{
	char why[CONF_PLANE_WHY_MAX];

	for (size_t i = 0; i < c->n_connections; i++) {
		const struct conf_connection *cn = &c->connections[i];

		for (size_t k = 0; k < cn->n_children; k++) {
			const struct conf_child *ch = &cn->children[k];

			if (device_missing(ch, kernel))
				lack_say(problems, ch, "",
					 DEVICE_LACKS ": a reload refuses it here", false);
			else if (conf_child_insists(ch) && !carried(cn, ch, kernel, why))
				lack_say(problems, ch, "", why, false);
		}
	}
}

enum err conf_judge_devices(const struct conf *c, const struct plane_caps *kernel,
			    struct conf_problems *problems)
{
	char where[2 * CONF_NAME_MAX + 4];
	bool good = true;

	for (size_t i = 0; i < c->n_connections; i++) {
		const struct conf_connection *cn = &c->connections[i];

		for (size_t k = 0; k < cn->n_children; k++) {
			const struct conf_child *ch = &cn->children[k];

			if (!device_missing(ch, kernel))
				continue;
			snprintf(where, sizeof(where), "%s/%s: ", cn->name, ch->name);
			lack_say(problems, ch, where, DEVICE_LACKS, true);
			good = false;
		}
	}
	return good ? OK : ERR_UNSUPPORTED;
}
