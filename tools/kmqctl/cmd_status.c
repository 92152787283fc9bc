// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl status: is kmq there, which one, and what does it hold. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "kmqctl.h"
#include "status_why.h"

struct status_row {
	struct kmq_info_args info;
	struct kmq_limit domain[KMQ_R_COUNT];
	long queues;
	uint64_t ready, bytes, memory;
};

static const struct {
	uint64_t bit;
	const char *name;
} features[] = {
	{ KMQ_FEATURE_QUEUE, "queue" },
	{ KMQ_FEATURE_WATERMARK, "watermark" },
};

#define CELL(name, call) CELL_FN(struct status_row, name, call)

CELL(state, (void)r; snprintf(buf, size, "ready"))
CELL(module, cell_name(r->info.version, sizeof(r->info.version), buf, size))
CELL(tool, (void)r; snprintf(buf, size, "%s", KMQ_VERSION))
CELL(instance, snprintf(buf, size, "%016llx",
			(unsigned long long)r->info.instance))
CELL(netns, cell_u64(r->info.netns, buf, size))
CELL(queues, cell_u64((uint64_t)r->queues, buf, size))
CELL(ready, cell_u64(r->ready, buf, size))
CELL(bytes, cell_size(r->bytes, buf, size))
CELL(memory, cell_size(r->memory, buf, size))
CELL(handles, cell_u64(r->domain[KMQ_R_HANDLES].used, buf, size))
CELL(maxmsg, cell_size(r->info.max_message_size, buf, size))

static void cell_features(const void *row, char *buf, size_t size)
{
	const struct status_row *r = row;
	uint64_t unknown = r->info.features;
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(features) && n < size; i++) {
		if (!(r->info.features & features[i].bit))
			continue;
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? "," : "",
				      features[i].name);
		unknown &= ~features[i].bit;
	}
	if (unknown && n < size)
		snprintf(buf + n, size - n, "%s+%#llx", n ? "," : "",
			 (unsigned long long)unknown);
}

static const struct column columns[] = {
	{ "STATE", 0, cell_state },
	{ "MODULE", 0, cell_module },
	{ "LIBRARY", 0, cell_tool },
	{ "FEATURES", 0, cell_features },
	{ "INSTANCE", 0, cell_instance },
	{ "NETNS", COL_NUMBER, cell_netns },
	{ "QUEUES", COL_NUMBER, cell_queues },
	{ "READY", COL_NUMBER, cell_ready },
	{ "BYTES", COL_NUMBER, cell_bytes },
	{ "MEMORY", COL_NUMBER, cell_memory },
	{ "HANDLES", COL_NUMBER, cell_handles },
	{ "MAXMSG", COL_NUMBER, cell_maxmsg },
};

static const struct column absent_columns[] = {
	{ "STATE", 0, why_cell_state },
	{ "LIBRARY", 0, cell_tool },
	{ "REASON", 0, why_cell_reason },
	{ "ADVICE", 0, why_cell_advice },
};

static int print_absent(int err)
{
	struct why why;
	struct table *t;

	find_why(err, &why);
	if (opts.json) {
		/* Columns of a module that is there cannot be chosen here. */
		opts.columns = NULL;
		t = table_new("status", absent_columns,
			      ARRAY_SIZE(absent_columns),
			      "STATE,LIBRARY,REASON,ADVICE");
		table_add(t, &why);
		table_print(t, true);
		table_free(t);
	} else {
		complain("%s", why.reason);
		complain("%s", why.advice);
	}
	return why.denied ? RC_DENIED : RC_ERROR;
}

static int run_status(int argc, char **argv)
{
	struct queue_row *rows = NULL;
	struct status_row row = { .queues = 0 };
	struct table *t;
	int err;
	long i;

	while (next_option(argc, argv) >= 0)
		;
	if (optind < argc)
		usage_error("status takes no argument: \"%s\"", argv[optind]);
	t = table_new("status", columns, ARRAY_SIZE(columns),
		      "STATE,MODULE,LIBRARY,FEATURES,INSTANCE,NETNS,QUEUES,READY,BYTES,MEMORY,HANDLES,MAXMSG");

	err = try_ctl();
	if (err < 0)
		return print_absent(err);
	err = kmq_info(ctl(), &row.info);
	if (!err)
		err = kmq_limits(ctl(), KMQ_SCOPE_DOMAIN, 0, row.domain);
	if (!err) {
		row.queues = queue_rows(&rows);
		err = row.queues < 0 ? (int)row.queues : 0;
	}
	if (err)
		return fail(NULL, err, 0);

	for (i = 0; i < row.queues; i++) {
		row.ready += rows[i].st.ready;
		row.bytes += rows[i].st.bytes;
		row.memory += rows[i].st.memory;
	}
	table_add(t, &row);
	table_print(t, true);
	table_free(t);
	free(rows);
	return RC_OK;
}

const struct verb verb_status = {
	.name = "status",
	.args = "[OPTION]...",
	.summary = "is kmq there, which version, what does it hold",
	.details = "When it is not there, it says why and what to do.",
	.takes = TAKES_TABLE,
	.run = run_status,
};
