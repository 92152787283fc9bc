// SPDX-License-Identifier: GPL-2.0-only
/* Queues as rows of a table, from LIST or from STAT. */
#include <stdlib.h>
#include <string.h>

#include "kmqctl.h"

#define CELL(name, call) CELL_FN(struct queue_row, name, call)

#define NUMBER(name, field)	CELL(name, cell_u64(r->field, buf, size))
#define SIZE(name, field)	CELL(name, cell_size(r->field, buf, size))

CELL(id_name, snprintf(buf, size, "%s", r->name))
NUMBER(id, st.id)
NUMBER(ready, st.ready)
SIZE(bytes, st.bytes)
SIZE(memory, st.memory)
NUMBER(maxlen, at.max_messages)
SIZE(maxbytes, at.max_bytes)
SIZE(maxmsg, at.max_message_size)
NUMBER(handles, st.handles)
NUMBER(senders, st.senders)
NUMBER(consumers, st.receivers)
NUMBER(waitsend, st.waiting_senders)
NUMBER(waitrecv, st.waiting_receivers)
NUMBER(sent, st.sent)
NUMBER(received, st.received)
NUMBER(dropped, dropped)
NUMBER(refused, st.refused_full)
CELL(waiters, cell_u64((uint64_t)r->st.waiting_senders +
		       r->st.waiting_receivers, buf, size))
CELL(overflow, snprintf(buf, size, "%s", overflow_name(r->at.overflow)))
CELL(owner, format_user(r->at.uid, buf, size))
CELL(group, format_group(r->at.gid, buf, size))
CELL(perms, format_perms(r->at.mode, buf, size))
CELL(mode, snprintf(buf, size, "%04o", r->at.mode))
CELL(created, cell_time(r->st.created, buf, size))

static void cell_state(const void *row, char *buf, size_t size)
{
	const struct queue_row *r = row;

	snprintf(buf, size, "%s%s",
		 r->st.state & KMQ_STATE_SEALED ? "sealed" : "open",
		 r->st.state & KMQ_STATE_UNLINKED ? ",unlinked" : "");
}

static void cell_rate(const struct queue_row *r, double rate, char *buf,
		      size_t size)
{
	if (r->rated)
		snprintf(buf, size, "%.0f", rate);
}

CELL(in, cell_rate(r, r->in, buf, size))
CELL(out, cell_rate(r, r->out, buf, size))

/* LIST does not tell these; next_seq is never 0 when STAT did. */
#define DETAIL(name, call)						\
	CELL(name, if (r->st.next_seq) call)

DETAIL(nextseq, cell_u64(r->st.next_seq, buf, size))
DETAIL(head, cell_time(r->st.head_time, buf, size))
DETAIL(sentbytes, cell_size(r->st.sent_bytes, buf, size))
DETAIL(recvbytes, cell_size(r->st.received_bytes, buf, size))
DETAIL(lostfull, cell_u64(r->st.dropped_full, buf, size))
DETAIL(purged, cell_u64(r->st.dropped_purged, buf, size))
DETAIL(blocked, cell_u64(r->st.blocked, buf, size))
DETAIL(blockedtime, snprintf(buf, size, opts.json ? "%.6f" : "%.3fs",
			     (double)r->st.blocked_ns / 1e9))

const struct column queue_columns[] = {
	{ "NAME", 0, cell_id_name },
	{ "ID", COL_NUMBER, cell_id },
	{ "READY", COL_NUMBER, cell_ready },
	{ "BYTES", COL_NUMBER, cell_bytes },
	{ "MEMORY", COL_NUMBER, cell_memory },
	{ "MAXLEN", COL_NUMBER, cell_maxlen },
	{ "MAXBYTES", COL_NUMBER, cell_maxbytes },
	{ "MAXMSG", COL_NUMBER, cell_maxmsg },
	{ "HANDLES", COL_NUMBER, cell_handles },
	{ "SENDERS", COL_NUMBER, cell_senders },
	{ "CONSUMERS", COL_NUMBER, cell_consumers },
	{ "WAITERS", COL_NUMBER, cell_waiters },
	{ "WAITSEND", COL_NUMBER, cell_waitsend },
	{ "WAITRECV", COL_NUMBER, cell_waitrecv },
	{ "SENT", COL_NUMBER, cell_sent },
	{ "RECEIVED", COL_NUMBER, cell_received },
	{ "DROPPED", COL_NUMBER, cell_dropped },
	{ "REFUSED", COL_NUMBER, cell_refused },
	{ "IN/S", COL_NUMBER, cell_in },
	{ "OUT/S", COL_NUMBER, cell_out },
	{ "STATE", 0, cell_state },
	{ "OVERFLOW", 0, cell_overflow },
	{ "OWNER", 0, cell_owner },
	{ "GROUP", 0, cell_group },
	{ "PERMS", 0, cell_perms },
	{ "MODE", COL_RIGHT, cell_mode },
	{ "CREATED", 0, cell_created },
	{ "HEAD", 0, cell_head },
	{ "NEXTSEQ", COL_NUMBER, cell_nextseq },
	{ "SENTBYTES", COL_NUMBER, cell_sentbytes },
	{ "RECVBYTES", COL_NUMBER, cell_recvbytes },
	{ "LOSTFULL", COL_NUMBER, cell_lostfull },
	{ "PURGED", COL_NUMBER, cell_purged },
	{ "BLOCKED", COL_NUMBER, cell_blocked },
	{ "BLOCKEDTIME", COL_NUMBER, cell_blockedtime },
};

const size_t n_queue_columns = ARRAY_SIZE(queue_columns);

static void from_list(const struct kmq_object_row *o, struct queue_row *r)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%.*s", KMQ_NAME_MAX,
		 (const char *)o->name);
	r->st.id = o->id;
	r->st.state = o->state;
	r->st.created = o->created;
	r->st.ready = o->ready;
	r->st.bytes = o->bytes;
	r->st.memory = o->memory;
	r->st.handles = o->handles;
	r->st.senders = o->senders;
	r->st.receivers = o->receivers;
	r->st.waiting_senders = o->waiting_senders;
	r->st.waiting_receivers = o->waiting_receivers;
	r->st.sent = o->sent;
	r->st.received = o->received;
	r->st.refused_full = o->refused_full;
	r->dropped = o->dropped;
	r->at.kind = o->kind;
	r->at.mode = o->mode;
	r->at.uid = o->uid;
	r->at.gid = o->gid;
	r->at.overflow = o->overflow;
	r->at.max_message_size = o->max_message_size;
	r->at.max_messages = o->max_messages;
	r->at.max_bytes = o->max_bytes;
}

long queue_rows(struct queue_row **rows)
{
	enum { CHUNK = 64 };
	struct kmq_object_row *chunk = xcalloc(CHUNK, sizeof(*chunk));
	struct queue_row *all = NULL;
	uint64_t cursor = 0;
	long n = 0;
	int got, i;

	while ((got = kmq_list_objects(ctl(), &cursor, chunk, CHUNK)) > 0) {
		all = xrealloc(all, (size_t)(n + got) * sizeof(*all));
		for (i = 0; i < got; i++)
			from_list(&chunk[i], &all[n++]);
		if (got < CHUNK)
			break;
	}
	free(chunk);
	if (got < 0) {
		free(all);
		return got;
	}
	*rows = all;
	return n;
}

int queue_row(const char *name, struct queue_row *row)
{
	int err;

	memset(row, 0, sizeof(*row));
	snprintf(row->name, sizeof(row->name), "%s", name);
	err = kmq_stat(ctl(), name, &row->st, &row->at);
	row->dropped = row->st.dropped_full + row->st.dropped_purged;
	return err;
}
