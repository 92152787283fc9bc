// SPDX-License-Identifier: GPL-2.0-only
/* Tables and JSON, drawn by libsmartcols. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libsmartcols.h>

#include "kmqctl.h"

#define MAX_COLUMNS 64

struct table {
	struct libscols_table *sc;
	const struct column *columns;
	size_t shown[MAX_COLUMNS];
	size_t n;
};

static void check(int failed)
{
	if (failed) {
		complain("out of memory");
		exit(RC_ERROR);
	}
}

static void __attribute__((noreturn))
unknown_column(const struct column *columns, size_t n, const char *word,
	       size_t len)
{
	char all[512] = "";
	size_t i, at = 0;

	for (i = 0; i < n && at < sizeof(all); i++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s",
				       i ? "," : "", columns[i].name);
	usage_error("unknown column \"%.*s\"; known: %s", (int)len, word, all);
}

static void show(struct table *t, size_t column)
{
	if (t->n == MAX_COLUMNS)
		usage_error("--output: more than %d columns", MAX_COLUMNS);
	t->shown[t->n++] = column;
}

static void choose(struct table *t, size_t n, const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ","), i;

		for (i = 0; i < n; i++)
			if (strlen(t->columns[i].name) == len &&
			    !strncasecmp(t->columns[i].name, list, len))
				break;
		if (i == n)
			unknown_column(t->columns, n, list, len);
		show(t, i);
		list += len;
		if (*list == ',')
			list++;
	}
}

static void choose_columns(struct table *t, size_t n, const char *defaults)
{
	const char *want = opts.columns;
	size_t i;

	if (want && !strcasecmp(want, "all")) {
		for (i = 0; i < n; i++)
			show(t, i);
		return;
	}
	if (!want || *want == '+')
		choose(t, n, defaults);
	if (want)
		choose(t, n, *want == '+' ? want + 1 : want);
	if (!t->n)
		usage_error("--output: no columns given");
}

struct table *table_new(const char *json_name, const struct column *columns,
			size_t n, const char *defaults)
{
	struct table *t = xcalloc(1, sizeof(*t));
	size_t i;

	t->columns = columns;
	choose_columns(t, n, defaults);

	t->sc = scols_new_table();
	check(!t->sc);
	scols_table_set_name(t->sc, json_name);
	scols_table_enable_json(t->sc, opts.json);
	scols_table_enable_raw(t->sc, opts.raw);
	scols_table_enable_noheadings(t->sc, opts.noheadings);
	for (i = 0; i < t->n; i++) {
		const struct column *c = &columns[t->shown[i]];
		struct libscols_column *col;
		int flags = 0;

		if (c->flags & (COL_NUMBER | COL_RIGHT))
			flags |= SCOLS_FL_RIGHT;
		if (c->flags & COL_TRUNC)
			flags |= SCOLS_FL_TRUNC;
		col = scols_table_new_column(t->sc, c->name, 0, flags);
		check(!col);
		if (c->flags & COL_NUMBER)
			scols_column_set_json_type(col, SCOLS_JSON_NUMBER);
	}
	return t;
}

void table_add(struct table *t, const void *row)
{
	struct libscols_line *line = scols_table_new_line(t->sc, NULL);
	char buf[1024];
	size_t i;

	check(!line);
	for (i = 0; i < t->n; i++) {
		buf[0] = '\0';
		t->columns[t->shown[i]].get(row, buf, sizeof(buf));
		if (!buf[0] && !opts.json)
			strcpy(buf, "-");
		check(scols_line_set_data(line, i, buf));
	}
}

/* One line a field: the same cells, turned round. */
static void print_upright(struct table *t)
{
	struct libscols_table *up;
	size_t row, i;

	for (row = 0; row < scols_table_get_nlines(t->sc); row++) {
		struct libscols_line *from = scols_table_get_line(t->sc, row);

		if (row)
			fputc('\n', stdout);
		up = scols_new_table();
		check(!up);
		scols_table_enable_noheadings(up, 1);
		scols_table_enable_raw(up, opts.raw);
		check(!scols_table_new_column(up, "FIELD", 0, 0));
		check(!scols_table_new_column(up, "VALUE", 0, SCOLS_FL_WRAP));
		for (i = 0; i < t->n; i++) {
			struct libscols_line *line;
			struct libscols_cell *cell;

			line = scols_table_new_line(up, NULL);
			check(!line);
			cell = scols_line_get_cell(from, i);
			check(scols_line_set_data(line, 0,
				t->columns[t->shown[i]].name) ||
			      scols_line_set_data(line, 1,
				scols_cell_get_data(cell)));
		}
		scols_print_table(up);
		scols_unref_table(up);
	}
}

void table_print(struct table *t, bool upright)
{
	if (upright && !opts.json)
		print_upright(t);
	else
		check(scols_print_table(t->sc) < 0);
}

char *table_text(struct table *t)
{
	char *text = NULL;

	check(scols_print_table_to_string(t->sc, &text) < 0);
	return text;
}

void table_clear(struct table *t)
{
	scols_table_remove_lines(t->sc);
}

void table_free(struct table *t)
{
	scols_unref_table(t->sc);
	free(t);
}

void cell_u64(uint64_t v, char *buf, size_t size)
{
	snprintf(buf, size, "%llu", (unsigned long long)v);
}

void cell_size(uint64_t v, char *buf, size_t size)
{
	if (opts.json || opts.bytes)
		cell_u64(v, buf, size);
	else
		format_size(v, buf, size);
}

void cell_time(uint64_t ns, char *buf, size_t size)
{
	if (!ns)
		return;
	if (opts.json)
		format_iso(ns, buf, size);
	else
		format_local(ns, buf, size);
}

void cell_name(const void *bytes, size_t max, char *buf, size_t size)
{
	struct text t = { 0 };

	text_escaped(&t, bytes, strnlen(bytes, max));
	snprintf(buf, size, "%.*s", (int)t.len, t.p ? t.p : "");
	free(t.p);
}
