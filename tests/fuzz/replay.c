// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay [--print] FILE...: runs programs of the fuzzer, or prints them. Needs
 * no libFuzzer, so it can be built for 32-bit callers as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static size_t load(const char *path, struct op *ops)
{
	struct op end;
	FILE *f = fopen(path, "re");
	size_t n, i;

	if (!f) {
		perror(path);
		exit(1);
	}
	n = fread(ops, sizeof(*ops), OPS_MAX, f);
	fclose(f);
	memset(&end, OP_END, sizeof(end));
	for (i = 0; i < n; i++)
		if (!memcmp(&ops[i], &end, sizeof(end)))
			return i;
	return n;
}

static void print(const char *path)
{
	struct op ops[OPS_MAX];
	size_t i, n = load(path, ops);

	printf("%s: %zu operations\n", path, n);
	for (i = 0; i < n; i++)
		op_print(i, &ops[i]);
}

static void run(const char *path)
{
	struct op ops[OPS_MAX];
	size_t n = load(path, ops);

	/* the one that is named last is the one that shows the bug */
	printf("%s\n", path);
	fflush(stdout);
	run_program((const uint8_t *)ops, n * sizeof(*ops));
}

int main(int argc, char **argv)
{
	void (*what)(const char *path) = run;
	int i = 1;

	if (argc > 1 && !strcmp(argv[1], "--print")) {
		what = print;
		i++;
	} else {
		run_init();
	}
	if (i >= argc) {
		fputs("usage: replay [--print] FILE...\n", stderr);
		return 2;
	}
	for (; i < argc; i++)
		what(argv[i]);
	return 0;
}
