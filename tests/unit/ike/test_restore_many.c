/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway with many peers, whose engine dies: none of them costs the next one more than another
 * does. */
#include <string.h>
#include <time.h>

#include "ike/child.h"
#include "ike/core.h"
#include "ike/keep.h"
#include "ike/snapshot.h"
#include "tests/unit/ike/pair.h"
#include "tests/unit/unit.h"

static uint8_t record[SNAPSHOT_MAX];

static double processor(void)
{
	struct timespec t;

	ck_assert_int_eq(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The record of this SA, as another peer's would be. */
static void hand_over(struct ike_engine *to, struct ike_sa *sa, unsigned int i)
{
	struct wr w = wr_into(record, sizeof(record)), spi = wr_into(sa->own_spi, IKE_SPI_LEN);
	uint8_t key[1 + IKE_SPI_LEN] = { KEEP_SA };

	sa->spi_i = 0x1000000 + i;
	wr_u64(&spi, sa->spi_i);
	sa->path.remote.addr.b[1] = (uint8_t)(i >> 16);
	sa->path.remote.addr.b[2] = (uint8_t)(i >> 8);
	sa->path.remote.addr.b[3] = (uint8_t)i;
	sa->children->spi_in = spi_user(0, 1, (uint16_t)(i + 1));
	sa->children->id = 1000 + i;
	memcpy(key + 1, sa->own_spi, IKE_SPI_LEN);
	snapshot_put(&w, sa);
	ck_assert_int_eq(ike_engine_restore(to, span_of(key, sizeof(key)), wr_done(&w)), OK);
}

static void hand_over_all(struct ike_engine *to, struct ike_sa *sa, unsigned int n)
{
	const struct path path = sa->path;
	const uint64_t spi = sa->spi_i;
	const uint32_t spi_in = sa->children->spi_in, id = sa->children->id;
	uint8_t own_spi[IKE_SPI_LEN];

	memcpy(own_spi, sa->own_spi, IKE_SPI_LEN);
	for (unsigned int i = 0; i < n; i++)
		hand_over(to, sa, i);
	memcpy(sa->own_spi, own_spi, IKE_SPI_LEN);
	sa->path = path;
	sa->spi_i = spi;
	sa->children->spi_in = spi_in;
	sa->children->id = id;
}

/* The bridge tells of the path of each that is claimed, and the plane has all. */
static void answer(struct ike_engine *e, const struct sa_cmd *cmd, mono_ns now)
{
	const struct sa_done done = { .ticket = cmd->ticket,
				      .spi = cmd->sa.spi,
				      .dir = cmd->sa.dir };
	const struct plane_event path = { .kind = PLANE_MTU,
					  .remote.addr = cmd->sa.path.remote.addr,
					  .mtu = 1400 };
	const struct ike_event told = { .kind = IKE_EV_SA, .sa = &done };
	const struct ike_event mtu = { .kind = IKE_EV_PLANE,
				       .from = cmd->sa.plane,
				       .ticket = cmd->ticket,
				       .plane = &path };

	if (cmd->sa.dir == SA_OUT)
		ike_engine_event(e, &mtu, now);
	ike_engine_event(e, &told, now);
}

static unsigned int n_changed(const struct ike_engine *e, uint16_t mtu)
{
	unsigned int n = 0;

	for (size_t i = 0; i < e->n_conns; i++) {
		for (const struct ike_sa *sa = e->conns[i]->sas; sa; sa = sa->next)
			n += sa->children->mtu != mtu;
	}
	return n;
}

static double cost_of(struct pair *p, unsigned int n)
{
	struct ike_engine *next = pair_engine(&p->end[LEFT], true);
	uint16_t mtu = pair_sa(p, LEFT)->children->mtu;
	unsigned int n_claims = 0, n_mtus = 0;
	double begin = processor();
	struct ike_action a;

	hand_over_all(next, pair_sa(p, LEFT), n);
	ike_engine_resume(next, p->now);
	while (ike_engine_next(next, &a)) {
		/* Else the bridge would take another one's of that name for it, and tell that. */
		if (a.kind == IKE_ACT_CHILD_MTU && n_mtus < n)
			ck_assert_uint_ge(n_claims, 2 * ++n_mtus);
		if (a.kind != IKE_ACT_SA || a.sa->op != SA_CLAIM)
			continue;
		n_claims++;
		answer(next, a.sa, p->now);
	}
	ck_assert_uint_eq(n_mtus, n);
	begin = processor() - begin;
	ck_assert_uint_eq(n_changed(next, mtu), n);
	ike_engine_free(next);
	return begin;
}

/* Twenty times as many, and sixty times the time at most: it would be four hundred. */
START_TEST(many_cost_each_what_few_cost)
{
	struct pair *p = pair_new(pair_psk(LEFT, ""), pair_psk(RIGHT, ""));
	double few, many;

	pair_up(p, LEFT, "site");
	pair_run(p, 10 * NS_PER_S);
	few = cost_of(p, 1000);
	many = cost_of(p, 20000);
	ck_assert_msg(many < 60 * few, "1000 take %f s, 20000 %f s", few, many);
	pair_free(p);
}
END_TEST

UNIT("ike/restore-many")
{
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, many_cost_each_what_few_cost);
}
