// SPDX-License-Identifier: GPL-2.0-only
/* The parser of records, in user space, against its model. */
#include <string.h>

#include "inputs.h"
#include "libfuzzer.h"

#include <linux/kmq.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input_record(data, size);
	return 0;
}

/* Makes lengths fit what is there: chance alone seldom does. */
static void mend(uint8_t *buf, size_t len, unsigned int seed)
{
	struct kmq_record rec;
	size_t at = 0, size;

	while (len - at >= sizeof(rec)) {
		memcpy(&rec, buf + at, sizeof(rec));
		rec.body_len %= 256;
		rec.attr_len = seed & 2 ? 0 : rec.attr_len % 128 & ~7u;
		rec.flags = 0;
		size = (sizeof(rec) + rec.attr_len + rec.body_len + 7) & ~7u;
		if (size > len - at)
			return;
		rec.size = size;
		memcpy(buf + at, &rec, sizeof(rec));
		if (rec.attr_len >= sizeof(struct kmq_record_attr)) {
			struct kmq_record_attr attr = {
				.type = 1 + (seed >> 2) % 2,
				.len = rec.attr_len - sizeof(attr),
			};

			memcpy(buf + at + sizeof(rec), &attr, sizeof(attr));
		}
		at += size;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max);
	if (seed % 4 == 0 && size)
		mend(data + 1, size - 1, seed >> 2);
	return size;
}
