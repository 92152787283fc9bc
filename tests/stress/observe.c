// SPDX-License-Identifier: GPL-2.0-only
/* A reader of everything there is to read, while others send and receive. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stress.h"

#define ROWS 16

void check_counters(struct crew *crew, unsigned int queue,
		    const struct kmq_stat_args *st)
{
	struct ledger *l = crew->ledger;
	uint64_t gone = st->received + st->dropped_full + st->dropped_purged;

	if (st->sent != gone + st->ready)
		ledger_fault(l, F_COUNTERS, "queue %u: %" PRIu64 " sent, %" PRIu64 " left, %" PRIu64 " ready",
			     queue, (uint64_t)st->sent, gone,
			     (uint64_t)st->ready);
	if (st->next_seq != st->sent + 1)
		ledger_fault(l, F_COUNTERS, "queue %u: next seq %" PRIu64 " after %" PRIu64 " sent",
			     queue, (uint64_t)st->next_seq,
			     (uint64_t)st->sent);
	if (!st->ready != !st->bytes || !st->ready != !st->head_time ||
	    !st->ready != !st->memory)
		ledger_fault(l, F_COUNTERS, "queue %u: %" PRIu64 " ready, %" PRIu64 " bytes, %" PRIu64 " memory, head of %" PRIu64,
			     queue, (uint64_t)st->ready, (uint64_t)st->bytes,
			     (uint64_t)st->memory, (uint64_t)st->head_time);
	if (st->senders > st->handles || st->receivers > st->handles)
		ledger_fault(l, F_COUNTERS, "queue %u: %u handles, %u to send, %u to receive",
			     queue, st->handles, st->senders, st->receivers);
	/* what was given back may stand above them */
	if (crew->sc->may & MAY_REPEAT)
		return;
	if (st->ready > l->most_messages || st->bytes > l->most_bytes)
		ledger_fault(l, F_BOUND, "queue %u: %" PRIu64 " messages of %" PRIu64 ", %" PRIu64 " bytes of %" PRIu64,
			     queue, (uint64_t)st->ready,
			     (uint64_t)l->most_messages, (uint64_t)st->bytes,
			     (uint64_t)l->most_bytes);
}

static void read_stat(struct crew *crew)
{
	struct kmq_stat_args st;
	unsigned int q;
	int err;

	for (q = 0; q < crew->sc->queues; q++) {
		err = kmq_stat_name(queue_name(q), &st);
		if (!err)
			check_counters(crew, q, &st);
		else if (err != -ENOENT || !(crew->sc->may & MAY_DELETE))
			ledger_fault(crew->ledger, F_ERRNO, "STAT: %s",
				     strerror(-err));
	}
}

static bool list(struct crew *crew, struct kmq_list_args *args)
{
	if (!ioctl(ctl(), KMQ_IOC_LIST, args))
		return true;
	if (errno != ENOENT || !(crew->sc->may & MAY_DELETE))
		ledger_fault(crew->ledger, F_ERRNO, "LIST: %s",
			     strerror(errno));
	return false;
}

static void read_objects(struct crew *crew)
{
	static struct kmq_object_row rows[ROWS];
	struct kmq_list_args args = {
		.size = sizeof(args),
		.what = KMQ_LIST_OBJECTS,
		.row_size = sizeof(rows[0]),
		.rows = (uintptr_t)rows,
	};
	unsigned int i, q, seen = 0, step = 1 + random_below(ROWS);
	uint64_t last = 0;

	do {
		args.count = step;
		if (!list(crew, &args))
			return;
		for (i = 0; i < args.count; i++) {
			if (rows[i].id <= last)
				ledger_fault(crew->ledger, F_COUNTERS, "LIST: id %" PRIu64 " behind %" PRIu64,
					     (uint64_t)rows[i].id, last);
			last = rows[i].id;
			for (q = 0; q < crew->sc->queues; q++)
				seen += !strcmp((char *)rows[i].name,
						queue_name(q));
		}
	} while (args.count == step);
	if (seen != crew->sc->queues && !(crew->sc->may & MAY_DELETE))
		ledger_fault(crew->ledger, F_COUNTERS, "LIST shows %u of %u queues",
			     seen, crew->sc->queues);
}

static void read_handles(struct crew *crew)
{
	static struct kmq_handle_row rows[ROWS];
	unsigned int q = random_below(crew->sc->queues), i;
	struct kmq_list_args args = {
		.size = sizeof(args),
		.what = KMQ_LIST_HANDLES,
		.row_size = sizeof(rows[0]),
		.rows = (uintptr_t)rows,
		.name = (uintptr_t)queue_name(q),
		.name_len = strlen(queue_name(q)),
	};
	uint64_t last = 0;

	do {
		args.count = ROWS;
		if (!list(crew, &args))
			return;
		for (i = 0; i < args.count; i++) {
			if (rows[i].id <= last ||
			    strcmp((char *)rows[i].name, queue_name(q)))
				ledger_fault(crew->ledger, F_COUNTERS, "LIST: handle %" PRIu64 " of %s behind %" PRIu64,
					     (uint64_t)rows[i].id,
					     (char *)rows[i].name, last);
			last = rows[i].id;
		}
	} while (args.count == ROWS);
}

/* What /proc shows of a handle of ours. */
static void read_fdinfo(struct crew *crew)
{
	unsigned int q = random_below(crew->sc->queues);
	int fd = kmq_open_name(queue_name(q), RECV);
	char path[64], line[400];
	bool seen = false;
	FILE *f;

	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		seen |= !strncmp(line, "kmq-name:", 9) &&
			strstr(line, queue_name(q));
	if (f)
		fclose(f);
	close(fd);
	if (!seen)
		ledger_fault(crew->ledger, F_COUNTERS, "fdinfo without the name");
}

void observer_main(void *arg)
{
	struct crew *crew = arg;
	struct kmq_limits_args limits;
	int err;

	ctl_forget();
	while (!crew->ledger->closing) {
		read_stat(crew);
		read_objects(crew);
		read_handles(crew);
		read_fdinfo(crew);
		err = kmq_limits(random_below(3), 0, &limits);
		if (err)
			ledger_fault(crew->ledger, F_ERRNO, "LIMITS: %s",
				     strerror(-err));
		nap_us(2000);
	}
}
