/* SPDX-License-Identifier: Apache-2.0 */
/* Message IDs and the answer that is kept: see window.h. */
#include "ike/window.h"

#include <stdlib.h>

#include "base/secret.h"

enum err packets_set(struct packets *p, struct span bytes)
{
	uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
	struct wr w;

	if (!copy)
		return ERR_NOMEM;
	w = wr_into(copy, bytes.len);
	wr_span(&w, bytes);
	packets_free(p);
	*p = (struct packets){ .bytes = copy, .len = bytes.len };
	return OK;
}

struct span packets_span(const struct packets *p)
{
	return span_of(p->bytes, p->len);
}

void packets_free(struct packets *p)
{
	secret_free(p->bytes, p->len);
	*p = (struct packets){ 0 };
}

static enum window_verdict judge_response(const struct window *w, uint32_t id)
{
	return w->asked && id == w->asked_id ? WINDOW_NEW : WINDOW_OUTSIDE;
}

static enum window_verdict judge_request(const struct window *w, uint32_t id)
{
	if (id == w->next_in)
		return w->busy ? WINDOW_BUSY : WINDOW_NEW;
	/* Nothing was answered yet when the answer is empty, so next_in == 0 needs no case of its
	 * own. */
	if (id == w->next_in - 1 && w->answer.len > 0)
		return WINDOW_AGAIN;
	return WINDOW_OUTSIDE;
}

enum window_verdict window_judge(const struct window *w, bool is_response, uint32_t id)
{
	return is_response ? judge_response(w, id) : judge_request(w, id);
}

void window_answered(struct window *w, struct packets *answer)
{
	packets_free(&w->answer);
	w->answer = *answer;
	*answer = (struct packets){ 0 };
	w->next_in++;
	w->busy = false;
}

void window_asked(struct window *w, struct packets *request)
{
	packets_free(&w->request);
	w->request = *request;
	*request = (struct packets){ 0 };
	w->asked_id = w->next_out++;
	w->asked = true;
}

void window_asked_anew(struct window *w, struct packets *request)
{
	packets_free(&w->request);
	w->request = *request;
	*request = (struct packets){ 0 };
}

void window_back(struct window *w, struct packets *request)
{
	window_asked_anew(w, request);
	w->asked_id = 0;
	w->next_out = 1;
	w->asked = true;
}

void window_heard(struct window *w)
{
	packets_free(&w->request);
	w->asked = false;
}

void window_free(struct window *w)
{
	packets_free(&w->answer);
	packets_free(&w->request);
}
