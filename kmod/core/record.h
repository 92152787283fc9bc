/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_CORE_RECORD_H
#define KMQ_CORE_RECORD_H

#include <linux/kernel.h>
#include <linux/types.h>
#include <linux/kmq.h>

/**
 * DOC: the record format
 *
 * Checks records in the kernel's own copy of a sender's buffer, never in user
 * memory, and fills in what a sender may not choose. Pure functions: no locks,
 * no allocation, no lifetime.
 */

#define KMQ_RECORD_MAX \
	((u32)(sizeof(struct kmq_record) + KMQ_ATTR_MAX + KMQ_MESSAGE_MAX))

/**
 * struct kmq_scan - what a walk over packed records found
 * @count: whole, valid records
 * @bytes: bytes they take
 * @error_at: offset of the record or attribute at fault
 * @priority: priority of the first record
 * @top_priority: the highest priority seen
 * @mixed: the records differ in priority
 */
struct kmq_scan {
	u32 count;
	u32 bytes;
	u32 error_at;
	u16 priority;
	u16 top_priority;
	bool mixed;
};

/**
 * kmq_record_size() - bytes a record takes
 * @attr_len: bytes of attributes, a multiple of 8
 * @body_len: bytes of body, at most KMQ_MESSAGE_MAX
 *
 * Return: header, attributes and body, rounded up to KMQ_RECORD_ALIGN.
 */
static inline u32 kmq_record_size(u32 attr_len, u32 body_len)
{
	return ALIGN((u32)sizeof(struct kmq_record) + attr_len + body_len,
		     KMQ_RECORD_ALIGN);
}

int kmq_record_check(const struct kmq_record *rec, u32 max_body,
		     u32 *error_at);
int kmq_records_scan(const void *buf, u32 len, u32 max_body,
		     struct kmq_scan *scan);

#endif
