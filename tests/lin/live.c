// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histories of queues of /dev/kmq, made by threads and by processes, checked for
 * linearizability. Options as the programs of tests/stress.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../stress/stress.h"
#include "round.h"

#define BODY	8u
#define RECORD	(sizeof(struct kmq_record) + BODY)

/* By op.how (PLAIN, RECORDS) and whether it waits. */
struct handles {
	int fds[2][2];
};

static struct handles handles[LIN_THREADS];
static char name[40];
static uint32_t nonce;
static bool one_for_all;
static void *no_memory;

struct body {
	uint32_t nonce;
	uint32_t message;
};

static void open_handles(struct handles *h)
{
	unsigned int how, nonblock;

	for (how = 0; how < 2; how++)
		for (nonblock = 0; nonblock < 2; nonblock++) {
			int fd = kmq_open_name(name, SEND | RECV |
				(how ? KMQ_OPEN_RECORDS : 0) |
				(nonblock ? KMQ_OPEN_NONBLOCK : 0));

			h->fds[how][nonblock] = fd;
		}
}

static void close_handles(struct handles *h)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (h->fds[i / 2][i % 2] > 0)
			close(h->fds[i / 2][i % 2]);
	memset(h, 0, sizeof(*h));
}

static void live_open(const struct lin_plan *p)
{
	static const uint32_t overflows[] = {
		[LIN_BLOCK] = KMQ_OVERFLOW_BLOCK,
		[LIN_REJECT] = KMQ_OVERFLOW_REJECT,
		[LIN_DROP] = KMQ_OVERFLOW_DROP_HEAD,
	};
	struct kmq_attrs attrs = {
		.size = sizeof(attrs),
		.mask = KMQ_A_MAX_MESSAGES | KMQ_A_OVERFLOW |
			KMQ_A_MAX_MESSAGE_SIZE,
		.overflow = overflows[p->h->overflow],
		.max_messages = p->h->bound,
		.max_message_size = 1024,
	};
	int fd;

	snprintf(name, sizeof(name), "lin.%d.%u", getpid(), ++nonce);
	fd = kmq_open_at(ctl(), name, KMQ_OPEN_CREATE | KMQ_OPEN_EXCL | RECV,
			 &attrs, NULL);
	if (fd < 0)
		bail("create %s: %s", name, strerror(-fd));
	one_for_all = p->seed % 3 == 0;
	/* the referee's, and those of threads before anybody deletes it */
	open_handles(&handles[LIN_REFEREE]);
	close(fd);
}

static void live_begin(unsigned int thread)
{
	if (thread == LIN_REFEREE)
		return;
	/* a process of its own needs its own */
	ctl();
	if (one_for_all)
		handles[thread] = handles[LIN_REFEREE];
	else
		open_handles(&handles[thread]);
}

static void live_close(void)
{
	unsigned int t;

	kmq_delete(name, 0);
	for (t = 0; t < LIN_REFEREE && !one_for_all; t++)
		close_handles(&handles[t]);
	close_handles(&handles[LIN_REFEREE]);
}

static void put(char *at, const struct lin_history *h, unsigned int message,
		bool plain)
{
	struct body body = { nonce, message };
	struct kmq_record rec = {
		.size = RECORD,
		.body_len = BODY,
		.priority = h->messages[message].priority,
		.cookie = message,
	};

	if (!plain) {
		memcpy(at, &rec, sizeof(rec));
		at += sizeof(rec);
	}
	memcpy(at, &body, sizeof(body));
}

static void got_body(struct lin_history *h, struct lin_op *op, const char *at,
		     size_t len, const struct kmq_record *rec)
{
	struct body body;
	bool ok = len == BODY;

	memcpy(&body, at, sizeof(body));
	ok = ok && body.nonce == nonce && body.message < h->nmessages;
	if (ok && rec)
		ok = rec->priority == h->messages[body.message].priority;
	lin_got(h, op, ok ? body.message : LIN_ALIEN, rec ? rec->seq : 0);
}

static void got_records(struct lin_history *h, struct lin_op *op,
			const char *buf, size_t bytes)
{
	struct kmq_record rec;
	size_t at;

	if (bytes % RECORD || bytes / RECORD > op->count) {
		lin_got(h, op, LIN_ALIEN, 0);
		return;
	}
	for (at = 0; at < bytes; at += RECORD) {
		memcpy(&rec, buf + at, sizeof(rec));
		got_body(h, op, buf + at + sizeof(rec), rec.body_len, &rec);
	}
}

static void do_write(struct lin_history *h, struct lin_op *op)
{
	bool plain = op->how == LIN_PLAIN;
	int fd = handles[op->thread].fds[!plain][!op->wait];
	char buf[LIN_BATCH * RECORD];
	size_t each = plain ? BODY : RECORD;
	unsigned int i;
	ssize_t ret;

	for (i = 0; i < op->count; i++)
		put(buf + i * each, h, op->first + i, plain);
	ret = write(fd, buf, op->count * each);
	if (ret < 0) {
		op->err = -errno;
		return;
	}
	/* a part that is no whole record is not explained by anything */
	op->done = ret % each ? LIN_BATCH + 1 : ret / each;
	if (op->done < op->count)
		op->err = LIN_HIDDEN;
}

static void do_read(struct lin_history *h, struct lin_op *op)
{
	bool plain = op->how == LIN_PLAIN;
	int fd = handles[op->thread].fds[!plain][!op->wait];
	char buf[LIN_BATCH * RECORD];
	ssize_t ret = read(fd, op->bad_buffer ? no_memory : buf,
			   plain ? sizeof(buf) : op->count * RECORD);

	if (ret < 0)
		op->err = -errno;
	else if (ret && plain)
		got_body(h, op, buf, ret, NULL);
	else if (ret)
		got_records(h, op, buf, ret);
}

static void do_xfer(struct lin_history *h, struct lin_op *send,
		    struct lin_op *recv)
{
	struct lin_op *op = send ? send : recv;
	char out[LIN_BATCH * RECORD], in[LIN_BATCH * RECORD];
	struct kmq_xfer_args args = { .send_fd = -1 };
	unsigned int i;
	int err;

	args.deadline = !op->wait ? 0 : !op->wait_us ? KMQ_FOREVER :
		now_ns() + op->wait_us * 1000ull;
	if (send) {
		for (i = 0; i < send->count; i++)
			put(out + i * RECORD, h, send->first + i, false);
		args.send = (uintptr_t)out;
		args.send_len = send->count * RECORD;
		if (send->atomic)
			args.flags |= KMQ_XFER_ATOMIC;
	}
	if (recv) {
		args.recv = (uintptr_t)(recv->bad_buffer ? no_memory : in);
		args.recv_len = LIN_BATCH * RECORD;
		args.max_records = recv->count;
		args.min_records = recv->min;
		args.flags |= KMQ_XFER_RECV_ANYWAY;
	}
	err = kmq_xfer(handles[op->thread].fds[1][0], &args);
	if (err && !args.send_err && !args.recv_err) {
		op->err = err;
		return;
	}
	if (send) {
		send->done = args.sent;
		send->err = args.send_err;
	}
	if (recv) {
		recv->err = args.recv_err;
		got_records(h, recv, in, args.received_bytes);
		if (recv->done != args.received)
			lin_got(h, recv, LIN_ALIEN, 0);
	}
}

static void do_stat(struct lin_op *op)
{
	struct kmq_stat_args st;
	int err = kmq_stat_fd(handles[op->thread].fds[1][0], &st);

	op->st = (struct lin_stat) {
		.ready = st.ready,
		.waiting_senders = st.waiting_senders,
		.waiting_receivers = st.waiting_receivers,
		.sent = err ? 0xffff : st.next_seq - 1,
		.received = st.received,
		.dropped = st.dropped_full,
		.purged = st.dropped_purged,
		.refused = st.refused_full,
		.blocked = st.blocked,
		.sealed = !!(st.state & KMQ_STATE_SEALED),
	};
}

static void do_owner(struct lin_op *op)
{
	struct kmq_attrs attrs = {
		.size = sizeof(attrs),
		.mask = KMQ_A_MAX_MESSAGES,
		.max_messages = op->count,
	};
	uint64_t result = 0;

	switch (op->kind) {
	case LIN_PURGE:
		op->err = kmq_admin(ctl(), KMQ_ADMIN_PURGE, name, 0, &result);
		op->done = op->err ? 0 : result;
		break;
	case LIN_SEAL:
		op->err = kmq_admin(ctl(), KMQ_ADMIN_SEAL, name, 0, NULL);
		break;
	case LIN_UNSEAL:
		op->err = kmq_admin(ctl(), KMQ_ADMIN_UNSEAL, name, 0, NULL);
		break;
	case LIN_ALTER:
		op->err = kmq_alter(name, &attrs);
		break;
	case LIN_DELETE:
		op->err = kmq_delete(name, 0);
		break;
	}
}

static void live_call(struct lin_history *h, struct lin_op *op,
		      struct lin_op *second)
{
	switch (op->kind) {
	case LIN_SEND:
		if (op->how == LIN_XFER)
			do_xfer(h, op, second);
		else
			do_write(h, op);
		break;
	case LIN_RECV:
		if (op->how == LIN_XFER)
			do_xfer(h, NULL, op);
		else
			do_read(h, op);
		break;
	case LIN_STAT:
		do_stat(op);
		break;
	default:
		do_owner(op);
	}
}

static const struct lin_driver driver = {
	.open = live_open,
	.close = live_close,
	.begin = live_begin,
	.call = live_call,
	.quiet_us = 4000,
	.can = LIN_CAN_FORK | LIN_CAN_FAULT | LIN_CAN_SIGNAL,
};

int main(int argc, char **argv)
{
	struct lin_tally t;
	char dump[300];

	begin("lin", argc, argv, 8);
	no_memory = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	snprintf(dump, sizeof(dump), "%s/lin.history",
		 getenv("KMQ_RESULTS") ?: "/tmp");
	result(lin_run(&driver, "lin", opt_seed, opt_seconds, patience(20),
		       dump, &t), "queues_are_linearizable");
	result(t.received && t.refused && t.timeouts &&
	       t.by_kind[LIN_STAT] && t.overlapping, "enough_happened");
	check_nothing_left();
	return end();
}
