// SPDX-License-Identifier: GPL-2.0-only
/* The memory that a queue may pin, and who pays for its levels. */
#include "fixture.h"

/* One of each chunk remains: little to receive, much memory pinned. */
static void pin_memory(u64 until, u32 most)
{
	struct spec spec[KMQ_CHUNK_RECORDS] = { { 0 } };
	struct kmq_send s;
	u32 i;

	for (i = 0; i < KMQ_CHUNK_RECORDS; i++)
		spec[i].priority = i ? 1 : 0;
	while (world.q.memory < until && most--) {
		struct kmq_take t;

		kmq_send_init(&s, &a->port);
		assert_int_equal(batch_add(a, &s, spec, KMQ_CHUNK_RECORDS), 0);
		if (send_batch(a, &s, false))
			break;
		assert_int_equal(take(b, &t, KMQ_CHUNK_RECORDS - 1, false), 0);
		assert_int_equal(t.count, KMQ_CHUNK_RECORDS - 1);
		drop_taken(&t);
	}
}

/* The memory that small records pin is bounded too. */
static void test_memory_bound(void **state)
{
	u64 max_bytes = 128 * 1024;
	struct spec spec[KMQ_CHUNK_RECORDS] = { { 0 } };
	struct kmq_run *run;
	struct kmq_send s;

	(void)state;
	open_queue(100000, max_bytes, KMQ_OVERFLOW_BLOCK);
	pin_memory(PLENTY, 100);
	assert_true(world.q.bytes < 2048);
	assert_in_range(world.q.memory, 2 * max_bytes - KMQ_CHUNK_BYTES,
			2 * max_bytes + 2 * KMQ_CHUNK_BYTES);
	run = run_make(a, spec, KMQ_CHUNK_RECORDS);
	assert_false(push(a, run));
	kmq_run_free(run);
	assert_int_equal(send_some(a, 0, 4000, 8), -EAGAIN);
	assert_int_equal(send_wait(a, &s, 0, 4000, 4), -EINPROGRESS);
	assert_int_equal(s.left, 4);
	assert_true(receive_one(b) > 0);
	assert_true(receive_one(b) > 0);
	assert_done(&s.w, 0);
	kmq_send_free(&s);
	assert_true(purge(&world, U64_MAX) > 0);
	assert_int_equal(world.q.memory, 0);

	/* alone, anything that the bounds allow goes in */
	alter(&world, 600, 600 * 64, KMQ_OVERFLOW_BLOCK);
	kmq_send_init(&s, &a->port);
	while (s.count < 600)
		assert_int_equal(batch_add(a, &s, &(const struct spec){ 0 }, 1),
				 0);
	s.atomic = true;
	assert_true(s.memory > 2 * 600 * 64 + 2 * KMQ_CHUNK_BYTES);
	assert_int_equal(send_batch(a, &s, true), 0);
	assert_int_equal(world.q.count, 600);
}

/* What arrives in parts pins its memory once. */
static void test_memory_of_parts(void **state)
{
	struct kmq_send s;
	u32 memory;

	(void)state;
	open_queue(2, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_wait(a, &s, 0, 0, 4), -EINPROGRESS);
	assert_int_equal(s.left, 2);
	memory = s.memory;
	assert_int_equal(world.q.memory, memory);
	alter(&world, 4, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_done(&s.w, 0);
	kmq_send_free(&s);
	assert_int_equal(world.q.memory, memory);
	assert_int_equal(receive_one(b), 1);
	assert_int_equal(world.q.memory, memory);
	assert_int_equal(purge(&world, U64_MAX), 3);
	assert_int_equal(world.q.memory, 0);
}

/* drop-head makes room in memory as well. */
static void test_memory_drop_head(void **state)
{
	u64 max_bytes = 128 * 1024;

	(void)state;
	open_queue(100000, max_bytes, KMQ_OVERFLOW_DROP_HEAD);
	pin_memory(PLENTY, 40);
	assert_true(world.q.memory <= 2 * max_bytes + 2 * KMQ_CHUNK_BYTES);
	assert_true(stat_of(&world).dropped_full > 0);
}

/* What poll promises is kept: a message of the largest size goes in. */
static void test_writable_keeps_its_word(void **state)
{
	const u32 sizes[] = { 0, 64, 4000, 60000, 200000 };
	u32 i, round;

	(void)state;
	open_queue(100000, 1 << 18, KMQ_OVERFLOW_BLOCK);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		world.cfg.max_message_size = sizes[i];
		alter(&world, 100000, 1 << 18, KMQ_OVERFLOW_BLOCK);
		for (round = 1; round <= 40; round++) {
			u64 pinned = world.q.memory;

			if (kmq_queue_poll(&world.q, &a->port) &
			    KMQ_POLL_WRITE)
				assert_int_equal(send_some(a, 2, sizes[i], 1),
						 0);
			else
				break;
			assert_true(receive_one(b) > 0);
			assert_int_equal(world.q.memory, pinned);
			pin_memory(pinned + 1, 1);
		}
		assert_true(round > 1);
		purge(&world, U64_MAX);
	}
}

/* Levels for priorities are paid by the queue's owner, until it goes. */
static void test_levels_are_paid(void **state)
{
	const struct spec spec = { .priority = 300 };
	struct kmq_run *run;
	long level;

	(void)state;
	open_queue(10, PLENTY, KMQ_OVERFLOW_BLOCK);
	assert_int_equal(send_some(a, 300, 0, 1), 0);
	level = world.q.level_bytes;
	assert_true(level > 0);
	assert_int_equal(send_some(a, 301, 0, 1), 0);
	assert_int_equal(world.q.level_bytes, level);
	assert_int_equal(purge(&world, U64_MAX), 2);
	assert_int_equal(world.q.level_bytes, level);

	/* a limit of the owner: the message is refused, nothing is charged */
	world.limits[KMQ_R_BYTES] = atomic_long_read(
		&world.user.used[KMQ_R_BYTES]) + 100;
	run = run_make(a, &spec, 1);
	assert_non_null(run);
	run->nodes[0].priority = 20000;
	assert_int_equal(kmq_queue_reserve(&world.q, run), -ENOBUFS);
	assert_int_equal(world.q.level_bytes, level);
	kmq_run_free(run);
}

#define MEMORY(function, text)						\
	{ .name = "memory: " text, .test_func = function,			\
	  .teardown_func = close_queue }

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY(test_memory_bound, "memory has a bound of its own"),
		MEMORY(test_memory_of_parts, "what arrives in parts pins its memory once"),
		MEMORY(test_memory_drop_head, "drop-head: memory makes room too"),
		MEMORY(test_writable_keeps_its_word, "writable: the largest message goes in"),
		MEMORY(test_levels_are_paid, "levels are paid by the owner"),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
