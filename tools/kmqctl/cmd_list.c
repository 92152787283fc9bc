// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl queue list, describe: what is there, once or again and again. */
#include <fnmatch.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kmqctl.h"

enum { OPT_WATCH = LONG_ONLY };

static const struct option_def list_options[] = {
	{ OPT_WATCH, "watch", "[=INTERVAL]", "again and again, with rates (1s)" },
	{ 0, NULL, NULL, NULL }
};

static void add_rates(struct queue_row *now, long n,
		      const struct queue_row *old, long n_old, double sec)
{
	long i, j = 0;

	/* Both are in ascending id, and ids are never used again. */
	for (i = 0; i < n && sec > 0; i++) {
		while (j < n_old && old[j].st.id < now[i].st.id)
			j++;
		if (j == n_old)
			break;
		if (old[j].st.id != now[i].st.id)
			continue;
		now[i].in = (double)(now[i].st.sent - old[j].st.sent) / sec;
		now[i].out = (double)(now[i].st.received -
				      old[j].st.received) / sec;
		now[i].rated = true;
	}
}

static bool wanted(const char *name, char **patterns)
{
	char **p;

	for (p = patterns; *p; p++)
		if (!fnmatch(*p, name, 0))
			return true;
	return p == patterns;
}

static void fill(struct table *t, const struct queue_row *rows, long n,
		 char **patterns)
{
	long i;

	table_clear(t);
	for (i = 0; i < n; i++)
		if (wanted(rows[i].name, patterns))
			table_add(t, &rows[i]);
}

/* In place, without flicker: overwrite, then wipe what is left over. */
static void draw(struct table *t, long n, int ms)
{
	char *text = table_text(t), *line, *rest = text;
	struct text out = { 0 };
	time_t now = time(NULL);
	char clock[16];

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	text_printf(&out, "\033[H%ld %s, every %g s, %s; end with Ctrl-C\033[K\n\033[K\n",
		    n, plural((uint64_t)n, "queue", "queues"), ms / 1e3,
		    clock);
	while (rest && (line = strsep(&rest, "\n")) && (*line || rest))
		text_printf(&out, "%s\033[K\n", line);
	text_str(&out, "\033[J");
	text_write(&out, STDOUT_FILENO);
	free(out.p);
	free(text);
}

static int watch(struct table *t, char **patterns, int ms)
{
	struct timespec pause = { .tv_sec = ms / 1000,
				  .tv_nsec = ms % 1000 * 1000000L };
	bool screen = isatty(STDOUT_FILENO) && !opts.json;
	struct queue_row *rows, *old = NULL;
	uint64_t then = 0, now;
	long n, n_old = 0;

	if (screen)
		fputs("\033[2J", stdout);
	fflush(stdout);
	for (;;) {
		n = queue_rows(&rows);
		if (n < 0)
			return fail(NULL, (int)n, 0);
		now = now_ns();
		add_rates(rows, n, old, n_old, (double)(now - then) / 1e9);
		fill(t, rows, n, patterns);
		if (screen) {
			draw(t, n, ms);
		} else {
			if (then && !opts.json)
				putchar('\n');
			table_print(t, false);
			if (fflush(stdout))
				return RC_ERROR;
		}
		free(old);
		old = rows;
		n_old = n;
		then = now;
		nanosleep(&pause, NULL);
	}
}

static int run_list(int argc, char **argv)
{
	int c, ms = 1000;
	bool again = false;
	struct queue_row *rows;
	struct table *t;
	long n;

	while ((c = next_option(argc, argv)) >= 0) {
		if (c != OPT_WATCH)
			continue;
		again = true;
		if (optarg)
			ms = parse_duration("watch", optarg);
		else if (optind < argc && scan_duration(argv[optind], &ms))
			optind++;
		if (ms < 10)
			usage_error("--watch: at least 10ms");
	}
	t = table_new("queues", queue_columns, n_queue_columns,
		      again ? QUEUE_WATCH_DEFAULT : QUEUE_LIST_DEFAULT);
	if (again)
		return watch(t, argv + optind, ms);

	n = queue_rows(&rows);
	if (n < 0)
		return fail(NULL, (int)n, 0);
	fill(t, rows, n, argv + optind);
	table_print(t, false);
	if (!n && isatty(STDOUT_FILENO))
		inform("no queues here; make one: kmqctl queue create NAME");
	free(rows);
	table_free(t);
	return RC_OK;
}

const struct verb verb_list = {
	.noun = "queue", .name = "list", .aliases = "ls",
	.args = "[OPTION]... [PATTERN]...",
	.summary = "list the queues of this domain",
	.details = "PATTERN is a name or a shell pattern.",
	.takes = TAKES_TABLE,
	.options = list_options,
	.run = run_list,
};

static int run_describe(int argc, char **argv)
{
	struct queue_row row;
	struct table *t;
	int err, rc = RC_OK;

	while (next_option(argc, argv) >= 0)
		;
	need_name(argc);
	t = table_new("queues", queue_columns, n_queue_columns,
		      QUEUE_DESCRIBE_DEFAULT);
	for (; optind < argc; optind++) {
		err = queue_row(argv[optind], &row);
		if (!err)
			table_add(t, &row);
		else if (!rc)
			rc = fail(argv[optind], err, 0);
		else
			fail(argv[optind], err, 0);
	}
	table_print(t, true);
	table_free(t);
	return rc;
}

const struct verb verb_describe = {
	.noun = "queue", .name = "describe", .aliases = "info",
	.args = "[OPTION]... NAME...",
	.summary = "show all that is known about a queue",
	.takes = TAKES_TABLE,
	.run = run_describe,
};
