// SPDX-License-Identifier: GPL-2.0-only
/* Priorities */
#include "kmq-test.h"

TEST_F(abi, higher_leaves_first)
{
	int q = create("q", BOTH, NULL);

	ASSERT_EQ(0, put_priority(q, "low", 0));
	ASSERT_EQ(0, put_priority(q, "top", KMQ_PRIORITY_MAX));
	ASSERT_EQ(0, put_priority(q, "middle", 300));
	EXPECT_TRUE(get(q, "top"));
	EXPECT_TRUE(get(q, "middle"));
	EXPECT_TRUE(get(q, "low"));
}

TEST_F(abi, within_one_first_in_first_out)
{
	int q = create("q", BOTH, NULL), i;
	char text[8];

	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d", i);
		ASSERT_EQ(0, put_priority(q, text, i % 3));
	}
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d",
			 i % 100 * 3 + 2 - i / 100);
		ASSERT_TRUE(get(q, text));
	}
}

TEST_F(abi, plain_messages_have_priority_0)
{
	int q = create("q", BOTH, NULL);

	ASSERT_EQ(0, put(q, "plain"));
	ASSERT_EQ(0, put_priority(q, "one", 1));
	ASSERT_EQ(0, put_priority(q, "zero", 0));
	EXPECT_TRUE(get(q, "one"));
	EXPECT_TRUE(get(q, "plain"));
	EXPECT_TRUE(get(q, "zero"));
}

TEST_F(abi, every_priority_sorts)
{
	int q = create("q", BOTH, NULL), n = 0, last = KMQ_PRIORITY_MAX + 1, i;
	size_t size = 8192 * 64;
	struct batch b = { .max = size, .buf = malloc(size) };
	struct kmq_xfer_args x;
	struct kmq_record *rec;

	/* a prime walks through all residues: no order to begin with */
	for (i = 0; i < 8192; i++)
		add(&b, "")->priority = i * 7919 % 8192 * 4 + 3;
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	ASSERT_EQ(8192, x.sent);
	while (n < 8192) {
		x = xfer_recv(b.buf, size);
		ASSERT_EQ(0, xfer(q, &x));
		rec = (void *)b.buf;
		for (i = 0; i < (int)x.received; i++, n++) {
			ASSERT_EQ(last - 4 + (n ? 0 : 3), rec->priority);
			last = rec->priority;
			rec = next_record(rec);
		}
	}
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(abi, a_batch_may_mix_them)
{
	int q = create("q", BOTH, NULL);
	struct batch b = BATCH(512);
	struct kmq_xfer_args x;

	add(&b, "a")->priority = 1;
	add(&b, "b")->priority = 7;
	add(&b, "c")->priority = 1;
	add(&b, "d")->priority = 7;
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(4, x.last_seq);
	EXPECT_TRUE(get(q, "b"));
	EXPECT_TRUE(get(q, "d"));
	EXPECT_TRUE(get(q, "a"));
	EXPECT_TRUE(get(q, "c"));
}

TEST_F(abi, priority_shows_in_the_record)
{
	int q = create("q", BOTH, NULL);
	union {
		struct kmq_record rec;
		char buf[128];
	} in;
	struct kmq_xfer_args x = xfer_recv(&in, sizeof(in));

	ASSERT_EQ(0, put_priority(q, "a", KMQ_PRIORITY_MAX));
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(KMQ_PRIORITY_MAX, in.rec.priority);
}

TEST_F(abi, above_the_maximum_is_einval)
{
	int q = create("q", BOTH, NULL);

	EXPECT_EQ(-EINVAL, put_priority(q, "a", KMQ_PRIORITY_MAX + 1));
	EXPECT_EQ(-EINVAL, put_priority(q, "a", 0xffff));
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(abi, what_comes_back_after_a_fault_has_its_place)
{
	int q = create("q", BOTH, NULL);
	void *nowhere = mmap(NULL, 4096, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(0, put_priority(q, "5 first", 5));
	ASSERT_EQ(0, put_priority(q, "5 second", 5));
	ASSERT_EQ(0, put_priority(q, "1", 1));
	EXPECT_EQ(-EFAULT, rd(q, nowhere, 4096));
	ASSERT_EQ(0, put_priority(q, "5 third", 5));
	ASSERT_EQ(0, put_priority(q, "9", 9));
	EXPECT_TRUE(get(q, "9"));
	EXPECT_TRUE(get(q, "5 first"));
	EXPECT_TRUE(get(q, "5 second"));
	EXPECT_TRUE(get(q, "5 third"));
	EXPECT_TRUE(get(q, "1"));
}

TEST_HARNESS_MAIN
