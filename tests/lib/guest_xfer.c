// SPDX-License-Identifier: GPL-2.0-only
/* Send and receive in one call. */
#include <pthread.h>

#include "common.h"

static struct kmq_buf *out, *in;

static int setup(void **state)
{
	out = kmq_buf_new(0);
	in = kmq_buf_new(64);
	return guest_setup(state);
}

static int teardown(void **state)
{
	kmq_buf_free(out);
	kmq_buf_free(in);
	return guest_teardown(state);
}

static void add(const char *text)
{
	struct kmq_msg msg = text_msg(text);

	assert_ret(kmq_buf_add(out, &msg), 0);
}

static void expect(const char *text)
{
	struct kmq_msg msg;

	assert_ret(kmq_buf_get(in, &msg), 1);
	assert_body(&msg, text);
}

static void same_handle(void **state)
{
	struct kmq_xfer_result res;
	int fd = handle(BOTH);

	(void)state;
	add("one");
	add("two");
	assert_ret(kmq_xfer(fd, out, -1, in, NULL, 0, &res), 0);
	assert_int_equal(res.sent, 2);
	assert_int_equal(res.send_err, 0);
	assert_int_equal(res.recv_err, 0);
	assert_int_equal(res.last_seq, 2);
	assert_int_equal(kmq_buf_count(out), 0);
	/* 64 bytes of buffer hold no message: it grew. */
	assert_in_range(res.received, 1, 2);
	expect("one");
}

static void two_handles(void **state)
{
	struct kmq_xfer_result res;
	int req_out, req_in, rep_out, rep_in;

	(void)state;
	req_out = handle(KMQ_OPEN_SEND);
	req_in = handle(KMQ_OPEN_RECV);
	guest_setup(NULL);
	rep_out = handle(KMQ_OPEN_SEND);
	rep_in = handle(KMQ_OPEN_RECV);

	assert_ret(kmq_send(rep_out, "early", 5, 0), 0);
	add("request");
	assert_ret(kmq_xfer(req_out, out, rep_in, in, NULL, 0, &res), 0);
	assert_int_equal(res.sent, 1);
	assert_int_equal(res.received, 1);
	expect("early");
	/* One half at a time, on the handle named for it. */
	assert_ret(kmq_xfer(req_out, NULL, req_in, in, NULL, 0, NULL), 0);
	expect("request");
	add("reply");
	assert_ret(kmq_xfer(rep_out, out, -1, NULL, NULL, 0, NULL), 0);
	assert_ret(kmq_xfer(-1, NULL, rep_in, in, NULL, 0, NULL), 0);
	expect("reply");
}

static void results_of_both_halves(void **state)
{
	struct kmq_xfer_opts anyway = { .flags = KMQ_XFER_RECV_ANYWAY };
	struct kmq_xfer_result res;
	int full, other;

	(void)state;
	other = handle(BOTH);
	guest_setup(NULL);
	make_queue(1, 0, 0);
	full = handle(BOTH);

	/* Sent, but nothing came. */
	add("one");
	assert_ret(kmq_xfer(full, out, other, in, NULL, 50, &res), 0);
	assert_int_equal(res.sent, 1);
	assert_int_equal(res.received, 0);
	assert_int_equal(res.recv_err, -ETIMEDOUT);
	/* Not sent, so not received either, although there is something. */
	assert_ret(kmq_send(other, "there", 5, 0), 0);
	add("two");
	assert_ret(kmq_xfer(full, out, other, in, NULL, 0, &res), -EAGAIN);
	assert_int_equal(res.sent, 0);
	assert_int_equal(res.send_err, -EAGAIN);
	assert_int_equal(res.received, 0);
	assert_int_equal(kmq_buf_count(out), 1);
	/* Unless asked for. */
	assert_ret(kmq_xfer(full, out, other, in, &anyway, 0, &res), 0);
	assert_int_equal(res.send_err, -EAGAIN);
	assert_int_equal(res.received, 1);
	expect("there");
	assert_int_equal(kmq_buf_count(out), 1);
	/* Neither. */
	assert_ret(kmq_xfer(full, out, other, in, &anyway, 0, &res), -EAGAIN);
	assert_int_equal(res.send_err, -EAGAIN);
}

static void bad_record_is_located(void **state)
{
	struct kmq_xfer_result res;
	int fd;

	(void)state;
	make_queue(0, 0, 8);
	fd = handle(BOTH);
	add("good");
	add("good");
	add("too large");
	assert_ret(kmq_xfer(fd, out, -1, NULL, NULL, 0, &res), -EMSGSIZE);
	assert_int_equal(res.send_err, -EMSGSIZE);
	assert_int_equal(res.error_at, 2 * 72);
	assert_int_equal(res.sent, 0);
	assert_int_equal(depth(), 0);
	assert_int_equal(kmq_buf_count(out), 3);
}

static void end_of_stream(void **state)
{
	struct kmq_xfer_result res;
	int fd = handle(BOTH);

	(void)state;
	assert_ret(kmq_seal(-1, queue), 0);
	assert_ret(kmq_xfer(fd, NULL, -1, in, NULL, -1, &res), 0);
	assert_int_equal(res.received, 0);
	assert_int_equal(res.recv_err, 0);
	add("late");
	assert_ret(kmq_xfer(fd, out, -1, in, NULL, -1, &res), -EPIPE);
	assert_int_equal(res.send_err, -EPIPE);
}

static void send_three(void *arg)
{
	int fd = *(int *)arg, i;

	for (i = 0; i < 3; i++) {
		kmq_send(fd, "x", 1, -1);
		usleep(20000);
	}
}

static void watermark(void **state)
{
	struct kmq_xfer_opts opts = { .min_records = 4, .linger_ms = 100 };
	struct kmq_buf *wide = kmq_buf_new(0);
	struct kmq_xfer_result res;
	int fd = handle(BOTH);
	uint64_t start;

	(void)state;
	/* One is there; the call insists on four for a while. */
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	start = now_ms();
	assert_ret(kmq_xfer(fd, NULL, -1, wide, &opts, 5000, &res), 0);
	assert_int_equal(res.received, 1);
	assert_in_range(now_ms() - start, 99, 4000);
	/* With no end of insisting the fourth ends the wait. */
	opts.linger_ms = -1;
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	later(50, send_three, &fd);
	assert_ret(kmq_xfer(fd, NULL, -1, wide, &opts, 20000, &res), 0);
	assert_int_equal(res.received, 4);
	later_done();
	/* And 0 does not insist. */
	opts.linger_ms = 0;
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	assert_ret(kmq_xfer(fd, NULL, -1, wide, &opts, 20000, &res), 0);
	assert_int_equal(res.received, 1);
	kmq_buf_free(wide);
}

static void max_records(void **state)
{
	struct kmq_xfer_opts opts = { .max_records = 2 };
	struct kmq_buf *wide = kmq_buf_new(0);
	int fd = handle(BOTH);

	(void)state;
	add("a");
	add("b");
	add("c");
	assert_ret(kmq_xfer(fd, out, -1, wide, &opts, 0, NULL), 0);
	assert_int_equal(kmq_buf_count(wide), 2);
	assert_int_equal(depth(), 1);
	kmq_buf_free(wide);
}

#define ROUNDS 200

struct server { int in, out; int served; };

static void *serve(void *arg)
{
	struct server *s = arg;
	struct kmq_buf *reply = kmq_buf_new(0), *request = kmq_buf_new(0);
	struct kmq_msg msg;

	/* Reply and wait for the next, in one call. */
	while (!kmq_xfer(s->out, reply, s->in, request, NULL, -1, NULL) &&
	       kmq_buf_get(request, &msg) == 1) {
		if (kmq_buf_add(reply, &msg))
			break;
		s->served++;
	}
	kmq_buf_free(reply);
	kmq_buf_free(request);
	return NULL;
}

static void request_and_reply(void **state)
{
	struct server s = { 0 };
	char requests[64], text[32];
	pthread_t server;
	int req, rep, i;

	(void)state;
	strcpy(requests, queue);
	req = handle(KMQ_OPEN_SEND);
	s.in = handle(KMQ_OPEN_RECV);
	guest_setup(NULL);
	rep = handle(KMQ_OPEN_RECV);
	s.out = handle(KMQ_OPEN_SEND);
	assert_int_equal(pthread_create(&server, NULL, serve, &s), 0);
	for (i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof(text), "request %d", i);
		add(text);
		assert_ret(kmq_xfer(req, out, rep, in, NULL, 10000, NULL), 0);
		expect(text);
	}
	assert_ret(kmq_seal(-1, requests), 0);
	assert_int_equal(pthread_join(server, NULL), 0);
	assert_int_equal(s.served, ROUNDS);
}

#define xfer_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		xfer_test(same_handle),
		xfer_test(two_handles),
		xfer_test(results_of_both_halves),
		xfer_test(bad_record_is_located),
		xfer_test(end_of_stream),
		xfer_test(watermark),
		xfer_test(max_records),
		xfer_test(request_and_reply),
	};

	enter_domain();
	return cmocka_run_group_tests_name("xfer", tests, NULL, NULL);
}
