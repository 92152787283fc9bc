/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmqbench: the transports under test, one vtable for all.
 *
 * All file descriptors block; every call waits as long as it takes. A channel
 * is one direction. It owns two lanes, buffers laid out as the transport wants
 * its messages, so that nothing is copied or built inside a measured loop.
 */
#ifndef KMQBENCH_TRANSPORT_H
#define KMQBENCH_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify.h"

struct transport;

struct channel {
	const struct transport *transport;
	unsigned int size;	/* bytes of a body */
	unsigned int batch;	/* most messages in one call */
	uint64_t room;		/* in: messages to hold; out: what it holds */
	bool apart;		/* the ends belong to two processes */
	int tx;
	int rx;
	struct lane out;
	struct lane in;
	void *priv;
};

/* An object with a name, for the scenario names */
struct bench_name {
	char text[40];
	int key;
};

struct name_ops {
	uint64_t most;		/* objects there can be; 0: any number */
	int (*begin)(uint64_t count);
	void (*end)(void);
	int (*create)(const struct bench_name *n);
	int (*visit)(const struct bench_name *n);	/* open and close */
	int (*remove)(const struct bench_name *n);
};

struct transport {
	const char *name;
	const char *about;
	bool single;		/* can do one message a call */
	bool batches;		/* can do several */
	bool keeps_depth;	/* takes part in scenario depth */
	uint64_t most_depth;	/* 0: any */
	int (*open)(struct channel *c);
	void (*close)(struct channel *c);
	/* All @n messages of the out lane. 0, or -1 after run_failed() */
	int (*send)(struct channel *c, unsigned int n);
	/* 1 to @max whole messages to the start of the in lane; how many */
	int (*recv)(struct channel *c, unsigned int max);
	/*
	 * Optional: send @n on @out and receive up to @max on @in in one call.
	 * How many were received, -1 if it failed.
	 */
	int (*exchange)(struct channel *out, struct channel *in,
			unsigned int n, unsigned int max);
	/* Messages still queued, -1 after run_failed() */
	int64_t (*left)(struct channel *c);
	/* Optional: bytes of kernel memory of what is queued, by itself */
	int64_t (*memory)(struct channel *c);
	const struct name_ops *names;
};

extern const struct transport transport_pipe;
extern const struct transport transport_pipe_batch;
extern const struct transport transport_unix_stream;
extern const struct transport transport_unix_seqpacket;
extern const struct transport transport_unix_dgram;
extern const struct transport transport_posix_mq;
extern const struct transport transport_sysv;
extern const struct transport transport_kmq;
extern const struct transport transport_kmq_records;
extern const struct transport transport_kmq_xfer;
extern const struct transport *const transports[];

int channel_open(struct channel *c, const struct transport *t,
		 unsigned int size, unsigned int batch, uint64_t depth,
		 bool apart);
void channel_close(struct channel *c);
/* Fails if anything is still queued that should not be */
int channel_expect_empty(struct channel *c);

static inline int channel_exchange(struct channel *out, struct channel *in,
				   unsigned int n, unsigned int max)
{
	const struct transport *t = out->transport;

	if (t->exchange)
		return t->exchange(out, in, n, max);
	if (t->send(out, n) < 0)
		return -1;
	return t->recv(in, max);
}

/* io.c: byte streams */
int write_whole(int fd, const void *buf, size_t len);
ssize_t read_whole_units(int fd, void *buf, size_t len, size_t unit);
int64_t bytes_left(int fd);

#endif /* KMQBENCH_TRANSPORT_H */
