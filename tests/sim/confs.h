/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations that scenarios are made of: two gateways, LEFT and RIGHT, with one connection
 * `site` between them and one child `net`. Options are written as in a file. */
#ifndef TESTS_SIM_CONFS_H
#define TESTS_SIM_CONFS_H

#include "tests/sim/sim.h"

#define ME(name) \
	"me {\n identity = " name "\n certificate = me.pem\n key = me.key\n trust = ca.pem\n}\n"
#define PEER(address, name) "connection site {\n address = " address "\n identity = " name "\n"

#define PSK    " auth = psk\n psk_file = site.psk\n"
#define CERT   " auth = certificate\n"
#define MANUAL " start = manual\n"
#define ALWAYS " start = always\n"
#define LIVELY " liveness = 10s\n"
#define FIXED  " mobike = no\n"

/* A group whose values a worker computes; two that are computed at once. */
#define MODP_4096    " policy = { aes256gcm16 prfsha384 modp4096 }\n"
#define X25519_FIRST " policy = { aes256gcm16 prfsha384 x25519 ecp256 }\n"
#define ECP256_FIRST " policy = { aes256gcm16 prfsha384 ecp256 x25519 }\n"

#define CHILD(name, local, remote) \
	" child " name " {\n  local = " local "\n  remote = " remote "\n }\n"

#define LEFT_BEGIN  ME("left.example.org") PEER("198.51.100.2", "right.example.org")
#define RIGHT_BEGIN ME("right.example.org") PEER("192.0.2.1", "left.example.org")
#define LEFT_NET    CHILD("net", "10.1.0.0/16", "10.2.0.0/16")
#define RIGHT_NET   CHILD("net", "10.2.0.0/16", "10.1.0.0/16")

#define LEFT_SITE(options)  LEFT_BEGIN options LEFT_NET "}\n"
#define RIGHT_SITE(options) RIGHT_BEGIN options RIGHT_NET "}\n"

/* { what LEFT's connection says, what RIGHT's says } */
#define SITE(left, right)                                  \
	{                                                  \
		{                                          \
			LEFT_SITE(left), RIGHT_SITE(right) \
		}                                          \
	}

/* ... where a child lives so long. */
#define LIVED(local, remote, life) \
	" child net {\n  local = " local "\n  remote = " remote "\n  lifetime = " life "\n }\n"
#define LIVED_SITE(left, right, life)                                                             \
	{                                                                                         \
		{                                                                                 \
			LEFT_BEGIN left LIVED("10.1.0.0/16", "10.2.0.0/16", life) "}\n",          \
				RIGHT_BEGIN right LIVED("10.2.0.0/16", "10.1.0.0/16", life) "}\n" \
		}                                                                                 \
	}

/* Links: datagrams take from lo to hi ms; and one that loses and duplicates, too. */
#define DELAYS(lo, hi)                 \
	{                              \
		.delay_ms = { lo, hi } \
	}
#define LOSSY                                                 \
	{                                                     \
		.loss = 20, .dup = 10, .delay_ms = { 1, 200 } \
	}
/* For stories that say that an IKE SA stays: of the thirteen datagrams of a request and their
 * answers one has to come, in all of 20 000 runs, or it is made anew, and rightly. */
#define ROUGH                                                 \
	{                                                     \
		.loss = 10, .dup = 10, .delay_ms = { 1, 200 } \
	}

/* Three children, in another order at the other end. */
#define LEFT_DMZ  CHILD("dmz", "10.3.0.0/16", "10.4.0.0/16")
#define LEFT_LAB  CHILD("lab", "10.5.0.0/16", "10.6.0.0/16")
#define RIGHT_DMZ CHILD("dmz", "10.4.0.0/16", "10.3.0.0/16")
#define RIGHT_LAB CHILD("lab", "10.6.0.0/16", "10.5.0.0/16")

#define LEFT_THREE(options)  LEFT_BEGIN options LEFT_NET LEFT_DMZ LEFT_LAB "}\n"
#define RIGHT_THREE(options) RIGHT_BEGIN options RIGHT_LAB RIGHT_DMZ RIGHT_NET "}\n"
#define THREE(left, right)                                   \
	{                                                    \
		{                                            \
			LEFT_THREE(left), RIGHT_THREE(right) \
		}                                            \
	}

#define LEFT6_SITE(options)                        \
	ME("left.example.org")                     \
	PEER("2001:db8:2::2", "right.example.org") \
	options CHILD("net", "{ 10.1.0.0/16, fd01::/48 }", "{ 10.2.0.0/16, fd02::/48 }") "}\n"
#define RIGHT6_SITE(options)                      \
	ME("right.example.org")                   \
	PEER("2001:db8:1::1", "left.example.org") \
	options CHILD("net", "{ 10.2.0.0/16, fd02::/48 }", "{ 10.1.0.0/16, fd01::/48 }") "}\n"
#define SITE6(left, right)                                   \
	{                                                    \
		{                                            \
			LEFT6_SITE(left), RIGHT6_SITE(right) \
		}                                            \
	}

#endif
