// SPDX-License-Identifier: LGPL-2.1-or-later
/* Records: struct kmq_msg to packed bytes and back, and headers. */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define HEADER_NAME_MAX	255

/*
 * The attribute at @at: returns the bytes it takes, or 0 if @left bytes do not
 * hold a whole well-formed one. Any address will do.
 */
static size_t attr_read(const unsigned char *at, size_t left,
			struct kmq_record_attr *attr)
{
	size_t size;

	if (left < sizeof(*attr))
		return 0;
	memcpy(attr, at, sizeof(*attr));
	size = sizeof(*attr) + KMQ__ALIGN((size_t)attr->len);
	return size <= left && !attr->reserved ? size : 0;
}

/* Bytes of the name in a header's value, without its NUL; 0 if malformed. */
static size_t header_name_len(const unsigned char *value, size_t len)
{
	const unsigned char *nul = memchr(value, 0, len);
	size_t n = nul ? (size_t)(nul - value) : 0;

	return n <= HEADER_NAME_MAX ? n : 0;
}

/*
 * Bytes the headers among @len bytes of attributes take, or -EINVAL. With @to,
 * copy them there. Attributes of other types stay behind: those of a message
 * passed on come from the kernel or travel as a field of struct kmq_msg.
 */
static ssize_t headers_copy(const unsigned char *attrs, size_t len,
			    unsigned char *to)
{
	struct kmq_record_attr attr;
	size_t pos, size, total = 0;

	for (pos = 0; pos < len; pos += size) {
		size = attr_read(attrs + pos, len - pos, &attr);
		if (!size)
			return -EINVAL;
		if (attr.type != KMQ_ATTR_HEADER)
			continue;
		if (!header_name_len(attrs + pos + sizeof(attr), attr.len))
			return -EINVAL;
		if (to)
			memcpy(to + total, attrs + pos, size);
		total += size;
	}
	return (ssize_t)total;
}

int kmq__record_head(const struct kmq_msg *msg, struct kmq_record *head)
{
	size_t attr_len = 0;
	ssize_t headers;

	if (!msg || (msg->len && !msg->body) ||
	    msg->priority > KMQ_PRIORITY_MAX)
		return -EINVAL;
	/* What no call can carry; the queue's own bound is the kernel's job. */
	if (msg->len > KMQ_XFER_MAX)
		return -EMSGSIZE;
	if (msg->key) {
		if (!msg->key_len || msg->key_len > KMQ_KEY_MAX)
			return -EINVAL;
		attr_len = sizeof(struct kmq_record_attr) +
			   KMQ__ALIGN(msg->key_len);
	} else if (msg->key_len) {
		return -EINVAL;
	}
	if (msg->headers_len) {
		if (!msg->headers)
			return -EINVAL;
		headers = headers_copy(msg->headers, msg->headers_len, NULL);
		if (headers < 0)
			return (int)headers;
		attr_len += (size_t)headers;
	}
	if (attr_len > KMQ_ATTR_MAX)
		return -EINVAL;

	memset(head, 0, sizeof(*head));
	head->size = (uint32_t)KMQ__ALIGN(sizeof(*head) + attr_len + msg->len);
	head->body_len = (uint32_t)msg->len;
	head->attr_len = (uint16_t)attr_len;
	head->priority = msg->priority;
	head->cookie = msg->cookie;
	return 0;
}

void kmq__record_write(unsigned char *at, const struct kmq_record *head,
		       const struct kmq_msg *msg)
{
	unsigned char *end = at + head->size;
	unsigned char *p = at + sizeof(*head);

	memcpy(at, head, sizeof(*head));
	if (msg->key) {
		struct kmq_record_attr attr = {
			.type = KMQ_ATTR_KEY,
			.len = (uint16_t)msg->key_len,
		};
		size_t padded = KMQ__ALIGN(msg->key_len);

		memcpy(p, &attr, sizeof(attr));
		p += sizeof(attr);
		memcpy(p, msg->key, msg->key_len);
		memset(p + msg->key_len, 0, padded - msg->key_len);
		p += padded;
	}
	if (msg->headers_len)
		p += headers_copy(msg->headers, msg->headers_len, p);
	if (msg->len)
		memcpy(p, msg->body, msg->len);
	p += msg->len;
	memset(p, 0, (size_t)(end - p));
}

static int attrs_read(const unsigned char *attrs, size_t len,
		      struct kmq_msg *msg)
{
	struct kmq_record_attr attr;
	const unsigned char *value;
	size_t pos, size;

	for (pos = 0; pos < len; pos += size) {
		size = attr_read(attrs + pos, len - pos, &attr);
		if (!size)
			return -EBADMSG;
		value = attrs + pos + sizeof(attr);
		if (attr.type == KMQ_ATTR_KEY) {
			msg->key = value;
			msg->key_len = attr.len;
		} else if (attr.type == KMQ_ATTR_HEADER) {
			if (!header_name_len(value, attr.len))
				return -EBADMSG;
			if (!msg->headers) {
				msg->headers = attrs + pos;
				msg->headers_len = len - pos;
			}
		}
	}
	return 0;
}

void kmq__record_facts(const struct kmq_record *head, struct kmq_msg *msg)
{
	memset(msg, 0, sizeof(*msg));
	msg->cookie = head->cookie;
	msg->priority = head->priority;
	msg->partition = head->partition;
	msg->deliveries = head->deliveries;
	msg->flags = head->flags;
	msg->pid = head->pid;
	msg->uid = head->uid;
	msg->gid = head->gid;
	msg->time = head->time;
	msg->seq = head->seq;
	msg->tag = head->tag;
}

ssize_t kmq__record_read(const unsigned char *at, size_t left,
			 struct kmq_msg *msg)
{
	struct kmq_record head;
	size_t room, size;

	if (left < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	/* Step by step: the sum of what it claims may be beyond a size_t. */
	room = left - sizeof(head);
	if (head.attr_len > room || head.body_len > room - head.attr_len)
		return -EBADMSG;
	size = sizeof(head) + head.attr_len + head.body_len;
	if (head.size > left || head.size != KMQ__ALIGN(size) ||
	    head.attr_len % KMQ_RECORD_ALIGN)
		return -EBADMSG;

	kmq__record_facts(&head, msg);
	if (attrs_read(at + sizeof(head), head.attr_len, msg) < 0)
		return -EBADMSG;
	msg->body = at + sizeof(head) + head.attr_len;
	msg->len = head.body_len;
	return (ssize_t)head.size;
}

int kmq_header_next(const struct kmq_msg *msg, size_t *pos, const char **name,
		    const void **value, size_t *value_len)
{
	const unsigned char *attrs = msg->headers, *at;
	struct kmq_record_attr attr;
	size_t size, n;

	while (attrs && *pos < msg->headers_len) {
		at = attrs + *pos + sizeof(attr);
		size = attr_read(attrs + *pos, msg->headers_len - *pos, &attr);
		if (!size)
			goto malformed;
		if (attr.type != KMQ_ATTR_HEADER) {
			*pos += size;
			continue;
		}
		n = header_name_len(at, attr.len);
		if (!n)
			goto malformed;
		*pos += size;
		if (name)
			*name = (const char *)at;
		if (value)
			*value = at + n + 1;
		if (value_len)
			*value_len = attr.len - n - 1;
		return 1;
	}
	return 0;

malformed:
	*pos = msg->headers_len;
	return -EBADMSG;
}

int kmq_header_add(void *headers, size_t *len, size_t size, const char *name,
		   const void *value, size_t value_len)
{
	struct kmq_record_attr attr = { .type = KMQ_ATTR_HEADER };
	size_t name_len, used, padded;
	unsigned char *p;

	if (!headers || !len || !name || (value_len && !value) ||
	    *len % KMQ_RECORD_ALIGN || *len > size)
		return -EINVAL;
	name_len = strnlen(name, HEADER_NAME_MAX + 1);
	if (!name_len || name_len > HEADER_NAME_MAX || value_len > KMQ_ATTR_MAX)
		return -EINVAL;
	used = name_len + 1 + value_len;
	padded = KMQ__ALIGN(used);
	if (sizeof(attr) + padded > KMQ_ATTR_MAX)
		return -EINVAL;
	if (sizeof(attr) + padded > size - *len)
		return -ENOBUFS;

	p = (unsigned char *)headers + *len;
	attr.len = (uint16_t)used;
	memcpy(p, &attr, sizeof(attr));
	p += sizeof(attr);
	memcpy(p, name, name_len + 1);
	if (value_len)
		memcpy(p + name_len + 1, value, value_len);
	memset(p + used, 0, padded - used);
	*len += sizeof(attr) + padded;
	return 0;
}
