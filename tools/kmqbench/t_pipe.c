// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: pipes, one message a write, and many a write without boundaries */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static int pipe_open(struct channel *c)
{
	uint64_t want = c->room * c->size;
	int fd[2], bytes;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return run_failed("pipe: %s", strerror(errno));
	c->rx = fd[0];
	c->tx = fd[1];
	if (want > INT_MAX)
		want = INT_MAX;
	/* Beyond fs.pipe-max-size without CAP_SYS_RESOURCE: what it has */
	fcntl(c->tx, F_SETPIPE_SZ, (int)want);
	bytes = fcntl(c->tx, F_GETPIPE_SZ);
	if (bytes < 0)
		return run_failed("F_GETPIPE_SZ: %s", strerror(errno));
	c->room = bytes / c->size;

	if (lane_alloc(&c->out, c->batch, 0, c->size, 0) < 0)
		return -1;
	return lane_alloc(&c->in, c->batch, 0, c->size, 0);
}

static void pipe_close(struct channel *c)
{
	if (c->tx >= 0)
		close(c->tx);
	if (c->rx >= 0)
		close(c->rx);
}

/* Writes up to PIPE_BUF bytes are not cut, larger ones may be */
static int finish_message(struct channel *c, size_t got)
{
	while (got < c->size) {
		ssize_t n = read(c->rx, c->in.body + got, c->size - got);

		if (n <= 0)
			return run_failed("read: %s", n ? strerror(errno) :
					  "end of file");
		got += n;
	}
	return 1;
}

static int pipe_send(struct channel *c, unsigned int n)
{
	(void)n;
	if (write(c->tx, c->out.body, c->size) != (ssize_t)c->size)
		return run_failed("write: %s", strerror(errno));
	return 0;
}

static int pipe_recv(struct channel *c, unsigned int max)
{
	ssize_t n = read(c->rx, c->in.body, c->size);

	(void)max;
	if (n == (ssize_t)c->size)
		return 1;
	if (n <= 0)
		return run_failed("read: %s", n ? strerror(errno) :
				  "end of file");
	return finish_message(c, n);
}

static int pipe_send_many(struct channel *c, unsigned int n)
{
	return write_whole(c->tx, c->out.body, (size_t)n * c->size);
}

static int pipe_recv_many(struct channel *c, unsigned int max)
{
	ssize_t n = read_whole_units(c->rx, c->in.body, (size_t)max * c->size,
				     c->size);

	return n < 0 ? -1 : n / c->size;
}

static int64_t pipe_left(struct channel *c)
{
	return bytes_left(c->rx);
}

const struct transport transport_pipe = {
	.name = "pipe",
	.about = "pipe, one message a write",
	.single = true,
	.keeps_depth = true,
	.open = pipe_open,
	.close = pipe_close,
	.send = pipe_send,
	.recv = pipe_recv,
	.left = pipe_left,
};

const struct transport transport_pipe_batch = {
	.name = "pipe-batch",
	.about = "pipe, many messages a write: bytes, no message boundaries",
	.batches = true,
	.open = pipe_open,
	.close = pipe_close,
	.send = pipe_send_many,
	.recv = pipe_recv_many,
	.left = pipe_left,
};
