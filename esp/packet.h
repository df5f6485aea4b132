/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP packet (RFC 4303 2): SPI, sequence number, IV, payload, padding, trailer, ICV. */
#ifndef ESP_PACKET_H
#define ESP_PACKET_H

#include "base/sadesc.h"
#include "crypto/alg.h"

enum {
	ESP_HEAD_LEN = 8,
	ESP_TRAILER_LEN = 2,
	ESP_ROOM = 8 + 16 + 17 + 32, /* more than any suite of ours adds to an inner packet */
};

/* IP protocol numbers that may stand in the trailer (RFC 4303 2.6). */
enum { NEXT_IPV4 = 4, NEXT_IPV6 = 41, NEXT_DUMMY = 59 };

/* What the suite of an SA makes of its packets; everything about lengths follows from here. */
struct shape {
	const struct encr *encr;
	const struct integ *integ; /* NULL with AEAD */
	uint8_t iv_len;
	uint8_t icv_len;
	uint8_t align; /* payload, padding and trailer fill a multiple: of 4, or of the block */
	bool esn;
};

/* ERR_UNSUPPORTED when a transform is unknown, or a cipher without integrity has none beside it. */
MUST_USE enum err shape_from_desc(const struct sa_desc *d, struct shape *s);
/* Length of the ESP packet (SPI to ICV) around `payload_len` bytes. */
size_t shape_sealed_len(const struct shape *s, size_t payload_len);
/* The longest payload whose ESP packet has at most `esp_len` bytes; 0 when there is none. */
size_t shape_payload_max(const struct shape *s, size_t esp_len);

/* The parts of one packet, in place. */
struct esp_parts {
	uint32_t spi;
	uint32_t seq; /* the low half, as on the wire */
	uint8_t *iv;
	uint8_t *text; /* payload, padding and trailer */
	size_t text_len;
	uint8_t *icv;
};

/* Writes header, payload, padding and trailer into `w` and leaves room for IV and ICV. ERR_SPACE
 * when they do not fit. */
MUST_USE enum err esp_lay(struct wr *w, const struct shape *s, struct esp_parts *p,
			  struct span payload, uint8_t next);
/* Cuts a datagram (SPI first) into its parts. ERR_SYNTAX when it is too short or the text is not
 * whole blocks. */
MUST_USE enum err esp_split(uint8_t *d, size_t len, const struct shape *s, struct esp_parts *p);
/* The payload of an opened text, and its next header. False when the padding is not as RFC 4303 2.4
 * wants it. */
MUST_USE bool esp_trailer(struct span text, struct span *payload, uint8_t *next);

/* What the ICV covers beside IV and text: with AEAD the SPI and the whole sequence number (RFC 4106
 * 5), with a MAC the header, and the high half of an ESN behind the text (RFC 4303 2.2.1). */
struct esp_cover {
	uint8_t aad[12];
	uint8_t high[4];
	struct span aad_span;
	struct span suffix;
};

void esp_cover(struct esp_cover *c, const struct shape *s, uint32_t spi, uint64_t seq);

#endif
