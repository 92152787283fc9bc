// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl ping, reset: does it work, and back to the beginning. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"

static const struct option_def ping_options[] = {
	{ 'n', "count", "N", "messages to send (1)" },
	{ 0, NULL, NULL, NULL }
};

struct ping_row {
	uint64_t messages;
	double least, average, most;	/* microseconds */
};

#define CELL(name, call) CELL_FN(struct ping_row, name, call)

CELL(messages, cell_u64(r->messages, buf, size))
CELL(least, snprintf(buf, size, "%.3f", r->least))
CELL(average, snprintf(buf, size, "%.3f", r->average))
CELL(most, snprintf(buf, size, "%.3f", r->most))

static const struct column ping_columns[] = {
	{ "MESSAGES", COL_NUMBER, cell_messages },
	{ "MIN_US", COL_NUMBER, cell_least },
	{ "AVG_US", COL_NUMBER, cell_average },
	{ "MAX_US", COL_NUMBER, cell_most },
};

/* One message there and back: nanoseconds, or -errno. */
static int64_t round_trip(int fd, uint64_t number)
{
	uint64_t start = now_ns(), back = 0;
	ssize_t n;
	int err;

	err = kmq_send(fd, &number, sizeof(number), 1000);
	if (err)
		return err;
	n = kmq_recv(fd, &back, sizeof(back), NULL, 1000);
	if (n < 0)
		return n;
	if (n != sizeof(back) || back != number)
		return -EBADMSG;
	return (int64_t)(now_ns() - start);
}

static int run_ping(int argc, char **argv)
{
	struct kmq_attrs at = KMQ_ATTRS_INIT;
	struct ping_row row = { .least = 1e30 };
	uint64_t i, count = 1;
	struct table *t;
	char name[64];
	int fd, err;

	while (next_option(argc, argv) >= 0)
		count = parse_number("count", optarg, 1, INT32_MAX);
	if (optind < argc)
		usage_error("ping takes no argument: \"%s\"", argv[optind]);

	snprintf(name, sizeof(name), "kmqctl-ping.%d.%llx", getpid(),
		 (unsigned long long)now_ns());
	at.mask |= KMQ_A_MODE;
	at.mode = 0600;
	fd = kmq_open(ctl(), name, KMQ_OPEN_CREATE | KMQ_OPEN_EXCL |
		      KMQ_OPEN_SEND | KMQ_OPEN_RECV, &at);
	if (fd < 0)
		return fail(name, fd, 0);
	/* Without a name it ends with us, whatever happens. */
	err = kmq_delete(ctl(), name, KMQ_DELETE_UNLINK);
	if (err)
		return fail(name, err, 0);

	for (i = 0; i < count; i++) {
		int64_t ns = round_trip(fd, i);
		double us = (double)ns / 1e3;

		if (ns < 0)
			return fail(name, (int)ns, 0);
		row.least = us < row.least ? us : row.least;
		row.most = us > row.most ? us : row.most;
		row.average += us / (double)count;
		row.messages++;
	}
	close(fd);

	if (opts.json) {
		t = table_new("ping", ping_columns, ARRAY_SIZE(ping_columns),
			      "MESSAGES,MIN_US,AVG_US,MAX_US");
		table_add(t, &row);
		table_print(t, false);
		table_free(t);
	} else {
		printf("%llu %s sent and received: min %.1f us, average %.1f us, max %.1f us\n",
		       (unsigned long long)count,
		       plural(count, "message", "messages"), row.least,
		       row.average, row.most);
	}
	return RC_OK;
}

const struct verb verb_ping = {
	.name = "ping",
	.args = "[OPTION]...",
	.summary = "send a message to oneself and time it",
	.details = "It goes through a queue of its own, which is gone afterwards.",
	.takes = TAKES_JSON,
	.options = ping_options,
	.run = run_ping,
};

enum { OPT_ALL = LONG_ONLY, OPT_ALL_DOMAINS };

static const struct option_def reset_options[] = {
	{ OPT_ALL, "all", NULL, "every queue of this domain" },
	{ OPT_ALL_DOMAINS, "all-domains", NULL, "every queue of every domain" },
	{ 0, NULL, NULL, NULL }
};

static int run_reset(int argc, char **argv)
{
	bool all = false, domains = false;
	uint64_t n = 0;
	int c, err;

	while ((c = next_option(argc, argv)) >= 0) {
		all = true;
		domains |= c == OPT_ALL_DOMAINS;
	}
	if (optind < argc)
		usage_error("reset takes no name; to delete one queue: kmqctl queue delete %s",
			    argv[optind]);
	if (!all)
		usage_error("reset deletes every queue and what is in it: say --all for this domain, --all-domains for all");

	err = kmq_reset(ctl(), domains, &n);
	if (err)
		return fail(NULL, err, 0);
	if (!opts.quiet)
		printf("%llu %s deleted\n", (unsigned long long)n,
		       plural(n, "queue", "queues"));
	return RC_OK;
}

const struct verb verb_reset = {
	.name = "reset",
	.args = "--all|--all-domains",
	.summary = "delete every queue, so that the module can be unloaded",
	.details =
"Needs CAP_SYS_ADMIN over the domain, or over the machine for all of them.",
	.options = reset_options,
	.run = run_reset,
};
