// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: POSIX message queues */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define HARD_MESSAGES	65536u	/* the kernel's limit, even for root */

/* With CAP_SYS_RESOURCE only RLIMIT_MSGQUEUE is left to bound a queue */
static void raise_rlimit(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	if (!setrlimit(RLIMIT_MSGQUEUE, &r))
		return;
	if (!getrlimit(RLIMIT_MSGQUEUE, &r)) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_MSGQUEUE, &r);
	}
}

static long system_msg_max(void)
{
	FILE *f = fopen("/proc/sys/fs/mqueue/msg_max", "re");
	long n = 10;

	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = 10;
		fclose(f);
	}
	return n;
}

static int mq_channel_open(struct channel *c)
{
	struct mq_attr a = {
		.mq_maxmsg = c->room < HARD_MESSAGES ? c->room : HARD_MESSAGES,
		.mq_msgsize = c->size,
	};
	int flags = O_CREAT | O_EXCL | O_CLOEXEC;
	char name[32];

	raise_rlimit();
	snprintf(name, sizeof(name), "/kmqbench-%d", getpid());
	c->tx = mq_open(name, flags | O_WRONLY, 0600, &a);
	if (c->tx < 0 && (errno == EINVAL || errno == EMFILE)) {
		a.mq_maxmsg = system_msg_max();
		c->tx = mq_open(name, flags | O_WRONLY, 0600, &a);
	}
	if (c->tx < 0)
		return run_failed("mq_open with %ld messages of %ld bytes: %s (see fs.mqueue.* and RLIMIT_MSGQUEUE)",
				  a.mq_maxmsg, a.mq_msgsize, strerror(errno));
	c->rx = mq_open(name, O_RDONLY | O_CLOEXEC);
	mq_unlink(name);
	if (c->rx < 0)
		return run_failed("mq_open: %s", strerror(errno));
	c->room = a.mq_maxmsg;

	if (lane_alloc(&c->out, 1, 0, c->size, 0) < 0)
		return -1;
	return lane_alloc(&c->in, 1, 0, c->size, 0);
}

static void mq_channel_close(struct channel *c)
{
	if (c->tx >= 0)
		mq_close(c->tx);
	if (c->rx >= 0)
		mq_close(c->rx);
}

static int mq_channel_send(struct channel *c, unsigned int n)
{
	(void)n;
	if (mq_send(c->tx, (const char *)c->out.body, c->size, 0) < 0)
		return run_failed("mq_send: %s", strerror(errno));
	return 0;
}

static int mq_channel_recv(struct channel *c, unsigned int max)
{
	ssize_t n = mq_receive(c->rx, (char *)c->in.body, c->size, NULL);

	(void)max;
	if (n < 0)
		return run_failed("mq_receive: %s", strerror(errno));
	if (n != (ssize_t)c->size)
		return run_failed("mq_receive: %zd bytes, not %u", n, c->size);
	return 1;
}

static int64_t mq_left(struct channel *c)
{
	struct mq_attr a;

	if (mq_getattr(c->rx, &a) < 0)
		return run_failed("mq_getattr: %s", strerror(errno));
	return a.mq_curmsgs;
}

static int mq_names_begin(uint64_t count)
{
	(void)count;
	raise_rlimit();
	return 0;
}

static int mq_name_create(const struct bench_name *n)
{
	struct mq_attr a = { .mq_maxmsg = 10, .mq_msgsize = 64 };
	mqd_t q = mq_open(n->text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			  0600, &a);

	if (q < 0)
		return run_failed("mq_open %s: %s (see fs.mqueue.queues_max)",
				  n->text, strerror(errno));
	mq_close(q);
	return 0;
}

static int mq_name_visit(const struct bench_name *n)
{
	mqd_t q = mq_open(n->text, O_RDWR | O_CLOEXEC);

	if (q < 0)
		return run_failed("mq_open %s: %s", n->text,
				  strerror(errno));
	mq_close(q);
	return 0;
}

static int mq_name_remove(const struct bench_name *n)
{
	if (mq_unlink(n->text) < 0)
		return run_failed("mq_unlink %s: %s", n->text,
				  strerror(errno));
	return 0;
}

static const struct name_ops mq_names = {
	.begin = mq_names_begin,
	.create = mq_name_create,
	.visit = mq_name_visit,
	.remove = mq_name_remove,
};

const struct transport transport_posix_mq = {
	.name = "posix-mq",
	.about = "POSIX message queue",
	.single = true,
	.keeps_depth = true,
	.most_depth = HARD_MESSAGES - 1024,
	.open = mq_channel_open,
	.close = mq_channel_close,
	.send = mq_channel_send,
	.recv = mq_channel_recv,
	.left = mq_left,
	.names = &mq_names,
};
