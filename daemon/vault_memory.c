/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/vault_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

enum err vault_memory_make(int *out)
{
	int fd = memfd_create("postern-vault", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*out = -1;
	if (fd < 0)
		return ERR_SYSTEM;
	if (ftruncate(fd, (off_t)VAULT_MEMORY_SIZE) != 0 || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
		close(fd);
		return ERR_SYSTEM;
	}
	*out = fd;
	return OK;
}

/* Where the limit is too small for that it may be swapped out, as all else. */
static void lock(void *p, size_t len)
{
	(void)mlock2(p, len, MLOCK_ONFAULT);
}

bool vault_memory_is(int fd)
{
	/* Other seals may be there: hosts may forbid by one that memory is executed. */
	const int matter = SEALS | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	return seals >= 0 && (seals & matter) == SEALS && fstat(fd, &st) == 0 &&
	       st.st_size == (off_t)VAULT_MEMORY_SIZE;
}

enum err vault_memory_map(int fd, void **mem, size_t *size)
{
	void *p;

	*mem = NULL;
	*size = VAULT_MEMORY_SIZE;
	if (!vault_memory_is(fd))
		return ERR_SYNTAX;
	p = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return ERR_SYSTEM;
	(void)madvise(p, *size, MADV_DONTDUMP);
	(void)madvise(p, *size, MADV_DONTFORK);
	lock(p, *size);
	*mem = p;
	return OK;
}

void vault_memory_give_back(struct span part)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)part.p;
	uintptr_t to = from + part.len, first = (from + page - 1) / page * page;
	uintptr_t last = to / page * page;

	if (first >= last) {
		secret_wipe((void *)from, part.len);
		return;
	}
	secret_wipe((void *)from, first - from);
	secret_wipe((void *)last, to - last);
	/* Locked memory cannot be given back. Where other memory cannot be either, it stays, and
	 * was wiped when it counted no more. */
	(void)munlock((void *)first, last - first);
	(void)madvise((void *)first, last - first, MADV_REMOVE);
	lock((void *)first, last - first);
}

void vault_memory_unmap(void *mem, size_t size)
{
	if (mem != NULL)
		(void)munmap(mem, size);
}
