// SPDX-License-Identifier: GPL-2.0-only
/* KMQ_XFER_BODY: header and body of one message, without attributes */
#include "kmq-test.h"

#define HEAD	sizeof(struct kmq_record)

static union {
	struct kmq_record rec;
	char buf[4096];
} in;

static struct kmq_xfer_args body_args(size_t len)
{
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	x.flags = KMQ_XFER_BODY;
	x.recv_len = len;
	return x;
}

/* A record with a key of 3 bytes. */
static int put_with_key(int q, const char *text, __u16 priority)
{
	struct {
		struct kmq_record_attr attr;
		char value[8];
	} key = { { .type = KMQ_ATTR_KEY, .len = 3 }, "key" };
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;
	struct kmq_record *rec;

	rec = add_full(&b, &key, sizeof(key), text, strlen(text));
	rec->priority = priority;
	rec->cookie = 4711;
	x = xfer_send(&b);
	return xfer(q, &x);
}

TEST_F(abi, the_body_stands_behind_its_header)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(sizeof(in));

	ASSERT_EQ(0, put_with_key(q, "a body", 7));
	ASSERT_EQ(0, put_with_key(q, "the next", 7));
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.received);
	EXPECT_EQ(HEAD + 6, x.received_bytes);
	EXPECT_EQ(0, x.recv_err);
	EXPECT_EQ(0, in.rec.attr_len);
	EXPECT_EQ(record_size(0, 6), in.rec.size);
	EXPECT_TRUE(body_is(&in.rec, "a body"));
	/* nothing behind the body, not even padding */
	EXPECT_EQ((char)POISON, in.buf[HEAD + 6]);
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, the_header_is_that_of_the_record)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(sizeof(in));

	ASSERT_EQ(0, put_with_key(q, "a", 7));
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(7, in.rec.priority);
	EXPECT_EQ(4711, in.rec.cookie);
	EXPECT_EQ(1, in.rec.seq);
	EXPECT_EQ(0, in.rec.flags);
	EXPECT_EQ(getpid(), in.rec.pid);
	EXPECT_EQ(0, in.rec.uid);
	EXPECT_EQ(1, in.rec.deliveries);
	EXPECT_EQ(0, in.rec.tag);
}

TEST_F(abi, what_fits_exactly_is_taken)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(HEAD + 5);

	ASSERT_EQ(0, put_with_key(q, "12345", 0));
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(HEAD + 5, x.received_bytes);
	EXPECT_EQ((char)POISON, in.buf[HEAD + 5]);
}

TEST_F(abi, too_small_a_buffer_tells_what_is_needed)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(HEAD + 4);

	ASSERT_EQ(0, put_with_key(q, "12345", 0));
	EXPECT_EQ(-EMSGSIZE, xfer(q, &x));
	EXPECT_EQ(HEAD + 5, x.needed);
	EXPECT_EQ(0, x.received);
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_EQ(0, stat_fd(q).received);
}

TEST_F(abi, an_empty_body_is_a_header)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(HEAD);

	ASSERT_EQ(0, put_with_key(q, "", 0));
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(1, x.received);
	EXPECT_EQ(HEAD, x.received_bytes);
	EXPECT_EQ(HEAD, in.rec.size);
}

TEST_F(abi, the_end_of_the_stream_is_nothing)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(sizeof(in));

	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(0, x.received);
	EXPECT_EQ(0, x.received_bytes);
}

TEST_F(abi, it_is_one_message_and_a_header_fits)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(HEAD - 1);

	ASSERT_EQ(0, put_with_key(q, "a", 0));
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	x = body_args(sizeof(in));
	x.max_records = 2;
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	x.min_records = 2;
	EXPECT_EQ(-EINVAL, xfer(q, &x));
	x.max_records = 1;
	x.min_records = 1;
	EXPECT_EQ(0, xfer(q, &x));
}

TEST_F(abi, what_cannot_be_delivered_stays)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x = body_args(sizeof(in));
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_EQ(0, munmap(page + 4096, 4096));
	ASSERT_EQ(0, put_with_key(q, "a body", 0));
	/* the header could be written, the body not */
	x.recv = ptr(page + 4096 - HEAD);
	x.recv_len = 1024;
	EXPECT_EQ(-EFAULT, xfer(q, &x));
	EXPECT_EQ(0, x.received);
	EXPECT_EQ(1, stat_fd(q).ready);
	EXPECT_EQ(0, stat_fd(q).received);
	munmap(page, 4096);
	EXPECT_TRUE(get(q, "a body"));
}

TEST_HARNESS_MAIN
