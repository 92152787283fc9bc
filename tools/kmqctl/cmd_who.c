// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl who: who has a queue open, and what it waits for. */
#include <getopt.h>
#include <stdlib.h>

#include "kmqctl.h"

#define CELL(name, call) CELL_FN(struct kmq_handle_row, name, call)

CELL(queue, cell_name(r->name, sizeof(r->name), buf, size))
CELL(id, cell_u64(r->id, buf, size))
CELL(pid, if (r->pid) cell_u64(r->pid, buf, size))
CELL(comm, cell_name(r->comm, sizeof(r->comm), buf, size))
CELL(last_pid, if (r->last_pid) cell_u64(r->last_pid, buf, size))
CELL(last_comm, cell_name(r->last_comm, sizeof(r->last_comm), buf, size))
CELL(uid, cell_u64(r->uid, buf, size))
CELL(user, format_user(r->uid, buf, size))
CELL(since, cell_time(r->waiting_since ? r->waiting_since : r->opened,
		      buf, size))
CELL(opened, cell_time(r->opened, buf, size))
CELL(sent, cell_u64(r->sent, buf, size))
CELL(received, cell_u64(r->received, buf, size))
CELL(form, snprintf(buf, size, "%s",
		    r->flags & KMQ_OPEN_RECORDS ? "records" : "plain"))

static void cell_role(const void *row, char *buf, size_t size)
{
	static const char *const roles[] = {
		"none", "sender", "receiver", "both",
	};
	const struct kmq_handle_row *r = row;

	snprintf(buf, size, "%s",
		 roles[!!(r->flags & KMQ_OPEN_SEND) +
		       2 * !!(r->flags & KMQ_OPEN_RECV)]);
}

static void cell_state(const void *row, char *buf, size_t size)
{
	const struct kmq_handle_row *r = row;
	const char *state = "idle";

	if (r->state & KMQ_HANDLE_SENDING)
		state = "waits-for-room";
	else if (r->state & KMQ_HANDLE_RECEIVING)
		state = "waits-for-message";
	else if (r->state & (KMQ_HANDLE_SHUT_SEND | KMQ_HANDLE_SHUT_RECV))
		state = "shut-down";
	snprintf(buf, size, "%s", state);
}

static const struct column columns[] = {
	{ "NAME", 0, cell_queue },
	{ "HANDLE", COL_NUMBER, cell_id },
	{ "PID", COL_NUMBER, cell_pid },
	{ "COMM", 0, cell_comm },
	{ "LASTPID", COL_NUMBER, cell_last_pid },
	{ "LASTCOMM", 0, cell_last_comm },
	{ "UID", COL_NUMBER, cell_uid },
	{ "USER", 0, cell_user },
	{ "ROLE", 0, cell_role },
	{ "FORM", 0, cell_form },
	{ "STATE", 0, cell_state },
	{ "SINCE", 0, cell_since },
	{ "OPENED", 0, cell_opened },
	{ "SENT", COL_NUMBER, cell_sent },
	{ "RECEIVED", COL_NUMBER, cell_received },
};

static int run_who(int argc, char **argv)
{
	enum { CHUNK = 64 };
	struct kmq_handle_row *rows = xcalloc(CHUNK, sizeof(*rows));
	const char *name = NULL;
	uint64_t cursor = 0;
	struct table *t;
	int n, i;

	while (next_option(argc, argv) >= 0)
		;
	if (optind < argc)
		name = only_name(argc, argv);
	t = table_new("handles", columns, ARRAY_SIZE(columns),
		      "NAME,PID,COMM,UID,ROLE,STATE,SINCE,SENT,RECEIVED");

	do {
		n = kmq_list_handles(ctl(), name, &cursor, rows, CHUNK);
		for (i = 0; i < n; i++)
			table_add(t, &rows[i]);
	} while (n == CHUNK);

	if (n >= 0)
		table_print(t, false);
	table_free(t);
	free(rows);
	return n < 0 ? fail(name, n, 0) : RC_OK;
}

const struct verb verb_who = {
	.name = "who",
	.args = "[OPTION]... [NAME]",
	.summary = "who has a queue open, and what they wait for",
	.details =
"SINCE is when the wait began, or when the queue was opened. Processes are\n"
"shown to those who may receive from the queue or own it.",
	.takes = TAKES_TABLE,
	.run = run_who,
};
