// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel did: which edges of the module were passed (KCOV), which
 * errors came, what it wrote to its log. libFuzzer takes the counters as its
 * own coverage.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run.h"

#define EDGES		(1u << 15)
#define ERRNOS		256u
#define RESULTS		(32u * ERRNOS)
#define KCOV_WORDS	(1u << 16)
#define TEXT_MAX	(1u << 20)	/* bytes of the module's code */

#define KMSG		"/dev/kmsg"
#define KCOV		"/sys/kernel/debug/kcov"
#define TEXT_BASE	"/sys/module/kmq/sections/.text"

static uint8_t counters[EDGES + RESULTS]
	__attribute__((section("__libfuzzer_extra_counters"), used));
static uint8_t passed[TEXT_MAX];
static uint64_t text_base;
static regex_t reports;
static int kmsg = -1;

static void count(uint32_t at)
{
	if (counters[at] < 255)
		counters[at]++;
}

/* A way through the module is the sequence of pairs of blocks. */
static void take_edges(const uint64_t *kcov)
{
	uint64_t i, n = kcov[0], before = 0;

	for (i = 1; i <= n; i++) {
		uint64_t at = kcov[i] - text_base;

		if (at < TEXT_MAX)
			passed[at] = 1;
		count(((at * 0x9e3779b1u) ^ before) % EDGES);
		before = (at * 0x9e3779b1u) >> 1;
	}
}

void watch_before(struct thread *t)
{
	if (t->kcov)
		__atomic_store_n(&t->kcov[0], 0, __ATOMIC_RELAXED);
}

void watch_after(struct thread *t, unsigned int code, long ret)
{
	uint32_t error = ret >= 0 ? 0 : -ret < (long)ERRNOS ? -ret : 1;

	if (t->kcov)
		take_edges(t->kcov);
	count(EDGES + code * ERRNOS + error);
}

void watch_thread(struct thread *t)
{
	int fd = -1;

	t->kcov = NULL;
	if (sizeof(void *) == 8 && text_base)
		fd = open(KCOV, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	if (ioctl(fd, KCOV_INIT_TRACE, (unsigned long)KCOV_WORDS))
		goto fail;
	t->kcov = mmap(NULL, KCOV_WORDS * sizeof(uint64_t),
		       PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t->kcov == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		goto fail;
	return;		/* the file stays open: closing it ends the tracing */
fail:
	perror(KCOV);
	exit(1);
}

static void find_text(void)
{
	FILE *f = fopen(TEXT_BASE, "re");
	unsigned long long base;

	if (!f)
		return;
	if (fscanf(f, "%llx", &base) == 1)
		text_base = base;
	fclose(f);
}

void watch_init(void)
{
	const char *pattern = getenv("KMQ_FUZZ_REPORTS");

	if (!pattern || regcomp(&reports, pattern, REG_EXTENDED | REG_NOSUB)) {
		fprintf(stderr, "KMQ_FUZZ_REPORTS is no pattern\n");
		exit(1);
	}
	kmsg = open(KMSG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0) {
		perror(KMSG);
		exit(1);
	}
	find_text();
}

/* Has the kernel reported anything since? */
void watch_log(void)
{
	char record[8192];

	/* libFuzzer wants something of a program that does nothing */
	count(EDGES + RESULTS - 1);
	for (;;) {
		ssize_t n = read(kmsg, record, sizeof(record) - 1);
		const char *text;

		if (n < 0 && errno == EPIPE)
			continue;	/* some were lost */
		if (n <= 0)
			return;
		record[n] = 0;
		text = strchr(record, ';');
		if (text && !regexec(&reports, text + 1, 0, NULL, 0))
			found("the kernel reports: %s", text + 1);
	}
}

/* The offsets of all blocks passed, for people. */
void watch_dump(const char *path)
{
	FILE *f = fopen(path, "we");
	unsigned int i;

	if (!f) {
		perror(path);
		return;
	}
	for (i = 0; i < TEXT_MAX; i++)
		if (passed[i])
			fprintf(f, "0x%x\n", i);
	fclose(f);
}
