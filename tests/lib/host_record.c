// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records and headers, well formed and not. Built with AddressSanitizer; what
 * is malformed stands at the very end of its allocation, so that a read beyond
 * is a failure.
 */
#include "common.h"
#include "internal.h"

static unsigned char *encode(const struct kmq_msg *msg, size_t *size)
{
	struct kmq_record head;
	unsigned char *at;

	assert_ret(kmq__record_head(msg, &head), 0);
	at = malloc(head.size);
	assert_non_null(at);
	memset(at, 0xa5, head.size);
	kmq__record_write(at, &head, msg);
	*size = head.size;
	return at;
}

static void layout_is_the_abi(void **state)
{
	struct kmq_msg msg = { .body = "hello", .len = 5, .priority = 7,
			       .cookie = 0x1122334455667788 };
	struct kmq_record head;
	unsigned char *at;
	size_t size;

	(void)state;
	assert_int_equal(sizeof(struct kmq_record), 64);
	at = encode(&msg, &size);
	assert_int_equal(size, 72);
	memcpy(&head, at, sizeof(head));
	assert_int_equal(head.size, 72);
	assert_int_equal(head.body_len, 5);
	assert_int_equal(head.attr_len, 0);
	assert_int_equal(head.priority, 7);
	assert_true(head.cookie == msg.cookie);
	assert_int_equal(head.flags, 0);
	assert_memory_equal(at + 64, "hello\0\0\0", 8);
	free(at);
}

static void round_trip_with_everything(void **state)
{
	unsigned char headers[256];
	size_t len = 0, size, pos = 0, value_len;
	struct kmq_msg msg = { .body = "body", .len = 4, .key = "key",
			       .key_len = 3, .cookie = 9 }, got;
	const char *name;
	const void *value;
	unsigned char *at;

	(void)state;
	assert_ret(kmq_header_add(headers, &len, sizeof(headers), "type",
				  "job", 3), 0);
	assert_ret(kmq_header_add(headers, &len, sizeof(headers), "empty",
				  NULL, 0), 0);
	msg.headers = headers;
	msg.headers_len = len;
	at = encode(&msg, &size);

	assert_ret(kmq__record_read(at, size, &got), size);
	assert_body(&got, "body");
	assert_int_equal(got.key_len, 3);
	assert_memory_equal(got.key, "key", 3);
	assert_int_equal(got.cookie, 9);
	assert_ret(kmq_header_next(&got, &pos, &name, &value, &value_len), 1);
	assert_string_equal(name, "type");
	assert_int_equal(value_len, 3);
	assert_memory_equal(value, "job", 3);
	assert_ret(kmq_header_next(&got, &pos, &name, &value, &value_len), 1);
	assert_string_equal(name, "empty");
	assert_int_equal(value_len, 0);
	assert_ret(kmq_header_next(&got, &pos, &name, &value, &value_len), 0);
	assert_ret(kmq_header_next(&got, &pos, NULL, NULL, NULL), 0);
	free(at);
}

/* A message goes on to the next queue as it came: its key must not double. */
static void received_message_can_be_sent_on(void **state)
{
	struct kmq_record_attr key = { .type = KMQ_ATTR_KEY, .len = 2 };
	unsigned char record[256] = { 0 };
	struct kmq_record head = { 0 };
	struct kmq_msg got, again;
	size_t len = 64, size;
	unsigned char *at;

	(void)state;
	/* Another program's order: header, key, header. */
	assert_ret(kmq_header_add(record, &len, sizeof(record), "a", "1", 1),
		   0);
	memcpy(record + len, &key, sizeof(key));
	memcpy(record + len + 8, "k2", 2);
	len += 16;
	assert_ret(kmq_header_add(record, &len, sizeof(record), "b", "2", 1),
		   0);
	head.attr_len = (uint16_t)(len - 64);
	head.size = (uint32_t)len;
	memcpy(record, &head, sizeof(head));

	assert_ret(kmq__record_read(record, len, &got), len);
	at = encode(&got, &size);
	assert_int_equal(size, len);
	assert_ret(kmq__record_read(at, size, &again), size);
	assert_int_equal(again.key_len, 2);
	assert_memory_equal(again.key, "k2", 2);

	size_t pos = 0;
	const char *name;

	assert_ret(kmq_header_next(&again, &pos, &name, NULL, NULL), 1);
	assert_string_equal(name, "a");
	assert_ret(kmq_header_next(&again, &pos, &name, NULL, NULL), 1);
	assert_string_equal(name, "b");
	assert_ret(kmq_header_next(&again, &pos, &name, NULL, NULL), 0);
	free(at);
}

static void bad_messages_are_refused(void **state)
{
	static const unsigned char junk[16] = { 0xff, 0xff, 0xff, 0xff };
	static const char big[KMQ_KEY_MAX + 1];
	static const struct {
		struct kmq_msg msg;
		int want;
	} bad[] = {
		{ { .body = NULL, .len = 1 }, -EINVAL },
		{ { .priority = KMQ_PRIORITY_MAX + 1 }, -EINVAL },
		{ { .key = "k", .key_len = 0 }, -EINVAL },
		{ { .key = NULL, .key_len = 1 }, -EINVAL },
		{ { .key = big, .key_len = sizeof(big) }, -EINVAL },
		{ { .headers = NULL, .headers_len = 8 }, -EINVAL },
		{ { .headers = junk, .headers_len = 16 }, -EINVAL },
		{ { .headers = junk, .headers_len = 7 }, -EINVAL },
		{ { .body = big, .len = (size_t)KMQ_XFER_MAX + 1 }, -EMSGSIZE },
		{ { .body = big, .len = SIZE_MAX }, -EMSGSIZE },
	};
	struct kmq_record head;
	struct kmq_msg good = { .priority = KMQ_PRIORITY_MAX, .key = big,
				.key_len = KMQ_KEY_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_ret(kmq__record_head(&bad[i].msg, &head), bad[i].want);
	assert_ret(kmq__record_head(NULL, &head), -EINVAL);
	assert_ret(kmq__record_head(&good, &head), 0);
	assert_int_equal(head.attr_len, 8 + KMQ_KEY_MAX);
}

static void attributes_have_a_limit(void **state)
{
	unsigned char headers[KMQ_ATTR_MAX + 64];
	char value[1016 - 2];
	struct kmq_msg msg = { .headers = headers };
	struct kmq_record head;
	size_t len = 0;
	int i;

	(void)state;
	memset(value, 'v', sizeof(value));
	for (i = 0; i < 8; i++)
		assert_ret(kmq_header_add(headers, &len, sizeof(headers), "n",
					  value, sizeof(value)), 0);
	assert_int_equal(len, KMQ_ATTR_MAX);
	msg.headers_len = len;
	assert_ret(kmq__record_head(&msg, &head), 0);
	assert_int_equal(head.attr_len, KMQ_ATTR_MAX);

	assert_ret(kmq_header_add(headers, &len, sizeof(headers), "n", "", 0),
		   0);
	msg.headers_len = len;
	assert_ret(kmq__record_head(&msg, &head), -EINVAL);
}

static void header_add_refuses(void **state)
{
	static const char longest[256 + 1] =
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
	unsigned char at[512];
	size_t len = 0;

	(void)state;
	assert_ret(kmq_header_add(NULL, &len, 512, "n", "", 0), -EINVAL);
	assert_ret(kmq_header_add(at, NULL, 512, "n", "", 0), -EINVAL);
	assert_ret(kmq_header_add(at, &len, 512, NULL, "", 0), -EINVAL);
	assert_ret(kmq_header_add(at, &len, 512, "", "", 0), -EINVAL);
	assert_ret(kmq_header_add(at, &len, 512, longest, "", 0), -EINVAL);
	assert_ret(kmq_header_add(at, &len, 512, "n", NULL, 1), -EINVAL);
	assert_ret(kmq_header_add(at, &len, 512, "n", at, KMQ_ATTR_MAX),
		   -EINVAL);
	assert_ret(kmq_header_add(at, &len, 512, "n", at, SIZE_MAX), -EINVAL);
	assert_ret(kmq_header_add(at, &len, 8, "n", "", 0), -ENOBUFS);
	assert_int_equal(len, 0);
	assert_ret(kmq_header_add(at, &len, 16, "n", "", 0), 0);
	assert_int_equal(len, 16);
	assert_ret(kmq_header_add(at, &len, 16, "n", "", 0), -ENOBUFS);
	assert_ret(kmq_header_add(at, &len, 8, "n", "", 0), -EINVAL);
	len = 0;
	assert_ret(kmq_header_add(at, &len, 512, longest + 1, "", 0), 0);
	assert_int_equal(len, 8 + 256);
}

/* Every prefix of a good record is a bad one. */
static void cut_records_are_refused(void **state)
{
	struct kmq_msg msg = { .body = "body!", .len = 5, .key = "key",
			       .key_len = 3 }, got;
	unsigned char *whole, *cut;
	size_t size, n;

	(void)state;
	whole = encode(&msg, &size);
	for (n = 0; n < size; n++) {
		cut = malloc(n ? n : 1);
		assert_non_null(cut);
		memcpy(cut, whole, n);
		assert_ret(kmq__record_read(cut, n, &got), -EBADMSG);
		free(cut);
	}
	assert_ret(kmq__record_read(whole, size, &got), size);
	free(whole);
}

/* Every 16 and 32-bit word that says where something ends, set to extremes. */
static void lying_records_are_refused(void **state)
{
	static const uint32_t lies[] = { 0, 1, 7, 8, 63, 64, 65, 71, 80, 96,
					 104, 112, 0x7fffffff, 0x80000000,
					 0xfffffff8, 0xffffffff };
	struct kmq_msg msg = { .body = "body!", .len = 5, .key = "key",
			       .key_len = 3 }, got;
	unsigned char *at;
	size_t size, i;
	ssize_t ret;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		uint16_t half = (uint16_t)lies[i];

		at = encode(&msg, &size);
		memcpy(at, &lies[i], 4);
		ret = kmq__record_read(at, size, &got);
		assert_ret(ret, lies[i] == size ? (long long)size : -EBADMSG);
		free(at);

		at = encode(&msg, &size);
		memcpy(at + 4, &lies[i], 4);
		ret = kmq__record_read(at, size, &got);
		/* 1, 7 and 8 also round up to the same record size. */
		if (lies[i] >= 1 && lies[i] <= 8)
			assert_ret(ret, size);
		else
			assert_ret(ret, -EBADMSG);
		free(at);

		at = encode(&msg, &size);
		memcpy(at + 8, &half, 2);
		assert_ret(kmq__record_read(at, size, &got), -EBADMSG);
		free(at);

		/* The length of the key within the attributes. */
		at = encode(&msg, &size);
		memcpy(at + 66, &half, 2);
		ret = kmq__record_read(at, size, &got);
		if (half >= 1 && half <= 8)
			assert_ret(ret, size);
		else
			assert_ret(ret, -EBADMSG);
		free(at);
	}
}

static void bad_headers_end_the_walk(void **state)
{
	unsigned char *at = calloc(1, 16);
	struct kmq_record_attr attr = { .type = KMQ_ATTR_HEADER, .len = 8 };
	struct kmq_msg msg = { .headers = at, .headers_len = 16 };
	const char *name = NULL;
	size_t pos = 0;

	(void)state;
	assert_non_null(at);
	/* No NUL: the name would run out of the attribute. */
	memcpy(at, &attr, sizeof(attr));
	memset(at + 8, 'n', 8);
	assert_ret(kmq_header_next(&msg, &pos, &name, NULL, NULL), -EBADMSG);
	assert_ret(kmq_header_next(&msg, &pos, &name, NULL, NULL), 0);
	/* Longer than what is there. */
	pos = 0;
	attr.len = 9;
	memcpy(at, &attr, sizeof(attr));
	assert_ret(kmq_header_next(&msg, &pos, &name, NULL, NULL), -EBADMSG);
	/* Cut in its own header. */
	pos = 0;
	msg.headers_len = 4;
	assert_ret(kmq_header_next(&msg, &pos, &name, NULL, NULL), -EBADMSG);
	assert_null(name);
	free(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_is_the_abi),
		cmocka_unit_test(round_trip_with_everything),
		cmocka_unit_test(received_message_can_be_sent_on),
		cmocka_unit_test(bad_messages_are_refused),
		cmocka_unit_test(attributes_have_a_limit),
		cmocka_unit_test(header_add_refuses),
		cmocka_unit_test(cut_records_are_refused),
		cmocka_unit_test(lying_records_are_refused),
		cmocka_unit_test(bad_headers_end_the_walk),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
