/* SPDX-License-Identifier: Apache-2.0 */
/* Sending in batches. A socket that is full for a moment is waited for, because a packet lost here
 * is lost inside somebody's TCP connection; but not for long, because the SA's lock is held.
 */
#include "esp/tx.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { TX_ROOM = DATAGRAM_MAX + ESP_ROOM, PATIENCE_MS = 5 };

enum err tx_init(struct tx *tx)
{
	*tx = (struct tx){ .buf = malloc((size_t)BATCH * TX_ROOM) };
	return tx->buf ? OK : ERR_NOMEM;
}

void tx_free(struct tx *tx)
{
	free(tx->buf);
	tx->buf = NULL;
}

struct wr tx_room(struct tx *tx)
{
	return wr_into(tx->buf + (size_t)tx->n * TX_ROOM, TX_ROOM);
}

bool tx_add(struct tx *tx, struct span esp, const struct outer_sock *s, const struct path *path,
	    const struct outer_head *head)
{
	int i = tx->n++;

	tx->iov[i] = (struct iovec){ tx->buf + (size_t)i * TX_ROOM, esp.len };
	tx->m[i].msg_hdr = (struct msghdr){ .msg_iov = &tx->iov[i], .msg_iovlen = 1 };
	outer_address(&tx->m[i].msg_hdr, &tx->envelope[i], s, path, head);
	return tx->n == BATCH;
}

/* Sends from message `at` on; gives how many went. */
static int send_some(struct tx *tx, const struct outer_sock *s, int at)
{
	int n = sendmmsg(s->fd, tx->m + at, (unsigned)(tx->n - at), MSG_DONTWAIT | MSG_NOSIGNAL);

	return n > 0 ? n : 0;
}

static bool wait_writable(const struct outer_sock *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	return poll(&p, 1, PATIENCE_MS) == 1 && (p.revents & POLLOUT);
}

/* Message `at` failed: is one more try of it worth the while? The error may be an old one's, which
 * asking took away. */
static bool try_again(const struct outer_sock *s, int error, int tries)
{
	if (error == EAGAIN || error == EWOULDBLOCK)
		return tries == 0 && wait_writable(s);
	return tries == 0 && error != EMSGSIZE;
}

static void send_all(struct tx *tx, const struct outer_sock *s)
{
	int at = 0, tries = 0;

	while (at < tx->n) {
		int sent = send_some(tx, s, at), error = errno;

		at += sent;
		if (sent > 0)
			tries = 0;
		else if (try_again(s, error, tries))
			tries++;
		else {
			/* A socket that stays full loses the rest of the batch, not its patience
			 * for each packet. */
			int n = error == EAGAIN || error == EWOULDBLOCK ? tx->n - at : 1;

			/* What may be cut is too long for IP itself, and says nothing of the path.
			 */
			if (error == EMSGSIZE && !tx->split && tx->iov[at].iov_len > tx->too_big)
				tx->too_big = tx->iov[at].iov_len;
			tx->lost += (size_t)n;
			at += n;
			tries = 0;
		}
	}
	tx->n = 0;
}

/* Between the two switches another worker may send by a shared raw socket: its packets are then not
 * refused but cut, which does no harm. */
void tx_flush(struct tx *tx, const struct outer_sock *s)
{
	if (tx->split)
		outer_dont_fragment(s, false);
	send_all(tx, s);
	if (tx->split)
		outer_dont_fragment(s, true);
	tx->split = false;
}
