// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl limits: what may be used, is used, and was refused. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"

enum {
	OPT_SCOPE = LONG_ONLY,
	OPT_USER,
	OPT_OBJECTS,
	OPT_HANDLES,
	OPT_BYTES,
};

static const struct option_def options[] = {
	{ OPT_SCOPE, "scope", "SCOPE", "module, domain or user (show: all three)" },
	{ OPT_USER, "user", "USER", "of another user than oneself" },
	{ OPT_OBJECTS, "objects", "N", "set: queues that may exist" },
	{ OPT_HANDLES, "handles", "N", "set: handles that may be open" },
	{ OPT_BYTES, "memory", "SIZE", "set: kernel memory of messages" },
	{ 0, NULL, NULL, NULL }
};

static const char *const scope_names[] = {
	[KMQ_SCOPE_MODULE] = "module",
	[KMQ_SCOPE_DOMAIN] = "domain",
	[KMQ_SCOPE_USER] = "user",
};

static const char *const resource_names[KMQ_R_COUNT] = {
	[KMQ_R_OBJECTS] = "objects",
	[KMQ_R_HANDLES] = "handles",
	[KMQ_R_BYTES] = "memory",
};

struct limit_row {
	unsigned int scope, resource;
	uint32_t uid;
	struct kmq_limit l;
};

#define CELL(name, call) CELL_FN(struct limit_row, name, call)

static void amount(const struct limit_row *r, uint64_t v, char *buf,
		   size_t size)
{
	if (r->resource == KMQ_R_BYTES)
		cell_size(v, buf, size);
	else
		cell_u64(v, buf, size);
}

CELL(scope, snprintf(buf, size, "%s", scope_names[r->scope]))
CELL(user, if (r->scope == KMQ_SCOPE_USER) format_user(r->uid, buf, size))
CELL(resource, snprintf(buf, size, "%s", resource_names[r->resource]))
CELL(limit, amount(r, r->l.limit, buf, size))
CELL(used, amount(r, r->l.used, buf, size))
CELL(peak, amount(r, r->l.peak, buf, size))
CELL(refused, cell_u64(r->l.refused, buf, size))
CELL(percent, if (r->l.limit)
	snprintf(buf, size, opts.json ? "%.2f" : "%.2f%%",
		 100.0 * (double)r->l.used / (double)r->l.limit))

static const struct column columns[] = {
	{ "SCOPE", 0, cell_scope },
	{ "USER", 0, cell_user },
	{ "RESOURCE", 0, cell_resource },
	{ "LIMIT", COL_NUMBER, cell_limit },
	{ "USED", COL_NUMBER, cell_used },
	{ "USE%", COL_NUMBER, cell_percent },
	{ "PEAK", COL_NUMBER, cell_peak },
	{ "REFUSED", COL_NUMBER, cell_refused },
};

struct request {
	int scope;		/* -1: all */
	uint32_t uid;
	unsigned int mask;
	struct kmq_limit l[KMQ_R_COUNT];
};

static int parse_scope(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scope_names); i++)
		if (!strcmp(text, scope_names[i]))
			return (int)i;
	usage_error("--scope: \"%s\" is none of module, domain, user", text);
}

static void set(struct request *rq, unsigned int resource, uint64_t value)
{
	rq->mask |= 1u << resource;
	rq->l[resource].limit = value;
}

static int show(const struct request *rq)
{
	struct table *t = table_new("limits", columns, ARRAY_SIZE(columns),
		"SCOPE,RESOURCE,LIMIT,USED,USE%,PEAK,REFUSED");
	unsigned int scope, i;
	int err = 0;

	for (scope = 0; scope < ARRAY_SIZE(scope_names) && !err; scope++) {
		struct limit_row row = { .scope = scope, .uid = rq->uid };
		struct kmq_limit l[KMQ_R_COUNT];

		if (rq->scope >= 0 && (unsigned int)rq->scope != scope)
			continue;
		err = kmq_limits(ctl(), scope, rq->uid, l);
		for (i = 0; i < KMQ_R_COUNT && !err; i++) {
			row.resource = i;
			row.l = l[i];
			table_add(t, &row);
		}
	}
	if (!err)
		table_print(t, false);
	table_free(t);
	return err ? fail(NULL, err, 0) : RC_OK;
}

static int change(const struct request *rq)
{
	int err;

	if (rq->scope < 0)
		usage_error("set whose limits? --scope module, domain or user, or --user USER");
	if (!rq->mask)
		usage_error("set what? Name at least one of --objects, --handles, --memory");
	err = kmq_set_limits(ctl(), (unsigned int)rq->scope,
			     rq->scope == KMQ_SCOPE_USER ? rq->uid : 0,
			     rq->mask, rq->l);
	return err ? fail(NULL, err, 0) : RC_OK;
}

static int run_limits(int argc, char **argv)
{
	struct request rq = { .scope = -1, .uid = getuid() };
	bool user = false;
	const char *word;
	int c;

	while ((c = next_option(argc, argv)) >= 0) {
		switch (c) {
		case OPT_SCOPE:
			rq.scope = parse_scope(optarg);
			break;
		case OPT_USER:
			rq.uid = parse_user("user", optarg);
			user = true;
			break;
		case OPT_OBJECTS:
			set(&rq, KMQ_R_OBJECTS,
			    parse_number("objects", optarg, 0, INT64_MAX));
			break;
		case OPT_HANDLES:
			set(&rq, KMQ_R_HANDLES,
			    parse_number("handles", optarg, 0, INT64_MAX));
			break;
		case OPT_BYTES:
			set(&rq, KMQ_R_BYTES, parse_size("memory", optarg));
			break;
		}
	}
	if (user && rq.scope >= 0 && rq.scope != KMQ_SCOPE_USER)
		usage_error("--user goes with --scope user, not %s",
			    scope_names[rq.scope]);
	if (user)
		rq.scope = KMQ_SCOPE_USER;

	word = argv[optind] ? argv[optind] : "show";
	if (argc - optind > 1)
		usage_error("one argument too many: \"%s\"", argv[optind + 1]);
	if (!strcmp(word, "set"))
		return change(&rq);
	if (strcmp(word, "show"))
		usage_error("limits: \"%s\" is none of show, set", word);
	if (rq.mask)
		usage_error("to set limits: kmqctl limits set ...");
	return show(&rq);
}

const struct verb verb_limits = {
	.name = "limits",
	.args = "[show|set] [OPTION]...",
	.summary = "limits of module, domain and user, and their use",
	.takes = TAKES_TABLE,
	.options = options,
	.run = run_limits,
};
