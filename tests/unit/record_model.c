// SPDX-License-Identifier: GPL-2.0-only
#include "record_model.h"

/* What the format says about one record that lies in @room bytes at @at. */
enum verdict { WHOLE, CUT, BAD, TOO_LONG };

static u64 field(const u8 *at, size_t offset, size_t size)
{
	u64 value = 0;

	memcpy(&value, at + offset, size);
	return value;
}

#define FIELD(at, name)							\
	field(at, offsetof(struct kmq_record, name),			\
	      sizeof(((struct kmq_record *)0)->name))

/* Offset of the first attribute at fault, -1: none. */
static long model_attrs(const u8 *at, u64 len)
{
	u64 pos = 0, keys = 0;

	while (pos < len) {
		u64 type = field(at, pos, 2), n = field(at, pos + 2, 2);
		u64 end = pos + 8 + (n + 7) / 8 * 8, name;

		if (end > len || field(at, pos + 4, 4))
			return pos;
		if (type == KMQ_ATTR_KEY) {
			if (++keys > 1 || n < 1 || n > KMQ_KEY_MAX)
				return pos;
		} else if (type == KMQ_ATTR_HEADER) {
			for (name = 0; name < n && at[pos + 8 + name]; name++)
				;
			if (name == n || name < 1 || name > 255)
				return pos;
		} else {
			return pos;
		}
		pos = end;
	}
	return -1;
}

static enum verdict model_record(const u8 *at, u64 room, u64 max_body,
				 u64 *error_at)
{
	u64 size = FIELD(at, size), body = FIELD(at, body_len);
	u64 attrs = FIELD(at, attr_len);
	long bad;

	*error_at = 0;
	/* could be whole in a longer buffer */
	if (size > room && size % 8 == 0 &&
	    size <= 64 + KMQ_ATTR_MAX + KMQ_MESSAGE_MAX)
		return CUT;
	if (body > KMQ_MESSAGE_MAX)
		return TOO_LONG;
	if (size > room || attrs % 8 || attrs > KMQ_ATTR_MAX ||
	    FIELD(at, priority) > KMQ_PRIORITY_MAX ||
	    FIELD(at, flags) & 0xffff ||
	    size != (64 + attrs + body + 7) / 8 * 8)
		return BAD;
	bad = model_attrs(at + 64, attrs);
	if (bad >= 0) {
		*error_at = 64 + bad;
		return BAD;
	}
	return body > max_body ? TOO_LONG : WHOLE;
}

int model_scan(const u8 *buf, u64 len, u64 max_body,
		      struct kmq_scan *scan)
{
	u64 pos = 0, error_at;

	memset(scan, 0, sizeof(*scan));
	while (len - pos >= 64) {
		u64 priority = FIELD(buf + pos, priority);
		enum verdict v = model_record(buf + pos, len - pos, max_body,
					      &error_at);

		if (v == CUT)
			break;
		if (v != WHOLE) {
			scan->error_at = pos + error_at;
			return v == BAD ? -EINVAL : -EMSGSIZE;
		}
		if (!scan->count)
			scan->priority = priority;
		if (priority != scan->priority)
			scan->mixed = true;
		if (priority > scan->top_priority)
			scan->top_priority = priority;
		scan->count++;
		pos += FIELD(buf + pos, size);
	}
	scan->bytes = pos;
	scan->error_at = pos;
	return 0;
}

/* Padding is zero now; nothing else has changed. */
static void compare_bytes(const u8 *got, const u8 *from, u32 len)
{
	u32 pos = 0;

	while (pos < len) {
		u64 used = 64 + FIELD(from + pos, attr_len) +
			FIELD(from + pos, body_len);
		u64 i, size = FIELD(from + pos, size);

		assert_memory_equal(got + pos, from + pos, used);
		for (i = used; i < size; i++)
			assert_int_equal(got[pos + i], 0);
		pos += size;
	}
}

void compare_with_model(const void *from, u32 len, u32 max_body)
{
	struct kmq_scan got = { 0 }, want;
	u8 *copy = malloc(len ? len : 1);
	int err, want_err;

	assert_non_null(copy);
	memcpy(copy, from, len);
	want_err = model_scan(copy, len, max_body, &want);
	err = kmq_records_scan(copy, len, max_body, &got);
	assert_int_equal(err, want_err);
	assert_int_equal(got.error_at, want.error_at);
	if (!err) {
		assert_int_equal(got.count, want.count);
		assert_int_equal(got.bytes, want.bytes);
		assert_int_equal(got.priority, want.priority);
		assert_int_equal(got.top_priority, want.top_priority);
		assert_int_equal(got.mixed, want.mixed);
		compare_bytes(copy, from, got.bytes);
	}
	free(copy);
}

void compare_check_with_model(const void *from, u32 len, u32 max_body)
{
	u8 *copy = malloc(len);
	u64 want_at;
	u32 at = 0;
	int err;

	assert_non_null(copy);
	memcpy(copy, from, len);
	/* attributes have to be there as far as they claim to reach */
	if (len >= 64 && (FIELD(copy, attr_len) > KMQ_ATTR_MAX ||
			  64 + FIELD(copy, attr_len) <= len)) {
		err = kmq_record_check((void *)copy, max_body, &at);
		switch (model_record(copy, 1ull << 33, max_body, &want_at)) {
		case WHOLE:
			assert_int_equal(err, 0);
			break;
		case BAD:
			assert_int_equal(err, -EINVAL);
			assert_int_equal(at, want_at);
			break;
		default:
			assert_int_equal(err, -EMSGSIZE);
			assert_int_equal(at, want_at);
		}
	}
	free(copy);
}
