/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the drop reasons. */
#include "esp/drop.h"

static const char *const names[N_DROPS] = {
	[DROP_NONE] = "none",
	[DROP_SHORT] = "short",
	[DROP_SPI] = "unknown-spi",
	[DROP_REPLAY] = "replay",
	[DROP_ICV] = "icv",
	[DROP_PADDING] = "padding",
	[DROP_NEXT_HEADER] = "next-header",
	[DROP_DUMMY] = "dummy",
	[DROP_INNER] = "inner-malformed",
	[DROP_SELECTOR] = "selector",
	[DROP_ECN] = "ecn",
	[DROP_NO_SA] = "no-sa",
	[DROP_TOO_BIG] = "too-big",
	[DROP_FRAGMENT] = "fragment",
	[DROP_HEADER] = "header",
	[DROP_EXHAUSTED] = "sequence-exhausted",
	[DROP_LIMIT] = "limit",
	[DROP_CRYPTO] = "crypto",
	[DROP_QUEUE] = "queue-full",
	[DROP_SEND] = "send",
};

const char *drop_name(enum drop d)
{
	return (size_t)d < N_DROPS ? names[d] : "unknown";
}
