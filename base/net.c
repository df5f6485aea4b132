/* SPDX-License-Identifier: Apache-2.0 */
/* Networks (the second half of base/addr.h): parsing, comparing, and cutting a range into networks.
 */
#include "base/addr.h"

#include <stdio.h>
#include <string.h>

static uint8_t addr_bits(const struct addr *a)
{
	return (uint8_t)(addr_len(a) * 8);
}

/* Which bits of byte `i` belong to the host when the first `bits` bits are the network's. */
static uint8_t host_bits(unsigned int i, unsigned int bits)
{
	if (bits >= (i + 1) * 8)
		return 0;
	if (bits <= i * 8)
		return 0xff;
	return (uint8_t)(0xffu >> (bits - i * 8));
}

unsigned int addr_common_bits(const struct addr *a, const struct addr *b)
{
	unsigned int i = 0, bits = addr_bits(a);

	while (i < bits && !((a->b[i / 8] ^ b->b[i / 8]) & (0x80 >> i % 8)))
		i++;
	return i;
}

struct addr net_first(const struct net *n)
{
	struct addr a = n->addr;

	for (unsigned int i = 0; i < addr_len(&a); i++)
		a.b[i] = (uint8_t)(a.b[i] & ~host_bits(i, n->bits));
	return a;
}

struct addr net_last(const struct net *n)
{
	struct addr a = n->addr;

	for (unsigned int i = 0; i < addr_len(&a); i++)
		a.b[i] = (uint8_t)(a.b[i] | host_bits(i, n->bits));
	return a;
}

bool net_contains(const struct net *n, const struct addr *a)
{
	struct addr first = net_first(n);
	struct addr last = net_last(n);

	return addr_len(a) != 0 && a->family == n->addr.family && addr_cmp(&first, a) <= 0 &&
	       addr_cmp(a, &last) <= 0;
}

bool addr_is_host(const struct addr *a)
{
	static const struct net never[] = {
		{ .addr = { .family = AF_INET }, .bits = 8 },
		{ .addr = { .family = AF_INET, .b = { 127 } }, .bits = 8 },
		{ .addr = { .family = AF_INET, .b = { 224 } }, .bits = 3 },
		{ .addr = { .family = AF_INET6, .b = { 0xff } }, .bits = 8 },
		{ .addr = { .family = AF_INET6 }, .bits = 128 },
		{ .addr = { .family = AF_INET6, .b = { [15] = 1 } }, .bits = 128 },
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (net_contains(&never[i], a))
			return false;
	}
	return addr_len(a) != 0;
}

bool net_overlap(const struct net *a, const struct net *b)
{
	return net_contains(a, &b->addr) || net_contains(b, &a->addr);
}

/* One to three digits without a leading zero or sign, at most `max`; -1 for anything else. */
static int prefix_parse(const char *s, unsigned int max)
{
	size_t n = strspn(s, "0123456789");
	unsigned int v = 0;

	if (n == 0 || n > 3 || s[n] != '\0' || (s[0] == '0' && n > 1))
		return -1;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned int)(s[i] - '0');
	return v <= max ? (int)v : -1;
}

bool net_parse(const char *s, struct net *n)
{
	const char *slash = strchr(s, '/');
	size_t len = slash == NULL ? strlen(s) : (size_t)(slash - s);
	char text[ADDR_TEXT_MAX] = "";
	struct net got = { .bits = 0 };
	struct addr first;
	int bits;

	*n = got;
	if (len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	if (!addr_parse(text, &got.addr))
		return false;
	bits = slash == NULL ? addr_bits(&got.addr) : prefix_parse(slash + 1, addr_bits(&got.addr));
	if (bits < 0)
		return false;
	got.bits = (uint8_t)bits;
	first = net_first(&got);
	if (!addr_eq(&first, &got.addr))
		return false;
	*n = got;
	return true;
}

const char *net_text(const struct net *n, char buf[static NET_TEXT_MAX])
{
	char text[ADDR_TEXT_MAX];

	snprintf(buf, NET_TEXT_MAX, "%s/%u", addr_text(&n->addr, text), (unsigned int)n->bits);
	return buf;
}

/* The next address; wraps to zero after the last one, which the caller has to exclude. */
static void addr_advance(struct addr *a)
{
	for (size_t i = addr_len(a); i > 0; i--)
		if (++a->b[i - 1] != 0)
			return;
}

/* How many bits both have in common, from the first. */
static unsigned int bits_shared(const struct addr *a, const struct addr *b)
{
	unsigned int bits = 0;
	unsigned int differ = 0;

	for (size_t i = 0; i < addr_len(a) && differ == 0; i++) {
		differ = a->b[i] ^ b->b[i];
		bits += 8;
	}
	for (; differ != 0; differ >>= 1)
		bits--;
	return bits;
}

/* How many of the last bits are all zeros (`flip` 0), or all ones (`flip` 0xff). */
static unsigned int bits_at_end(const struct addr *a, uint8_t flip)
{
	unsigned int bits = 0;
	unsigned int other = 0;

	for (size_t i = addr_len(a); i > 0 && other == 0; i--) {
		other = a->b[i - 1] ^ flip;
		bits += other == 0 ? 8 : (unsigned int)__builtin_ctz(other);
	}
	return bits;
}

/* The largest network that begins at `at` and does not reach beyond `hi`: as many bits for hosts as
 * `at` has zeros at its end, but less than would change what it shares with `hi` (all of them when
 * `hi` is the last of that network). No search bit by bit: peers choose the ranges, and many. */
static struct net net_largest(const struct addr *at, const struct addr *hi)
{
	unsigned int all = addr_bits(at);
	unsigned int shared = bits_shared(at, hi);
	unsigned int aligned = all - bits_at_end(at, 0);
	unsigned int fits = bits_at_end(hi, 0xff) >= all - shared ? shared : shared + 1;

	return (struct net){ *at, (uint8_t)(aligned > fits ? aligned : fits) };
}

/* At most 2 * 128 - 2 rounds: the networks first grow, then shrink, at most one of each size per
 * slope. */
size_t net_from_range(const struct addr *lo, const struct addr *hi, struct net *out, size_t max)
{
	struct addr at = *lo;
	size_t n = 0;

	if (addr_len(lo) == 0 || lo->family != hi->family || addr_cmp(lo, hi) > 0)
		return 0;
	for (;;) {
		struct net part = net_largest(&at, hi);

		if (n < max)
			out[n] = part;
		n++;
		at = net_last(&part);
		if (addr_eq(&at, hi))
			return n;
		addr_advance(&at);
	}
}
