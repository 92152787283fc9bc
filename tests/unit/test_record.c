// SPDX-License-Identifier: GPL-2.0-only
/* Validation of packed records, against a model that only reads the ABI. */
#include "record_model.h"

#define BODY_MAX	100

/* Aligned as the kernel's copy of a sender's buffer is. */
static u64 buffer[4096];

static u8 *attr_put(u8 *at, u16 type, const void *value, u16 len)
{
	struct kmq_record_attr attr = { .type = type, .len = len };

	memcpy(at, &attr, sizeof(attr));
	memset(at + sizeof(attr), 0, ALIGN(len, 8));
	memcpy(at + sizeof(attr), value, len);
	return at + sizeof(attr) + ALIGN(len, 8);
}

/* A record with a key and a header, like record_put() otherwise. */
static u32 record_with_attrs(void *at, u16 priority, u32 body_len)
{
	struct kmq_record *rec = at;
	u8 *end = (u8 *)(rec + 1);

	memset(rec, 0, sizeof(*rec));
	end = attr_put(end, KMQ_ATTR_KEY, "customer-17", 11);
	end = attr_put(end, KMQ_ATTR_HEADER, "type\0order", 10);
	rec->attr_len = end - (u8 *)(rec + 1);
	rec->priority = priority;
	rec->body_len = body_len;
	rec->size = kmq_record_size(rec->attr_len, body_len);
	memset(end, 'b', rec->size - sizeof(*rec) - rec->attr_len);
	return rec->size;
}

static u32 three_records(void)
{
	u8 *at = (u8 *)buffer;

	at += record_put(at, 1, 0, 5);
	at += record_with_attrs(at, 7, 13);
	at += record_put(at, 3, 7, 16);
	return at - (u8 *)buffer;
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct kmq_record), 64);
	assert_int_equal(kmq_record_size(0, 0), 64);
	assert_int_equal(kmq_record_size(0, 1), 72);
	assert_int_equal(kmq_record_size(0, 8), 72);
	assert_int_equal(kmq_record_size(8, 9), 88);
	assert_int_equal(kmq_record_size(KMQ_ATTR_MAX, KMQ_MESSAGE_MAX),
			 KMQ_RECORD_MAX);
}

static void test_scan_finds(void **state)
{
	struct kmq_scan scan;
	u32 len = three_records();

	(void)state;
	assert_int_equal(kmq_records_scan(buffer, len, BODY_MAX, &scan), 0);
	assert_int_equal(scan.count, 3);
	assert_int_equal(scan.bytes, len);
	assert_int_equal(scan.priority, 0);
	assert_int_equal(scan.top_priority, 7);
	assert_true(scan.mixed);

	assert_int_equal(kmq_records_scan(buffer, 72, BODY_MAX, &scan), 0);
	assert_int_equal(scan.count, 1);
	assert_false(scan.mixed);
	assert_int_equal(kmq_records_scan(buffer, 0, BODY_MAX, &scan), 0);
	assert_int_equal(scan.count, 0);
	assert_int_equal(scan.bytes, 0);
}

/* What stands behind a body goes to other processes. */
static void test_padding_is_cleared(void **state)
{
	u8 *bytes = (u8 *)buffer;
	struct kmq_scan scan;
	u32 body, attrs, size, i;

	(void)state;
	for (attrs = 0; attrs < 2; attrs++) {
		for (body = 0; body <= 17; body++) {
			u32 end;

			memset(buffer, 0xee, sizeof(buffer));
			size = attrs ? record_with_attrs(bytes, 0, body) :
				record_put(bytes, 1, 0, body);
			end = 64 + ((struct kmq_record *)bytes)->attr_len + body;
			memset(bytes + end, 0xee, size - end);
			assert_int_equal(kmq_records_scan(bytes, size, BODY_MAX,
							  &scan), 0);
			assert_int_equal(scan.bytes, size);
			for (i = end; i < size; i++)
				assert_int_equal(bytes[i], 0);
			if (body)
				assert_int_not_equal(bytes[end - 1], 0);
			assert_int_equal(bytes[size], 0xee);
		}
	}
}

/* Cut anywhere, the records before the cut are found. */
static void test_every_length(void **state)
{
	u32 len = three_records(), cut;

	(void)state;
	for (cut = 0; cut <= len; cut++)
		compare_with_model(buffer, cut, BODY_MAX);
}

/* Every byte of headers and attributes with every value, at both positions. */
static void test_every_byte(void **state)
{
	u8 *bytes = (u8 *)buffer;
	u32 len = three_records(), at, value;

	(void)state;
	for (at = 0; at < len; at++) {
		u8 old = bytes[at];

		for (value = 0; value < 256; value++) {
			bytes[at] = value;
			compare_with_model(bytes, len, BODY_MAX);
		}
		bytes[at] = old;
	}
}

/* Pairs of fields with values around every limit there is. */
static void test_field_values(void **state)
{
	static const u32 values[] = {
		0, 1, 7, 8, 9, 56, 63, 64, 65, 71, 72, 73, 80, 88, 96, 99, 100,
		101, 104, 128, 136, 255, 256, 0x7ff8, 0x7fff, 0x8000, 0xffff,
		0x10000, 8184, 8191, 8192, 8193, 8200, KMQ_MESSAGE_MAX - 1,
		KMQ_MESSAGE_MAX, KMQ_MESSAGE_MAX + 1, KMQ_MESSAGE_MAX + 64,
		KMQ_RECORD_MAX - 8, KMQ_RECORD_MAX, KMQ_RECORD_MAX + 8,
		0x7fffffff, 0x80000000, 0xffff0000, 0xffffffc0, 0xfffffff8,
		0xffffffff,
	};
	struct kmq_record *rec;
	u32 i, j, k, len;

	(void)state;
	for (k = 0; k < 2; k++) {
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			for (j = 0; j < ARRAY_SIZE(values); j++) {
				len = three_records();
				rec = (void *)buffer + (k ? 72 : 0);
				rec->size = values[i];
				rec->body_len = values[j];
				compare_with_model(buffer, len, BODY_MAX);
				rec->attr_len = values[i];
				rec->size = 64 + values[i] + values[j];
				compare_with_model(buffer, len, BODY_MAX);
				rec->size = ALIGN(rec->size, 8);
				compare_with_model(buffer, len, BODY_MAX);
				rec->priority = values[i];
				rec->flags = values[j];
				compare_with_model(buffer, len, BODY_MAX);
			}
		}
	}
}

/* Attributes made at random of valid and invalid parts. */
static void test_random_attributes(void **state)
{
	u64 seed = seed_from_environment();
	u32 round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		struct kmq_record *rec = (void *)buffer;
		u8 *at = (u8 *)(rec + 1), value[1100];
		u32 n = random_below(&seed, 4);

		memset(rec, 0, sizeof(*rec));
		for (i = 0; i < n; i++) {
			u16 len = random_below(&seed, 3) ?
				random_below(&seed, 20) :
				1015 + random_below(&seed, 20);

			memset(value, 'v', sizeof(value));
			value[random_below(&seed, 300)] = 0;
			at = attr_put(at, random_below(&seed, 8) ?
				      1 + random_below(&seed, 2) :
				      random_below(&seed, 4), value, len);
		}
		rec->attr_len = at - (u8 *)(rec + 1);
		if (!random_below(&seed, 8) && rec->attr_len)
			((u8 *)(rec + 1))[random_below(&seed, rec->attr_len)] =
				random_below(&seed, 256);
		rec->size = kmq_record_size(rec->attr_len, 0);
		compare_with_model(rec, rec->size, BODY_MAX);
	}
}

static void test_offsets(void **state)
{
	struct kmq_record *second;
	struct kmq_record_attr *attr;
	struct kmq_scan scan;
	u32 len = three_records();

	(void)state;
	second = (void *)buffer + 72;
	attr = (void *)(second + 1);
	/* the second attribute, behind 8 + 16 bytes of key */
	attr = (void *)attr + 24;
	assert_int_equal(attr->type, KMQ_ATTR_HEADER);
	attr->type = 9;
	assert_int_equal(kmq_records_scan(buffer, len, BODY_MAX, &scan),
			 -EINVAL);
	assert_int_equal(scan.error_at, 72 + 64 + 24);

	attr->type = KMQ_ATTR_HEADER;
	second->priority = KMQ_PRIORITY_MAX + 1;
	assert_int_equal(kmq_records_scan(buffer, len, BODY_MAX, &scan),
			 -EINVAL);
	assert_int_equal(scan.error_at, 72);

	second->priority = KMQ_PRIORITY_MAX;
	assert_int_equal(kmq_records_scan(buffer, len, 12, &scan), -EMSGSIZE);
	assert_int_equal(scan.error_at, 72);
}

/* One record of its own: the body need not be there. */
/* As many bytes of attributes as there may be, and 8 more. */
static void test_most_attributes(void **state)
{
	struct kmq_record *rec = calloc(1, sizeof(*rec) + KMQ_ATTR_MAX + 8);
	u32 at, end = 0;

	(void)state;
	assert_non_null(rec);
	for (; end < KMQ_ATTR_MAX + 8; end += 16) {
		struct kmq_record_attr *attr = (void *)((char *)(rec + 1) + end);

		attr->type = KMQ_ATTR_HEADER;
		attr->len = 8;
		memcpy(attr + 1, "name", 5);
		if (end + 16 == KMQ_ATTR_MAX)
			break;
	}
	rec->attr_len = KMQ_ATTR_MAX;
	rec->size = kmq_record_size(KMQ_ATTR_MAX, 0);
	assert_int_equal(kmq_record_check(rec, 0, &at), 0);
	rec->attr_len += 8;
	rec->size += 8;
	assert_int_equal(kmq_record_check(rec, 0, &at), -EINVAL);
	assert_int_equal(at, 0);
	free(rec);
}

static void test_single_check(void **state)
{
	struct kmq_record *rec = malloc(sizeof(*rec));
	u32 at;

	(void)state;
	assert_non_null(rec);
	memset(rec, 0, sizeof(*rec));
	rec->body_len = KMQ_MESSAGE_MAX;
	rec->size = kmq_record_size(0, KMQ_MESSAGE_MAX);
	assert_int_equal(kmq_record_check(rec, KMQ_MESSAGE_MAX, &at), 0);
	assert_int_equal(kmq_record_check(rec, KMQ_MESSAGE_MAX - 1, &at),
			 -EMSGSIZE);
	assert_int_equal(at, 0);
	rec->body_len++;
	assert_int_equal(kmq_record_check(rec, KMQ_MESSAGE_MAX, &at),
			 -EMSGSIZE);
	rec->body_len = 0xffffffff;
	rec->size = 64;
	assert_int_equal(kmq_record_check(rec, KMQ_MESSAGE_MAX, &at),
			 -EMSGSIZE);
	rec->body_len = 0;
	assert_int_equal(kmq_record_check(rec, 0, &at), 0);
	rec->flags = KMQ_REC_KERNEL_FLAGS;
	assert_int_equal(kmq_record_check(rec, 0, &at), 0);
	rec->flags = 1;
	assert_int_equal(kmq_record_check(rec, 0, &at), -EINVAL);
	free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sizes, "record: sizes are as the ABI says"),
		TEST(test_scan_finds, "record: scan counts, sums and sees priorities"),
		TEST(test_padding_is_cleared, "record: padding is cleared, nothing else"),
		TEST(test_every_length, "record: a buffer cut at every length"),
		TEST(test_every_byte, "record: every byte with every value"),
		TEST(test_field_values, "record: fields around every limit"),
		TEST(test_random_attributes, "record: random attributes"),
		TEST(test_offsets, "record: errors name the offset"),
		TEST(test_most_attributes, "record: 8192 bytes of attributes and no more"),
		TEST(test_single_check, "record: one record without its body"),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
