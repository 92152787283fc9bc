// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: what the worker processes of a run share */
#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void usage(uint64_t *switches, uint64_t *cpu)
{
	struct timespec t;
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	*switches = u.ru_nvcsw + u.ru_nivcsw;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	*cpu = t.tv_sec * 1000000000ull + t.tv_nsec;
}

void party_begins(struct run *r, unsigned int who)
{
	usage(&r->report->switches[who], &r->report->cpu[who]);
}

void party_ends(struct run *r, unsigned int who)
{
	uint64_t switches, cpu;

	usage(&switches, &cpu);
	r->report->switches[who] = switches - r->report->switches[who];
	r->report->cpu[who] = cpu - r->report->cpu[who];
}

static void wait_for(sem_t *s)
{
	while (sem_wait(s) < 0 && errno == EINTR)
		;
}

/* Both parties are through with the warm-up; the receiver may wait now */
void rendezvous(struct run *r, unsigned int who)
{
	sem_post(&r->report->party[who]);
	wait_for(&r->report->party[!who]);
}
