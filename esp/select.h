/* SPDX-License-Identifier: Apache-2.0 */
/* Which SA carries an inner packet, and whether an inner packet may have come by the SA that it
 * came by (RFC 4301 5.1, 5.2). */
#ifndef ESP_SELECT_H
#define ESP_SELECT_H

#include "esp/sad.h"

/* The outbound SA whose selectors fit the packet most narrowly: addresses before protocol before
 * ports; between equals the newest. if_id: the device that it comes from; only SAs of that are
 * looked at. NULL when none fits: the packet is then never sent in any other way. */
struct sa *select_outbound(const struct sa_list *l, const struct flow *f, uint32_t if_id);
/* `f` is as the packet says (src is the peer's side). */
bool select_inbound(const struct sa *sa, const struct flow *f);
/* Must a fragment of this flow become whole before its SA is chosen? Yes when one of transport mode
 * joins its two hosts: which of them it is may depend on ports. */
bool select_whole(const struct sa_list *l, const struct flow *f, uint32_t if_id);

#endif
