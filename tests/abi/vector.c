// SPDX-License-Identifier: GPL-2.0-only
/* readv(2) and writev(2) */
#include "kmq-test.h"

static ssize_t rdv(int fd, const struct iovec *iov, int n)
{
	return result(readv(fd, iov, n));
}

static ssize_t wrv(int fd, const struct iovec *iov, int n)
{
	return result(writev(fd, iov, n));
}

#define IOV(base, len) { .iov_base = (void *)(base), .iov_len = (len) }

TEST_F(abi, writev_joins_one_message)
{
	struct iovec iov[] = { IOV("he", 2), IOV(NULL, 0), IOV("llo", 3) };
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(5, wrv(q, iov, 3));
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_TRUE(get(q, "hello"));
}

TEST_F(abi, readv_scatters_one_message)
{
	char a[2], b[8];
	struct iovec iov[] = { IOV(a, 2), IOV(NULL, 0), IOV(b, 8) };
	int q = create("q", BOTH, NULL);

	memset(b, POISON, sizeof(b));
	ASSERT_EQ(0, put(q, "hello"));
	ASSERT_EQ(0, put(q, "second"));
	EXPECT_EQ(5, rdv(q, iov, 3));
	EXPECT_EQ(0, memcmp(a, "he", 2));
	EXPECT_EQ(0, memcmp(b, "llo", 3));
	EXPECT_EQ((char)POISON, b[3]);
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, a_byte_each)
{
	struct iovec out[1024], in[1024];
	char from[1024], to[1024] = "";
	int q = create("q", BOTH, NULL), i;

	for (i = 0; i < 1024; i++) {
		from[i] = i * 3;
		out[i] = (struct iovec)IOV(&from[i], 1);
		in[i] = (struct iovec)IOV(&to[i], 1);
	}
	EXPECT_EQ(1024, wrv(q, out, 1024));
	EXPECT_EQ(1024, rdv(q, in, 1024));
	EXPECT_EQ(0, memcmp(from, to, 1024));
}

TEST_F(abi, a_large_message_in_uneven_parts)
{
	size_t len = 100000, part = 7919, n = 0, off;
	char *from = malloc(len), *to = calloc(1, len);
	struct iovec out[16], in[16];
	int q = create("q", BOTH, NULL);

	for (off = 0; off < len; off++)
		from[off] = off ^ off >> 8;
	for (off = 0; off < len; off += part, n++) {
		size_t here = len - off < part ? len - off : part;

		out[n] = (struct iovec)IOV(from + off, here);
		in[n] = (struct iovec)IOV(to + off, here);
	}
	EXPECT_EQ(len, wrv(q, out, n));
	EXPECT_EQ(len, rdv(q, in, n));
	EXPECT_EQ(0, memcmp(from, to, len));
}

TEST_F(abi, writing_nothing_sends_nothing)
{
	struct iovec iov[] = { IOV("", 0), IOV("", 0) };
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(0, wrv(q, iov, 2));
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, too_small_a_vector_takes_nothing)
{
	char a[2], b[2];
	struct iovec iov[] = { IOV(a, 2), IOV(b, 2) };
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before;

	memset(a, POISON, sizeof(a));
	ASSERT_EQ(0, put(q, "hello"));
	before = stat_fd(q);
	EXPECT_EQ(-EMSGSIZE, rdv(q, iov, 2));
	EXPECT_EQ((char)POISON, a[0]);
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, too_long_a_message_is_emsgsize)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGE_SIZE,
				    .max_message_size = 4);
	struct iovec iov[] = { IOV("he", 2), IOV("llo", 3) };
	int q = create("q", BOTH, &at);

	EXPECT_EQ(-EMSGSIZE, wrv(q, iov, 2));
	EXPECT_EQ(0, stat_fd(q).sent);
}

TEST_F(abi, records_may_stand_across_segments)
{
	int q = create("q", BOTH | RECORDS, NULL), i;
	struct batch b = BATCH(65536);
	struct iovec out[64], in[64];
	char *back = calloc(1, 65536);
	struct kmq_record *rec;
	size_t off, n = 0;

	for (i = 0; i < 600; i++)
		add(&b, "some body")->cookie = i;
	for (off = 0; off < b.len; off += 1021, n++) {
		size_t here = b.len - off < 1021 ? b.len - off : 1021;

		out[n] = (struct iovec)IOV(b.buf + off, here);
		in[n] = (struct iovec)IOV(back + off, here);
	}
	EXPECT_EQ(b.len, wrv(q, out, n));
	EXPECT_EQ(600, stat_fd(q).ready);
	EXPECT_EQ(b.len, rdv(q, in, n));
	rec = (void *)back;
	for (i = 0; i < 600; i++, rec = next_record(rec)) {
		ASSERT_EQ(i, rec->cookie);
		ASSERT_TRUE(body_is(rec, "some body"));
	}
}

TEST_F(abi, a_malformed_record_in_a_later_segment_takes_nothing)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(512);
	struct iovec iov[2];
	struct kmq_stat_args before = stat_fd(q);

	add(&b, "a");
	add(&b, "b");
	add(&b, "c")->priority = 40000;
	iov[0] = (struct iovec)IOV(b.buf, 100);
	iov[1] = (struct iovec)IOV(b.buf + 100, b.len - 100);
	EXPECT_EQ(-EINVAL, wrv(q, iov, 2));
	EXPECT_TRUE(same_stat(&before, q));
}

TEST_F(abi, whole_records_that_fit_the_vector)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(512);
	char buf[200];
	struct iovec iov[] = { IOV(buf, 50), IOV(buf + 50, 150) };

	add(&b, "a");
	add(&b, "b");
	add(&b, "c");
	ASSERT_EQ(b.len, wr(q, b.buf, b.len));
	EXPECT_EQ(144, rdv(q, iov, 2));
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, nonblock_and_direction_hold_too)
{
	char c;
	struct iovec iov[] = { IOV(&c, 1) };
	int q = create_bounded("q", BOTH | NONBLOCK, 1);
	int s = open_queue("q", SEND), r = open_queue("q", RECV);

	c = 'x';
	EXPECT_EQ(-EAGAIN, rdv(q, iov, 1));
	EXPECT_EQ(1, wrv(q, iov, 1));
	EXPECT_EQ(-EAGAIN, wrv(q, iov, 1));
	EXPECT_EQ(-EBADF, rdv(s, iov, 1));
	EXPECT_EQ(-EBADF, wrv(r, iov, 1));
}

TEST_F(abi, preadv2_with_nowait_does_not_wait)
{
	char c = 'x';
	struct iovec iov[] = { IOV(&c, 1) };
	int q = create_bounded("q", BOTH, 1);

	EXPECT_EQ(-EAGAIN, result(preadv2(q, iov, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(1, result(pwritev2(q, iov, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(-EAGAIN, result(pwritev2(q, iov, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(1, result(preadv2(q, iov, 1, -1, RWF_NOWAIT)));
}

TEST_HARNESS_MAIN
