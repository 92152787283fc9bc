// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: AF_UNIX socket pairs, batches by sendmmsg and recvmmsg */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

struct unix_priv {
	struct mmsghdr *out;
	struct mmsghdr *in;
	struct iovec *iov;
};

/* The socket is charged for its bookkeeping too; the kernel doubles the value */
#define OVERHEAD	1024u

static int set_room(struct channel *c)
{
	uint64_t each = 2 * (uint64_t)c->size + OVERHEAD;
	uint64_t want = c->room * each / 2;
	int val = want > INT_MAX / 2 ? INT_MAX / 2 : (int)want;
	socklen_t len = sizeof(val);

	if (setsockopt(c->tx, SOL_SOCKET, SO_SNDBUFFORCE, &val, len) < 0 &&
	    setsockopt(c->tx, SOL_SOCKET, SO_SNDBUF, &val, len) < 0)
		return run_failed("SO_SNDBUF: %s", strerror(errno));
	if (getsockopt(c->tx, SOL_SOCKET, SO_SNDBUF, &val, &len) < 0)
		return run_failed("SO_SNDBUF: %s", strerror(errno));
	c->room = val / each;
	return 0;
}

static int unix_open(struct channel *c, int type)
{
	struct unix_priv *p;
	unsigned int i;
	int fd[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd) < 0)
		return run_failed("socketpair: %s", strerror(errno));
	c->tx = fd[0];
	c->rx = fd[1];
	if (set_room(c) < 0 ||
	    lane_alloc(&c->out, c->batch, 0, c->size, 0) < 0 ||
	    lane_alloc(&c->in, c->batch, 0, c->size, 0) < 0)
		return -1;

	p = calloc(1, sizeof(*p));
	if (!p)
		return run_failed("no memory");
	c->priv = p;
	p->out = calloc(c->batch, sizeof(*p->out));
	p->in = calloc(c->batch, sizeof(*p->in));
	p->iov = calloc(c->batch, 2 * sizeof(*p->iov));
	if (!p->out || !p->in || !p->iov)
		return run_failed("no memory");
	for (i = 0; i < c->batch; i++) {
		struct iovec *out = &p->iov[2 * i], *in = out + 1;

		out->iov_base = lane_body(&c->out, i);
		out->iov_len = c->size;
		in->iov_base = lane_body(&c->in, i);
		in->iov_len = c->size;
		p->out[i].msg_hdr.msg_iov = out;
		p->out[i].msg_hdr.msg_iovlen = 1;
		p->in[i].msg_hdr.msg_iov = in;
		p->in[i].msg_hdr.msg_iovlen = 1;
	}
	return 0;
}

static void unix_close(struct channel *c)
{
	struct unix_priv *p = c->priv;

	if (p) {
		free(p->out);
		free(p->in);
		free(p->iov);
		free(p);
	}
	if (c->tx >= 0)
		close(c->tx);
	if (c->rx >= 0)
		close(c->rx);
}

static int stream_open(struct channel *c)
{
	return unix_open(c, SOCK_STREAM);
}

static int seqpacket_open(struct channel *c)
{
	return unix_open(c, SOCK_SEQPACKET);
}

static int dgram_open(struct channel *c)
{
	return unix_open(c, SOCK_DGRAM);
}

static int stream_send(struct channel *c, unsigned int n)
{
	const unsigned char *p = c->out.body;
	size_t len = (size_t)n * c->size;

	while (len) {
		ssize_t done = send(c->tx, p, len, MSG_NOSIGNAL);

		if (done <= 0)
			return run_failed("send: %s", strerror(errno));
		p += done;
		len -= done;
	}
	return 0;
}

static int stream_recv(struct channel *c, unsigned int max)
{
	size_t want = (size_t)max * c->size, got = 0;

	do {
		ssize_t n = recv(c->rx, c->in.body + got,
				 got ? c->size - got % c->size : want, 0);

		if (n <= 0)
			return run_failed("recv: %s",
					  n ? strerror(errno) : "end of file");
		got += n;
	} while (got % c->size);
	return got / c->size;
}

static int packet_send(struct channel *c, unsigned int n)
{
	struct unix_priv *p = c->priv;
	unsigned int done = 0;

	if (c->batch == 1) {
		if (send(c->tx, c->out.body, c->size, MSG_NOSIGNAL) !=
		    (ssize_t)c->size)
			return run_failed("send: %s", strerror(errno));
		return 0;
	}
	while (done < n) {
		int k = sendmmsg(c->tx, p->out + done, n - done, MSG_NOSIGNAL);

		if (k <= 0)
			return run_failed("sendmmsg: %s", strerror(errno));
		done += k;
	}
	return 0;
}

static int packet_recv(struct channel *c, unsigned int max)
{
	struct unix_priv *p = c->priv;
	ssize_t len;
	int i, n;

	if (c->batch == 1) {
		len = recv(c->rx, c->in.body, c->size, 0);
		if (len < 0)
			return run_failed("recv: %s", strerror(errno));
		if (len != (ssize_t)c->size)
			return run_failed("recv: %zd bytes, not %u", len,
					  c->size);
		return 1;
	}
	n = recvmmsg(c->rx, p->in, max, MSG_WAITFORONE, NULL);
	if (n <= 0)
		return run_failed("recvmmsg: %s", strerror(errno));
	for (i = 0; i < n; i++)
		if (p->in[i].msg_len != c->size)
			return run_failed("recvmmsg: %u bytes, not %u",
					  p->in[i].msg_len, c->size);
	return n;
}

static int64_t unix_left(struct channel *c)
{
	return bytes_left(c->rx);
}

const struct transport transport_unix_stream = {
	.name = "unix-stream",
	.about = "AF_UNIX stream; a batch is one send, without boundaries",
	.single = true,
	.batches = true,
	.open = stream_open,
	.close = unix_close,
	.send = stream_send,
	.recv = stream_recv,
	.left = unix_left,
};

const struct transport transport_unix_seqpacket = {
	.name = "unix-seqpacket",
	.about = "AF_UNIX seqpacket; a batch is sendmmsg, recvmmsg",
	.single = true,
	.batches = true,
	.open = seqpacket_open,
	.close = unix_close,
	.send = packet_send,
	.recv = packet_recv,
	.left = unix_left,
};

const struct transport transport_unix_dgram = {
	.name = "unix-dgram",
	.about = "AF_UNIX datagram; a batch is sendmmsg, recvmmsg",
	.single = true,
	.batches = true,
	.open = dgram_open,
	.close = unix_close,
	.send = packet_send,
	.recv = packet_recv,
	.left = unix_left,
};
