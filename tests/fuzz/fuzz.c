// SPDX-License-Identifier: GPL-2.0-only
/* The fuzzer: libFuzzer, fed with what the kernel did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libfuzzer.h"
#include "run.h"

static void dump(void)
{
	const char *path = getenv("KMQ_FUZZ_PASSED");

	if (path)
		watch_dump(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	run_init();
	atexit(dump);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_program(data, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	size_t n = size / sizeof(struct op), most = max / sizeof(struct op);

	if (!most)
		return size;
	/* now and then anything at all */
	if (n && seed % 64 == 0) {
		n = LLVMFuzzerMutate(data, n * sizeof(struct op),
				     most * sizeof(struct op));
		return n - n % sizeof(struct op);
	}
	n = mutate((struct op *)data, n, most, seed);
	return n * sizeof(struct op);
}

/* The beginning of one, the end of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size,
				 const uint8_t *b, size_t b_size, uint8_t *out,
				 size_t max, unsigned int seed)
{
	size_t an = a_size / sizeof(struct op), bn = b_size / sizeof(struct op);
	size_t most = max / sizeof(struct op);
	size_t head = an ? seed % an + 1 : 0;
	size_t skip = bn ? seed / 256 % bn : 0;
	size_t tail = bn - skip;

	if (head > most)
		head = most;
	if (tail > most - head)
		tail = most - head;
	memcpy(out, a, head * sizeof(struct op));
	memcpy(out + head * sizeof(struct op), b + skip * sizeof(struct op),
	       tail * sizeof(struct op));
	return (head + tail) * sizeof(struct op);
}
