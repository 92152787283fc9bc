// SPDX-License-Identifier: GPL-2.0-only
/* Tracepoints */
#include "kmq-test.h"

#define TRACING	"/sys/kernel/tracing/instances/kmq-abi"

/* Events in a trace instance of our own, so that nobody is disturbed. */
FIXTURE(trace)
{
	struct _test_data_abi abi;
	int q;
	unsigned long long id;
};

FIXTURE_SETUP(trace)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 2);

	abi_setup(_metadata, &self->abi, NULL);
	if (access("/sys/kernel/tracing/events/kmq", F_OK))
		SKIP(return, "no tracefs, or a kernel without tracepoints");
	rmdir(TRACING);
	ASSERT_EQ(0, mkdir(TRACING, 0755));
	ASSERT_TRUE(write_file(TRACING "/events/kmq/enable", "1"));
	self->q = create("q", BOTH, &at);
	ASSERT_LE(0, self->q);
	self->id = stat_fd(self->q).id;
}

FIXTURE_TEARDOWN(trace)
{
	if (!access(TRACING, F_OK)) {
		write_file(TRACING "/events/kmq/enable", "0");
		rmdir(TRACING);
	}
	abi_teardown(_metadata, &self->abi, NULL);
}

/* How many events about the object contain @text; @sum: of their messages. */
static int count(unsigned long long id, const char *event, const char *text,
		 unsigned int *sum)
{
	char line[512], object[64], name[64], *at;
	FILE *f = fopen(TRACING "/trace", "re");
	unsigned int messages;
	int n = 0;

	if (sum)
		*sum = 0;
	if (!f)
		return -1;
	snprintf(object, sizeof(object), "object=%llu ", id);
	snprintf(name, sizeof(name), " %s: ", event);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = ' ';
		if (!strstr(line, name) || !strstr(line, object) ||
		    !strstr(line, text))
			continue;
		n++;
		at = strstr(line, "messages=");
		if (sum && at && sscanf(at, "messages=%u", &messages) == 1)
			*sum += messages;
	}
	fclose(f);
	return n;
}

TEST_F(trace, send_and_receive)
{
	if (_metadata->skip)
		return;
	EXPECT_EQ(0, count(self->id, "kmq_send", "", NULL));
	ASSERT_EQ(0, put(self->q, "a"));
	EXPECT_EQ(1, count(self->id, "kmq_send", "messages=1 depth=1 ", NULL));
	ASSERT_EQ(0, put(self->q, "b"));
	EXPECT_EQ(1, count(self->id, "kmq_send", "messages=1 depth=2 ", NULL));
	EXPECT_EQ(0, count(self->id, "kmq_receive", "", NULL));
	ASSERT_TRUE(get(self->q, "a"));
	EXPECT_EQ(1, count(self->id, "kmq_receive", "messages=1 depth=1 ",
			   NULL));
}

TEST_F(trace, a_batch_is_one_event)
{
	struct batch b = BATCH(256);
	struct kmq_xfer_args x;

	if (_metadata->skip)
		return;
	add(&b, "a");
	add(&b, "b");
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(self->q, &x));
	EXPECT_EQ(1, count(self->id, "kmq_send", "messages=2 depth=2 ", NULL));
	EXPECT_EQ(1, count(self->id, "kmq_send", "", NULL));
}

TEST_F(trace, block_and_wake_of_a_receiver)
{
	struct bg bg;
	char c;

	if (_metadata->skip)
		return;
	bg_start(&bg, BG_READ, self->q, &c, 1);
	ASSERT_TRUE(waiting(self->q, 0, 1));
	EXPECT_EQ(1, WAIT_FOR(count(self->id, "kmq_block", "direction=2 ",
				    NULL) == 1));
	ASSERT_EQ(0, put(self->q, "a"));
	ASSERT_EQ(1, bg_end(&bg));
	EXPECT_EQ(1, count(self->id, "kmq_wake", "direction=2 result=0 ",
			   NULL));
	EXPECT_EQ(1, count(self->id, "kmq_receive", "messages=1 ", NULL));
}

TEST_F(trace, block_and_wake_of_a_sender)
{
	struct bg bg;

	if (_metadata->skip)
		return;
	ASSERT_EQ(0, put(self->q, "a"));
	ASSERT_EQ(0, put(self->q, "b"));
	bg_start(&bg, BG_WRITE, self->q, "c", 1);
	ASSERT_TRUE(waiting(self->q, 1, 0));
	EXPECT_EQ(1, WAIT_FOR(count(self->id, "kmq_block", "direction=1 ",
				    NULL) == 1));
	ASSERT_TRUE(get(self->q, "a"));
	ASSERT_EQ(1, bg_end(&bg));
	EXPECT_EQ(1, count(self->id, "kmq_wake", "direction=1 result=0 ",
			   NULL));
}

TEST_F(trace, messages_of_a_send_that_waited_are_traced_too)
{
	unsigned int sum;
	struct bg bg;

	if (_metadata->skip)
		return;
	ASSERT_EQ(0, put(self->q, "a"));
	ASSERT_EQ(0, put(self->q, "b"));
	bg_start(&bg, BG_WRITE, self->q, "c", 1);
	ASSERT_TRUE(waiting(self->q, 1, 0));
	ASSERT_TRUE(get(self->q, "a"));
	ASSERT_EQ(1, bg_end(&bg));
	count(self->id, "kmq_send", "", &sum);
	EXPECT_EQ(stat_fd(self->q).sent, sum);
}

TEST_F(trace, wake_tells_what_ended_it)
{
	struct bg bg;
	char c;

	if (_metadata->skip)
		return;
	bg_start(&bg, BG_READ, self->q, &c, 1);
	ASSERT_TRUE(waiting(self->q, 0, 1));
	ASSERT_EQ(0, delete("q", 0));
	ASSERT_EQ(-EIDRM, bg_end(&bg));
	EXPECT_EQ(1, count(self->id, "kmq_wake", "direction=2 result=-43 ",
			   NULL));
}

TEST_F(trace, drop)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_OVERFLOW,
				    .overflow = KMQ_OVERFLOW_DROP_HEAD);
	unsigned int sum;
	int i;

	if (_metadata->skip)
		return;
	ASSERT_EQ(0, alter("q", &at, NULL));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, put(self->q, "x"));
	EXPECT_EQ(3, count(self->id, "kmq_drop", "messages=1 ", &sum));
	EXPECT_EQ(3, sum);
}

TEST_HARNESS_MAIN
