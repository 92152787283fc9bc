// SPDX-License-Identifier: GPL-2.0-only
/* The buffer as a queue of records: add at one end, get at the other. */
#include "common.h"
#include "internal.h"

static void order_and_counts(void **state)
{
	struct kmq_buf *buf = kmq_buf_new(4096);
	struct kmq_msg msg, got;
	char text[32];
	int i;

	(void)state;
	assert_non_null(buf);
	assert_ret(kmq_buf_get(buf, &got), 0);
	for (i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "message %d", i);
		msg = text_msg(text);
		msg.cookie = (uint64_t)i;
		assert_ret(kmq_buf_add(buf, &msg), 0);
	}
	assert_int_equal(kmq_buf_count(buf), 10);
	assert_int_equal(kmq_buf_bytes(buf), 10 * 80);
	for (i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "message %d", i);
		assert_ret(kmq_buf_get(buf, &got), 1);
		assert_body(&got, text);
		assert_int_equal(got.cookie, i);
		assert_int_equal(kmq_buf_count(buf), 9 - i);
		assert_int_equal(kmq_buf_bytes(buf), (9 - i) * 80);
	}
	assert_ret(kmq_buf_get(buf, &got), 0);
	/* What was got last stays readable until the buffer is used again. */
	assert_body(&got, "message 9");
	kmq_buf_free(buf);
}

static void full_is_enobufs(void **state)
{
	struct kmq_buf *buf = kmq_buf_new(3 * 72);
	struct kmq_msg msg = text_msg("12345678"), got;

	(void)state;
	assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_add(buf, &msg), -ENOBUFS);
	assert_int_equal(kmq_buf_count(buf), 3);
	/* Room at the front counts. */
	assert_ret(kmq_buf_get(buf, &got), 1);
	assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_add(buf, &msg), -ENOBUFS);
	assert_int_equal(kmq_buf_count(buf), 3);
	kmq_buf_reset(buf);
	assert_int_equal(kmq_buf_count(buf), 0);
	assert_int_equal(kmq_buf_bytes(buf), 0);
	assert_ret(kmq_buf_get(buf, &got), 0);
	kmq_buf_free(buf);
}

static void grows_for_one_large_record(void **state)
{
	struct kmq_buf *buf = kmq_buf_new(64);
	size_t len = KMQ_MESSAGE_MAX, i;
	unsigned char *body = malloc(len);
	struct kmq_msg msg = { .body = body, .len = len }, got;
	struct kmq_msg small = text_msg("small");

	(void)state;
	assert_non_null(body);
	for (i = 0; i < len; i++)
		body[i] = (unsigned char)(i * 7 >> 3);
	/* Not beside another one ... */
	assert_ret(kmq_buf_add(buf, &small), 0);
	assert_ret(kmq_buf_add(buf, &msg), -ENOBUFS);
	assert_ret(kmq_buf_get(buf, &got), 1);
	/* ... but alone. */
	assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_get(buf, &got), 1);
	assert_int_equal(got.len, len);
	assert_memory_equal(got.body, body, len);
	assert_ret(kmq_buf_get(buf, &got), 0);
	free(body);
	kmq_buf_free(buf);
}

static void refused_message_changes_nothing(void **state)
{
	struct kmq_buf *buf = kmq_buf_new(0);
	struct kmq_msg bad = { .priority = KMQ_PRIORITY_MAX + 1 };
	struct kmq_msg good = text_msg("good"), got;

	(void)state;
	assert_ret(kmq_buf_add(buf, &good), 0);
	assert_ret(kmq_buf_add(buf, &bad), -EINVAL);
	assert_int_equal(kmq_buf_count(buf), 1);
	assert_ret(kmq_buf_get(buf, &got), 1);
	assert_body(&got, "good");
	kmq_buf_free(buf);
}

/* What a broken or hostile writer leaves ends the walk, and the buffer. */
static void malformed_buffer(void **state)
{
	struct kmq_buf *buf = kmq_buf_new(4096);
	struct kmq_msg msg = text_msg("fine"), got;
	uint32_t size = 4096;

	(void)state;
	assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_add(buf, &msg), 0);
	memcpy(buf->data + 72, &size, sizeof(size));
	assert_ret(kmq_buf_get(buf, &got), 1);
	assert_ret(kmq_buf_get(buf, &got), -EBADMSG);
	assert_ret(kmq_buf_get(buf, &got), 0);
	assert_int_equal(kmq_buf_count(buf), 0);
	kmq_buf_free(buf);
}

static void prefix_is_whole_records(void **state)
{
	struct kmq_buf *buf = kmq_buf_new(4096);
	struct kmq_msg msg = text_msg("12345678"), got;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_get(buf, &got), 1);
	assert_int_equal(kmq__buf_prefix(buf, 4096), 4 * 72);
	assert_int_equal(kmq__buf_prefix(buf, 4 * 72), 4 * 72);
	assert_int_equal(kmq__buf_prefix(buf, 4 * 72 - 1), 3 * 72);
	assert_int_equal(kmq__buf_prefix(buf, 72), 72);
	assert_int_equal(kmq__buf_prefix(buf, 71), 0);
	kmq_buf_free(buf);
}

static void odd_sizes_and_null(void **state)
{
	struct kmq_msg msg = { 0 }, got;
	struct kmq_buf *buf;

	(void)state;
	kmq_buf_free(NULL);
	assert_null(kmq_buf_new(SIZE_MAX));
	buf = kmq_buf_new(1);
	assert_non_null(buf);
	assert_ret(kmq_buf_add(buf, &msg), 0);
	assert_ret(kmq_buf_add(buf, &msg), -ENOBUFS);
	assert_ret(kmq_buf_get(buf, &got), 1);
	assert_int_equal(got.len, 0);
	assert_null(got.key);
	assert_null(got.headers);
	kmq_buf_free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_counts),
		cmocka_unit_test(full_is_enobufs),
		cmocka_unit_test(grows_for_one_large_record),
		cmocka_unit_test(refused_message_changes_nothing),
		cmocka_unit_test(malformed_buffer),
		cmocka_unit_test(prefix_is_whole_records),
		cmocka_unit_test(odd_sizes_and_null),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
