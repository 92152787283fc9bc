/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "op.h"

/*
 * Memory that operations point to: each thread has pieces of its own, each
 * followed by a page that is not there, and each mapped a second time to be
 * read only.
 */

#define BUFFER_BYTES	(5u << 20)
#define ARGS_BYTES	4096u

/* Memory with its contents, and the same memory read-only. */
struct piece {
	uint8_t *start;
	uint8_t *read_only;
	size_t bytes;
};

struct memory {
	struct piece send;
	struct piece recv;
	struct piece args;
	struct piece attrs;
	struct piece name;
};

/* Where something lies. */
enum place {
	PLACE_PLAIN,		/* at the start; 0..7 */
	PLACE_END = 8,		/* its last byte is the last one there is */
	PLACE_HALF,		/* its second half is not there */
	PLACE_NULL,
	PLACE_NOTHING,		/* nothing of it is there */
	PLACE_KERNEL,
	PLACE_NOWHERE,		/* no address at all */
	PLACE_READ_ONLY,
	PLACE_SHARED,		/* thread 0's: others change it meanwhile */
	PLACES
};

/**
 * struct placed - something that was put somewhere
 * @user: what the kernel is told
 * @here: where it can be written and read, NULL: nowhere
 * @there: how many bytes of it
 */
struct placed {
	uint64_t user;
	uint8_t *here;
	size_t there;
};

extern struct memory memory[NR_THREADS];

void memory_init(void);
struct placed memory_place(const struct piece *piece,
			   const struct piece *shared, unsigned int place,
			   size_t len);
/* What a structure says of its size. */
uint32_t memory_size(unsigned int choice, uint32_t size);

static inline unsigned int place_of(unsigned int choice)
{
	choice %= PLACES;
	return choice < PLACE_END ? PLACE_PLAIN : choice;
}

#endif
