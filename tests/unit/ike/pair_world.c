/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine asks of the world, faked: jobs and the data plane. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "crypto/ke.h"
#include "crypto/prf.h"
#include "ike/core.h"
#include "tests/unit/ike/pair.h"

/* ---- jobs ---- */

static enum err fake_psk(struct end *end, const struct job_psk_mac *j, struct key *out)
{
	struct span pad = span_str("Key Pad for IKEv2");
	struct key k;
	enum err err = prf_compute(prf_find(j->prf_id), span_str(end->psk), &pad, 1, &k);

	return err == OK ? prf_compute(prf_find(j->prf_id), key_span(&k), &j->octets, 1, out) : err;
}

/* "Signature": a hash over the name and the octets. */
static enum err fake_signature(const char *name, struct span octets, uint8_t out[static 32])
{
	struct span parts[] = { span_str(name), octets };

	return hash_sha256(parts, 2, out);
}

static enum err fake_verify(const struct end *end, const struct job_verify *v)
{
	const struct identity *has = end->proved.type != ID_NONE ? &end->proved : &v->claimed;
	char name[IDENTITY_TEXT_MAX];
	uint8_t expect[32];

	if (v->chain.len == 0)
		return ERR_CERT_UNTRUSTED;
	if (v->wanted.type != ID_NONE && !identity_eq(&v->wanted, has))
		return ERR_WRONG_IDENTITY;
	ck_assert_int_eq(fake_signature(identity_text(&v->claimed, name), v->octets, expect), OK);
	return span_eq(v->auth, span_of(expect, sizeof(expect))) ? OK : ERR_AUTH;
}

static enum err fake_ke(const struct job_ke *j, uint8_t *out, size_t *len)
{
	const struct ke_group *g = ke_find(j->group);

	*len = j->peer.len > 0 ? g->secret_len : g->public_len;
	return j->peer.len > 0 ? ke_shared(g, j->secret, j->peer, out)
			       : ke_public(g, j->secret, out);
}

void pair_do_job(struct end *end, const struct job *j)
{
	struct job_result r = { .ticket = j->ticket,
				.kind = j->kind,
				.method = end->sign_method ? end->sign_method : AUTH_SIGNATURE };
	struct ike_event ev = { .kind = IKE_EV_JOB, .job = &r };
	uint8_t buf[KE_PUBLIC_MAX];
	size_t len = 32;
	struct key mac = { .len = 0 };

	end->n_jobs[j->kind]++;
	if (end->hold_jobs)
		return;
	switch (j->kind) {
	case JOB_PSK_MAC:
		r.err = fake_psk(end, &j->psk_mac, &mac);
		memcpy(buf, mac.b, mac.len);
		len = mac.len;
		break;
	case JOB_SIGN:
		end->rfc7427 = j->sign.rfc7427;
		r.err = fake_signature(end->name ? end->name : pair_names[end->side],
				       j->sign.octets, buf);
		break;
	case JOB_VERIFY:
		r.err = fake_verify(end, &j->verify);
		r.proved = end->proved;
		r.good_s = end->good_s;
		snprintf(r.scheme, sizeof(r.scheme), "a fake");
		break;
	case JOB_KE:
		r.err = fake_ke(&j->ke, buf, &len);
		break;
	}
	if (end->fail_job_err != OK && end->fail_job == j->kind)
		r.err = end->fail_job_err;
	r.bytes = span_of(buf, len);
	pair_event(end, &ev);
}

/* ---- the plane ---- */

static size_t plane_find(const struct end *end, const struct sa_desc *sa)
{
	size_t i = 0;

	while (i < end->n_sas && !(end->sas[i].spi == sa->spi && end->sas[i].dir == sa->dir))
		i++;
	return i;
}

/* What another engine has claimed counts no more. */
static void plane_claim(struct end *end, const struct sa_desc *sa)
{
	if (end->claims != end->e)
		end->n_claimed = 0;
	end->claims = end->e;
	if (end->n_claimed < PAIR_SAS_MAX)
		end->claimed[end->n_claimed++] = (struct sa_desc){ .spi = sa->spi, .dir = sa->dir };
}

static bool is_claimed(const struct end *end, const struct sa_desc *sa)
{
	size_t i = end->claims == end->e ? 0 : end->n_claimed;

	while (i < end->n_claimed &&
	       !(end->claimed[i].spi == sa->spi && end->claimed[i].dir == sa->dir))
		i++;
	return i < end->n_claimed;
}

/* What the engine that lives has neither claimed nor put in. */
static void plane_sweep(struct end *end, enum sa_plane plane)
{
	for (size_t i = end->n_sas; i > 0; i--) {
		struct sa_desc *sa = &end->sas[i - 1];

		if (sa->plane != plane || is_claimed(end, sa))
			continue;
		sa_desc_wipe(sa);
		*sa = end->sas[--end->n_sas];
	}
}

static enum err plane_install(struct end *end, const struct sa_desc *sa)
{
	if (++end->n_installs == end->fail_install)
		return end->fail_install_err != OK ? end->fail_install_err : ERR_SYSTEM;
	ck_assert_uint_eq(plane_find(end, sa), end->n_sas);
	ck_assert_uint_lt(end->n_sas, PAIR_SAS_MAX);
	ck_assert(sa->dir == SA_OUT || sa->acquire == 0);
	if (sa->acquire != 0)
		end->answered = sa->acquire;
	if (sa->dir == SA_OUT)
		end->sends_by = sa->spi;
	plane_claim(end, sa);
	return sa_desc_copy(&end->sas[end->n_sas++], sa);
}

static enum err plane_remove(struct end *end, const struct sa_desc *sa)
{
	size_t i = plane_find(end, sa);

	/* A plane that did not answer may not have it. */
	if (i == end->n_sas)
		return ERR_NOT_FOUND;
	sa_desc_wipe(&end->sas[i]);
	end->sas[i] = end->sas[--end->n_sas];
	return OK;
}

/* What the engine says has to fit through the channel. */
static void go_through_bytes(const struct sa_cmd *cmd)
{
	static uint8_t buf[65536];
	struct wr w = wr_into(buf, sizeof(buf));
	struct sa_cmd back;

	sa_cmd_encode(&w, cmd);
	ck_assert(wr_ok(&w));
	ck_assert_int_eq(sa_cmd_decode(wr_done(&w), &back), OK);
	ck_assert_uint_eq(back.sa.acquire, cmd->sa.acquire);
	ck_assert_uint_eq(back.sa.reqid, cmd->sa.reqid);
	sa_desc_wipe(&back.sa);
}

static void plane_move(struct end *end, const struct sa_desc *sa)
{
	size_t i = plane_find(end, sa);

	ck_assert_uint_lt(i, end->n_sas);
	end->sas[i].path = sa->path;
	end->moved = *sa;
	end->moved.local = (struct ts_list){ .n = 0 };
	end->moved.remote = (struct ts_list){ .n = 0 };
	end->n_moves++;
}

static void plane_pass(struct end *end, const struct sa_desc *sa)
{
	size_t i = plane_find(end, sa);

	ck_assert_uint_lt(i, end->n_sas);
	ck_assert_int_eq(sa->dir, SA_OUT);
	end->sas[i].passed = sa->passed;
}

static uint64_t packets_by(const struct end *end, uint32_t spi)
{
	return end->only_by == 0 || end->only_by == spi ? end->packets : 0;
}

void pair_do_sa(struct end *end, const struct sa_cmd *cmd)
{
	struct sa_done done = { .ticket = cmd->ticket, .spi = cmd->sa.spi, .dir = cmd->sa.dir };
	struct ike_event ev = { .kind = IKE_EV_SA, .sa = &done };

	go_through_bytes(cmd);
	if (cmd->op == SA_INSTALL) {
		end->n_disordered += cmd->install < end->last_install;
		end->last_install = cmd->install;
	}
	if (end->hold_sas) {
		end->n_unheard_installs += cmd->op == SA_INSTALL;
		end->n_unheard_removes += cmd->op == SA_REMOVE;
		return;
	}
	switch (cmd->op) {
	case SA_INSTALL:
		done.err = plane_install(end, &cmd->sa);
		if (done.err != OK && end->fail_install_why)
			snprintf(done.why, sizeof(done.why), "%s", end->fail_install_why);
		break;
	case SA_REMOVE:
		done.err = plane_remove(end, &cmd->sa);
		break;
	case SA_QUERY:
		done.counters.bytes = 4711;
		done.counters.packets = packets_by(end, cmd->sa.spi);
		break;
	case SA_MOVE:
		plane_move(end, &cmd->sa);
		break;
	case SA_PASS:
		plane_pass(end, &cmd->sa);
		break;
	case SA_CLAIM:
		if (end->n_unheard > 0) {
			end->n_unheard--;
			done.err = ERR_LIMIT;
			break;
		}
		done.err = plane_find(end, &cmd->sa) < end->n_sas ? OK : ERR_NOT_FOUND;
		plane_claim(end, &cmd->sa);
		done.counters.packets = packets_by(end, cmd->sa.spi);
		break;
	case SA_SWEEP:
		if (!end->sweeps_not)
			plane_sweep(end, cmd->sa.plane);
		break;
	case SA_FORGET:
		end->forgot = cmd->sa.acquire;
		end->n_forgets++;
		break;
	case SA_EXPECT:
		end->expected = cmd->sa.spi;
		end->n_expects++;
		break;
	}
	if (cmd->ticket)
		pair_event(end, &ev);
}

/* ---- what an engine has said ---- */

/* Where a Notify without protocol and SPI has its type, or 0. */
static size_t find_notify(const uint8_t *bytes, size_t len, uint16_t type)
{
	const uint8_t wanted[] = { 0, 0, (uint8_t)(type >> 8), (uint8_t)type };

	for (size_t i = IKE_HEADER_LEN; i + sizeof(wanted) <= len; i++) {
		if (memcmp(bytes + i, wanted, sizeof(wanted)) == 0)
			return i + 2;
	}
	return 0;
}

static void hide_kept(struct packets *kept, const struct datagram *d, size_t at)
{
	if (kept->len == d->len)
		kept->bytes[at] ^= 0x80; /* a status that nobody knows */
}

bool pair_hide_notify(struct pair *p, struct datagram *d, uint16_t type)
{
	struct ike_sa *sa;
	struct message m;
	size_t at;

	if (message_decode(span_of(d->bytes, d->len), &m) != OK || m.h.exchange != X_IKE_SA_INIT)
		return false;
	sa = sa_find(p->end[1 - d->to].e, header_is_response(&m.h) ? m.h.spi_r : m.h.spi_i);
	at = find_notify(d->bytes, d->len, type);
	if (at == 0 || !sa || !sa->hs)
		return false;
	d->bytes[at] ^= 0x80;
	hide_kept(&sa->hs->response, d, at);
	hide_kept(&sa->window.request, d, at);
	for (size_t i = 0; i < sa->hs->max_tries; i++)
		hide_kept(&sa->hs->tries[i].request, d, at);
	return true;
}

void pair_has_rekeyed(struct pair *p)
{
	for (enum side s = LEFT; s <= RIGHT; s++)
		for (size_t i = 0; i < p->end[s].e->n_conns; i++)
			p->end[s].e->conns[i]->rekeys = true;
}
