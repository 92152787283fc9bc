// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: which cases to run, in which order */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan.h"

#define TRIES	3

static const struct number_list none = { .v = { 0 }, .n = 1 };

/* A batch or a single message is not a reason worth telling */
static bool batch_fits(const struct bench_case *c)
{
	return c->batch > 1 ? c->transport->batches : c->transport->single;
}

static int add(struct results *all, const struct bench_case *c,
	       unsigned int rounds)
{
	struct result *r = realloc(all->r, (all->n + 1) * sizeof(*r));

	if (!r)
		return -1;
	all->r = r;
	r += all->n;
	memset(r, 0, sizeof(*r));
	r->what = *c;
	r->rounds = calloc(rounds, sizeof(*r->rounds));
	if (!r->rounds)
		return -1;
	all->n++;
	return 0;
}

static int add_if_fit(const struct wishes *w, struct results *all,
		      const struct bench_case *c)
{
	static const struct transport *told;
	const char *why = NULL;

	if (!batch_fits(c))
		return 0;
	if (c->scenario->unfit)
		why = c->scenario->unfit(c);
	if (!why)
		return add(all, c, w->rounds);
	if (w->transports_chosen && told != c->transport && c->batch == 1)
		fprintf(stderr, "kmqbench: not run: %s %s: %s\n",
			c->scenario->name, c->transport->name, why);
	told = c->transport;
	return 0;
}

static int add_transports(const struct wishes *w, struct results *all,
			  struct bench_case c)
{
	uint64_t count = c.count;
	unsigned int t, b;

	for (t = 0; t < w->n_transports; t++) {
		for (b = 0; b < w->batch.n; b++) {
			c.transport = w->transport[t];
			c.batch = w->batch.v[b];
			/* whole batches, whole round trips */
			c.count = count - count % (2 * c.batch);
			if (!c.count)
				c.count = 2 * c.batch;
			if (add_if_fit(w, all, &c) < 0)
				return -1;
		}
	}
	return 0;
}

static int add_scenario(const struct wishes *w, struct results *all,
			const struct scenario *s, uint64_t count)
{
	const struct number_list *depth = &none, *names = &none;
	unsigned int i, d, n;

	if (s == &scenario_depth)
		depth = &w->depth;
	if (s == &scenario_names)
		names = &w->names;
	for (i = 0; i < w->size.n; i++) {
		for (d = 0; d < depth->n; d++) {
			for (n = 0; n < names->n; n++) {
				struct bench_case c = {
					.scenario = s,
					.size = w->size.v[i],
					.depth = depth->v[d],
					.names = names->v[n],
					.count = count ? count : s->count,
				};

				if (add_transports(w, all, c) < 0)
					return -1;
			}
		}
		if (s == &scenario_names)
			break;	/* has no size */
	}
	return 0;
}

int plan_make(const struct wishes *w, struct results *all)
{
	unsigned int i;

	for (i = 0; i < w->n_scenarios; i++)
		if (add_scenario(w, all, w->scenario[i], w->count[i]) < 0)
			return -1;
	return 0;
}

void plan_free(struct results *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		free(all->r[i].rounds);
	free(all->r);
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void shuffle(size_t *order, size_t n, uint64_t *state)
{
	size_t i, j, tmp;

	for (i = n; i > 1; i--) {
		j = next_random(state) % i;
		tmp = order[i - 1];
		order[i - 1] = order[j];
		order[j] = tmp;
	}
}

static void describe(const struct bench_case *c, char *buf, size_t len)
{
	int n = snprintf(buf, len, "%s %s", c->scenario->name,
			 c->transport->name);

	if (c->names)
		snprintf(buf + n, len - n, ", %" PRIu64 " names", c->names);
	else if (c->depth)
		snprintf(buf + n, len - n, ", %u bytes, batch %u, depth %"
			 PRIu64, c->size, c->batch, c->depth);
	else
		snprintf(buf + n, len - n, ", %u bytes, batch %u", c->size,
			 c->batch);
}

/*
 * A round in which others had too much of the CPU is run again, a few times;
 * the last try stands, and its result says what share was not its own.
 */
static int run_undisturbed(const struct wishes *w, const struct bench_case *c,
			   struct measured *m, char *error, size_t error_len)
{
	int try, rc;

	for (try = 0; try < TRIES; try++) {
		rc = run_case(c, m, error, error_len);
		if (rc || m->foreign * 100 <= w->foreign)
			break;
	}
	return rc;
}

int plan_run(const struct wishes *w, struct results *all)
{
	bool tty = isatty(STDERR_FILENO);
	uint64_t state = w->seed;
	char what[96], error[256];
	unsigned int round;
	size_t *order, i;
	int rc, failed = 0;

	order = calloc(all->n, sizeof(*order));
	if (!order)
		return 1;
	for (i = 0; i < all->n; i++)
		order[i] = i;
	for (round = 0; round < w->rounds; round++) {
		shuffle(order, all->n, &state);
		for (i = 0; i < all->n; i++) {
			struct result *r = &all->r[order[i]];

			if (r->failed)
				continue;
			describe(&r->what, what, sizeof(what));
			if (tty)
				fprintf(stderr,
					"\r\033[Kround %u of %u, %zu of %zu: %s",
					round + 1, w->rounds, i + 1, all->n,
					what);
			rc = run_undisturbed(w, &r->what, &r->rounds[r->done],
					     error, sizeof(error));
			if (!rc) {
				r->done++;
				continue;
			}
			if (tty)
				fprintf(stderr, "\r\033[K");
			if (rc > 0) {
				free(order);
				return 128 + rc;
			}
			fprintf(stderr, "kmqbench: %s: %s\n", what, error);
			r->failed = true;
			r->done = 0;
			failed = 1;
		}
	}
	if (tty)
		fprintf(stderr, "\r\033[K");
	free(order);
	for (i = 0; i < all->n; i++)
		result_summarize(&all->r[i]);
	return failed;
}
