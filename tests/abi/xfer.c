// SPDX-License-Identifier: GPL-2.0-only
/* XFER: send a batch, then receive one */
#include "kmq-test.h"

static union {
	struct kmq_record rec;
	char buf[4096];
} in;

static int send_n(int q, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		char text[2] = { 'a' + i };

		if (put(q, text))
			return -1;
	}
	return 0;
}

TEST_F(abi, sends_a_batch)
{
	int q = create("q", BOTH, NULL);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(3, x.sent);
	EXPECT_EQ(b.len, x.sent_bytes);
	EXPECT_EQ(3, x.last_seq);
	EXPECT_EQ(0, x.send_err);
	EXPECT_EQ(0, x.recv_err);
	EXPECT_EQ(0, x.received);
	EXPECT_EQ(0, x.received_bytes);
	EXPECT_EQ(0, x.needed);
	EXPECT_EQ(0, x.error_at);
	EXPECT_EQ(3, stat_fd(q).ready);
}

TEST_F(abi, receives_a_batch)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	ASSERT_EQ(0, send_n(q, 3));
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(3, x.received);
	EXPECT_EQ(216, x.received_bytes);
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(0, x.sent_bytes);
	EXPECT_EQ(0, x.send_err);
	EXPECT_EQ(0, x.recv_err);
	EXPECT_EQ(0, x.needed);
	EXPECT_EQ(0, x.error_at);
	EXPECT_EQ(0, x.last_seq);
	EXPECT_TRUE(body_is(&in.rec, "a"));
	EXPECT_EQ((char)POISON, in.buf[216]);
}

TEST_F(abi, sends_first_then_receives)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(128);

	add(&b, "own");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(1, x.received);
	EXPECT_TRUE(body_is(&in.rec, "own"));
}

TEST_F(abi, input_fields_stay_as_they_were)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in)), before;
	struct batch b = BATCH(128);

	add(&b, "own");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	x.deadline = KMQ_FOREVER;
	x.max_records = 7;
	x.min_records = 1;
	before = x;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(0, memcmp(&x, &before, offsetof(typeof(x), sent)));
}

TEST_F(abi, sends_on_another_handle)
{
	int q = create("q", RECV, NULL), to = create("to", SEND, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(128);

	ASSERT_EQ(0, put(open_queue("q", SEND), "request"));
	add(&b, "reply");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	x.send_fd = to;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(1, x.received);
	EXPECT_TRUE(body_is(&in.rec, "request"));
	EXPECT_EQ(1, stat_fd(to).ready);
}

static void bad_send_fd(struct __test_metadata *_metadata, int fd, int err)
{
	int q = create("q", BOTH, NULL);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	add(&b, "a");
	x = xfer_send(&b);
	x.send_fd = fd;
	EXPECT_EQ(err, xfer(q, &x));
	EXPECT_EQ(0, stat_fd(q).sent);
	/* a malformed request is answered by its error alone */
	EXPECT_TRUE(err == -EINVAL || (x.send_err == err && !x.sent));
}

TEST_F(abi, a_closed_send_fd_is_ebadf)
{
	bad_send_fd(_metadata, 900, -EBADF);
}

TEST_F(abi, another_kind_of_send_fd_is_enotty)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	bad_send_fd(_metadata, p[1], -ENOTTY);
}

TEST_F(abi, a_control_fd_is_no_send_fd)
{
	bad_send_fd(_metadata, ctl, -ENOTTY);
}

TEST_F(abi, a_send_fd_below_minus_one_is_einval)
{
	bad_send_fd(_metadata, -2, -EINVAL);
}

TEST_F(abi, each_part_needs_its_direction)
{
	int s = create("q", SEND, NULL), r = open_queue("q", RECV);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(128);

	EXPECT_EQ(-EBADF, xfer(s, &x));
	EXPECT_EQ(-EBADF, x.recv_err);
	EXPECT_EQ(0, x.send_err);
	add(&b, "a");
	x = xfer_send(&b);
	EXPECT_EQ(-EBADF, xfer(r, &x));
	EXPECT_EQ(-EBADF, x.send_err);
	EXPECT_EQ(0, x.recv_err);
	x = xfer_send(&b);
	x.send_fd = r;
	EXPECT_EQ(-EBADF, xfer(s, &x));
	EXPECT_EQ(-EBADF, x.send_err);
}

TEST_F(abi, a_send_that_did_something_is_not_hidden)
{
	int s = create("q", SEND, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(128);

	add(&b, "a");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	EXPECT_EQ(0, xfer(s, &x));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(-EBADF, x.recv_err);
}

TEST_F(abi, malformed_requests_are_einval)
{
	int q = create("q", BOTH, NULL);
	struct batch b = BATCH(128);
	struct kmq_xfer_args good, x;
	struct kmq_stat_args before;

	add(&b, "a");
	ASSERT_EQ(0, put(q, "b"));
	before = stat_fd(q);
	good = xfer_recv(&in, sizeof(in));
	good.send = ptr(b.buf);
	good.send_len = b.len;

	x = good;
	x.flags = KMQ_XFER_FLAGS + 1;
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	x = good;
	x.settle_count = 1;
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	x = good;
	x.settle = ptr(&b);
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	x = good;
	x.min_records = 3;
	x.max_records = 2;
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	x = xfer_args();
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ((char)POISON, in.buf[0]);
}

TEST_F(abi, max_records_bounds_the_batch)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	ASSERT_EQ(0, send_n(q, 5));
	x.max_records = 2;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.received);
	EXPECT_EQ(144, x.received_bytes);
	EXPECT_EQ(3, stat_fd(q).ready);
}

TEST_F(abi, a_large_batch_is_received_at_once)
{
	size_t size = 3000 * 72;
	struct batch b = { .max = size, .buf = malloc(size) };
	char *back = malloc(size);
	int q = create("q", BOTH, NULL), i;
	struct kmq_record *rec = (void *)back;
	struct kmq_xfer_args x;

	for (i = 0; i < 3000; i++)
		add(&b, "body")->cookie = i;
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(3000, x.sent);
	EXPECT_EQ(3000, x.last_seq);
	x = xfer_recv(back, size);
	x.max_records = 2500;
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2500, x.received);
	for (i = 0; i < 2500; i++, rec = next_record(rec))
		ASSERT_EQ(i, rec->cookie);
	x = xfer_recv(back, size);
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(500, x.received);
}

TEST_F(abi, too_small_a_buffer_tells_what_is_needed)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, 71);

	ASSERT_EQ(0, put(q, "hello"));
	EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	EXPECT_EQ(-EMSGSIZE, x.recv_err);
	EXPECT_EQ(72, x.needed);
	EXPECT_EQ(0, x.received);
	EXPECT_EQ((char)POISON, in.buf[0]);
	EXPECT_EQ(1, stat_fd(q).ready);
	x = xfer_recv(&in, 72);
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(0, x.needed);
}

TEST_F(abi, an_empty_queue_is_eagain)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	EXPECT_EQ(-EAGAIN, xfer(q, &x));
	EXPECT_EQ(-EAGAIN, x.recv_err);
	EXPECT_EQ(0, x.send_err);
	EXPECT_EQ(0, x.received);
}

TEST_F(abi, a_full_queue_takes_the_first_ones)
{
	int q = create_bounded("q", BOTH, 2);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.sent);
	EXPECT_EQ(144, x.sent_bytes);
	EXPECT_EQ(2, x.last_seq);
	EXPECT_EQ(-EAGAIN, x.send_err);
	x = xfer_send(&b);
	EXPECT_EQ(-EAGAIN, xfer(q, &x));
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(-EAGAIN, x.send_err);
	EXPECT_TRUE(get(q, "a"));
	EXPECT_TRUE(get(q, "b"));
}

TEST_F(abi, a_send_that_falls_short_ends_it)
{
	int q = create_bounded("q", BOTH, 1);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(512);

	add(&b, "a");
	add(&b, "b");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.sent);
	EXPECT_EQ(-EAGAIN, x.send_err);
	EXPECT_EQ(0, x.received);
	EXPECT_EQ(0, x.recv_err);
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, recv_anyway_receives_all_the_same)
{
	int q = create_bounded("q", BOTH, 1);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(512);

	ASSERT_EQ(0, put(q, "z"));
	add(&b, "a");
	x.send = ptr(b.buf);
	x.send_len = b.len;
	x.flags = KMQ_XFER_RECV_ANYWAY;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(-EAGAIN, x.send_err);
	EXPECT_EQ(1, x.received);
	EXPECT_EQ(0, x.recv_err);
	EXPECT_TRUE(body_is(&in.rec, "z"));
}

TEST_F(abi, recv_anyway_after_a_malformed_batch)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(512);

	ASSERT_EQ(0, put(q, "z"));
	add(&b, "a");
	add(&b, "b")->flags = 1;
	x.send = ptr(b.buf);
	x.send_len = b.len;
	x.flags = KMQ_XFER_RECV_ANYWAY;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(-EINVAL, x.send_err);
	EXPECT_EQ(72, x.error_at);
	EXPECT_EQ(1, x.received);
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(abi, atomic_sends_all_or_none)
{
	int q = create_bounded("q", BOTH, 3);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	ASSERT_EQ(0, put(q, "z"));
	add(&b, "a");
	add(&b, "b");
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.sent);
	ASSERT_TRUE(get(q, "z"));
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	EXPECT_EQ(-EAGAIN, xfer(q, &x));
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(-EAGAIN, x.send_err);
	EXPECT_EQ(2, stat_fd(q).ready);
}

TEST_F(abi, atomic_waits_for_room_for_all)
{
	int q = create_bounded("q", BOTH, 2);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;
	struct bg bg;

	ASSERT_EQ(0, send_n(q, 2));
	add(&b, "x");
	add(&b, "y");
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	x.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_EQ(1, stat_fd(q).waiting_senders);
	ASSERT_TRUE(get(q, "b"));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(2, x.sent);
	EXPECT_TRUE(get(q, "x"));
	EXPECT_TRUE(get(q, "y"));
}

TEST_F(abi, atomic_that_never_fits_is_emsgsize)
{
	int q = create_bounded("q", BOTH, 2);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	x.deadline = KMQ_FOREVER;
	EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	EXPECT_EQ(-EMSGSIZE, x.send_err);
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(abi, atomic_beyond_what_one_call_takes_is_emsgsize)
{
	size_t size = record_size(0, 8000), i;
	struct batch b = { .max = 700 * size, .buf = malloc(700 * size) };
	char *body = calloc(1, 8000);
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x;

	for (i = 0; i < 700; i++)
		add_full(&b, NULL, 0, body, 8000);
	x = xfer_send(&b);
	x.flags = KMQ_XFER_ATOMIC;
	EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	EXPECT_EQ(0, x.sent);
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, sealed_and_empty_ends_without_an_error)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.received);
	x = xfer_recv(&in, sizeof(in));
	x.deadline = KMQ_FOREVER;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(0, x.received);
	EXPECT_EQ(0, x.recv_err);
}

TEST_F(abi, shutdown_is_ecanceled)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct batch b = BATCH(128);

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, shut(q, BOTH));
	EXPECT_EQ(-ECANCELED, xfer(q, &x));
	EXPECT_EQ(-ECANCELED, x.recv_err);
	add(&b, "b");
	x = xfer_send(&b);
	EXPECT_EQ(-ECANCELED, xfer(q, &x));
	EXPECT_EQ(-ECANCELED, x.send_err);
}

TEST_F(abi, min_records_waits_for_so_many)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct bg bg;

	ASSERT_EQ(0, send_n(q, 2));
	x.min_records = 4;
	x.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 0, 1));
	EXPECT_EQ(2, stat_fd(q).ready);
	ASSERT_EQ(0, put(q, "c"));
	EXPECT_EQ(1, stat_fd(q).waiting_receivers);
	ASSERT_EQ(0, put(q, "d"));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(4, x.received);
}

TEST_F(abi, min_records_does_not_wait_without_a_deadline)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	ASSERT_EQ(0, send_n(q, 2));
	x.min_records = 4;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.received);
}

TEST_F(abi, min_records_is_given_up_at_the_deadline)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	ASSERT_EQ(0, send_n(q, 2));
	x.min_records = 4;
	x.deadline = now() + NSEC / 20;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.received);
	EXPECT_LE(x.deadline, now());
	x = xfer_recv(&in, sizeof(in));
	x.min_records = 4;
	x.deadline = now() + NSEC / 20;
	EXPECT_EQ(-ETIMEDOUT, xfer(q, &x));
}

TEST_F(abi, after_linger_until_one_is_enough)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct bg bg;

	ASSERT_EQ(0, send_n(q, 2));
	x.min_records = 4;
	x.deadline = KMQ_FOREVER;
	x.linger_until = now() + NSEC / 20;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.received);
	EXPECT_LE(x.linger_until, now());

	/* and the first that comes, when none was there */
	x = xfer_recv(&in, sizeof(in));
	x.min_records = 4;
	x.deadline = KMQ_FOREVER;
	x.linger_until = now() + NSEC / 20;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(WAIT_FOR(now() > x.linger_until + NSEC / 20));
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, put(q, "late"));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(1, x.received);
}

TEST_F(abi, seal_ends_min_records)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));
	struct bg bg;

	ASSERT_EQ(0, send_n(q, 2));
	x.min_records = 4;
	x.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, q, &x, 0);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(2, x.received);
}

TEST_F(abi, a_watermark_above_the_bounds_does_not_hang)
{
	int q = create_bounded("q", BOTH, 2);
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	ASSERT_EQ(0, send_n(q, 2));
	x.min_records = 100;
	x.deadline = now() + PATIENCE;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(2, x.received);
	EXPECT_GT(x.deadline, now());
}

TEST_F(abi, request_and_reply_in_one_call_each)
{
	int req = create("req", BOTH, NULL), rep = create("rep", BOTH, NULL);
	struct kmq_xfer_args client, server;
	union {
		struct kmq_record rec;
		char buf[256];
	} answer, question;
	struct batch b = BATCH(128), c = BATCH(128);
	struct bg bg;

	add(&b, "ping");
	client = xfer_recv(&answer, sizeof(answer));
	client.send = ptr(b.buf);
	client.send_len = b.len;
	client.send_fd = req;
	client.deadline = KMQ_FOREVER;
	bg_start(&bg, BG_XFER, rep, &client, 0);
	ASSERT_TRUE(waiting(rep, 0, 1));

	server = xfer_recv(&question, sizeof(question));
	ASSERT_EQ(0, xfer(req, &server));
	EXPECT_TRUE(body_is(&question.rec, "ping"));
	add(&c, "pong");
	server = xfer_send(&c);
	server.send_fd = rep;
	ASSERT_EQ(0, xfer(req, &server));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_EQ(1, client.sent);
	EXPECT_EQ(1, client.received);
	EXPECT_TRUE(body_is(&answer.rec, "pong"));
}

TEST_HARNESS_MAIN
