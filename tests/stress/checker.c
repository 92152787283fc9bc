// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account itself: right of logs that are in order, and sure to find what is
 * wrong with those that are not. Needs no module.
 */
#include <string.h>

#include "stress.h"

#define NR 100u

static struct order order;

static void send_one(struct ledger *l, int producer)
{
	l->producers[producer].attempted++;
	l->producers[producer].next++;
}

static void get_one(struct ledger *l, int producer, uint64_t number)
{
	struct producer_log *p = &l->producers[producer];
	struct seen seen = {
		.producer = producer,
		.number = number,
		.seq = 1 + number * 2 + producer,
		.priority = level_of(l, producer, number) * LEVEL_STEP,
		.pid = p->pid,
		.uid = p->uid,
		.stamped = true,
		.intact = true,
	};

	ledger_log(l, 0, &order, &seen);
}

/* Two producers and two consumers, nothing wrong. */
static struct ledger *good_ledger(struct totals *t)
{
	struct ledger *l = ledger_new();
	unsigned int i;

	if (!l)
		bail("mmap");
	memset(&order, 0, sizeof(order));
	l->levels = 3;
	ledger_producer(l, 0, 1001, 0, false, false);
	ledger_producer(l, 0, 1002, 7, false, false);
	ledger_consumer(l, 0, 1003);
	ledger_consumer(l, 0, 1004);
	for (i = 0; i < NR; i++) {
		send_one(l, 0);
		send_one(l, 1);
	}
	for (i = 0; i < NR; i++) {
		get_one(l, 0, i);
		get_one(l, 1, i);
	}
	*t = (struct totals){ .sent = 2 * NR, .received = 2 * NR };
	return l;
}

/* Settles, and expects these faults and no others. */
static void expect(struct ledger *l, const struct totals *t, unsigned int want,
		   const char *name)
{
	unsigned int got = 0, i;

	ledger_settle(l, 0, t);
	for (i = 0; i < NR_FAULTS; i++)
		if (l->faults[i])
			got |= 1u << i;
	if (got != want)
		note("%s: faults %#x, expected %#x", name, got, want);
	result(got == want, name);
	ledger_free(l);
}

static void test_tampering(void)
{
	static const struct {
		const char *what;
		unsigned int want;
	} ways[] = {
		{ "lose", 1u << F_LOST | 1u << F_COUNTERS },
		{ "twice", 1u << F_TWICE },
		{ "invent", 1u << F_UNSENT },
		{ "refuse", 1u << F_UNSENT | 1u << F_COUNTERS },
		{ "garble", 1u << F_CONTENT },
		{ "swap", 1u << F_ORDER },
		{ "overtake", 1u << F_ORDER },
		{ "forge", 1u << F_SENDER },
	};
	struct totals t;
	struct ledger *l;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		l = good_ledger(&t);
		if (!ledger_tamper(l, ways[i].what))
			bail("cannot tamper: %s", ways[i].what);
		expect(l, &t, ways[i].want, ways[i].what);
	}
}

static void test_counters(void)
{
	struct totals t;
	struct ledger *l;

	l = good_ledger(&t);
	expect(l, &t, 0, "nothing_wrong");

	l = good_ledger(&t);
	t.sent++;
	expect(l, &t, 1u << F_COUNTERS, "one_sent_too_many");

	l = good_ledger(&t);
	t.received--;
	t.dropped++;
	expect(l, &t, 1u << F_COUNTERS, "one_received_too_few");

	l = good_ledger(&t);
	l->entries[0][4] = 0;
	t.received--;
	t.dropped++;
	expect(l, &t, 0, "one_dropped");

	l = good_ledger(&t);
	l->entries[0][4] = 0;
	l->entries[1][4] = 0;
	t.received -= 2;
	t.dropped++;
	expect(l, &t, 1u << F_LOST | 1u << F_COUNTERS, "one_dropped_two_missing");

	l = ledger_new();
	t = (struct totals){};
	expect(l, &t, 1u << F_IDLE, "nothing_sent");
}

/* A producer killed in a call of five of which two went through. */
static void test_killed_producer(void)
{
	struct totals t;
	struct ledger *l;

	l = good_ledger(&t);
	l->producers[1].attempted += 5;
	ledger_killed(l, 1002);
	get_one(l, 1, NR);
	get_one(l, 1, NR + 1);
	t.sent += 2;
	t.received += 2;
	expect(l, &t, 0, "killed_in_a_send");

	l = good_ledger(&t);
	l->producers[1].attempted += 5;
	ledger_killed(l, 1002);
	t.sent += 6;
	t.dropped += 6;
	expect(l, &t, 1u << F_COUNTERS, "killed_and_more_than_it_tried");

	l = good_ledger(&t);
	l->producers[1].attempted += 5;
	get_one(l, 1, NR);
	t.sent++;
	t.received++;
	expect(l, &t, 1u << F_UNSENT | 1u << F_COUNTERS, "not_killed_but_refused");
}

/* A consumer killed while it could have got four. */
static void test_killed_consumer(void)
{
	struct totals t;
	struct ledger *l;
	unsigned int i;

	l = good_ledger(&t);
	l->consumers[0].taking = 4;
	ledger_killed(l, 1003);
	for (i = 0; i < 4; i++)
		l->entries[0][10 + i] = 0;
	expect(l, &t, 0, "killed_in_a_receive");

	l = good_ledger(&t);
	l->consumers[0].taking = 4;
	ledger_killed(l, 1003);
	for (i = 0; i < 5; i++)
		l->entries[0][10 + i] = 0;
	expect(l, &t, 1u << F_LOST | 1u << F_COUNTERS,
	       "killed_and_more_than_it_took");

	l = good_ledger(&t);
	l->consumers[0].taking = 4;
	l->entries[0][10] = 0;
	expect(l, &t, 1u << F_LOST | 1u << F_COUNTERS, "not_killed_but_missing");
}

int main(int argc, char **argv)
{
	begin("checker", argc, argv, 1);
	test_counters();
	test_tampering();
	test_killed_producer();
	test_killed_consumer();
	return end();
}
