// SPDX-License-Identifier: GPL-2.0-only
/* Limits, charges and credit. */
#include <pthread.h>

#include "fixture.h"

#define STEP	KMQ_CREDIT_STEP

static unsigned long limits[KMQ_R_COUNT];
static struct kmq_account user, domain, module;
static struct kmq_payer payer;
static struct kmq_credit credit;
static int released;

static long used(struct kmq_account *acc)
{
	return atomic_long_read(&acc->used[KMQ_R_BYTES]);
}

static long peak(struct kmq_account *acc)
{
	return atomic_long_read(&acc->peak[KMQ_R_BYTES]);
}

static long refused(struct kmq_account *acc)
{
	return atomic_long_read(&acc->refused[KMQ_R_BYTES]);
}

static void limit(struct kmq_account *acc, long n)
{
	atomic_long_set(&acc->limit[KMQ_R_BYTES], n);
}

static void on_release(struct kmq_credit *c)
{
	assert_ptr_equal(c, &credit);
	released++;
}

static int set_up(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < KMQ_R_COUNT; i++)
		limits[i] = 1000 * STEP;
	kmq_account_init(&user, limits);
	kmq_account_init(&domain, limits);
	kmq_account_init(&module, limits);
	payer = (struct kmq_payer) {
		.user = &user, .domain = &domain, .module = &module,
	};
	released = 0;
	kmq_credit_init(&credit, &payer, on_release);
	return 0;
}

/* Whatever a test did, after the end nothing is charged. */
static void close_credit(void)
{
	kmq_credit_close(&credit);
	assert_int_equal(released, 1);
	assert_int_equal(used(&user), 0);
	assert_int_equal(used(&domain), 0);
	assert_int_equal(used(&module), 0);
	assert_int_equal(shim_warnings(), 0);
}

static void test_charge_all_or_none(void **state)
{
	(void)state;
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 10), 0);
	assert_int_equal(used(&user), 10);
	assert_int_equal(used(&domain), 10);
	assert_int_equal(used(&module), 10);

	limit(&user, 14);
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 5), -EDQUOT);
	assert_int_equal(refused(&user), 1);
	assert_int_equal(refused(&domain) + refused(&module), 0);
	limit(&domain, 14);
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 5), -EDQUOT);
	assert_int_equal(refused(&domain), 1);
	limit(&module, 14);
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 5), -ENOBUFS);
	assert_int_equal(refused(&module), 1);
	assert_int_equal(used(&user), 10);
	assert_int_equal(used(&domain), 10);
	assert_int_equal(used(&module), 10);

	/* exactly up to the limit */
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 4), 0);
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 1), -ENOBUFS);
	assert_int_equal(peak(&user), 14);
	assert_int_equal(peak(&domain), 14);
	assert_int_equal(peak(&module), 14);
	kmq_uncharge(&payer, KMQ_R_BYTES, 14);
	assert_int_equal(peak(&user), 14);
	assert_int_equal(atomic_long_read(&user.used[KMQ_R_OBJECTS]), 0);
	close_credit();
}

static void test_exempt(void **state)
{
	(void)state;
	payer.exempt = true;
	limit(&user, 0);
	limit(&domain, 0);
	limit(&module, 10);
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 10), 0);
	assert_int_equal(used(&user), 10);
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 1), -ENOBUFS);
	kmq_uncharge(&payer, KMQ_R_BYTES, 10);

	/* a payer need not have a user or a domain */
	payer.user = NULL;
	payer.domain = NULL;
	assert_int_equal(kmq_charge(&payer, KMQ_R_BYTES, 3), 0);
	assert_int_equal(used(&user), 0);
	kmq_uncharge(&payer, KMQ_R_BYTES, 3);
	close_credit();
}

static void test_limit_in_force(void **state)
{
	(void)state;
	assert_int_equal(kmq_account_limit(&user, KMQ_R_BYTES), 1000 * STEP);
	limits[KMQ_R_BYTES] = 7;
	assert_int_equal(kmq_account_limit(&user, KMQ_R_BYTES), 7);
	limit(&user, 0);
	assert_int_equal(kmq_account_limit(&user, KMQ_R_BYTES), 0);
	limit(&user, -1);
	limits[KMQ_R_BYTES] = ~0ul;
	assert_int_equal(kmq_account_limit(&user, KMQ_R_BYTES), LONG_MAX);
	close_credit();
}

static void test_credit_steps(void **state)
{
	int i;

	(void)state;
	assert_int_equal(used(&module), 0);
	assert_int_equal(kmq_credit_spend(&credit, 100), 0);
	assert_int_equal(used(&module), STEP);
	assert_int_equal(used(&user), STEP);
	/* as many as the step pays for touch no account */
	for (i = 1; i < STEP / 100; i++)
		assert_int_equal(kmq_credit_spend(&credit, 100), 0);
	assert_int_equal(used(&module), STEP);
	assert_int_equal(kmq_credit_spend(&credit, 100), 0);
	assert_in_range(used(&module), STEP + 100, 2 * STEP);

	/* more than a step at once */
	assert_int_equal(kmq_credit_spend(&credit, 5 * STEP), 0);
	assert_in_range(used(&module), 6 * STEP, 7 * STEP);
	kmq_credit_refund(&credit, 5 * STEP);
	kmq_credit_refund(&credit, 100 * (STEP / 100 + 1));
	assert_in_range(used(&module), 0, 2 * STEP);
	close_credit();
}

/* Use of one message is never more than its cost and what is held in advance. */
static void test_credit_bounds_advance(void **state)
{
	u64 seed = seed_from_environment();
	long cost[64] = { 0 }, sum = 0;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		u32 at = random_below(&seed, 64);

		if (cost[at]) {
			kmq_credit_refund(&credit, cost[at]);
			sum -= cost[at];
			cost[at] = 0;
		} else {
			cost[at] = 1 + random_below(&seed, 1 << (i % 18));
			assert_int_equal(kmq_credit_spend(&credit, cost[at]),
					 0);
			sum += cost[at];
		}
		assert_in_range(used(&module), sum, sum + 2 * STEP);
		assert_int_equal(atomic_long_read(&credit.avail),
				 used(&module) - sum);
	}
	kmq_credit_refund(&credit, sum);
	close_credit();
}

/* Near a limit every byte can be had, and no more. */
static void test_credit_near_limit(void **state)
{
	int i, n = 0;

	(void)state;
	limit(&user, 2 * STEP + 1000);
	while (kmq_credit_spend(&credit, 300) == 0)
		n++;
	assert_int_equal(n, (2 * STEP + 1000) / 300);
	assert_int_equal(kmq_credit_spend(&credit, 300), -EDQUOT);
	/* what is left still pays for a smaller one */
	assert_int_equal(kmq_credit_spend(&credit,
					  (2 * STEP + 1000) % 300), 0);
	assert_int_equal(kmq_credit_spend(&credit, 1), -EDQUOT);
	assert_int_equal(used(&user), 2 * STEP + 1000);
	kmq_credit_refund(&credit, 300);
	assert_int_equal(kmq_credit_spend(&credit, 300), 0);

	limit(&module, 1);
	assert_int_equal(kmq_credit_spend(&credit, 1), -ENOBUFS);
	limit(&module, -1);
	limit(&user, -1);
	assert_int_equal(kmq_credit_spend(&credit, 1), 0);
	kmq_credit_refund(&credit, 1 + (2 * STEP + 1000) % 300);
	for (i = 0; i < n; i++)
		kmq_credit_refund(&credit, 300);
	close_credit();
}

/* Only a call that failed counts as refused. */
static void test_refusals_are_final(void **state)
{
	(void)state;
	limit(&user, 1000);
	assert_int_equal(kmq_credit_spend(&credit, 400), 0);
	assert_int_equal(kmq_credit_spend(&credit, 400), 0);
	assert_int_equal(refused(&user), 0);
	assert_int_equal(kmq_credit_spend(&credit, 400), -EDQUOT);
	assert_int_equal(refused(&user), 1);
	/* what the user's limit refused was never in use elsewhere */
	assert_int_equal(peak(&user), 800);
	assert_int_equal(peak(&module), 800);
	kmq_credit_refund(&credit, 800);
	close_credit();
}

/* Several senders may have overdrawn at once; each draws for its own only. */
static void test_credit_overdrawn_by_others(void **state)
{
	(void)state;
	limit(&user, 700);
	/* somebody else took 400, and has yet to draw them */
	atomic_long_set(&credit.avail, -400);
	assert_int_equal(kmq_credit_spend(&credit, 500), 0);
	assert_int_equal(used(&user), 500);
	assert_int_equal(atomic_long_read(&credit.avail), -400);
	assert_int_equal(kmq_credit_refill(&credit, 400, 400), -EDQUOT);
	assert_int_equal(atomic_long_read(&credit.avail), 0);
	kmq_credit_refund(&credit, 500);
	close_credit();
}

static void test_credit_last_put(void **state)
{
	(void)state;
	assert_int_equal(kmq_credit_spend(&credit, 1000), 0);
	kmq_credit_refund(&credit, 1000);
	assert_true(used(&user) >= 1000);
	kmq_credit_put(&credit);
	assert_int_equal(released, 1);
	assert_int_equal(used(&user), 0);
	assert_int_equal(used(&domain), 0);
	assert_int_equal(used(&module), 0);
}

/* After close, what messages pay back goes straight to the accounts. */
static void test_credit_close(void **state)
{
	(void)state;
	refcount_inc(&credit.refs);
	assert_int_equal(kmq_credit_spend(&credit, 1000), 0);
	assert_int_equal(kmq_credit_spend(&credit, 500), 0);
	kmq_credit_close(&credit);
	assert_int_equal(released, 0);
	assert_int_equal(used(&module), 1500);
	kmq_credit_refund(&credit, 500);
	assert_int_equal(used(&module), 1000);
	kmq_credit_refund(&credit, 1000);
	assert_int_equal(used(&module), 0);
	kmq_credit_put(&credit);
	assert_int_equal(released, 1);
	assert_int_equal(used(&user), 0);
	assert_int_equal(shim_warnings(), 0);
}

#define THREADS	4
#define ROUNDS	20000

static long spent[THREADS];
static int ok_count;

static void *spender(void *arg)
{
	long *mine = arg, cost[16] = { 0 };
	u64 seed = 12345 + (mine - spent);
	int i;

	for (i = 0; i < ROUNDS; i++) {
		u32 at = random_below(&seed, 16);

		if (cost[at]) {
			kmq_credit_refund(&credit, cost[at]);
			*mine -= cost[at];
			cost[at] = 0;
			continue;
		}
		cost[at] = 1 + random_below(&seed, 40000);
		if (kmq_credit_spend(&credit, cost[at])) {
			cost[at] = 0;
			continue;
		}
		*mine += cost[at];
		__atomic_fetch_add(&ok_count, 1, __ATOMIC_RELAXED);
		if (used(&user) > 10 * STEP + THREADS * (STEP + 40000))
			shim_die("limit passed by far: %ld", used(&user));
	}
	return NULL;
}

static void test_concurrent(void **state)
{
	pthread_t threads[THREADS];
	long sum = 0;
	int i;

	(void)state;
	limit(&user, 10 * STEP);
	ok_count = 0;
	memset(spent, 0, sizeof(spent));
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spender,
						&spent[i]), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		sum += spent[i];
	}
	assert_true(ok_count > ROUNDS / 4);
	assert_true(sum <= 10 * STEP);
	assert_int_equal(used(&user), used(&module));
	assert_int_equal(used(&user) - sum, atomic_long_read(&credit.avail));
	assert_in_range(used(&user), sum, sum + 2 * STEP);
	assert_true(refused(&user) > 0);
	kmq_credit_refund(&credit, sum);
	close_credit();
}

static void *refunder(void *arg)
{
	int i;

	for (i = 0; i < 100; i++)
		kmq_credit_refund(arg, 1000);
	kmq_credit_put(arg);
	return NULL;
}

/* A close that races with refunds: nothing is kept once both are over. */
static void test_close_races_with_refund(void **state)
{
	int round;

	(void)state;
	for (round = 0; round < 300; round++) {
		pthread_t thread;

		released = 0;
		kmq_credit_init(&credit, &payer, on_release);
		refcount_inc(&credit.refs);
		refcount_inc(&credit.refs);
		assert_int_equal(kmq_credit_spend(&credit, 100000), 0);
		assert_int_equal(pthread_create(&thread, NULL, refunder,
						&credit), 0);
		kmq_credit_close(&credit);
		pthread_join(thread, NULL);
		assert_int_equal(used(&module), 0);
		assert_int_equal(released, 0);
		kmq_credit_put(&credit);
		assert_int_equal(released, 1);
		assert_int_equal(used(&module), 0);
	}
	assert_int_equal(shim_warnings(), 0);
}

#define ACCOUNT(function, text)						\
	{ .name = "account: " text, .test_func = function, .setup_func = set_up }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACCOUNT(test_charge_all_or_none, "charge all accounts or none"),
		ACCOUNT(test_exempt, "who is exempt meets the module's limit only"),
		ACCOUNT(test_limit_in_force, "own limit, else the default"),
		ACCOUNT(test_credit_steps, "credit is drawn in steps"),
		ACCOUNT(test_credit_bounds_advance, "the advance stays below two steps"),
		ACCOUNT(test_credit_near_limit, "near a limit every byte is usable"),
		ACCOUNT(test_refusals_are_final, "only what failed counts as refused"),
		ACCOUNT(test_credit_overdrawn_by_others, "each draws for its own messages"),
		ACCOUNT(test_credit_last_put, "the last reference pays back the advance"),
		ACCOUNT(test_credit_close, "a closed credit keeps nothing"),
		ACCOUNT(test_concurrent, "threads share one credit at a limit"),
		ACCOUNT(test_close_races_with_refund, "close races with refunds"),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
