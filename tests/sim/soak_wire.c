/* SPDX-License-Identifier: Apache-2.0 */
/* No IV is used twice with a key in a soak: those of each IKE SA and direction count up, and what
 * is sent again is the same. Only the highest are remembered: many times what an end was seen to
 * answer while one request of its own was sent again and again.
 *
 * An engine that was killed may have sealed something that had not left. The next one sends it, and
 * by then an answer with a later IV may be out.
 */
#include "ike/header.h"
#include "tests/sim/soak.h"

enum { ICV_LEN = 16 };

static uint64_t hash_of(struct span s)
{
	static const uint8_t seed[SIPHASH_KEY_LEN] = "a soak's wire";

	return siphash(seed, s);
}

/* The one that nothing was sent over for longest makes place: it is gone. */
static struct soak_wire *wire_of(struct soak *w, const struct ike_header *h)
{
	uint64_t key[] = { h->spi_i, h->spi_r, header_from_initiator(h) };
	struct soak_wire *set = w->wire[hash_of(span_of(key, sizeof(key))) % SOAK_WIRES];
	struct soak_wire *at = &set[0];

	for (size_t i = 0; i < SOAK_WIRE_WAYS; i++) {
		if (set[i].spi_i == key[0] && set[i].spi_r == key[1] && set[i].direction == key[2])
			return &set[i];
		if (set[i].used < at->used)
			at = &set[i];
	}
	*at = (struct soak_wire){ .spi_i = key[0], .spi_r = key[1], .direction = key[2] };
	return at;
}

/* A free place, or that of the lowest, which is forgotten. */
static size_t place(const struct soak_wire *at)
{
	size_t low = 0;

	for (size_t i = 0; i < SOAK_IVS; i++) {
		if (at->hash[i] == 0)
			return i;
		low = at->iv[i] < at->iv[low] ? i : low;
	}
	return low;
}

/* It is over all of it. */
static struct span icv_of(struct span datagram)
{
	return span_tail(datagram, datagram.len - ICV_LEN);
}

void soak_sent(struct soak_node *n, struct span datagram)
{
	struct rd r = rd_from(span_tail(datagram, IKE_HEADER_LEN + PAYLOAD_HEADER_LEN));
	struct soak *w = n->w;
	struct soak_wire *at;
	struct ike_header h;
	uint64_t iv, hash;
	size_t low;

	soak_must(w, header_decode(datagram, &h) == OK, "a message without a header leaves");
	if (h.next != PL_SK)
		return;
	iv = rd_u64(&r);
	hash = hash_of(icv_of(datagram));
	at = wire_of(w, &h);
	at->used = w->now;
	for (size_t i = 0; i < SOAK_IVS; i++) {
		if (at->iv[i] != iv || at->hash[i] == 0)
			continue;
		soak_must(w, at->hash[i] == hash, "an IV is used twice");
		return;
	}
	low = place(at);
	soak_must(w, at->hash[low] == 0 || iv > at->iv[low], "an IV is that of long ago");
	soak_must(w, iv >= at->highest || n->has_returned, "an IV is not the next one");
	at->highest = iv > at->highest ? iv : at->highest;
	at->iv[low] = iv;
	at->hash[low] = hash;
}
