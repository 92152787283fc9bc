// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: how much memory the kernel uses */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench.h"

int memory_read(struct memory *m)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128], key[64];
	int64_t kb;

	if (!f)
		return run_failed("/proc/meminfo: %s", strerror(errno));
	memset(m, 0, sizeof(*m));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %" SCNd64, key, &kb) != 2)
			continue;
		if (!strcmp(key, "Slab") || !strcmp(key, "Percpu") ||
		    !strcmp(key, "VmallocUsed"))
			m->kernel += kb * 1024;
		else if (!strcmp(key, "MemFree"))
			m->free = kb * 1024;
	}
	fclose(f);
	return 0;
}

/* What earlier work freed comes back late (RCU, work queues): wait for it */
int memory_read_settled(struct memory *m)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000000 };
	struct memory last;
	int i;

	if (memory_read(m) < 0)
		return -1;
	for (i = 0; i < 40; i++) {
		last = *m;
		nanosleep(&pause, NULL);
		if (memory_read(m) < 0)
			return -1;
		if (m->kernel == last.kernel)
			break;
	}
	return 0;
}
