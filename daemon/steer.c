/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/steer.h"

#include <string.h>
#include <sys/socket.h>

#include "base/sadesc.h"

enum {
	SPI_R = 8, /* in an IKE header (RFC 7296 3.1): of the responder */
	NEXT_PAYLOAD = 16,
	EXCHANGE = 18,
	IKE_SA_INIT = 34,
	NOTIFY = 41,
	SORT_LEN = 11,
	GROUP_LEN = 11 + SORT_LEN,
};

static enum err group_attach(int fd, struct sock_filter *prog, unsigned short len)
{
	struct sock_fprog fprog = { .len = len, .filter = prog };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &fprog, sizeof fprog) == 0
		       ? OK
		       : ERR_SYSTEM;
}

/* Sorts an IKE message that begins at `at`: a request that begins an SA goes to member `first` or
 * the one after it. A message that is too short ends the program at the load: member 0. */
static void sort_ike(struct sock_filter prog[static SORT_LEN], uint32_t at, uint32_t first)
{
	const struct sock_filter p[SORT_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + SPI_R),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 8),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + SPI_R + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at + EXCHANGE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IKE_SA_INIT, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, at + NEXT_PAYLOAD),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NOTIFY, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, first + QUEUE_FIRST - 1),
		BPF_STMT(BPF_RET | BPF_K, first + QUEUE_COOKIE - 1),
		BPF_STMT(BPF_RET | BPF_K, QUEUE_SA),
	};

	memcpy(prog, p, sizeof p);
}

enum err steer_attach(int fd, unsigned int n_workers, bool kernel)
{
	struct sock_filter prog[GROUP_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 4, 0, 9), /* shorter than a word: too short */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SPI_USER_BIT, 0, 5),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 24),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SPI_OWNERS - 1),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n_workers),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), /* marker: IKE */
		BPF_STMT(BPF_RET | BPF_K, kernel ? n_workers + 1 : 0),
	};

	if (n_workers == 0)
		return ERR_CONFIG;
	sort_ike(prog + GROUP_LEN - SORT_LEN, sizeof(uint32_t), n_workers + (kernel ? 2 : 1));
	return group_attach(fd, prog, GROUP_LEN);
}

enum err steer_attach_ike(int fd)
{
	struct sock_filter prog[SORT_LEN];

	sort_ike(prog, 0, QUEUE_FIRST);
	return group_attach(fd, prog, SORT_LEN);
}

static enum err filter_attach(int fd, struct sock_filter *prog, unsigned short len)
{
	struct sock_fprog fprog = { .len = len, .filter = prog };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof fprog) == 0 ? OK
										       : ERR_SYSTEM;
}

enum err steer_drop_all(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);

	return filter_attach(fd, &none, 1);
}

enum err steer_raw(int fd, bool v6)
{
	struct sock_filter prog[] = {
		/* X: where the ESP header begins */
		v6 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0)
		   : (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SPI_USER_BIT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return filter_attach(fd, prog, sizeof prog / sizeof prog[0]);
}
