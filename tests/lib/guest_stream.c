// SPDX-License-Identifier: GPL-2.0-only
/* Buffers on real queues: put and flush, next, batches. */
#include "common.h"

#define COUNT 1000

static struct kmq_msg numbered(char *text, size_t size, int i)
{
	struct kmq_msg msg = { .body = text, .cookie = (uint64_t)i };

	msg.len = (size_t)snprintf(text, size, "message %d", i);
	return msg;
}

static void put_flush_next(void **state)
{
	struct kmq_buf *out = kmq_buf_new(4096), *in = kmq_buf_new(4096);
	int fd = handle(BOTH), i;
	struct kmq_msg msg;
	char text[32];

	(void)state;
	for (i = 0; i < COUNT; i++) {
		msg = numbered(text, sizeof(text), i);
		assert_ret(kmq_put(fd, out, &msg, -1), 0);
	}
	/* Some are sent, in whole buffers; the rest not before the flush. */
	assert_in_range(kmq_buf_count(out), 1, COUNT - 1);
	assert_int_equal(depth() + kmq_buf_count(out), COUNT);
	assert_ret(kmq_flush(fd, out, -1), 0);
	assert_int_equal(kmq_buf_count(out), 0);
	assert_int_equal(depth(), COUNT);
	assert_ret(kmq_flush(fd, out, -1), 0);

	assert_ret(kmq_seal(-1, queue), 0);
	for (i = 0; i < COUNT; i++) {
		assert_ret(kmq_next(fd, in, &msg, -1), 1);
		numbered(text, sizeof(text), i);
		assert_body(&msg, text);
		assert_int_equal(msg.cookie, i);
		assert_int_equal(msg.seq, i + 1);
		assert_int_equal(msg.pid, getpid());
	}
	assert_ret(kmq_next(fd, in, &msg, -1), 0);
	assert_ret(kmq_next(fd, in, &msg, -1), 0);
	kmq_buf_free(out);
	kmq_buf_free(in);
}

static void linger(void **state)
{
	struct kmq_buf *out = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("x");
	int fd = handle(BOTH);

	(void)state;
	/* 0: nothing waits. */
	kmq_buf_set_linger(out, 0);
	assert_ret(kmq_put(fd, out, &msg, -1), 0);
	assert_int_equal(depth(), 1);
	/* By age, at the next put. */
	kmq_buf_set_linger(out, 100);
	assert_ret(kmq_put(fd, out, &msg, -1), 0);
	assert_int_equal(kmq_buf_count(out), 1);
	usleep(120 * 1000);
	assert_int_equal(depth(), 1);
	assert_ret(kmq_put(fd, out, &msg, -1), 0);
	assert_int_equal(kmq_buf_count(out), 0);
	assert_int_equal(depth(), 3);
	/* -1: never by age. */
	kmq_buf_set_linger(out, -1);
	assert_ret(kmq_put(fd, out, &msg, -1), 0);
	usleep(120 * 1000);
	assert_ret(kmq_put(fd, out, &msg, -1), 0);
	assert_int_equal(kmq_buf_count(out), 2);
	kmq_buf_free(out);
}

static void full_queue_keeps_the_rest(void **state)
{
	struct kmq_buf *out = kmq_buf_new(10 * 72), *in = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("12345678");
	uint64_t start;
	int fd, i;

	(void)state;
	make_queue(5, 0, 0);
	fd = handle(BOTH);
	for (i = 0; i < 10; i++)
		assert_ret(kmq_put(fd, out, &msg, 0), 0);
	assert_int_equal(depth(), 0);
	/* Five go; there is room in the buffer again, but this one failed. */
	assert_ret(kmq_put(fd, out, &msg, 0), -EAGAIN);
	assert_int_equal(depth(), 5);
	assert_int_equal(kmq_buf_count(out), 5);
	start = now_ms();
	assert_ret(kmq_flush(fd, out, 100), -ETIMEDOUT);
	assert_in_range(now_ms() - start, 99, 5000);
	assert_int_equal(kmq_buf_count(out), 5);
	assert_ret(kmq_send_buf(fd, out, 0, 0), -EAGAIN);

	assert_ret(kmq_recv_buf(fd, in, 3, 0), 3);
	assert_ret(kmq_send_buf(fd, out, 0, 0), 3);
	assert_int_equal(kmq_buf_count(out), 2);
	assert_ret(kmq_recv_buf(fd, in, 0, 0), 5);
	assert_ret(kmq_flush(fd, out, 0), 0);
	assert_int_equal(kmq_buf_count(out), 0);
	assert_int_equal(depth(), 2);
	kmq_buf_free(out);
	kmq_buf_free(in);
}

static void atomic_batches(void **state)
{
	struct kmq_buf *out = kmq_buf_new(0), *in = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("12345678");
	int fd, i;

	(void)state;
	make_queue(5, 0, 0);
	fd = handle(BOTH);
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	for (i = 0; i < 5; i++)
		assert_ret(kmq_buf_add(out, &msg), 0);
	assert_ret(kmq_send_buf(fd, out, KMQ_XFER_ATOMIC, 0), -EAGAIN);
	assert_int_equal(kmq_buf_count(out), 5);
	assert_int_equal(depth(), 1);
	assert_ret(kmq_recv_buf(fd, in, 0, 0), 1);
	assert_ret(kmq_send_buf(fd, out, KMQ_XFER_ATOMIC, 0), 5);
	assert_int_equal(kmq_buf_count(out), 0);
	/* Six never fit. */
	for (i = 0; i < 6; i++)
		assert_ret(kmq_buf_add(out, &msg), 0);
	assert_ret(kmq_send_buf(fd, out, KMQ_XFER_ATOMIC, -1), -EMSGSIZE);
	assert_int_equal(kmq_buf_count(out), 6);
	assert_ret(kmq_send_buf(fd, out, 1u << 31, 0), -EINVAL);
	kmq_buf_free(out);
	kmq_buf_free(in);
}

static void recv_buf_bounds(void **state)
{
	struct kmq_buf *in = kmq_buf_new(0);
	struct kmq_msg msg;
	int fd = handle(BOTH), i;

	(void)state;
	assert_ret(kmq_recv_buf(fd, in, 0, 0), -EAGAIN);
	assert_ret(kmq_recv_buf(fd, in, 0, 50), -ETIMEDOUT);
	for (i = 0; i < 10; i++)
		assert_ret(kmq_send(fd, "x", 1, 0), 0);
	assert_ret(kmq_recv_buf(fd, in, 4, 0), 4);
	assert_int_equal(kmq_buf_count(in), 4);
	assert_ret(kmq_buf_get(in, &msg), 1);
	assert_int_equal(msg.seq, 1);
	/* What was not got is forgotten. */
	assert_ret(kmq_recv_buf(fd, in, 0, 0), 6);
	assert_ret(kmq_buf_get(in, &msg), 1);
	assert_int_equal(msg.seq, 5);
	assert_ret(kmq_recv_buf(fd, in, 0, 0), -EAGAIN);
	assert_int_equal(kmq_buf_count(in), 0);
	assert_ret(kmq_seal(-1, queue), 0);
	assert_ret(kmq_recv_buf(fd, in, 0, -1), 0);
	kmq_buf_free(in);
}

static void buffer_grows_to_the_message(void **state)
{
	struct kmq_buf *in = kmq_buf_new(64), *out = kmq_buf_new(64);
	size_t len = KMQ_MESSAGE_MAX;
	char *body = malloc(len);
	struct kmq_msg msg = { .body = body, .len = len };
	int fd;

	(void)state;
	assert_non_null(body);
	memset(body, 'b', len);
	make_queue(0, 64 << 20, KMQ_MESSAGE_MAX);
	fd = handle(BOTH);
	assert_ret(kmq_put(fd, out, &msg, 0), 0);
	assert_ret(kmq_flush(fd, out, 0), 0);
	assert_ret(kmq_next(fd, in, &msg, 0), 1);
	assert_int_equal(msg.len, len);
	assert_memory_equal(msg.body, body, len);
	assert_ret(kmq_next(fd, in, &msg, 0), -EAGAIN);
	free(body);
	kmq_buf_free(in);
	kmq_buf_free(out);
}

/* More than one system call takes. */
static void very_large_buffer(void **state)
{
	struct kmq_buf *out = kmq_buf_new(6 << 20), *in = kmq_buf_new(6 << 20);
	static char body[100000];
	struct kmq_msg msg = { .body = body, .len = sizeof(body) };
	int fd, i, ret, got = 0;

	(void)state;
	make_queue(0, 64 << 20, 0);
	fd = handle(BOTH);
	for (i = 0; i < 60; i++) {
		msg.cookie = (uint64_t)i;
		assert_ret(kmq_buf_add(out, &msg), 0);
	}
	assert_ret(kmq_send_buf(fd, out, KMQ_XFER_ATOMIC, 0), -EMSGSIZE);
	assert_int_equal(depth(), 0);
	assert_ret(kmq_send_buf(fd, out, 0, 0), 60);
	assert_int_equal(kmq_buf_count(out), 0);
	while ((ret = kmq_next(fd, in, &msg, 0)) > 0) {
		assert_int_equal(msg.cookie, got);
		got++;
	}
	assert_ret(ret, -EAGAIN);
	assert_int_equal(got, 60);
	kmq_buf_free(out);
	kmq_buf_free(in);
}

static void attributes_travel(void **state)
{
	struct kmq_buf *in = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("body"), got;
	int fd = handle(BOTH);
	unsigned char headers[128];
	size_t len = 0, pos = 0, value_len;
	const char *name;
	const void *value;

	(void)state;
	assert_ret(kmq_header_add(headers, &len, sizeof(headers), "type",
				  "job", 3), 0);
	msg.headers = headers;
	msg.headers_len = len;
	msg.key = "user 7";
	msg.key_len = 6;
	assert_ret(kmq_send_msg(fd, &msg, 0), 0);
	assert_ret(kmq_next(fd, in, &got, 0), 1);
	assert_body(&got, "body");
	assert_int_equal(got.key_len, 6);
	assert_memory_equal(got.key, "user 7", 6);
	assert_ret(kmq_header_next(&got, &pos, &name, &value, &value_len), 1);
	assert_string_equal(name, "type");
	assert_int_equal(value_len, 3);
	assert_memory_equal(value, "job", 3);
	assert_ret(kmq_header_next(&got, &pos, &name, &value, &value_len), 0);
	/* And once more, as received. */
	assert_ret(kmq_send_msg(fd, &got, 0), 0);
	assert_ret(kmq_next(fd, in, &got, 0), 1);
	assert_int_equal(got.key_len, 6);
	assert_int_equal(got.seq, 2);
	kmq_buf_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(put_flush_next),
		guest_test(linger),
		guest_test(full_queue_keeps_the_rest),
		guest_test(atomic_batches),
		guest_test(recv_buf_bounds),
		guest_test(buffer_grows_to_the_message),
		guest_test(very_large_buffer),
		guest_test(attributes_travel),
	};

	enter_domain();
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
