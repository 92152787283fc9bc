// SPDX-License-Identifier: GPL-2.0-only
#include "crowd.h"

struct kmq_send sends[MANY];
struct kmq_take takes[MANY];

void wait_to_send(u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		assert_int_equal(send_wait(a, &sends[i], 0, 0, 1),
				 -EINPROGRESS);
}

void wait_to_receive(u32 n, u32 min)
{
	u32 i;

	for (i = 0; i < n; i++) {
		struct kmq_effects fx;

		kmq_take_init(&takes[i], &b->port, KMQ_XFER_MAX, 1000, false);
		takes[i].min = min;
		kmq_effects_init(&fx);
		assert_int_equal(kmq_queue_receive(&world.q, &takes[i], true,
						   &fx), -EINPROGRESS);
		finish(&world, &fx);
	}
}

/* @n senders are done with @result; free what they did not get rid of. */
void expect_senders_done(u32 n, int result)
{
	u32 i;

	for (i = 0; i < n; i++) {
		assert_done(&sends[i].w, result);
		assert_int_equal(sends[i].left, result ? 1 : 0);
		kmq_send_free(&sends[i]);
	}
	assert_int_equal(world.q.nsenders, 0);
	assert_int_equal(a->port.nsending, 0);
}

void expect_receivers_done(u32 n, int result)
{
	u32 i;

	for (i = 0; i < n; i++) {
		assert_done(&takes[i].w, result);
		assert_int_equal(takes[i].count, 0);
	}
	assert_int_equal(world.q.nreceivers, 0);
	assert_int_equal(b->port.nreceiving, 0);
}
