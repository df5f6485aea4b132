/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/steer.h"

#include <string.h>
#include <sys/socket.h>

#include "base/sadesc.h"

void steer_program(struct sock_filter prog[static STEER_LEN], unsigned int n_workers, bool kernel)
{
	const struct sock_filter p[STEER_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 4, 0, 9), /* shorter than a word: engine */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SPI_USER_BIT, 0, 5),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 24),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SPI_OWNERS - 1),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n_workers),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), /* marker: engine */
		BPF_STMT(BPF_RET | BPF_K, kernel ? n_workers + 1 : 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(prog, p, sizeof p);
}

enum err steer_attach(int fd, unsigned int n_workers, bool kernel)
{
	struct sock_filter prog[STEER_LEN];
	struct sock_fprog fprog = { .len = STEER_LEN, .filter = prog };

	if (n_workers == 0)
		return ERR_CONFIG;
	steer_program(prog, n_workers, kernel);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &fprog, sizeof fprog) == 0
		       ? OK
		       : ERR_SYSTEM;
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
