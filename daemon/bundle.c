/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "base/secret.h"
#include "crypto/prf.h"
#include "daemon/sealed.h"

#define BUNDLE_MAGIC 0x70734231u

enum {
	N_FILE_KINDS = CONF_FILE_QCD_SECRET + 1,
	IS_MARK = 0x100, /* beside the kind: no bytes follow, but their mark */
};

struct bundle {
	uint8_t *bytes;
	size_t len;
	char file[BUNDLE_PATH_MAX];
	struct span text;
	struct span files; /* the packed files, checked by bundle_read */
	uint32_t n_files;
};

/* ---- writing: straight from the configuration's own bytes into the memfd, so that no second copy
 * of a key lies about in this process ---- */

struct sink {
	int fd;
	bool bad;
};

static void sink_bytes(struct sink *k, struct span s)
{
	k->bad = k->bad || sealed_append(k->fd, s) != OK;
}

static void sink_u32(struct sink *k, uint32_t v)
{
	uint8_t b[4];
	struct wr w = wr_into(b, sizeof b);

	wr_u32(&w, v);
	sink_bytes(k, wr_done(&w));
}

static void sink_span(struct sink *k, struct span s)
{
	if (s.len > BUNDLE_MAX)
		k->bad = true;
	sink_u32(k, (uint32_t)s.len);
	sink_bytes(k, s);
}

typedef void file_fn(void *ctx, enum conf_file_kind kind, const struct conf_file *f);

static void conf_each_file(const struct conf *c, file_fn *fn, void *ctx)
{
	for (size_t i = 0; i < c->n_mes; i++) {
		fn(ctx, CONF_FILE_CERTIFICATE, &c->mes[i].certificate);
		fn(ctx, CONF_FILE_KEY, &c->mes[i].key);
		fn(ctx, CONF_FILE_PASSPHRASE, &c->mes[i].passphrase);
		fn(ctx, CONF_FILE_TRUST, &c->mes[i].trust);
	}
	for (size_t i = 0; i < c->n_connections; i++)
		fn(ctx, CONF_FILE_PSK, &c->connections[i].psk);
	fn(ctx, CONF_FILE_QCD_SECRET, &c->qcd_secret);
}

struct writing {
	struct sink sink;
	struct span key;
	enum role role;
	uint32_t n;
	bool counting;
};

/* Of the secret where there is one, so that another end of its line is no change. With kind and
 * path, or it would show which files hold the same. */
static void write_mark(struct writing *x, enum conf_file_kind kind, const struct conf_file *f)
{
	const uint8_t what = (uint8_t)kind;
	const struct span parts[] = {
		span_of(&what, 1),
		span_of((const uint8_t *)f->path, strlen(f->path) + 1),
		f->secret.len > 0 ? f->secret : f->bytes,
	};
	struct key mark;

	if (prf_compute(prf_find(PRF_HMAC_SHA2_256), x->key, parts, 3, &mark) != OK)
		x->sink.bad = true;
	else
		sink_span(&x->sink, key_span(&mark));
}

static void write_file(void *ctx, enum conf_file_kind kind, const struct conf_file *f)
{
	struct writing *x = ctx;
	bool seen = role_may_see(x->role, kind);

	if (f->path == NULL || (!seen && !role_row(x->role)->compares))
		return;
	x->n++;
	if (x->counting)
		return;
	sink_u32(&x->sink, (uint32_t)kind | (seen ? 0 : IS_MARK));
	sink_span(&x->sink, span_str(f->path));
	if (seen)
		sink_span(&x->sink, f->bytes);
	else
		write_mark(x, kind, f);
}

enum err bundle_write(int fd, enum role r, struct span text, const struct conf *c, struct span key)
{
	struct writing x = { .sink = { .fd = fd }, .key = key, .role = r, .counting = true };

	conf_each_file(c, write_file, &x);
	sink_u32(&x.sink, BUNDLE_MAGIC);
	sink_span(&x.sink, span_str(c->file));
	sink_span(&x.sink, text);
	sink_u32(&x.sink, x.n);
	x.counting = false;
	conf_each_file(c, write_file, &x);
	return x.sink.bad ? ERR_SYSTEM : sealed_seal(fd);
}

/* ---- reading ---- */

struct packed_file {
	uint32_t kind; /* perhaps with IS_MARK */
	struct span path;
	struct span bytes;
};

static struct packed_file unpack_file(struct rd *r)
{
	struct packed_file f = { .kind = rd_u32(r) };

	f.path = unpack_span(r, BUNDLE_PATH_MAX - 1);
	f.bytes = unpack_span(r, BUNDLE_MAX);
	if ((f.kind & ~(uint32_t)IS_MARK) >= N_FILE_KINDS ||
	    ((f.kind & IS_MARK) != 0 && f.bytes.len != CONF_MARK_LEN))
		rd_fail(r);
	return f;
}

static enum err bundle_parse(struct bundle *b)
{
	struct rd r = rd_from(span_of(b->bytes, b->len));
	struct span file;
	bool good;

	if (rd_u32(&r) != BUNDLE_MAGIC)
		return ERR_SYNTAX;
	file = unpack_span(&r, sizeof b->file - 1);
	if (file.len > 0)
		memcpy(b->file, file.p, file.len);
	b->text = unpack_span(&r, BUNDLE_MAX);
	b->n_files = rd_u32(&r);
	good = rd_ok(&r);
	b->files = rd_rest(&r);
	r = rd_from(b->files);
	for (uint32_t i = 0; i < b->n_files && rd_ok(&r); i++)
		(void)unpack_file(&r);
	return good && rd_end(&r) ? OK : ERR_SYNTAX;
}

enum err bundle_read(int fd, struct bundle **out)
{
	struct bundle *b = calloc(1, sizeof *b);
	enum err e = b != NULL ? sealed_read(fd, BUNDLE_MAX, &b->bytes, &b->len) : ERR_NOMEM;

	*out = NULL;
	if (e == OK)
		e = bundle_parse(b);
	if (e == OK)
		*out = b;
	else
		bundle_free(b);
	return e;
}

void bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	secret_free(b->bytes, b->bytes != NULL ? b->len : 0);
	free(b);
}

const char *bundle_file(const struct bundle *b)
{
	return b->file;
}

struct span bundle_text(const struct bundle *b)
{
	return b->text;
}

static enum err source_copy(struct span from, struct span *to)
{
	uint8_t *p = malloc(from.len > 0 ? from.len : 1);

	if (p == NULL)
		return ERR_NOMEM;
	if (from.len > 0)
		memcpy(p, from.p, from.len);
	*to = span_of(p, from.len);
	return OK;
}

static bool file_find(const struct bundle *b, uint32_t kind, const char *path, struct span *bytes)
{
	struct rd r = rd_from(b->files);

	for (uint32_t i = 0; i < b->n_files; i++) {
		struct packed_file f = unpack_file(&r);

		*bytes = f.bytes;
		if (f.kind == kind && span_eq(f.path, span_str(path)))
			return true;
	}
	return false;
}

static enum err source_read(void *ctx, enum conf_file_kind kind, const char *path,
			    struct span *bytes, char why[static 256])
{
	struct span found;

	why[0] = '\0';
	*bytes = SPAN_EMPTY;
	return file_find(ctx, kind, path, &found) ? source_copy(found, bytes) : ERR_UNSUPPORTED;
}

static void source_mark(void *ctx, enum conf_file_kind kind, const char *path,
			uint8_t mark[static CONF_MARK_LEN])
{
	struct span found;

	if (file_find(ctx, (uint32_t)kind | IS_MARK, path, &found))
		memcpy(mark, found.p, CONF_MARK_LEN);
}

enum err bundle_load(struct bundle *b, struct conf **c, struct conf_problems *problems)
{
	const struct conf_source src = { .read = source_read, .mark = source_mark, .ctx = b };

	return conf_load(b->file, b->text, &src, c, problems);
}
