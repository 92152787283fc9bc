// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on a queue, compared after each with a plain model.
 * KMQ_UNIT_SEED repeats a run, KMQ_UNIT_EPISODES sets its length.
 */
#include "walk.h"

static u64 seed;

static u32 dice(u32 limit)
{
	return random_below(&seed, limit);
}

static void test_random(void **state)
{
	const char *text = getenv("KMQ_UNIT_EPISODES");
	u32 episode, i, n = text ? strtoul(text, NULL, 0) : 600;

	(void)state;
	seed = seed_from_environment();
	walk_dice = dice;
	for (episode = 0; episode < n; episode++) {
		walk_start();
		for (i = 0; i < WALK_STEPS; i++)
			walk_step();
		walk_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_random, "model: random operations as the model has them"),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
