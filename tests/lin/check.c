// SPDX-License-Identifier: GPL-2.0-only
/*
 * The checker itself: right of histories that are in order, among them some that
 * do not look so, and sure to find what is wrong with those that are not.
 *
 *   check [--seed N] [--rounds N]
 *   check FILE...      judges histories as lin_write() wrote them
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "simulate.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static unsigned int nresults, nfailed;

static void result(bool good, const char *name)
{
	printf("%sok %u - lin.%s\n", good ? "" : "not ", ++nresults, name);
	nfailed += !good;
}

static const char *const verdicts[] = { "good", "wrong", "undecided" };

/* ---- by hand ----------------------------------------------------------------- */

#define QUEUE(n, how) "queue bound=" #n " overflow=" #how "\n"

static const struct by_hand {
	const char *name;
	enum lin_verdict want;
	const char *text;
} by_hand[] = {
	{ "one_after_the_other", LIN_GOOD, QUEUE(2, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t1 3 4 recv max=1 -> OK m0:1\n"
	  "t1 5 6 recv max=1 -> EAGAIN\n" },
	{ "received_before_the_send_returned", LIN_GOOD, QUEUE(2, block)
	  "t0 1 9 send m0:0 -> OK 1\n"
	  "t1 2 3 recv max=1 -> EAGAIN\n"
	  "t1 4 5 recv max=1 -> OK m0\n"
	  "t1 6 7 recv max=1 -> EAGAIN\n" },
	{ "two_sends_at_once_in_either_order", LIN_GOOD, QUEUE(2, block)
	  "t0 1 4 send m0:0 -> OK 1\n"
	  "t1 2 3 send m1:0 -> OK 1\n"
	  "t2 5 6 recv max=2 -> OK m1 m0\n" },
	{ "two_sends_one_after_the_other", LIN_WRONG, QUEUE(2, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t1 3 4 send m1:0 -> OK 1\n"
	  "t2 5 6 recv max=2 -> OK m1 m0\n" },
	/* each receive may be the earlier one, but seq tells */
	{ "seq_says_otherwise", LIN_WRONG, QUEUE(2, block)
	  "t0 1 4 send m0:0 -> OK 1\n"
	  "t1 2 3 send m1:0 -> OK 1\n"
	  "t2 5 6 recv max=2 -> OK m1:2 m0:1\n" },
	/* Herlihy and Wing's: seen by one in an order that the other denies */
	{ "no_order_suits_both", LIN_WRONG, QUEUE(4, block)
	  "t0 1 10 send m0:0 -> OK 1\n"
	  "t1 2 11 send m1:0 -> OK 1\n"
	  "t2 3 4 recv max=1 -> OK m0\n"
	  "t2 5 6 recv max=1 -> EAGAIN\n"
	  "t2 7 8 recv max=1 -> EAGAIN\n"
	  "t1 12 13 recv max=1 -> EAGAIN\n" },
	{ "empty_while_another_send_was_under_way", LIN_GOOD, QUEUE(4, block)
	  "t0 1 10 send m0:0 -> OK 1\n"
	  "t1 2 11 send m1:0 -> OK 1\n"
	  "t2 3 4 recv max=1 -> OK m0\n"
	  "t2 5 6 recv max=1 -> EAGAIN\n"
	  "t1 12 13 recv max=1 -> OK m1\n" },
	{ "full_because_of_a_send_under_way", LIN_GOOD, QUEUE(1, block)
	  "t0 1 6 send m0:0 -> OK 1\n"
	  "t1 2 3 send m1:0 -> EAGAIN 0\n"
	  "t2 4 5 recv max=1 -> OK m0\n" },
	{ "full_in_front_of_every_send", LIN_WRONG, QUEUE(1, block)
	  "t1 1 2 send m0:0 -> EAGAIN 0\n"
	  "t0 3 6 send m1:0 -> OK 1\n"
	  "t2 4 5 recv max=1 -> OK m1\n" },
	{ "batch_in_part", LIN_GOOD, QUEUE(2, block)
	  "t0 1 2 send m0:0 m1:0 m2:0 -> EAGAIN 2\n"
	  "t1 3 4 recv max=3 -> OK m0:1 m1:2\n" },
	{ "batch_in_part_though_there_was_room", LIN_WRONG, QUEUE(3, block)
	  "t0 1 2 send m0:0 m1:0 m2:0 -> EAGAIN 2\n"
	  "t1 3 4 recv max=3 -> OK m0:1 m1:2\n" },
	{ "batch_that_another_came_between", LIN_WRONG, QUEUE(9, block)
	  "t0 1 4 send m0:0 m1:0 -> OK 2\n"
	  "t1 2 3 send m2:0 -> OK 1\n"
	  "t2 5 6 recv max=6 -> OK m0 m2 m1\n" },
	/* it waits for room: then another may come between, if it waited before */
	{ "batch_that_waited", LIN_GOOD, QUEUE(1, block)
	  "t0 1 9 send m0:0 m1:0 wait -> OK 2\n"
	  "t1 2 3 recv max=1 -> OK m0:1\n"
	  "t1 4 5 recv max=1 -> OK m1:2\n" },
	{ "who_waits_keeps_its_turn", LIN_WRONG, QUEUE(1, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t1 3 12 send m1:0 wait -> OK 1\n"
	  "t2 4 5 stat -> ready=1 waiting=1/0 sent=1 received=0 dropped=0 purged=0 refused=0 blocked=1 sealed=0\n"
	  "t3 6 13 send m2:0 wait -> OK 1\n"
	  "t2 7 8 recv max=1 -> OK m0\n"
	  "t2 9 10 recv max=1 -> OK m2\n" },
	{ "receiver_in_line_is_served_first", LIN_WRONG, QUEUE(4, block)
	  "t0 1 20 recv max=1 wait -> OK m1\n"
	  "t2 2 3 stat -> ready=0 waiting=0/1 sent=0 received=0 dropped=0 purged=0 refused=0 blocked=0 sealed=0\n"
	  "t1 4 5 send m0:0 -> OK 1\n"
	  "t2 6 7 recv max=1 -> OK m0\n"
	  "t1 8 9 send m1:0 -> OK 1\n" },
	{ "nobody_waits_for_what_is_there", LIN_WRONG, QUEUE(4, block)
	  "t0 1 20 recv max=1 wait -> OK m0\n"
	  "t1 2 3 send m0:0 -> OK 1\n"
	  "t2 4 5 stat -> ready=1 waiting=0/1 sent=1 received=0 dropped=0 purged=0 refused=0 blocked=0 sealed=0\n" },
	{ "higher_priority_first", LIN_GOOD, QUEUE(4, block)
	  "t0 1 2 send m0:0 m1:2 m2:1 -> OK 3\n"
	  "t1 3 4 recv max=2 -> OK m1:2 m2:3\n"
	  "t1 5 6 recv max=2 -> OK m0:1\n" },
	{ "oldest_of_the_lowest_is_dropped", LIN_GOOD, QUEUE(2, drop)
	  "t0 1 2 send m0:1 m1:0 m2:0 -> OK 3\n"
	  "t1 3 4 recv max=3 -> OK m0:1 m2:3\n" },
	{ "dropped_and_received", LIN_WRONG, QUEUE(2, drop)
	  "t0 1 2 send m0:1 m1:0 m2:0 -> OK 3\n"
	  "t1 3 4 recv max=3 -> OK m0:1 m1:2\n" },
	{ "new_one_is_dropped_itself", LIN_GOOD, QUEUE(1, drop)
	  "t0 1 2 send m0:3 m1:0 -> OK 2\n"
	  "t1 3 4 recv max=3 -> OK m0:1\n"
	  "t1 5 6 stat -> ready=0 waiting=0/0 sent=2 received=1 dropped=1 purged=0 refused=0 blocked=0 sealed=0\n" },
	{ "given_back_to_its_place", LIN_GOOD, QUEUE(4, block)
	  "t0 1 2 send m0:0 m1:0 -> OK 2\n"
	  "t1 3 8 recv max=1 bad -> EFAULT\n"
	  "t2 4 5 recv max=1 -> OK m1:2\n"
	  "t2 6 7 recv max=1 -> OK m0:1\n" },
	{ "given_back_behind", LIN_WRONG, QUEUE(4, block)
	  "t0 1 2 send m0:0 m1:0 -> OK 2\n"
	  "t1 3 4 recv max=1 bad -> EFAULT\n"
	  "t2 5 6 recv max=2 -> OK m1:2 m0:1\n" },
	{ "killed_and_it_happened", LIN_GOOD, QUEUE(4, block)
	  "t0 1 4 send m0:0 -> killed\n"
	  "t1 2 3 recv max=1 -> OK m0:1\n" },
	{ "killed_and_it_did_not", LIN_GOOD, QUEUE(4, block)
	  "t0 1 4 send m0:0 -> killed\n"
	  "t1 5 6 recv max=1 -> EAGAIN\n" },
	{ "killed_and_it_happened_afterwards", LIN_WRONG, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> killed\n"
	  "t1 3 4 recv max=1 -> EAGAIN\n"
	  "t1 5 6 recv max=1 -> OK m0:1\n" },
	{ "never_returned", LIN_GOOD, QUEUE(4, block)
	  "t0 1 - send m0:0 -> killed\n"
	  "t1 3 4 recv max=1 -> EAGAIN\n"
	  "t1 5 6 recv max=1 -> OK m0:1\n" },
	{ "gone_with_a_killed_receiver", LIN_GOOD, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t1 3 4 recv max=1 -> killed\n"
	  "t2 5 6 recv max=1 -> EAGAIN\n" },
	{ "given_back_by_a_killed_receiver", LIN_GOOD, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t1 3 6 recv max=1 -> killed\n"
	  "t2 4 5 recv max=1 -> EAGAIN\n"
	  "t2 7 8 recv max=1 -> OK m0:1\n" },
	{ "killed_receiver_took_more_than_it_could", LIN_WRONG, QUEUE(4, block)
	  "t0 1 2 send m0:0 m1:0 -> OK 2\n"
	  "t1 3 4 recv max=1 -> killed\n"
	  "t2 5 6 recv max=1 -> EAGAIN\n" },
	{ "sealed_then_drained", LIN_GOOD, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t0 3 4 seal -> OK\n"
	  "t0 5 6 send m1:0 -> EPIPE 0\n"
	  "t1 7 8 recv max=1 wait -> OK m0:1\n"
	  "t1 9 10 recv max=1 wait -> OK\n" },
	{ "end_of_stream_with_a_message_left", LIN_WRONG, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t0 3 4 seal -> OK\n"
	  "t1 5 6 recv max=1 -> OK\n" },
	{ "what_comes_meanwhile_stays", LIN_GOOD, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t1 3 8 purge -> OK 1\n"
	  "t0 4 5 send m1:0 -> OK 1\n"
	  "t2 9 10 recv max=2 -> OK m1:2\n" },
	{ "purged_what_came_later", LIN_WRONG, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t1 3 4 purge -> OK 2\n"
	  "t0 5 6 send m1:0 -> OK 1\n"
	  "t2 7 8 recv max=2 -> EAGAIN\n" },
	{ "in_vain_then_out_of_line", LIN_GOOD, QUEUE(4, block)
	  "t0 1 10 recv max=1 wait -> ETIMEDOUT\n"
	  "t2 2 3 stat -> ready=0 waiting=0/1 sent=0 received=0 dropped=0 purged=0 refused=0 blocked=0 sealed=0\n"
	  "t1 4 5 send m0:0 -> OK 1\n"
	  "t2 6 7 recv max=1 -> OK m0:1\n" },
	{ "timed_out_with_a_message_there", LIN_WRONG, QUEUE(4, block)
	  "t1 1 2 send m0:0 -> OK 1\n"
	  "t0 3 4 recv max=1 wait -> ETIMEDOUT\n"
	  "t2 5 6 recv max=1 -> OK m0:1\n" },
	{ "several_wanted_fewer_after_the_deadline", LIN_GOOD, QUEUE(9, block)
	  "t0 1 8 recv max=4 min=3 wait -> OK m0:1 m1:2\n"
	  "t1 2 3 send m0:0 m1:0 -> OK 2\n"
	  "t2 4 5 stat -> ready=2 waiting=0/1 sent=2 received=0 dropped=0 purged=0 refused=0 blocked=0 sealed=0\n" },
	{ "fair_share", LIN_GOOD, QUEUE(9, block)
	  "t0 1 8 recv max=6 wait -> OK m0 m1\n"
	  "t1 2 9 recv max=6 wait -> OK m2 m3\n"
	  "t2 3 4 stat -> ready=0 waiting=0/2 sent=0 received=0 dropped=0 purged=0 refused=0 blocked=0 sealed=0\n"
	  "t3 5 6 send m0:0 m1:0 m2:0 m3:0 -> OK 4\n" },
	{ "all_to_one_though_two_wait", LIN_WRONG, QUEUE(9, block)
	  "t0 1 8 recv max=6 wait -> OK m0 m1 m2 m3\n"
	  "t1 2 12 recv max=6 wait -> OK m4\n"
	  "t2 3 4 stat -> ready=0 waiting=0/2 sent=0 received=0 dropped=0 purged=0 refused=0 blocked=0 sealed=0\n"
	  "t3 5 6 send m0:0 m1:0 m2:0 m3:0 -> OK 4\n"
	  "t3 9 10 send m4:0 -> OK 1\n" },
	{ "deleted_is_deleted", LIN_WRONG, QUEUE(4, block)
	  "t0 1 2 send m0:0 -> OK 1\n"
	  "t0 3 4 delete -> OK\n"
	  "t1 5 6 recv max=1 -> OK m0:1\n" },
	{ "refused_by_the_other_policy", LIN_GOOD, QUEUE(1, reject)
	  "t0 1 2 send m0:0 wait -> OK 1\n"
	  "t0 3 4 send m1:0 wait -> EAGAIN 0\n" },
};

static bool judged(const struct lin_history *h, enum lin_verdict want,
		   const char *what)
{
	struct lin_result r = lin_search(h, LIN_STEPS);

	if (r.verdict == want)
		return true;
	printf("# %s: %s, should be %s\n", what, verdicts[r.verdict],
	       verdicts[want]);
	if (r.verdict == LIN_WRONG)
		lin_explain(stdout, h, &r, what);
	return false;
}

static void test_by_hand(void)
{
	char name[100];
	size_t i;

	for (i = 0; i < COUNT_OF(by_hand); i++) {
		struct lin_history *h = lin_read_text(by_hand[i].text);
		bool ok = h && judged(h, by_hand[i].want, by_hand[i].name) &&
			lin_search_plain(h, LIN_STEPS).verdict ==
			by_hand[i].want;

		snprintf(name, sizeof(name), "%s.%s",
			 by_hand[i].want == LIN_GOOD ? "accepts" : "rejects",
			 by_hand[i].name);
		result(ok, name);
		free(h);
	}
}

/* ---- made by the model --------------------------------------------------------- */

static uint64_t seed;
static unsigned int rounds = 60;

static void simulated(struct lin_plan *p, uint64_t nr)
{
	lin_plan(p, seed + nr, LIN_CAN_FAULT);
	lin_simulate(p);
}

static void test_simulated(void)
{
	struct lin_plan p = { .h = lin_new(1, LIN_BLOCK) };
	uint64_t steps = 0, calls = 0;
	unsigned int i;
	bool ok = true;

	for (i = 0; i < rounds && ok; i++) {
		struct lin_result r;

		simulated(&p, i);
		r = lin_search(p.h, LIN_STEPS);
		steps += r.steps;
		calls += p.h->nops;
		ok = judged(p.h, LIN_GOOD, "simulated");
	}
	printf("# %u histories of %" PRIu64 " calls, %" PRIu64 " steps tried\n",
	       i, calls, steps);
	result(ok, "accepts.what_the_model_does");
	free(p.h);
}

static void test_spoiled(void)
{
	struct lin_plan p = { .h = lin_new(1, LIN_BLOCK) };
	unsigned int i, k, n, undecided;
	char name[100];
	bool ok;

	for (i = 0; i < lin_nspoils; i++) {
		uint64_t r = seed * 31 + i + 1;

		ok = true;
		undecided = 0;
		for (k = n = 0; k < 40 * rounds && n < rounds / 3 && ok; k++) {
			struct lin_result v;

			simulated(&p, k);
			if (!lin_spoils[i].spoil(p.h, &r))
				continue;
			n++;
			v = lin_search(p.h, LIN_STEPS / 4);
			undecided += v.verdict == LIN_UNDECIDED;
			ok = v.verdict != LIN_GOOD;
		}
		snprintf(name, sizeof(name), "rejects.%s", lin_spoils[i].name);
		if (!ok)
			lin_write(stdout, p.h);
		printf("# %s: %u histories, undecided %u\n",
		       lin_spoils[i].name, n, undecided);
		result(ok && n >= rounds / 6 && undecided * 4 <= n, name);
	}
	free(p.h);
}

/* Wrong or not: nobody knows beforehand. */
static void meddle(struct lin_history *h, uint64_t *r)
{
	struct lin_op *a = &h->ops[lin_below(r, h->nops)];
	struct lin_op *b = &h->ops[lin_below(r, h->nops)];
	uint16_t m;

	switch (lin_below(r, 6)) {
	case 4:
		if (a->kind == LIN_SEND && a->done)
			a->done--;
		break;
	case 5:
		if (a->kind == LIN_STAT)
			a->st.ready ^= 1;
		else if (a->kind == LIN_RECV && a->done)
			a->done--;
		break;
	case 0:
		if (a->kind != LIN_RECV || b->kind != LIN_RECV || !a->done ||
		    !b->done)
			break;
		m = a->got[0];
		a->got[0] = b->got[0];
		b->got[0] = m;
		break;
	case 1:
		/* that later, which nothing forbids but what others saw */
		a->res += lin_below(r, 8);
		break;
	case 2:
		if (a->inv + 1 < a->res)
			a->inv++;
		break;
	case 3:
		if (a->kind == LIN_SEND || a->kind == LIN_RECV)
			a->unknown = true;
		break;
	}
}

static bool in_order(const struct lin_history *h)
{
	uint64_t last[LIN_THREADS] = {};
	unsigned int i;

	for (i = 0; i < h->nops; i++) {
		if (h->ops[i].inv <= last[h->ops[i].thread])
			return false;
		last[h->ops[i].thread] = h->ops[i].res;
	}
	return true;
}

static void test_against_plain(void)
{
	struct lin_plan p = { .h = lin_new(1, LIN_BLOCK) };
	unsigned int i, k, seen[3] = {}, compared = 0;
	uint64_t r = seed * 7 + 3;
	bool ok = true;

	for (i = 0; compared < 5 * rounds && i < 100 * rounds && ok; i++) {
		struct lin_result a, b;

		lin_plan(&p, seed + 100000 + i, LIN_CAN_FAULT);
		/* the plain way takes for ever on more */
		while (p.h->nops > 9)
			p.h->nops--;
		for (k = 0; k < p.h->nops; k++)
			p.h->ops[k].thread = lin_below(&r, 3);
		p.threads = 3;
		lin_simulate(&p);
		for (k = 0; k < i % 5; k++)
			meddle(p.h, &r);
		if (!in_order(p.h))
			continue;
		b = lin_search_plain(p.h, LIN_STEPS / 10);
		if (b.verdict == LIN_UNDECIDED)
			continue;
		a = lin_search(p.h, LIN_STEPS);
		compared++;
		seen[a.verdict]++;
		ok = a.verdict == b.verdict;
		if (!ok) {
			printf("# %s, the plain way %s:\n",
			       verdicts[a.verdict], verdicts[b.verdict]);
			lin_write(stdout, p.h);
		}
	}
	printf("# %u compared, %u good, %u wrong\n", compared, seen[LIN_GOOD],
	       seen[LIN_WRONG]);
	result(ok && seen[LIN_GOOD] > rounds && seen[LIN_WRONG] > rounds / 2,
	       "the_plain_search_says_the_same");
	free(p.h);
}

/* ---- the rest ------------------------------------------------------------------- */

static void test_text(void)
{
	struct lin_plan p = { .h = lin_new(1, LIN_BLOCK) };
	char *one = NULL, *two = NULL;
	size_t n, m;
	struct lin_history *back;
	FILE *f = open_memstream(&one, &n);
	bool ok;

	simulated(&p, 5);
	lin_write(f, p.h);
	fclose(f);
	back = lin_read_text(one);
	f = open_memstream(&two, &m);
	if (back)
		lin_write(f, back);
	fclose(f);
	ok = back && n > 1000 && !strcmp(one, two) &&
		lin_search(back, LIN_STEPS).verdict == LIN_GOOD;
	result(ok, "reads_what_it_wrote");
	free(one);
	free(two);
	free(back);
	free(p.h);
}

/* A long history with one wrong return: the window is small and has it. */
static void test_window(void)
{
	struct lin_plan p = { .h = lin_new(1, LIN_BLOCK) };
	unsigned int k = 0, lines = 0, marks = 0;
	uint64_t r = seed + 1;
	struct lin_result v;
	char *text = NULL, *at;
	size_t n;
	FILE *f;

	do {
		simulated(&p, 500 + k++);
	} while (p.h->nops < 100 || !lin_spoils[0].spoil(p.h, &r));
	v = lin_search(p.h, LIN_STEPS);
	f = open_memstream(&text, &n);
	lin_explain(f, p.h, &v, "window");
	fclose(f);
	for (at = text; (at = strstr(at, "#   ")) != NULL; at++)
		lines++;
	for (at = text; (at = strstr(at, "#   > ")) != NULL; at++)
		marks++;
	printf("# %u lines of %u calls\n", lines, p.h->nops);
	result(v.verdict == LIN_WRONG && marks == 1 && lines < 30,
	       "shows_a_small_window");
	free(text);
	free(p.h);
}

static void test_budget(void)
{
	struct lin_plan p = { .h = lin_new(1, LIN_BLOCK) };

	simulated(&p, 1);
	result(lin_search(p.h, 10).verdict == LIN_UNDECIDED,
	       "says_when_it_gave_up");
	free(p.h);
}

static int judge_files(char **files)
{
	int bad = 0;

	for (; *files; files++) {
		FILE *f = fopen(*files, "r");
		unsigned int line = 0;
		struct lin_history *h = f ? lin_read(f, &line) : NULL;
		struct lin_result r;

		if (f)
			fclose(f);
		if (!h) {
			printf("%s: cannot be read (line %u)\n", *files, line);
			bad = 1;
			continue;
		}
		r = lin_search(h, 20 * LIN_STEPS);
		printf("%s: %s, %" PRIu64 " steps\n", *files,
		       verdicts[r.verdict], r.steps);
		if (r.verdict == LIN_WRONG)
			lin_explain(stdout, h, &r, *files);
		bad |= r.verdict != LIN_GOOD;
		free(h);
	}
	return bad;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{}
	};
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = (uint64_t)time(NULL) * 1000;
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'r')
			rounds = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (optind < argc)
		return judge_files(argv + optind);
	printf("TAP version 13\n# check --seed %" PRIu64 "\n", seed);
	test_by_hand();
	test_simulated();
	test_spoiled();
	test_against_plain();
	test_text();
	test_window();
	test_budget();
	printf("1..%u\n", nresults);
	return nfailed ? 1 : 0;
}
