// SPDX-License-Identifier: GPL-2.0-only
/* Each allocation fails once in turn, each charge is refused in turn. */
#include "fixture.h"

static struct client *client;

/* One way in: 0 or what refused it. What was made is sent or freed. */
typedef int (*operation)(void);

static int send_specs(const struct spec *spec, u32 n)
{
	struct kmq_send s;
	int err;

	kmq_send_init(&s, &client->port);
	err = batch_add(client, &s, spec, n);
	if (err) {
		kmq_send_free(&s);
		return err;
	}
	return send_batch(client, &s, false);
}

static int one_message(void)
{
	return send_specs((const struct spec[]){ { 0, 100 } }, 1);
}

static int one_of_a_chunk(void)
{
	return send_specs((const struct spec[]){
			  { 0, KMQ_CHUNK_BYTES - 64 } }, 1);
}

static int batch(void)
{
	return send_specs((const struct spec[]){
			  { 0, 8 }, { 0, 9 }, { 0, 10 } }, 3);
}

static int large_message(void)
{
	return send_specs((const struct spec[]){ { 0, 200000 } }, 1);
}

static int first_of_its_priority(void)
{
	return send_specs((const struct spec[]){ { 1000, 8 } }, 1);
}

static int mixed_priorities(void)
{
	return send_specs((const struct spec[]){
			  { 5, 8 }, { 0, 8 }, { 300, 8 }, { 32767, 8 } }, 4);
}

static int batch_of_several_runs(void)
{
	static const struct spec spec[] = { { 0, 8 }, { 7, 30000 }, { 0, 0 } };
	struct kmq_send s;
	int err = 0;
	u32 i;

	kmq_send_init(&s, &client->port);
	for (i = 0; i < 3 && !err; i++)
		err = batch_add(client, &s, &spec[i], 1);
	if (err) {
		kmq_send_free(&s);
		return err;
	}
	return send_batch(client, &s, false);
}

static const struct {
	operation run;
	u32 messages;
	u32 allocations;
} operations[] = {
	{ one_message, 1, 1 },
	{ one_of_a_chunk, 1, 1 },
	{ batch, 3, 2 },
	{ large_message, 1, 14 },
	{ first_of_its_priority, 1, 3 },
	{ mixed_priorities, 4, 8 },
	{ batch_of_several_runs, 3, 3 + 3 + 1 },
};

static void start(void)
{
	world_open(&world, 100, 1 << 30, KMQ_OVERFLOW_BLOCK);
	client = client_open(&world);
}

static long level_bytes(void)
{
	return world.q.level_bytes;
}

static long charged(void)
{
	return atomic_long_read(&world.module.used[KMQ_R_BYTES]) -
		atomic_long_read(&client->credit->avail);
}

static void test_allocations(void **state)
{
	u32 i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		for (n = 1;; n++) {
			long live, paid;
			bool failed;
			int err;

			start();
			live = shim_live_bytes();
			paid = charged();
			shim_fail_nth(n);
			err = operations[i].run();
			failed = shim_failed();
			shim_fail_nth(0);
			if (!failed)
				assert_int_equal(err, 0);
			else
				assert_int_equal(err, -ENOMEM);
			assert_int_equal(world.q.count,
					 failed ? 0 : operations[i].messages);
			/* all there is was charged: messages and levels */
			assert_int_equal(shim_live_bytes() - live,
					 charged() - paid);
			assert_int_equal(charged() - paid,
					 world.q.memory + level_bytes());
			assert_int_equal(refcount_read(&client->sender->refs) ==
					 1, failed);

			/* the next one finds nothing amiss */
			assert_int_equal(operations[i].run(), 0);
			world_close(&world);
			if (!failed)
				break;
		}
		assert_int_equal(n - 1, operations[i].allocations);
	}
}

/* A limit at every height until it suffices. */
static void test_charges(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(operations); i++) {
		long limit, refusals = 0;
		int err = -EDQUOT;

		for (limit = 0; err; limit += 500) {
			long live;

			start();
			live = shim_live_bytes();
			atomic_long_set(&world.domain.limit[KMQ_R_BYTES],
					limit);
			err = operations[i].run();
			assert_true(!err || err == -EDQUOT);
			refusals += !!err;
			assert_int_equal(world.q.count,
					 err ? 0 : operations[i].messages);
			assert_true(atomic_long_read(
				&world.domain.used[KMQ_R_BYTES]) <= limit);
			assert_int_equal(shim_live_bytes() - live,
					 world.q.memory + level_bytes());
			assert_int_equal(atomic_long_read(
				&world.domain.refused[KMQ_R_BYTES]), !!err);
			world_close(&world);
		}
		assert_true(refusals > 0);
	}
}

static void test_caches(void **state)
{
	long live = shim_live();
	int n, err;

	(void)state;
	for (n = 1;; n++) {
		shim_fail_nth(n);
		err = kmq_run_caches_create();
		shim_fail_nth(0);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(shim_live(), live);
	}
	assert_true(n > 20);
	kmq_run_caches_destroy();
	assert_int_equal(shim_live(), live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_allocations, "failnth: each allocation of each way in"),
		TEST(test_charges, "failnth: each charge of each way in"),
		TEST(test_caches, "failnth: each cache"),
	};

	return cmocka_run_group_tests_name("failnth", tests, NULL, NULL);
}
