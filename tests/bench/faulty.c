// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into kmqbench: spoils one message of SIZE bytes on its way.
 *
 * FAULT=KIND:N, where KIND is
 *   change  the N-th message read has another bit in its middle
 *   lose    the N-th message read is thrown away, the next one given
 *   repeat  the N-th message is the one before again
 *   extra   the N-th message is written twice
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE	64

static char kind[16];
static unsigned long at;

static int active(const char *wanted)
{
	const char *env = getenv("FAULT"), *colon;

	if (!at && env) {
		colon = strchr(env, ':');
		if (!colon || (size_t)(colon - env) >= sizeof(kind))
			abort();
		memcpy(kind, env, colon - env);
		at = strtoul(colon + 1, NULL, 10);
	}
	return !strcmp(kind, wanted);
}

ssize_t read(int fd, void *buf, size_t len)
{
	static ssize_t (*real)(int, void *, size_t);
	static unsigned char last[SIZE];
	static unsigned long nr;
	ssize_t n;

	if (!real)
		real = (ssize_t (*)(int, void *, size_t))
			dlsym(RTLD_NEXT, "read");
	n = real(fd, buf, len);
	if (n != SIZE)
		return n;
	nr++;
	if (active("change") && nr == at)
		((unsigned char *)buf)[SIZE / 2] ^= 4;
	if (active("lose") && nr == at)
		return real(fd, buf, len);
	if (active("repeat") && nr == at)
		memcpy(buf, last, SIZE);
	memcpy(last, buf, SIZE);
	return n;
}

ssize_t write(int fd, const void *buf, size_t len)
{
	static ssize_t (*real)(int, const void *, size_t);
	static unsigned long nr;

	if (!real)
		real = (ssize_t (*)(int, const void *, size_t))
			dlsym(RTLD_NEXT, "write");
	if (len == SIZE && active("extra") && ++nr == at)
		real(fd, buf, len);
	return real(fd, buf, len);
}
