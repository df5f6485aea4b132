/* SPDX-License-Identifier: Apache-2.0 */
/* The first inputs of the targets whose formats our own code can write: netlink
 * (tests/fuzz/seeds_netlink.c), ipc, base, control, identity and reassembly.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jobs.h"
#include "daemon/bundle.h"
#include "daemon/proto.h"
#include "daemon/sealed.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/texts.h"

enum { ROOM = 16384 };

static struct ts ours, theirs;

struct sa_desc seed_desc(void)
{
	ours = fuzz_net_ts("10.1.0.0/16");
	theirs = fuzz_net_ts("10.2.0.0/16");
	return (struct sa_desc){ .plane = PLANE_KERNEL,
				 .dir = SA_OUT,
				 .spi = 0x1001,
				 .twin_spi = 0x1002,
				 .reqid = SA_REQID_BASE + 1,
				 .encr_id = 20,
				 .encr_key_bits = 128,
				 .encr_key = { .len = 20 },
				 .esn = true,
				 .encap = true,
				 .path = { { fuzz_addr("192.0.2.1"), 4500 },
					   { fuzz_addr("192.0.2.2"), 4500 } },
				 .local = { 1, &ours },
				 .remote = { 1, &theirs } };
}

/* ---- ipc ---- */

static void save_message(struct seeds *out, const char *name, uint8_t table, uint8_t type,
			 const struct wr *content)
{
	static uint8_t whole[ROOM];
	struct wr w = wr_into(whole, sizeof(whole));
	const bool with_fd = type == MSG_CONFIG || type == MSG_PEER || type == MSG_SOCKET;

	wr_u8(&w, table);
	wr_u8(&w, type);
	wr_u8(&w, with_fd ? 1 : 0);
	wr_u16(&w, (uint16_t)wr_len(content));
	wr_span(&w, wr_done(content));
	FUZZ_HOLDS(wr_ok(content) && wr_ok(&w));
	seed_save(out, "ipc", name, wr_done(&w));
}

/* The same body for fuzz_base, whose first byte says which decoder. */
static void save_body(struct seeds *out, const char *name, uint8_t decoder,
		      const struct wr *content)
{
	static uint8_t whole[ROOM];
	struct wr w = wr_into(whole, sizeof(whole));

	wr_u8(&w, decoder);
	wr_span(&w, wr_done(content));
	FUZZ_HOLDS(wr_ok(&w));
	seed_save(out, "base", name, wr_done(&w));
}

/* As in fuzz_base.c. */
enum { BASE_SA_CMD, BASE_SA_DONE, BASE_PLANE_EVENT, BASE_JOB, BASE_RESULT };

enum { FROM_MONITOR = 0, FROM_PROCESS = N_ROLES, FROM_ENGINE = 2 * N_ROLES };
enum { TO_ENGINE = 3 * N_ROLES };

/* The body of the next message. */
static struct wr *body(void)
{
	static uint8_t bytes[2048];
	static struct wr w;

	w = wr_into(bytes, sizeof(bytes));
	return &w;
}

static void small_messages(struct seeds *out)
{
	struct wr *w;

	msg_config_put(w = body(), &(struct msg_config){ 1, 2 });
	save_message(out, "config", FROM_MONITOR + ROLE_ESP, MSG_CONFIG, w);
	msg_role_put(w = body(), ROLE_ESP);
	save_message(out, "peer", FROM_MONITOR + ROLE_ENGINE, MSG_PEER, w);
	msg_socket_put(w = body(), &(struct msg_socket){ SOCK_NAT4, 1, 0 });
	save_message(out, "socket", FROM_MONITOR + ROLE_ESP, MSG_SOCKET, w);
	msg_text_put(w = body(), &(struct msg_text){ 7, ERR_CONFIG, span_str("line 3: no") });
	save_message(out, "reloaded", FROM_MONITOR + ROLE_ENGINE, MSG_RELOADED, w);
	save_message(out, "refused", FROM_PROCESS + ROLE_ESP, MSG_REFUSED, w);
	msg_number_put(w = body(), 7);
	save_message(out, "ready", FROM_PROCESS + ROLE_SIGNER, MSG_READY, w);
	msg_restart_put(w = body(), &(struct msg_restart){ .ticket = 7,
							   .pid = 4711,
							   .room = 64,
							   .command = span_str("/sbin/posternd") });
	save_message(out, "restart", FROM_PROCESS + ROLE_ENGINE, MSG_RESTART, w);
	msg_child_put(w = body(), &(struct msg_child){ "office", "lan", 1400 });
	save_message(out, "mtu", FROM_PROCESS + ROLE_ENGINE, MSG_MTU, w);
	save_message(out, "guard", FROM_PROCESS + ROLE_ENGINE, MSG_GUARD, w);
	msg_resolved_put(w = body(),
			 &(struct msg_resolved){
				 .ticket = 7,
				 .n = 2,
				 .addr = { fuzz_addr("192.0.2.1"), fuzz_addr("2001:db8::1") } });
	save_message(out, "resolved", TO_ENGINE + ROLE_FETCHER, MSG_RESOLVED, w);
	msg_addresses_put(w = body(),
			  &(struct msg_addresses){
				  .n = 2,
				  .addr = { fuzz_addr("192.0.2.1"), fuzz_addr("2001:db8::1") } });
	save_message(out, "addresses", FROM_MONITOR + ROLE_ENGINE, MSG_ADDRESSES, w);
	msg_text_put(w = body(), &(struct msg_text){ 7, OK, span_str("gw.example.org") });
	save_message(out, "resolve", FROM_ENGINE + ROLE_FETCHER, MSG_RESOLVE, w);
	msg_datagram_put(w = body(), &(struct msg_datagram){ .path = seed_desc().path,
							     .bytes = span_str("x") });
	save_message(out, "datagram", TO_ENGINE + ROLE_ESP, MSG_DATAGRAM, w);
}

static void plane_messages(struct seeds *out)
{
	const struct sa_cmd cmd = { .ticket = 3, .op = SA_INSTALL, .sa = seed_desc() };
	const struct sa_done done = { .ticket = 3, .err = ERR_EXISTS, .why = "taken" };
	const struct plane_event ev = {
		.kind = PLANE_ACQUIRE,
		.flow = { .src = fuzz_addr("10.1.0.1"), .dst = fuzz_addr("10.2.0.1"), .proto = 6 }
	};
	const struct plane_caps caps = { .v4 = true,
					 .n_encr = 1,
					 .encr = { { 20, 128 } },
					 .n_integ = 1,
					 .integ = { 12 },
					 .lacks = "CONFIG_INET6_ESP" };
	struct wr *w;

	sa_cmd_encode(w = body(), &cmd);
	save_message(out, "command", FROM_ENGINE + ROLE_ESP, MSG_SA, w);
	save_body(out, "sa-cmd-install", BASE_SA_CMD, w);
	sa_done_encode(w = body(), &done);
	save_message(out, "done", TO_ENGINE + ROLE_ESP, MSG_SA_DONE, w);
	save_body(out, "sa-done", BASE_SA_DONE, w);
	plane_event_encode(w = body(), &ev);
	save_message(out, "plane", FROM_MONITOR + ROLE_ENGINE, MSG_PLANE, w);
	save_body(out, "plane-event", BASE_PLANE_EVENT, w);
	plane_caps_encode(w = body(), &caps);
	save_message(out, "caps", FROM_MONITOR + ROLE_ENGINE, MSG_CAPS, w);
}

/* Those of the other workers go to fuzz_base alone. */
static void other_jobs(struct seeds *out)
{
	const struct job sign = { .ticket = 1,
				  .kind = JOB_SIGN,
				  .sign = { .key = "office",
					    .hashes = 0x1c,
					    .rfc7427 = true,
					    .octets = span_str("octets") } };
	const struct job mac = {
		.ticket = 1,
		.kind = JOB_PSK_MAC,
		.psk_mac = { .key = "office", .prf_id = 5, .octets = span_str("octets") }
	};
	const struct job ke = {
		.ticket = 1,
		.kind = JOB_KE,
		.ke = { .group = 31, .secret = span_str("secret"), .peer = span_str("peer") }
	};
	struct wr *w;

	job_encode(w = body(), &sign);
	save_body(out, "job-sign", BASE_JOB, w);
	job_encode(w = body(), &mac);
	save_body(out, "job-psk", BASE_JOB, w);
	job_encode(w = body(), &ke);
	save_body(out, "job-ke", BASE_JOB, w);
}

static void job_messages(struct seeds *out)
{
	const struct job j = { .ticket = 5,
			       .kind = JOB_VERIFY,
			       .verify = { .connection = "office",
					   .method = AUTH_SIGNATURE,
					   .octets = span_str("octets"),
					   .auth = span_str("auth"),
					   .chain = span_str("chain") } };
	const struct job_result r = { .ticket = 5,
				      .kind = JOB_VERIFY,
				      .err = ERR_CERT_UNTRUSTED,
				      .text = "no" };
	struct wr *w;

	job_encode(w = body(), &j);
	save_message(out, "job", FROM_ENGINE + ROLE_VERIFIER, MSG_JOB, w);
	save_body(out, "job-verify", BASE_JOB, w);
	job_result_encode(w = body(), &r);
	save_message(out, "result", TO_ENGINE + ROLE_VERIFIER, MSG_RESULT, w);
	save_body(out, "job-result", BASE_RESULT, w);
}

/* As bundle_write lays it out: magic, file name, text, count, files. */
static void bundle(struct seeds *out)
{
	static const char text[] =
		"connection a {\n address = 192.0.2.1\n identity = b.example.org\n"
		" auth = psk\n psk_file = k\n child c {\n  local = 10.1.0.0/16\n"
		"  remote = 10.2.0.0/16\n }\n}\nme {\n identity = a.example.org\n}\n";
	static char name[] = "postern.conf";
	struct conf c = { .file = name };
	static uint8_t room[ROOM];
	struct wr w = wr_into(room, sizeof(room));
	ssize_t n;
	int fd;

	wr_u8(&w, 128);
	wr_u8(&w, 0);
	FUZZ_HOLDS(sealed_make("x", &fd) == OK);
	FUZZ_HOLDS(bundle_write(fd, ROLE_ENGINE, span_str(text), &c, SPAN_EMPTY) == OK);
	n = pread(fd, room + wr_len(&w), sizeof(room) - wr_len(&w), 0);
	FUZZ_HOLDS(n > 0);
	seed_save(out, "ipc", "bundle", span_of(room, wr_len(&w) + (size_t)n));
	close(fd);
}

/* ---- what people write ---- */

static const struct {
	const char *target;
	const char *name;
	const char *bytes;
	size_t len;
} texts[] = {
#define TEXT(target, name, bytes)                      \
	{                                              \
		target, name, bytes, sizeof(bytes) - 1 \
	}
	TEXT("identity", "two-fqdn", "\x00\x05\x02gW.ex\x02gw.EX"),
	TEXT("identity", "two-email",
	     "\x00\x05\x03"
	     "a@b.c\x03"
	     "a@B.c"),
	TEXT("identity", "two-addresses",
	     "\x00\x04\x01\xc0\x00\x02\x01\x05"
	     "0123456789abcdef"),
	TEXT("identity", "two-names",
	     "\x00\x11\x09\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04gate\x09\x30\x0f\x31"
	     "\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04gate"),
	TEXT("identity", "fqdn", "\x01gw.example.org"),
	TEXT("identity", "email", "\x01user@example.org"),
	TEXT("identity", "ipv4",
	     "\x01"
	     "192.0.2.1"),
	TEXT("identity", "ipv6",
	     "\x01"
	     "2001:db8::1"),
	TEXT("identity", "keyid", "\x01keyid:office-7"),
	TEXT("identity", "keyid-hex", "\x01keyid:0x0102ff"),
	TEXT("identity", "dn",
	     "\x02"
	     "C=XX, O=Ex\\, ample, CN=gw+OU=a, DC=org, emailAddress=a@b"),
	TEXT("identity", "dn-oid",
	     "\x02"
	     "1.2.3.4=x, CN=#0c0267"),
	TEXT("identity", "net",
	     "\x03"
	     "10.1.0.0/16"),
	TEXT("identity", "net6",
	     "\x03"
	     "fd01::/48"),
	TEXT("reassembly", "three",
	     "\x00\x01\x03\x01\x23\x00\x10\x61\x00\x03\x03\x01\x00\x00\x10\x62\x00\x02\x03\x01\x00"
	     "\x00\x10\x63\x00"),
	TEXT("reassembly", "wrongs",
	     "\x01\x01\x02\x01\x23\x00\x10\x61\x01\x01\x02\x01\x23\x00\x10\x61\x02\x02\x02\x01\x00"
	     "\x4e\x1f\x62\x00\x01\x03\x01\x23\x00\x10\x61\x00\x01\x01\x02\x23\x00\x00\x61\x00\x00"
	     "\x01\x02\x23\x00\x00\x61\x00\x41\x42\x02\x00\x00\x00\x61\x00"),
	TEXT("control", "status",
	     "\x00\x00\x40\x00\x16{\"v\":1,\"do\":\"status\"}\x02\x00\x00\x00"),
	TEXT("control", "status-one",
	     "\x01\x00\x41\x00\x24{\"v\":1,\"do\":\"status\",\"name\":\"road\"}  \x05\x00\x00\x00"),
	TEXT("control", "watch-up",
	     "\x00\x00\x42\x00\x14{\"v\":1,\"do\":\"watch\"}"
	     "\x00\x40\x00\x26{\"v\":1,\"do\":\"up\",\"name\":\"office/lan\"} \x05\x00\x00\x00"
	     "\x03\x48\x00\x05\x07gate\x03\x68\x00\x01\x07\x01\x00\x00\x00\x01\x02\x00\x00"),
	TEXT("control", "down-reload",
	     "\x00\x00\x40\x00\x23{\"v\":1,\"do\":\"down\",\"name\":\"office\"} \x05\x00\x00\x00"
	     "\x00\x42\x00\x16{\"v\":1,\"do\":\"reload\"}\x05\x00\x00\x00\x04\x05\x00\x05wrong"),
	TEXT("control", "wait-denied",
	     "\x00\x00\x41\x00\x21{\"v\":1,\"do\":\"wait\",\"name\":\"road\"} "
	     "\x00\x43\x00\x1f{\"v\":1,\"do\":\"up\",\"name\":\"road\"} \x05\x00\x00\x00"),
	TEXT("control", "no-engine", "\x02\x00\x40\x00\x16{\"v\":1,\"do\":\"status\"}"),
};

/* The kernel's numbers and gaps are those of the machine; in the tree they are of such a one. */
static bool is_64_bit_little_endian(void)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(long) == 8;
}

int main(int argc, char **argv)
{
	struct seeds out = seeds_begin(argc, argv);

	if (is_64_bit_little_endian())
		seed_netlink(&out);
	small_messages(&out);
	plane_messages(&out);
	job_messages(&out);
	other_jobs(&out);
	bundle(&out);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		seed_save(&out, texts[i].target, texts[i].name,
			  span_of(texts[i].bytes, texts[i].len));
	return seeds_end(&out);
}
