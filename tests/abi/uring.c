// SPDX-License-Identifier: GPL-2.0-only
/* io_uring READ and WRITE: completed without a worker that waits */
#include <dirent.h>

#include "kmq-uring.h"

/* Workers of the ring are threads of the process, named iou-wrk-PID. */
static int workers(void)
{
	DIR *dir = opendir("/proc/self/task");
	char path[300], comm[32];
	struct dirent *e;
	int n = 0;
	FILE *f;

	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 e->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f) &&
		    !strncmp(comm, "iou-wrk", 7))
			n++;
		fclose(f);
	}
	closedir(dir);
	return n;
}

FIXTURE(uring)
{
	struct _test_data_abi abi;
	struct ring ring;
};

FIXTURE_SETUP(uring)
{
	int err;

	abi_setup(_metadata, &self->abi, NULL);
	err = ring_open(&self->ring, 0);
	if (err)
		SKIP(return, "no io_uring: %s", strerror(-err));
}

FIXTURE_TEARDOWN(uring)
{
	close(self->ring.fd);
	abi_teardown(_metadata, &self->abi, NULL);
}

TEST_F(uring, read_of_what_is_there)
{
	int q = create("q", BOTH, NULL);
	char buf[16];

	if (_metadata->skip)
		return;
	ASSERT_EQ(0, put(q, "hello"));
	submit(&self->ring, IORING_OP_READ, q, buf, sizeof(buf), 1);
	EXPECT_EQ(5, reap(&self->ring, NULL));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
}

TEST_F(uring, write)
{
	int q = create("q", BOTH, NULL);

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_WRITE, q, "hello", 5, 1);
	EXPECT_EQ(5, reap(&self->ring, NULL));
	EXPECT_TRUE(get(q, "hello"));
}

TEST_F(uring, vectors)
{
	int q = create("q", BOTH, NULL);
	char a[2], b[8];
	struct iovec out[] = { { "he", 2 }, { "llo", 3 } };
	struct iovec in[] = { { a, 2 }, { b, 8 } };

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_WRITEV, q, out, 2, 1);
	EXPECT_EQ(5, reap(&self->ring, NULL));
	submit(&self->ring, IORING_OP_READV, q, in, 2, 1);
	EXPECT_EQ(5, reap(&self->ring, NULL));
	EXPECT_EQ(0, memcmp(a, "he", 2));
	EXPECT_EQ(0, memcmp(b, "llo", 3));
}

TEST_F(uring, read_waits_without_a_worker)
{
	int q = create("q", BOTH, NULL);
	char buf[16];

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_READ, q, buf, sizeof(buf), 1);
	EXPECT_FALSE(completed(&self->ring));
	/* it waits in poll, not in a call */
	EXPECT_EQ(0, workers());
	EXPECT_EQ(0, stat_fd(q).waiting_receivers);
	ASSERT_EQ(0, put(q, "hello"));
	EXPECT_EQ(5, reap(&self->ring, NULL));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	EXPECT_EQ(0, workers());
}

TEST_F(uring, write_waits_without_a_worker)
{
	int q = create_bounded("q", BOTH, 1);

	if (_metadata->skip)
		return;
	ASSERT_EQ(0, put(q, "a"));
	submit(&self->ring, IORING_OP_WRITE, q, "b", 1, 1);
	EXPECT_FALSE(completed(&self->ring));
	EXPECT_EQ(0, workers());
	EXPECT_EQ(0, stat_fd(q).waiting_senders);
	ASSERT_TRUE(get(q, "a"));
	EXPECT_EQ(1, reap(&self->ring, NULL));
	EXPECT_TRUE(get(q, "b"));
	EXPECT_EQ(0, workers());
}

TEST_F(uring, many_reads_get_one_message_each)
{
	char buf[32][8], text[8];
	int q = create("q", BOTH, NULL), i, seen = 0;
	__u64 data;

	if (_metadata->skip)
		return;
	for (i = 0; i < 32; i++)
		submit(&self->ring, IORING_OP_READ, q, buf[i], 8, i);
	EXPECT_EQ(0, workers());
	for (i = 0; i < 32; i++) {
		snprintf(text, sizeof(text), "%02d", i);
		ASSERT_EQ(0, put(q, text));
	}
	for (i = 0; i < 32; i++) {
		ASSERT_EQ(2, reap(&self->ring, &data));
		buf[data][2] = 0;
		seen |= 1u << atoi(buf[data]);
	}
	EXPECT_EQ(-1, seen);
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(uring, a_batch_completes_as_many_reads)
{
	int q = create("q", BOTH, NULL), i;
	struct batch b = BATCH(1024);
	struct kmq_xfer_args x;
	char buf[8][8];

	if (_metadata->skip)
		return;
	for (i = 0; i < 8; i++) {
		submit(&self->ring, IORING_OP_READ, q, buf[i], 8, i);
		add(&b, "m");
	}
	x = xfer_send(&b);
	ASSERT_EQ(0, xfer(q, &x));
	for (i = 0; i < 8; i++)
		EXPECT_EQ(1, reap(&self->ring, NULL));
	EXPECT_EQ(0, stat_fd(q).ready);
}

TEST_F(uring, nowait_completes_with_eagain)
{
	int q = create_bounded("q", BOTH, 1);
	char c = 'x';

	if (_metadata->skip)
		return;
	submit_flags(&self->ring, IORING_OP_READ, q, &c, 1, RWF_NOWAIT, 1);
	EXPECT_EQ(-EAGAIN, reap(&self->ring, NULL));
	ASSERT_EQ(0, put(q, "a"));
	submit_flags(&self->ring, IORING_OP_WRITE, q, &c, 1, RWF_NOWAIT, 1);
	EXPECT_EQ(-EAGAIN, reap(&self->ring, NULL));
	submit_flags(&self->ring, IORING_OP_READ, q, &c, 1, RWF_NOWAIT, 1);
	EXPECT_EQ(1, reap(&self->ring, NULL));
}

TEST_F(uring, errors_complete_it)
{
	int q = create("q", BOTH, NULL), s = open_queue("q", SEND);
	char c;

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_READ, s, &c, 1, 1);
	EXPECT_EQ(-EBADF, reap(&self->ring, NULL));
	ASSERT_EQ(0, put(q, "long"));
	submit(&self->ring, IORING_OP_READ, q, &c, 1, 1);
	EXPECT_EQ(-EMSGSIZE, reap(&self->ring, NULL));
	EXPECT_TRUE(get(q, "long"));
}

TEST_F(uring, seal_completes_a_waiting_read)
{
	int q = create("q", BOTH, NULL);
	char c;

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_READ, q, &c, 1, 1);
	EXPECT_FALSE(completed(&self->ring));
	ASSERT_EQ(0, admin("q", KMQ_ADMIN_SEAL, NULL));
	EXPECT_EQ(0, reap(&self->ring, NULL));
}

TEST_F(uring, delete_completes_a_waiting_read)
{
	int q = create("q", BOTH, NULL);
	char c;

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_READ, q, &c, 1, 1);
	EXPECT_FALSE(completed(&self->ring));
	ASSERT_EQ(0, delete("q", 0));
	EXPECT_EQ(-EIDRM, reap(&self->ring, NULL));
}

TEST_F(uring, shutdown_completes_a_waiting_read)
{
	int q = create("q", BOTH, NULL);
	char c;

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_READ, q, &c, 1, 1);
	EXPECT_FALSE(completed(&self->ring));
	ASSERT_EQ(0, shut(q, RECV));
	EXPECT_EQ(-ECANCELED, reap(&self->ring, NULL));
}

TEST_F(uring, writes_are_stamped_with_the_opener)
{
	union {
		struct kmq_record rec;
		char buf[128];
	} in;
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x;

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_WRITE, q, "hello", 5, 1);
	ASSERT_EQ(5, reap(&self->ring, NULL));
	x = xfer_recv(&in, sizeof(in));
	ASSERT_EQ(0, xfer(q, &x));
	EXPECT_EQ(KMQ_REC_OPENER, in.rec.flags);
	EXPECT_EQ(getpid(), in.rec.pid);
}

TEST_F(uring, records)
{
	int q = create("q", BOTH | RECORDS, NULL);
	struct batch b = BATCH(512);
	char buf[512];

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_READ, q, buf, sizeof(buf), 1);
	add(&b, "a");
	add(&b, "b");
	submit(&self->ring, IORING_OP_WRITE, q, b.buf, b.len, 2);
	EXPECT_EQ(144, reap(&self->ring, NULL));
	EXPECT_EQ(144, reap(&self->ring, NULL));
	EXPECT_TRUE(body_is((void *)buf, "a"));
}

TEST_F(uring, a_read_that_waits_can_be_cancelled)
{
	int q = create("q", BOTH, NULL);
	__u64 data;
	char c;
	int i, res;

	if (_metadata->skip)
		return;
	submit(&self->ring, IORING_OP_READ, q, &c, 1, 77);
	EXPECT_FALSE(completed(&self->ring));
	submit(&self->ring, IORING_OP_ASYNC_CANCEL, -1,
	       (void *)(uintptr_t)77, 0, 78);
	for (i = 0; i < 2; i++) {
		res = reap(&self->ring, &data);
		EXPECT_EQ(data == 77 ? -ECANCELED : 0, res);
	}
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_TRUE(get(q, "a"));
}

TEST_HARNESS_MAIN
