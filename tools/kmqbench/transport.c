// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: what all transports have in common */
#include <inttypes.h>
#include <string.h>

#include "bench.h"

const struct transport *const transports[] = {
	&transport_pipe,
	&transport_pipe_batch,
	&transport_unix_stream,
	&transport_unix_seqpacket,
	&transport_unix_dgram,
	&transport_posix_mq,
	&transport_sysv,
	&transport_kmq,
	&transport_kmq_records,
	&transport_kmq_xfer,
	NULL
};

/*
 * Every transport is asked for the same room: 1024 messages or 1 MiB,
 * whichever is less, but two batches at least. What it gives is reported.
 */
#define ROOM_MESSAGES	1024u
#define ROOM_BYTES	(1u << 20)

int channel_open(struct channel *c, const struct transport *t,
		 unsigned int size, unsigned int batch, uint64_t depth,
		 bool apart)
{
	uint64_t room = ROOM_BYTES / size;

	if (room > ROOM_MESSAGES)
		room = ROOM_MESSAGES;
	if (room < 2 * batch)
		room = 2 * batch;

	memset(c, 0, sizeof(*c));
	c->transport = t;
	c->size = size;
	c->batch = batch;
	c->apart = apart;
	c->room = room + depth;
	c->tx = -1;
	c->rx = -1;
	if (t->open(c) < 0) {
		channel_close(c);
		return -1;
	}
	if (c->room < batch + depth) {
		run_failed("room for %" PRIu64 " messages only, %" PRIu64
			   " needed", c->room, batch + depth);
		channel_close(c);
		return -1;
	}
	return 0;
}

void channel_close(struct channel *c)
{
	if (!c->transport)
		return;
	c->transport->close(c);
	lane_free(&c->out);
	lane_free(&c->in);
	c->transport = NULL;
}

int channel_expect_empty(struct channel *c)
{
	int64_t left = c->transport->left(c);

	if (left < 0)
		return -1;
	if (left)
		return run_failed("something is left in the channel after the last message (%"
				  PRId64 ")", left);
	return 0;
}
