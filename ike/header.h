/* SPDX-License-Identifier: Apache-2.0 */
/* The IKE header (RFC 7296 3.1): 28 bytes, as a plain struct. */
#ifndef IKE_HEADER_H
#define IKE_HEADER_H

#include "base/bytes.h"
#include "base/err.h"
#include "ike/wire.h"

struct ike_header {
	uint64_t spi_i;
	uint64_t spi_r;
	uint8_t next;	 /* type of the first payload */
	uint8_t version; /* major << 4 | minor */
	uint8_t exchange;
	uint8_t flags; /* FLAG_* */
	uint32_t message_id;
	uint32_t length; /* of the whole message, header included */
};

/* Reads the header of a whole datagram. ERR_SYNTAX: shorter than a header, Length is not the
 * datagram's, or spi_i is zero. ERR_VERSION: major version is not 2; *h is filled as if it were,
 * so that the caller may answer INVALID_MAJOR_VERSION to a higher one (RFC 7296 2.5) and drop
 * IKEv1 in silence. Reserved flags and the minor version are ignored. */
MUST_USE enum err header_decode(struct span datagram, struct ike_header *h);
/* Writes 28 bytes; reserved flag bits are written as given. */
void header_encode(struct wr *w, const struct ike_header *h);

bool header_is_response(const struct ike_header *h);
/* The sender is the original initiator of the IKE SA. */
bool header_from_initiator(const struct ike_header *h);

/* A message that was cut into fragments is kept as one piece of bytes: whole datagrams one
 * behind the other, told apart by their Length fields. Takes the next one off; false at the end
 * (or when broken). */
bool header_split(struct rd *r, struct span *datagram);

#endif
