// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: numbered, checksummed messages, the parts that are not hot */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define POISON	0xa5

static uint64_t pattern(uint64_t seq, size_t i)
{
	uint64_t x = seq * 0xbf58476d1ce4e5b9ull + i;

	x ^= x >> 31;
	x *= 0x94d049bb133111ebull;
	return x ^ (x >> 29);
}

int lane_alloc(struct lane *l, unsigned int slots, size_t head, size_t size,
	       size_t tail)
{
	size_t stride = head + size + tail;
	size_t len = (slots * stride + 63) & ~(size_t)63;

	l->memory = aligned_alloc(64, len);
	if (!l->memory)
		return run_failed("no memory for %u messages of %zu bytes",
				  slots, size);
	memset(l->memory, 0, len);
	l->memory_len = slots * stride;
	l->body = (unsigned char *)l->memory + head;
	l->stride = stride;
	l->words = size / 8;
	lane_pattern(l, slots);
	return 0;
}

void lane_free(struct lane *l)
{
	free(l->memory);
	l->memory = NULL;
}

/* Weighted, so that words that changed places are found as well */
uint64_t lane_sum(const struct lane *l, const word_t *w)
{
	uint64_t sum = w[0];
	size_t i;

	for (i = 2; i < l->words; i++)
		sum += w[i] * (i + 1);
	return sum;
}

void lane_pattern(struct lane *l, unsigned int slots)
{
	unsigned int n;
	size_t i;

	l->sum = 0;
	for (i = 2; i + 1 < l->words; i++)
		l->sum += pattern(0, i) * (i + 1);
	for (n = 0; n < slots; n++)
		for (i = 2; i + 1 < l->words; i++)
			lane_body(l, n)[i] = pattern(0, i);
}

void lane_fill(struct lane *l, unsigned int n, uint64_t seq)
{
	unsigned int m;
	size_t i;

	for (m = 0; m < n; m++, seq++) {
		word_t *w = lane_body(l, m);

		w[0] = seq;
		for (i = 2; i + 1 < l->words; i++)
			w[i] = pattern(seq, i);
		w[l->words - 1] = verify_mix(seq);
		w[1] = lane_sum(l, w);
	}
}

void lane_poison(struct lane *l)
{
	memset(l->memory, POISON, l->memory_len);
}

int lane_check_whole(const struct lane *l, unsigned int n, uint64_t seq)
{
	unsigned int i;

	for (i = 0; i < n; i++, seq++) {
		const word_t *w = lane_body(l, i);

		if (w[0] != seq || w[l->words - 1] != verify_mix(seq) ||
		    w[1] != lane_sum(l, w))
			return lane_complain(l, i, seq);
	}
	return 0;
}

int lane_complain(const struct lane *l, unsigned int i, uint64_t seq)
{
	const word_t *w = lane_body(l, i);

	if (w[0] != seq)
		return run_failed("message %" PRIu64 " was due, %" PRIu64
				  " came", seq, w[0]);
	return run_failed("message %" PRIu64 " came changed: checksum %016"
			  PRIx64 ", should be %016" PRIx64, seq,
			  lane_sum(l, w), w[1]);
}
