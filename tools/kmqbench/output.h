/* SPDX-License-Identifier: GPL-2.0-only */
/* kmqbench: the results, for people and for programs */
#ifndef KMQBENCH_OUTPUT_H
#define KMQBENCH_OUTPUT_H

#include <stdio.h>

#include "bench.h"

/* One case and what its rounds gave */
struct result {
	struct bench_case what;
	struct measured *rounds;
	unsigned int done;	/* rounds that worked; 0 once one failed */
	bool failed;
	/* filled by result_summarize() */
	double value;		/* median */
	double min;
	double max;
	double switches;
	double foreign;		/* of the worst round */
	double mem_stat;
	double mem_kernel;
	double mem_free;
};

struct results {
	struct result *r;
	size_t n;
	const char *unit;	/* "instructions" or "ns" */
};

void result_summarize(struct result *r);
int output_table(const struct results *all, FILE *f);
int output_json(const struct results *all, const char *path);

/* The larger of what the transport and what the kernel says; < 0: unknown */
static inline double result_memory(const struct result *r)
{
	return r->mem_stat > r->mem_kernel ? r->mem_stat : r->mem_kernel;
}

#endif /* KMQBENCH_OUTPUT_H */
