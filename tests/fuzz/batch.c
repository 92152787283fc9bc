// SPDX-License-Identifier: GPL-2.0-only
/* Packed records: well formed, wrong in one respect, and received ones. */
#include <stdatomic.h>
#include <string.h>

#include "batch.h"

#define ALIGN8(n)	(((n) + 7) & ~(size_t)7)

static atomic_uint last_cookie;

static uint8_t first_byte(uint64_t cookie)
{
	return cookie * 37;
}

/* Each byte of a body follows from the one before. */
static void fill(uint8_t *at, size_t len, uint8_t first)
{
	size_t i;

	for (i = 0; i < len; i++)
		at[i] = first + i;
}

static bool filled(const uint8_t *at, size_t len, uint8_t first)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (at[i] != (uint8_t)(first + i))
			return false;
	return true;
}

static size_t put_attr(uint8_t *at, uint16_t type, const void *value,
		       uint16_t len)
{
	struct kmq_record_attr attr = { .type = type, .len = len };

	memcpy(at, &attr, sizeof(attr));
	memset(at + sizeof(attr), 0, ALIGN8(len));
	memcpy(at + sizeof(attr), value, len);
	return sizeof(attr) + ALIGN8(len);
}

/* At most 4 KiB. */
static size_t put_attrs(uint8_t *at, const struct op *op)
{
	static const char header[] = "name\0value";
	static const char key[KMQ_KEY_MAX + 64] = "key";
	unsigned int wrong = op_wrong(op), i;
	size_t len = 0, key_len = 1 + op->mask;

	if (wrong == WRONG_ATTR_VALUE_LEN && op->priority & 1)
		key_len = KMQ_KEY_MAX - 32 + op->mask % 64;
	switch (op_attrs(op)) {
	case ATTRS_KEY:
		len = put_attr(at, KMQ_ATTR_KEY, key, key_len);
		break;
	case ATTRS_HEADER:
		len = put_attr(at, KMQ_ATTR_HEADER, header, sizeof(header));
		break;
	case ATTRS_MANY:
		len = put_attr(at, KMQ_ATTR_KEY, key, key_len);
		for (i = op->mask % 32; i; i--)
			len += put_attr(at + len, KMQ_ATTR_HEADER, header,
					sizeof(header));
		break;
	default:
		return 0;
	}
	if (wrong == WRONG_TWO_KEYS)
		len += put_attr(at + len, KMQ_ATTR_KEY, key, 3);
	if (wrong == WRONG_NO_NUL)
		len += put_attr(at + len, KMQ_ATTR_HEADER, "nonul", 5);
	return len;
}

static void spoil(const struct op *op, uint32_t skew, struct kmq_record *rec)
{
	struct kmq_record_attr *attr = (void *)(rec + 1);
	uint32_t i, size = rec->size;

	switch (op_wrong(op)) {
	case WRONG_SIZE:
		rec->size += skew;
		break;
	case WRONG_BODY_LEN:
		rec->body_len += skew;
		break;
	case WRONG_ATTR_LEN:
		rec->attr_len += skew;
		break;
	case WRONG_PRIORITY:
		rec->priority = skew;
		break;
	case WRONG_FLAGS:
		rec->flags = skew;
		break;
	case WRONG_ATTR_TYPE:
		attr->type = skew;
		break;
	case WRONG_ATTR_VALUE_LEN:
		attr->len += skew;
		break;
	case WRONG_ATTR_RESERVED:
		attr->reserved = skew;
		break;
	case WRONG_IGNORED:
		rec->partition = skew;
		rec->deliveries = skew;
		rec->flags |= KMQ_REC_KERNEL_FLAGS;
		rec->pid = skew;
		rec->uid = skew;
		rec->gid = skew;
		rec->time = skew;
		rec->seq = skew;
		rec->tag = skew;
		break;
	case WRONG_BYTES:
		/* its body is not known any more */
		rec->cookie = 0;
		for (i = 0; i < size; i++) {
			skew = skew * 1664525 + 1013904223;
			if (!(skew >> 27))
				((uint8_t *)rec)[i] ^= skew >> 16;
		}
		break;
	default:
		break;
	}
}

/* Is the record at @i of @n one that is to be wrong? */
static bool hit(const struct op *op, unsigned int i, unsigned int n)
{
	switch (op->shape >> 6) {
	case 0:
		return !i;
	case 1:
		return i == n / 2;
	case 2:
		return i == n - 1;
	default:
		return true;
	}
}

size_t batch_build(const struct op *op, uint32_t skew, uint8_t *buf,
		   size_t max)
{
	unsigned int i, n = op_records(op);
	uint8_t attrs[8192];
	size_t at = 0, attr_len = put_attrs(attrs, op);

	for (i = 0; i < n; i++) {
		uint64_t cookie = atomic_fetch_add(&last_cookie, 1) |
			(uint64_t)COOKIE_MARK << 32;
		size_t body = op->len, size;
		struct kmq_record *rec = (void *)(buf + at);

		if (op_wrong(op) == WRONG_MIXED && i % 2)
			body = skew % 300;
		size = ALIGN8(sizeof(*rec) + attr_len + body);
		if (size < body || at + size > max || at + size < at)
			break;
		memset(rec, 0, sizeof(*rec));
		rec->size = size;
		rec->body_len = body;
		rec->attr_len = attr_len;
		rec->priority = op->priority;
		rec->cookie = cookie;
		if (op_wrong(op) == WRONG_MIXED)
			rec->priority = (op->priority + i * skew) %
				(KMQ_PRIORITY_MAX + 1);
		memcpy(rec + 1, attrs, attr_len);
		/* the padding goes on like the body: it must not get through */
		fill((uint8_t *)(rec + 1) + attr_len,
		     size - sizeof(*rec) - attr_len, first_byte(cookie));
		if (hit(op, i, n))
			spoil(op, skew, rec);
		at += size;
	}
	if (op_wrong(op) == WRONG_LENGTH)
		return op->shape >> 6 ? at + (int32_t)skew : skew;
	return at;
}

static const char *check_attrs(const uint8_t *at, size_t len)
{
	size_t pos = 0;

	while (pos < len) {
		struct kmq_record_attr attr;

		memcpy(&attr, at + pos, sizeof(attr));
		if (attr.reserved || (attr.type != KMQ_ATTR_KEY &&
				      attr.type != KMQ_ATTR_HEADER))
			return "an attribute no sender may send";
		pos += sizeof(attr) + ALIGN8(attr.len);
	}
	return pos == len ? NULL : "attributes that do not end with themselves";
}

/* *size: bytes it takes. */
static const char *check_one(const uint8_t *at, size_t room, bool bodies,
			     bool bare, size_t *size)
{
	struct kmq_record rec;
	size_t used, i;
	const char *bad;

	if (room < sizeof(rec))
		return "half a header";
	memcpy(&rec, at, sizeof(rec));
	used = sizeof(rec) + rec.attr_len + (size_t)rec.body_len;
	*size = bare ? used : ALIGN8(used);
	if (rec.size != ALIGN8(used) || *size > room || rec.attr_len % 8)
		return "a record of an impossible size";
	if (bare && rec.attr_len)
		return "attributes where none were asked for";
	if (rec.body_len > KMQ_MESSAGE_MAX || rec.attr_len > KMQ_ATTR_MAX ||
	    rec.priority > KMQ_PRIORITY_MAX || rec.partition ||
	    rec.deliveries != 1 || !rec.seq || !rec.time || rec.tag ||
	    rec.flags & ~KMQ_REC_OPENER)
		return "a header the kernel does not write";
	bad = check_attrs(at + sizeof(rec), rec.attr_len);
	if (bad)
		return bad;
	for (i = used; i < *size; i++)
		if (at[i])
			return "padding that is not zero";
	if (bodies && rec.cookie >> 32 == COOKIE_MARK &&
	    !filled(at + sizeof(rec) + rec.attr_len, rec.body_len,
		    first_byte(rec.cookie)))
		return "a body nobody sent";
	return NULL;
}

const char *batch_check(const uint8_t *buf, size_t len, uint32_t count,
			bool bodies, bool bare)
{
	size_t at = 0, size;
	uint32_t n = 0;

	while (at < len) {
		const char *bad = check_one(buf + at, len - at, bodies, bare,
					    &size);

		if (bad)
			return bad;
		at += size;
		n++;
	}
	return n == count ? NULL : "another number of records than it says";
}
