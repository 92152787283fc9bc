// SPDX-License-Identifier: GPL-2.0-only
/*
 * report make FILE SEED: makes the file of the counters.
 * report all|some FILE: prints them, and TAP that says whether failed calls were
 * clean ones and, with "all", whether there was one of everything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

/* Who covers an operation of a file; NULL: see below. */
static const struct {
	const char *operation;
	const char *entry;
} covers[] = {
	{ "open", "open" },
	{ "release", "close" },
	{ "read", "read" },
	{ "write", "write" },
	{ "read_iter", "readv" },
	{ "write_iter", "writev" },
	{ "poll", "poll" },
	{ "mmap", "mmap" },
	{ "show_fdinfo", "fdinfo" },
	/* these have requests, below, or do nothing of their own */
	{ "unlocked_ioctl", NULL },
	{ "compat_ioctl", NULL },
	{ "llseek", NULL },
};

/* Where the kernel allocates and copies nothing, no fault can be injected. */
static bool has_no_faults(const char *name)
{
	/* put_user() of a word: memory that is cut off reaches it */
	return !strcmp(name, "close") || !strcmp(name, "FIONREAD");
}

static unsigned int results, failed;

static void result(bool ok, const char *what, const char *name,
		   const char *why)
{
	printf("%sok %u - faults: %s%s%s%s\n", ok ? "" : "not ", ++results,
	       what, name, ok ? "" : ": ", ok ? "" : why);
	failed += !ok;
}

static void was_swept(const char *what, const struct entry *a,
		      const struct entry *b)
{
	uint64_t swept = a->swept + (b ? b->swept : 0);
	uint64_t faults = a->faults + (b ? b->faults : 0);
	uint64_t cut = a->cut + (b ? b->cut : 0);

	result(swept && (faults || (has_no_faults(a->name) &&
				    (cut || !strcmp(a->name, "close")))),
	       what, a->name, swept ? "no fault was injected" :
	       "never swept");
}

static void print_table(void)
{
	struct entry sum = { .name = "together" };
	unsigned int i;

	printf("# %-15s %7s %6s %6s %6s %5s %6s %6s %7s %6s %6s\n",
	       "entry", "calls", "swept", "faults", "failed", "borne", "cut",
	       "failed", "states", "again", "plain");
	for (i = 0; i <= n_entries; i++) {
		const struct entry *e = i < n_entries ? &shared->entries[i] :
			&sum;

		if (!e->calls)
			continue;
		printf("# %-15s %7ju %6ju %6ju %6ju %5ju %6ju %6ju %7ju %6ju %6ju\n",
		       e->name, e->calls, e->swept, e->faults, e->failed,
		       e->borne, e->cut, e->cut_failed, e->compared, e->again,
		       e->plain);
		/* steps are counted with their request as well */
		if (i >= 2 * n_requests && i < 2 * n_requests + n_steps)
			continue;
		sum.calls += e->calls;
		sum.swept += e->swept;
		sum.faults += e->faults;
		sum.failed += e->failed;
		sum.borne += e->borne;
		sum.cut += e->cut;
		sum.cut_failed += e->cut_failed;
		sum.compared += e->compared;
		sum.again += e->again;
		sum.plain += e->plain;
	}
	printf("# again: like calls that were swept before; plain: others could interfere\n");
	printf("# %ju failed calls show in last_pid; %ju states settled late; usage was checked %ju times\n",
	       shared->last_users, shared->late, shared->usage_checks);
}

static void check_operation(const struct operation *op)
{
	unsigned int i;
	char what[80];
	int e;

	for (i = 0; i < sizeof(covers) / sizeof(*covers); i++)
		if (!strcmp(covers[i].operation, op->name))
			break;
	snprintf(what, sizeof(what), "%s.%s: ", op->file, op->name);
	if (i == sizeof(covers) / sizeof(*covers)) {
		result(false, what, "", "unknown here: sweep it too");
	} else if (covers[i].entry) {
		e = entry_find(covers[i].entry);
		was_swept(what, &shared->entries[e], NULL);
	}
}

static unsigned int count_sites(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_SITES; i++)
		n += !!shared->sites[i].key;
	return n;
}

int main(int argc, char **argv)
{
	bool make = argc > 3 && !strcmp(argv[1], "make"), all;
	unsigned int i;

	if (argc < 3 || !shared_attach(argv[2], make)) {
		fprintf(stderr, "usage: report make FILE SEED, or report all|some FILE\n");
		return 2;
	}
	all = !strcmp(argv[1], "all");
	if (make) {
		shared->seed = strtoull(argv[3], NULL, 0);
		return 0;
	}
	printf("TAP version 13\n");
	printf("# seed %ju, %u places in the programs that make calls\n",
	       shared->seed, count_sites());
	print_table();
	for (i = 0; all && i < n_requests; i++)
		was_swept("request ", &shared->entries[i],
			  &shared->entries[n_requests + i]);
	for (i = 0; all && i < n_steps; i++)
		was_swept("step ", &shared->entries[2 * n_requests + i], NULL);
	for (i = 0; all && i < n_operations; i++)
		check_operation(&operations[i]);
	result(!shared->violations, "each failed call was a clean one", "",
	       "see above");
	printf("1..%u\n", results);
	return failed ? 1 : 0;
}
