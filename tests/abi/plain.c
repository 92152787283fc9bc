// SPDX-License-Identifier: GPL-2.0-only
/* read(2) and write(2), one message a call */
#include "kmq-test.h"

static int next_size(int fd)
{
	int size = -1;
	int ret = request(fd, FIONREAD, &size);

	return ret ? ret : size;
}

TEST_F(abi, a_message_arrives_as_it_was_sent)
{
	int q = create("q", BOTH, NULL);
	char buf[16];

	memset(buf, POISON, sizeof(buf));
	EXPECT_EQ(5, wr(q, "hello", 5));
	EXPECT_EQ(5, rd(q, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	/* and nothing but it */
	EXPECT_EQ((char)POISON, buf[5]);
	EXPECT_EQ((char)POISON, buf[15]);
}

TEST_F(abi, message_boundaries_are_kept)
{
	int q = create("q", BOTH, NULL);
	char buf[64];

	ASSERT_EQ(1, wr(q, "a", 1));
	ASSERT_EQ(2, wr(q, "bc", 2));
	ASSERT_EQ(3, wr(q, "def", 3));
	EXPECT_EQ(1, rd(q, buf, sizeof(buf)));
	EXPECT_EQ(2, rd(q, buf, sizeof(buf)));
	EXPECT_EQ(3, rd(q, buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "def", 3));
}

TEST_F(abi, first_in_first_out)
{
	int q = create("q", BOTH, NULL), i, n;

	for (i = 0; i < 2000; i++)
		ASSERT_EQ(sizeof(i), wr(q, &i, sizeof(i)));
	for (i = 0; i < 2000; i++) {
		ASSERT_EQ(sizeof(n), rd(q, &n, sizeof(n)));
		ASSERT_EQ(i, n);
	}
}

TEST_F(abi, every_length_arrives_whole)
{
	static const size_t around[] = {
		1, 8, 64, 128, 192, 448, 960, 1984, 4032, 8128, 16256, 16320,
		16384, 32704, 32768, 65536, KMQ_MESSAGE_MAX - 4,
	};
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
				    .max_message_size = KMQ_MESSAGE_MAX);
	char *in = malloc(KMQ_MESSAGE_MAX + 16);
	char *out = malloc(KMQ_MESSAGE_MAX);
	int q = create("q", BOTH, &at);
	size_t i, k, len;

	for (i = 0; i < KMQ_MESSAGE_MAX; i++)
		out[i] = i * 7 + (i >> 8);
	for (i = 0; i < ARRAY_SIZE(around); i++) {
		for (k = 0; k <= 4; k++) {
			len = around[i] + k;
			memset(in, POISON, len + 8);
			ASSERT_EQ(len, wr(q, out, len));
			ASSERT_EQ(len, rd(q, in, len + 8));
			ASSERT_EQ(0, memcmp(in, out, len))
				TH_LOG("length %zu", len);
			EXPECT_EQ((char)POISON, in[len]);
		}
	}
}

TEST_F(abi, writing_nothing_is_einval)
{
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(-EINVAL, wr(q, "", 0));
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, too_long_a_message_is_emsgsize)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
				    .max_message_size = 10);
	int q = create("q", BOTH, &at);
	struct kmq_stat_args before = stat_fd(q);

	EXPECT_EQ(-EMSGSIZE, wr(q, "12345678901", 11));
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(10, wr(q, "1234567890", 10));
}

TEST_F(abi, even_a_huge_length_is_only_emsgsize)
{
	int q = create("q", BOTH, NULL);
	char *page = shared(4096);

	EXPECT_EQ(-EMSGSIZE, wr(q, page, 0x7ffff000));
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, too_small_a_buffer_takes_nothing)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before;
	char buf[8];

	memset(buf, POISON, sizeof(buf));
	ASSERT_EQ(0, put(q, "hello"));
	before = stat_fd(q);
	EXPECT_EQ(-EMSGSIZE, rd(q, buf, 4));
	EXPECT_EQ(-EMSGSIZE, rd(q, buf, 0));
	EXPECT_EQ((char)POISON, buf[0]);
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(5, rd(q, buf, 5));
}

TEST_F(abi, too_small_a_buffer_shows_when_the_message_comes)
{
	int q = create("q", BOTH, NULL);
	struct bg bg;
	char c;

	bg_start(&bg, BG_READ, q, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, put(q, "hello"));
	EXPECT_EQ(-EMSGSIZE, bg_end(&bg));
	EXPECT_TRUE(get(q, "hello"));
}

TEST_F(abi, fionread_is_the_size_of_the_next)
{
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(0, next_size(q));
	ASSERT_EQ(0, put(q, "hello"));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(5, next_size(q));
	ASSERT_EQ(0, put_priority(q, "two", 1));
	EXPECT_EQ(3, next_size(q));
}

TEST_F(abi, fionread_needs_the_right_to_receive)
{
	int q = create("q", SEND, NULL);

	ASSERT_EQ(0, put(q, "hello"));
	EXPECT_EQ(-EBADF, next_size(q));
}

TEST_F(abi, an_empty_body_is_taken_with_enodata)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	char c = POISON;

	ASSERT_EQ(0, put_priority(q, "", 0));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(2, stat_fd(q).ready);
	EXPECT_EQ(-ENODATA, rd(q, &c, 1));
	EXPECT_EQ((char)POISON, c);
	EXPECT_EQ(1, stat_fd(q).received);
	EXPECT_EQ(1, rd(q, &c, 1));
}

TEST_F(abi, an_empty_queue_is_eagain)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	char c;

	EXPECT_EQ(-EAGAIN, rd(q, &c, 1));
}

TEST_F(abi, a_full_queue_is_eagain)
{
	int q = create_bounded("q", BOTH | NONBLOCK, 2);
	struct kmq_stat_args st;

	ASSERT_EQ(0, put(q, "a"));
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ(-EAGAIN, put(q, "c"));
	st = stat_fd(q);
	EXPECT_EQ(2, st.ready);
	EXPECT_EQ(3, st.next_seq);
}

TEST_F(abi, bytes_bound_too)
{
	struct kmq_attrs at = ATTRS(
		.mask = KMQ_A_MAX_BYTES | KMQ_A_MAX_MESSAGE_SIZE,
		.max_message_size = 100,
		.max_bytes = 2 * record_size(0, 100));
	int q = create("q", BOTH | NONBLOCK, &at);
	char body[100] = "";

	EXPECT_EQ(100, wr(q, body, 100));
	EXPECT_EQ(96, wr(q, body, 96));
	/* 8 bytes are left, a record takes 64 and more */
	EXPECT_EQ(-EAGAIN, wr(q, body, 1));
	EXPECT_GE(at.max_bytes, stat_fd(q).bytes);
}

TEST_F(abi, blocks_until_a_message_comes)
{
	int q = create("q", BOTH, NULL);
	struct bg bg;
	char c = 0;

	bg_start(&bg, BG_READ, q, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, put(q, "x"));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_EQ('x', c);
}

TEST_F(abi, attributes_are_left_out)
{
	struct {
		struct kmq_record_attr attr;
		char value[8];
	} key = { { .type = KMQ_ATTR_KEY, .len = 3 }, "key" };
	int q = create("q", BOTH, NULL);
	struct batch b = BATCH(256);
	struct kmq_xfer_args x;
	char buf[64];

	add_full(&b, &key, sizeof(key), "body", 4);
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(4, next_size(q));
	EXPECT_EQ(4, rd(q, buf, 4));
	EXPECT_EQ(0, memcmp(buf, "body", 4));
}

TEST_F(abi, both_ways_work_on_one_handle_at_once)
{
	int q = create("q", BOTH, NULL), i;
	struct bg bg;
	char c;

	for (i = 0; i < 100; i++) {
		bg_start(&bg, BG_READ, q, &c, 1);
		ASSERT_EQ(0, put(q, "x"));
		ASSERT_EQ(1, bg_end(&bg));
	}
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_HARNESS_MAIN
