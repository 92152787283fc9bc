// SPDX-License-Identifier: GPL-2.0-only
/* Counters that all processes add to, and the list of what was wrong. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "faults.h"

struct shared *shared;
unsigned int n_entries;

static const char *const others[] = {
	"open", "close", "read", "write", "readv", "writev", "poll",
	"epoll_ctl", "mmap", "fdinfo", "FIONREAD", "ctl other",
	"handle other",
};

static void name_entry(const char *prefix, const char *name)
{
	struct entry *e = &shared->entries[n_entries++];

	if (n_entries > MAX_ENTRIES)
		abort();
	snprintf(e->name, sizeof(e->name), "%s%s", prefix, name);
}

/* Every process names them alike. */
static void name_entries(void)
{
	unsigned int i;

	for (i = 0; i < n_requests; i++)
		name_entry("ctl ", requests[i].name);
	for (i = 0; i < n_requests; i++)
		name_entry("handle ", requests[i].name);
	for (i = 0; i < n_steps; i++)
		name_entry("ADMIN ", steps[i].name);
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		name_entry("", others[i]);
}

/* Whether the file of the counters could be mapped. */
bool shared_attach(const char *path, bool create)
{
	int flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0);
	int fd = sys(SYS_openat, AT_FDCWD, path, flags, 0666);
	void *p = MAP_FAILED;

	if (fd < 0)
		return false;
	if (!create || !ftruncate(fd, sizeof(*shared)))
		p = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);
	sys(SYS_close, fd);
	if (p == MAP_FAILED)
		return false;
	shared = p;
	name_entries();
	return true;
}

int entry_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < n_entries; i++)
		if (!strcmp(shared->entries[i].name, name))
			return i;
	return -1;
}

int entry_of_request(bool ctl, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < n_requests; i++)
		if (requests[i].nr == nr)
			return ctl ? i : n_requests + i;
	return -1;
}

int entry_of_step(unsigned int op)
{
	unsigned int i;

	for (i = 0; i < n_steps; i++)
		if (steps[i].nr == op)
			return 2 * n_requests + i;
	return -1;
}

uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a + 0x9e3779b97f4a7c15ull * (b + 1);

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* NULL when there are too many. */
struct site *site_find(uint64_t key)
{
	unsigned int i, at = key % MAX_SITES;

	for (i = 0; i < 64; i++) {
		struct site *s = &shared->sites[(at + i) % MAX_SITES];
		uint64_t found = 0;

		if (__atomic_compare_exchange_n(&s->key, &found, key, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED) ||
		    found == key)
			return s;
	}
	return NULL;
}

/* Into the file KMQ_FAULTS_LOG names, and among what the test says. */
void violation(const char *fmt, ...)
{
	const char *path = getenv("KMQ_FAULTS_LOG");
	char line[600];
	va_list ap;
	int n, fd;

	n = snprintf(line, sizeof(line), "%s: ",
		     program_invocation_short_name);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - n - 2, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	COUNT(shared->violations);
	sys(SYS_write, 2, line, n);
	fd = path ? sys(SYS_openat, AT_FDCWD, path,
			O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
	if (fd >= 0) {
		sys(SYS_write, fd, line, n);
		sys(SYS_close, fd);
	}
}
