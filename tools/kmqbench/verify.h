/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmqbench: numbered, checksummed messages.
 *
 * A body is an array of 64-bit words: [0] the sequence number, [1] a checksum
 * over all others, the last a mix of the sequence number, a pattern between.
 *
 * What is checked, alike for every transport:
 *   warm-up   each message is filled anew and summed up word by word, the
 *             receive buffer is poisoned before each receive;
 *   measured  each message's number and last word (so order, loss, doubles and
 *             length), the sum of every 64th; the pattern stays as it is.
 * The cost of the latter, about 10 instructions a message and side, is part of
 * every figure.
 */
#ifndef KMQBENCH_VERIFY_H
#define KMQBENCH_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) word_t;

struct lane {
	unsigned char *body;	/* of the first message */
	size_t stride;		/* from body to body */
	size_t words;		/* of a body */
	uint64_t sum;		/* of the pattern */
	void *memory;		/* what to free */
	size_t memory_len;
};

#define VERIFY_EVERY	64u	/* power of two */

static inline uint64_t verify_mix(uint64_t seq)
{
	return (seq + 1) * 0x9e3779b97f4a7c15ull;
}

static inline word_t *lane_body(const struct lane *l, size_t i)
{
	return (word_t *)(l->body + i * l->stride);
}

/* Room for @slots messages of @head bytes before and @tail behind each body */
int lane_alloc(struct lane *l, unsigned int slots, size_t head, size_t size,
	       size_t tail);
void lane_free(struct lane *l);
void lane_pattern(struct lane *l, unsigned int slots);
void lane_fill(struct lane *l, unsigned int n, uint64_t seq);
void lane_poison(struct lane *l);
int lane_check_whole(const struct lane *l, unsigned int n, uint64_t seq);
int lane_complain(const struct lane *l, unsigned int i, uint64_t seq);
uint64_t lane_sum(const struct lane *l, const word_t *w);

static inline void lane_stamp(const struct lane *l, unsigned int n,
			      uint64_t seq)
{
	unsigned int i;

	for (i = 0; i < n; i++, seq++) {
		word_t *w = lane_body(l, i);
		uint64_t mix = verify_mix(seq);

		w[0] = seq;
		w[1] = l->sum + seq + mix * l->words;
		w[l->words - 1] = mix;
	}
}

static inline int lane_check(const struct lane *l, unsigned int n,
			     uint64_t seq)
{
	unsigned int i;

	for (i = 0; i < n; i++, seq++) {
		const word_t *w = lane_body(l, i);

		if (__builtin_expect(w[0] != seq ||
				     w[l->words - 1] != verify_mix(seq), 0))
			return lane_complain(l, i, seq);
		if (!(seq & (VERIFY_EVERY - 1)) && w[1] != lane_sum(l, w))
			return lane_complain(l, i, seq);
	}
	return 0;
}

#endif /* KMQBENCH_VERIFY_H */
