// SPDX-License-Identifier: GPL-2.0-only
/* Messages that say what they are, and whose every byte can be verified. */
#include <string.h>

#include "stress.h"

#define MAGIC 0x716d6b21u

struct stamp {
	uint32_t magic;
	uint32_t producer;
	uint64_t number;
	uint32_t queue;
	uint32_t len;
	uint64_t reserved;
};

static_assert(sizeof(struct stamp) == BODY_MIN, "stamp");

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ull;
	return x ^ x >> 29;
}

static uint64_t cookie_of(uint32_t producer, uint64_t number)
{
	return ((uint64_t)producer + 1) << 32 | number;
}

/* Not all too small beside the largest: a consumer's room then says well how
 * many messages it may get.
 */
static uint32_t least_len(uint32_t max_len)
{
	return max_len / 4 > BODY_MIN ? max_len / 4 : BODY_MIN;
}

uint32_t least_record(uint32_t max_len)
{
	return sizeof(struct kmq_record) + least_len(max_len);
}

static uint32_t body_len(uint32_t producer, uint64_t number, uint32_t max_len)
{
	uint32_t least = least_len(max_len);

	return least + mix(number * 0x1f123bb5 + producer) %
		(max_len - least + 1);
}

uint32_t put_body(void *to, uint32_t queue, uint32_t producer,
		  uint64_t number, uint32_t max_len)
{
	struct stamp stamp = {
		.magic = MAGIC,
		.producer = producer,
		.number = number,
		.queue = queue,
		.len = body_len(producer, number, max_len),
	};
	uint64_t word = mix(number + ((uint64_t)producer << 40));
	char *at = (char *)to + sizeof(stamp);
	uint32_t left = stamp.len - sizeof(stamp);

	memcpy(to, &stamp, sizeof(stamp));
	for (; left >= sizeof(word); left -= sizeof(word)) {
		memcpy(at, &word, sizeof(word));
		at += sizeof(word);
		word += MAGIC;
	}
	memcpy(at, &word, left);
	return stamp.len;
}

uint32_t put_record(void *to, uint32_t queue, uint32_t producer,
		    uint64_t number, uint32_t max_len, unsigned int level)
{
	uint32_t len = put_body((struct kmq_record *)to + 1, queue, producer,
				number, max_len);
	struct kmq_record rec = {
		.size = (sizeof(rec) + len + KMQ_RECORD_ALIGN - 1) /
			KMQ_RECORD_ALIGN * KMQ_RECORD_ALIGN,
		.body_len = len,
		.priority = level * LEVEL_STEP,
		.cookie = cookie_of(producer, number),
	};

	memcpy(to, &rec, sizeof(rec));
	memset((char *)to + sizeof(rec) + len, 0,
	       rec.size - sizeof(rec) - len);
	return rec.size;
}

void see_body(const void *body, uint32_t len, uint32_t queue,
	      struct seen *seen)
{
	const char *at = (const char *)body + sizeof(struct stamp);
	struct stamp stamp;
	uint64_t word;
	uint32_t left;

	seen->intact = false;
	if (len < sizeof(stamp))
		return;
	memcpy(&stamp, body, sizeof(stamp));
	seen->producer = stamp.producer;
	seen->number = stamp.number;
	if (stamp.magic != MAGIC || stamp.len != len || stamp.queue != queue ||
	    stamp.reserved)
		return;
	word = mix(stamp.number + ((uint64_t)stamp.producer << 40));
	for (left = len - sizeof(stamp); left >= sizeof(word);
	     left -= sizeof(word)) {
		if (memcmp(at, &word, sizeof(word)))
			return;
		at += sizeof(word);
		word += MAGIC;
	}
	seen->intact = !memcmp(at, &word, left);
}

int log_records(struct ledger *l, uint32_t queue, struct order *order,
		uint64_t life, const void *buf, size_t bytes,
		_Atomic uint32_t *taking)
{
	const char *at = buf, *last = at + bytes;
	int n = 0;

	while (at < last) {
		struct seen seen = { .stamped = true };
		struct kmq_record rec;

		memcpy(&rec, at, sizeof(rec));
		if ((size_t)(last - at) < sizeof(rec) ||
		    rec.size > (size_t)(last - at) || rec.attr_len ||
		    rec.size < sizeof(rec) + rec.body_len ||
		    rec.size >= sizeof(rec) + rec.body_len + KMQ_RECORD_ALIGN)
			return -1;
		see_body(at + sizeof(rec), rec.body_len, queue, &seen);
		/* a plain write has none */
		if (rec.cookie &&
		    rec.cookie != cookie_of(seen.producer, seen.number))
			seen.intact = false;
		/* seq begins anew with each life of the queue */
		seen.seq = (life << 40 | rec.seq) & LEDGER_SEQ;
		seen.priority = rec.priority;
		seen.pid = rec.pid;
		seen.uid = rec.uid;
		seen.opener = rec.flags & KMQ_REC_OPENER;
		ledger_log(l, queue, order, &seen);
		if (taking)
			*taking -= 1;
		at += rec.size;
		n++;
	}
	return n;
}

unsigned int count_records(const void *buf, size_t bytes)
{
	const char *at = buf, *last = at + bytes;
	unsigned int n = 0;
	uint32_t size;

	for (; at < last; at += size) {
		memcpy(&size, at, sizeof(size));
		if (size < sizeof(struct kmq_record))
			break;
		n++;
	}
	return n;
}
