// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/string.h>

#include "record.h"

static bool header_attr_ok(const char *value, u32 len)
{
	const char *nul = memchr(value, 0, len);

	return nul && nul != value && nul - value <= 255;
}

/* Attributes stand within @len bytes at @attrs, a multiple of 8. */
static int check_attrs(const char *attrs, u32 len, u32 *error_at)
{
	bool have_key = false;
	u32 at = 0;

	while (at < len) {
		const struct kmq_record_attr *attr = (const void *)(attrs + at);
		u32 room = len - at;
		u32 need;

		*error_at = at;
		/* len is a multiple of 8, so a header always fits */
		need = sizeof(*attr) + ALIGN((u32)attr->len, KMQ_RECORD_ALIGN);
		if (need > room || attr->reserved)
			return -EINVAL;

		switch (attr->type) {
		case KMQ_ATTR_KEY:
			if (have_key || !attr->len || attr->len > KMQ_KEY_MAX)
				return -EINVAL;
			have_key = true;
			break;
		case KMQ_ATTR_HEADER:
			if (!header_attr_ok((const char *)(attr + 1),
					    attr->len))
				return -EINVAL;
			break;
		default:
			return -EINVAL;
		}
		at += need;
	}
	return 0;
}

/**
 * kmq_record_check() - is one record well formed?
 * @rec: the record, in kernel memory: header and attributes must be there as
 *	far as they claim to reach within KMQ_ATTR_MAX; the body need not
 * @max_body: most bytes of body allowed
 * @error_at: set on error to the offset from @rec of what is wrong
 *
 * Return: 0, -EINVAL, or -EMSGSIZE when only the body is too long.
 */
int kmq_record_check(const struct kmq_record *rec, u32 max_body, u32 *error_at)
{
	u32 at = 0;
	int err;

	*error_at = 0;
	if (rec->attr_len % KMQ_RECORD_ALIGN || rec->attr_len > KMQ_ATTR_MAX ||
	    rec->priority > KMQ_PRIORITY_MAX ||
	    rec->flags & ~(KMQ_REC_USER_FLAGS | KMQ_REC_KERNEL_FLAGS) ||
	    rec->body_len > KMQ_MESSAGE_MAX ||
	    rec->size != kmq_record_size(rec->attr_len, rec->body_len))
		return rec->body_len > KMQ_MESSAGE_MAX ? -EMSGSIZE : -EINVAL;

	if (rec->attr_len) {
		err = check_attrs((const char *)(rec + 1), rec->attr_len, &at);
		if (err) {
			*error_at = sizeof(*rec) + at;
			return err;
		}
	}
	return rec->body_len > max_body ? -EMSGSIZE : 0;
}

/**
 * kmq_records_scan() - validate the whole records at the start of a buffer
 * @buf: kernel memory
 * @len: bytes there
 * @max_body: most bytes of body allowed
 * @scan: filled in
 *
 * Stops without an error before a record that does not end within @len; the
 * caller knows whether more of it is to come. Padding behind bodies is set to
 * zero, as it goes to other processes.
 *
 * Return: 0, or -EINVAL or -EMSGSIZE with scan->error_at.
 */
int kmq_records_scan(const void *buf, u32 len, u32 max_body,
		     struct kmq_scan *scan)
{
	u32 count = 0, at = 0;
	u16 first = 0, top = 0;
	bool mixed = false;
	int err;

	while (len - at >= sizeof(struct kmq_record)) {
		struct kmq_record *rec = (void *)((char *)buf + at);
		u32 size = rec->size, pad;

		if (size > len - at && size <= KMQ_RECORD_MAX &&
		    size % KMQ_RECORD_ALIGN == 0)
			break;

		if (likely(kmq_record_plain(rec, size, max_body))) {
			pad = size - sizeof(*rec) - rec->body_len;
		} else {
			/*
			 * Attributes are looked at only once the record is
			 * known to lie within the buffer.
			 */
			if (size > len - at || size < sizeof(*rec) ||
			    rec->attr_len > size - sizeof(*rec)) {
				scan->error_at = at;
				return rec->body_len > KMQ_MESSAGE_MAX ?
					-EMSGSIZE : -EINVAL;
			}
			err = kmq_record_check(rec, max_body, &scan->error_at);
			if (err) {
				scan->error_at += at;
				return err;
			}
			pad = size - sizeof(*rec) - rec->attr_len -
				rec->body_len;
		}
		if (pad)
			memset((char *)rec + size - pad, 0, pad);

		if (!count)
			first = rec->priority;
		mixed |= rec->priority != first;
		top = max(top, rec->priority);
		count++;
		at += size;
	}

	scan->count = count;
	scan->bytes = at;
	scan->error_at = at;
	scan->priority = first;
	scan->top_priority = top;
	scan->mixed = mixed;
	return 0;
}
