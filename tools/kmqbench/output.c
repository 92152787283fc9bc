// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: tables and JSON */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double median_of(const struct result *r, size_t offset)
{
	double v[r->done];
	unsigned int i;

	for (i = 0; i < r->done; i++)
		memcpy(&v[i], (const char *)&r->rounds[i] + offset,
		       sizeof(v[i]));
	return median(v, r->done);
}

void result_summarize(struct result *r)
{
	unsigned int i;

	if (!r->done)
		return;
	r->value = median_of(r, offsetof(struct measured, value));
	r->switches = median_of(r, offsetof(struct measured, switches));
	r->mem_stat = median_of(r, offsetof(struct measured, mem_stat));
	r->mem_kernel = median_of(r, offsetof(struct measured, mem_kernel));
	r->mem_free = median_of(r, offsetof(struct measured, mem_free));
	r->min = r->rounds[0].value;
	r->max = r->rounds[0].value;
	r->foreign = r->rounds[0].foreign;
	for (i = 1; i < r->done; i++) {
		if (r->rounds[i].foreign > r->foreign)
			r->foreign = r->rounds[i].foreign;
		if (r->rounds[i].value < r->min)
			r->min = r->rounds[i].value;
		if (r->rounds[i].value > r->max)
			r->max = r->rounds[i].value;
	}
}

/* A pipe with one message a write, all else alike; 0 if it was not run */
static double pipe_value(const struct results *all, const struct bench_case *c)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		const struct bench_case *p = &all->r[i].what;

		if (all->r[i].done && p->transport == &transport_pipe &&
		    p->scenario == c->scenario && p->size == c->size &&
		    p->depth == c->depth && p->batch == 1)
			return all->r[i].value;
	}
	return 0;
}

static bool any_pipe(const struct results *all, const struct scenario *s)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->r[i].done && all->r[i].what.scenario == s &&
		    all->r[i].what.transport == &transport_pipe)
			return true;
	return false;
}

enum column {
	C_TRANSPORT, C_SIZE, C_BATCH, C_DEPTH, C_NAMES, C_VALUE, C_MIN, C_MAX,
	C_RATIO, C_SWITCHES, C_ROOM, C_MEM, C_STAT, C_KERNEL, C_FREE, C_COUNT
};

static const char *const titles[C_COUNT] = {
	[C_TRANSPORT] = "TRANSPORT",
	[C_SIZE] = "SIZE",
	[C_BATCH] = "BATCH",
	[C_DEPTH] = "DEPTH",
	[C_NAMES] = "NAMES",
	[C_VALUE] = "MEDIAN",
	[C_MIN] = "MIN",
	[C_MAX] = "MAX",
	[C_RATIO] = "/PIPE",
	[C_SWITCHES] = "SWITCHES",
	[C_ROOM] = "ROOM",
	[C_MEM] = "BYTES",
	[C_STAT] = "BY-STAT",
	[C_KERNEL] = "BY-SLAB",
	[C_FREE] = "BY-MEMFREE",
};

static void put(struct libscols_line *line, enum column c, const char *fmt,
		...) __attribute__((format(printf, 3, 4)));

/* The lines of a table that lacks a column leave it out */
static struct libscols_column *shown[C_COUNT];

static void put(struct libscols_line *line, enum column c, const char *fmt,
		...)
{
	char *text;
	va_list ap;

	if (!shown[c])
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	scols_line_refer_column_data(line, shown[c], text);
}

static struct libscols_table *new_table(const bool *want, FILE *f)
{
	struct libscols_table *t = scols_new_table();
	int i;

	if (!t)
		return NULL;
	scols_table_set_stream(t, f);
	for (i = 0; i < C_COUNT; i++) {
		shown[i] = NULL;
		if (want[i])
			shown[i] = scols_table_new_column(t, titles[i], 0,
				i == C_TRANSPORT ? 0 : SCOLS_FL_RIGHT);
	}
	return t;
}

/* So that a column is as wide as its figures need and no wider */
static int decimals(double v)
{
	return v < 100 ? 1 : 0;
}

static void put_what(struct libscols_line *line, const struct bench_case *c)
{
	put(line, C_TRANSPORT, "%s", c->transport->name);
	if (c->scenario->per_message)
		put(line, C_SIZE, "%u", c->size);
	put(line, C_BATCH, "%u", c->batch);
	put(line, C_DEPTH, "%" PRIu64, c->depth);
	put(line, C_NAMES, "%" PRIu64, c->names);
}

static int cost_table(const struct results *all, const struct scenario *s,
		      FILE *f)
{
	bool want[C_COUNT] = {
		[C_TRANSPORT] = true, [C_VALUE] = true, [C_MIN] = true,
		[C_MAX] = true, [C_SIZE] = s->per_message,
		[C_BATCH] = s->per_message, [C_ROOM] = s->per_message,
		[C_RATIO] = s->per_message && any_pipe(all, s), [C_SWITCHES] = s->parties > 1,
		[C_DEPTH] = s == &scenario_depth,
		[C_NAMES] = s == &scenario_names,
	};
	struct libscols_table *t = new_table(want, f);
	bool any = false;
	size_t i;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < all->n; i++) {
		const struct result *r = &all->r[i];
		struct libscols_line *line;
		double pipe;

		if (!r->done || r->what.scenario != s)
			continue;
		line = scols_table_new_line(t, NULL);
		if (!line) {
			scols_unref_table(t);
			return -ENOMEM;
		}
		any = true;
		pipe = pipe_value(all, &r->what);
		put_what(line, &r->what);
		put(line, C_VALUE, "%.*f", decimals(r->value), r->value);
		put(line, C_MIN, "%.*f", decimals(r->value), r->min);
		put(line, C_MAX, "%.*f", decimals(r->value), r->max);
		if (pipe)
			put(line, C_RATIO, "%.3f", r->value / pipe);
		put(line, C_SWITCHES, "%.3f", r->switches);
		put(line, C_ROOM, "%u", r->rounds[0].room);
	}
	if (any) {
		fprintf(f, "\n%s: %s\n%s per %s\n", s->name, s->about,
			all->unit, s->per);
		scols_print_table(t);
	}
	scols_unref_table(t);
	return 0;
}

static int memory_table(const struct results *all, FILE *f)
{
	static const bool want[C_COUNT] = {
		[C_TRANSPORT] = true, [C_SIZE] = true, [C_BATCH] = true,
		[C_DEPTH] = true,
		[C_NAMES] = true, [C_MEM] = true, [C_STAT] = true,
		[C_KERNEL] = true, [C_FREE] = true,
	};
	struct libscols_table *t = new_table(want, f);
	bool any = false;
	size_t i;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < all->n; i++) {
		const struct result *r = &all->r[i];
		struct libscols_line *line;

		if (!r->done || result_memory(r) < 0)
			continue;
		line = scols_table_new_line(t, NULL);
		if (!line) {
			scols_unref_table(t);
			return -ENOMEM;
		}
		any = true;
		put_what(line, &r->what);
		put(line, C_MEM, "%.0f", result_memory(r));
		if (r->mem_stat >= 0)
			put(line, C_STAT, "%.0f", r->mem_stat);
		put(line, C_KERNEL, "%.0f", r->mem_kernel);
		put(line, C_FREE, "%.0f", r->mem_free);
	}
	if (any) {
		fprintf(f, "\nmemory: bytes per queued message (DEPTH) or empty queue (NAMES), the larger of\nwhat the queue says and what slab, per-CPU and vmalloc memory grew by\n");
		scols_print_table(t);
	}
	scols_unref_table(t);
	return 0;
}

static bool any_per_message(const struct results *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->r[i].done && all->r[i].what.scenario->per_message)
			return true;
	return false;
}

int output_table(const struct results *all, FILE *f)
{
	int rc = 0, i;

	for (i = 0; scenarios[i] && !rc; i++)
		rc = cost_table(all, scenarios[i], f);
	if (!rc)
		rc = memory_table(all, f);
	if (!rc && any_per_message(all))
		fprintf(f, "\nROOM: messages the channel holds. /PIPE: against a pipe, one message a write.\n");
	return rc;
}

static void json_head(FILE *f, const struct result *r, const char *scenario,
		      bool *first)
{
	const struct bench_case *c = &r->what;

	fprintf(f, "%s\n  {\"scenario\": \"%s\", \"transport\": \"%s\", \"size\": %u, \"batch\": %u, \"peers\": %u, \"depth\": %"
		PRIu64, *first ? "" : ",", scenario, c->transport->name,
		c->scenario->per_message ? c->size : 0, c->batch,
		c->scenario->parties, c->depth);
	if (c->names)
		fprintf(f, ", \"names\": %" PRIu64, c->names);
	*first = false;
}

static void json_cost(FILE *f, const struct result *r, const char *unit,
		      bool *first)
{
	const struct bench_case *c = &r->what;

	json_head(f, r, c->scenario->name, first);
	fprintf(f, ", \"unit\": \"%s/%s\", \"value\": %.1f, \"per\": \"%s\", \"min\": %.1f, \"max\": %.1f, \"foreign\": %.4f, \"rounds\": %u, \"count\": %"
		PRIu64, unit, c->scenario->per_message ? "msg" : "open",
		r->value, c->scenario->per, r->min, r->max, r->foreign,
		r->done, c->count);
	if (c->scenario->per_message)
		fprintf(f, ", \"room\": %u", r->rounds[0].room);
	if (c->scenario->parties > 1)
		fprintf(f, ", \"switches\": %.4f", r->switches);
	fputc('}', f);
}

static void json_memory(FILE *f, const struct result *r, bool *first)
{
	json_head(f, r, "memory", first);
	fprintf(f, ", \"unit\": \"bytes/%s\", \"value\": %.1f",
		r->what.names ? "queue" : "msg", result_memory(r));
	if (r->mem_stat >= 0)
		fprintf(f, ", \"stat\": %.1f", r->mem_stat);
	fprintf(f, ", \"kernel\": %.1f, \"memfree\": %.1f}", r->mem_kernel,
		r->mem_free);
}

int output_json(const struct results *all, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "we") : stdout;
	bool first = true;
	size_t i;
	int rc;

	if (!f)
		return -errno;
	fputc('[', f);
	for (i = 0; i < all->n; i++) {
		const struct result *r = &all->r[i];

		if (!r->done)
			continue;
		json_cost(f, r, all->unit, &first);
		if (result_memory(r) >= 0)
			json_memory(f, r, &first);
	}
	fputs("\n]\n", f);
	rc = ferror(f) ? -EIO : 0;
	if ((f == stdout ? fflush(f) : fclose(f)) && !rc)
		rc = -errno;
	return rc;
}
