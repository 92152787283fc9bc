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

/**
 * kmq_record_plain() - is it a record without anything special?
 * @rec: its header
 * @size: bytes it is known to have
 * @max_body: most bytes of body allowed
 *
 * Return: true: it is well formed and has no attributes; false: ask
 * kmq_record_check().
 */
static inline bool kmq_record_plain(const struct kmq_record *rec, u32 size,
				    u32 max_body)
{
	return !rec->attr_len && rec->body_len <= max_body &&
		size == kmq_record_size(0, rec->body_len) &&
		rec->priority <= KMQ_PRIORITY_MAX &&
		!(rec->flags & ~(KMQ_REC_USER_FLAGS | KMQ_REC_KERNEL_FLAGS));
}

int kmq_record_check(const struct kmq_record *rec, u32 max_body,
		     u32 *error_at);
int kmq_records_scan(const void *buf, u32 len, u32 max_body,
		     struct kmq_scan *scan);

#endif
