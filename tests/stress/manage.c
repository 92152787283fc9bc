// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the owner of a queue and the other threads of a process do to it while
 * it is in use: close, shut down, seal, alter, purge, delete, create anew.
 */
#include <errno.h>
#include <string.h>

#include "stress.h"

static void admin(struct crew *crew, unsigned int op, unsigned int queue)
{
	int err = kmq_admin(ctl(), op, queue_name(queue), 0, NULL);

	if (err)
		ledger_fault(crew->ledger, F_ERRNO, "operation %u: %s", op,
			     strerror(-err));
}

static unsigned int seals(struct crew *crew)
{
	unsigned int queue = random_below(crew->sc->queues);

	admin(crew, KMQ_ADMIN_SEAL, queue);
	nap_us(random_below(4000));
	admin(crew, KMQ_ADMIN_UNSEAL, queue);
	return random_below(8000);
}

static unsigned int purges(struct crew *crew)
{
	admin(crew, KMQ_ADMIN_PURGE, random_below(crew->sc->queues));
	return random_below(10000);
}

static void set(struct crew *crew, struct kmq_attrs *attrs)
{
	unsigned int queue = random_below(crew->sc->queues);
	int err = kmq_alter(queue_name(queue), attrs);

	if (err)
		ledger_fault(crew->ledger, F_ERRNO, "alter: %s",
			     strerror(-err));
}

static unsigned int alters(struct crew *crew)
{
	struct kmq_attrs attrs = queue_attrs(crew->sc);

	attrs.mask = KMQ_A_MAX_MESSAGES | KMQ_A_MAX_BYTES;
	if (random_below(2)) {
		/* the largest record still fits */
		attrs.max_messages = 1 + random_below(20);
		attrs.max_bytes = crew->sc->max_len + 200 +
			random_below(4000);
	}
	set(crew, &attrs);
	return random_below(6000);
}

/* From refusing to dropping to making wait. */
static unsigned int changes_policy(struct crew *crew)
{
	struct kmq_attrs attrs = queue_attrs(crew->sc);

	attrs.mask = KMQ_A_OVERFLOW | KMQ_A_MAX_MESSAGES;
	attrs.overflow = random_below(3);
	attrs.max_messages = 5 + random_below(50);
	set(crew, &attrs);
	return random_below(6000);
}

static unsigned int deletes(struct crew *crew)
{
	unsigned int queue = random_below(crew->sc->queues);
	unsigned int flags = random_below(3) ? 0 : KMQ_DELETE_UNLINK;
	int err;

	if (!can_create(crew))
		return 10000;
	/* without a name nobody could end it for those who wait in it */
	if (flags)
		admin(crew, KMQ_ADMIN_SEAL, queue);
	err = kmq_delete(queue_name(queue), flags);
	if (err)
		ledger_fault(crew->ledger, F_ERRNO, "delete: %s",
			     strerror(-err));
	nap_us(random_below(2000));
	create_queue(crew, queue);
	/* those who work on without a name are told */
	crew->ledger->generation[queue]++;
	return 2000 + random_below(20000);
}

static unsigned int everything(struct crew *crew)
{
	kill_somebody(crew);
	switch (random_below(5)) {
	case 0:
		seals(crew);
		break;
	case 1:
		purges(crew);
		break;
	case 2:
		alters(crew);
		break;
	case 3:
		deletes(crew);
		break;
	}
	nap_us(random_below(5000));
	replace_dead(crew);
	return random_below(15000);
}

static const struct scenario scenarios[] = {
	{
		.name = "close_in_use",
		.queues = 1, .max_messages = 10, .max_bytes = 1 << 20,
		.max_len = 200,
		.roles = {
			{ 2, 3, SEND, PLAIN, BLOCK, 1, CLOSED },
			{ 1, 3, SEND, RECORDS, BLOCK, 6, CLOSED },
			{ 2, 3, RECV, PLAIN, BLOCK, 1, CLOSED },
			{ 1, 3, RECV, XFER, WATERMARK, 6, CLOSED },
		},
		.needs = 1u << E_BADF,
	}, {
		.name = "shutdown_in_use",
		.queues = 1, .max_messages = 10, .max_bytes = 1 << 20,
		.max_len = 200,
		.roles = {
			{ 2, 3, SEND, RECORDS, BLOCK, 6, SHUT },
			{ 1, 3, SEND, PLAIN, EPOLL, 1, SHUT },
			{ 2, 3, RECV, PLAIN, BLOCK, 1, SHUT },
			{ 1, 3, RECV, XFER, WATERMARK, 6, SHUT },
			{ 1, 3, RECV, PLAIN, EPOLL_EDGE, 1, SHUT },
		},
		.needs = 1u << E_CANCELED,
	}, {
		.name = "seal_and_unseal",
		.queues = 2, .max_messages = 12, .max_bytes = 1 << 20,
		.max_len = 200, .may = MAY_SEAL,
		.roles = {
			{ 2, 2, SEND, RECORDS, BLOCK, 6, 0 },
			{ 1, 2, SEND, PLAIN, EPOLL_EDGE, 1, 0 },
			{ 1, 2, SEND | RECV, XFER, DEADLINE, 4, 0 },
			{ 2, 2, RECV, PLAIN, BLOCK, 1, 0 },
			{ 1, 2, RECV, XFER, WATERMARK, 8, 0 },
			{ 1, 2, RECV, PLAIN, EPOLL_ALONE, 1, 0 },
		},
		.chaos = seals,
		.needs = 1u << E_PIPE,
	}, {
		.name = "alter_up_and_down",
		.queues = 2, .max_messages = 200, .max_bytes = 64 << 10,
		.max_len = 1000, .may = MAY_ALTER,
		.roles = {
			{ 2, 2, SEND, RECORDS, BLOCK, 10, 0 },
			{ 2, 2, SEND, PLAIN, EPOLL, 1, 0 },
			{ 1, 2, SEND, XFER, DEADLINE, 10, 0 },
			{ 2, 2, RECV, XFER, WATERMARK, 20, 0 },
			{ 1, 2, RECV, PLAIN, POLL, 1, 0 },
		},
		.chaos = alters,
	}, {
		.name = "change_of_overflow",
		.queues = 2, .max_messages = 55, .max_bytes = 1 << 20,
		.levels = 2, .max_len = 200, .may = MAY_ALTER | MAY_FULL,
		.roles = {
			{ 2, 2, SEND, RECORDS, BLOCK, 10, 0 },
			{ 2, 2, SEND, PLAIN, BLOCK, 1, 0 },
			{ 1, 2, SEND, RECORDS, EPOLL, 10, 0 },
			{ 2, 2, RECV, RECORDS, BLOCK, 10, SLOW },
		},
		.chaos = changes_policy,
		.needs = 1u << E_AGAIN,
	}, {
		.name = "purge_under_load",
		.queues = 2, .max_messages = 400, .max_bytes = 1 << 20,
		.levels = 4, .max_len = 100,
		.roles = {
			{ 3, 2, SEND, RECORDS, BLOCK, 30, 0 },
			{ 2, 2, RECV, RECORDS, BLOCK, 8, SLOW },
			{ 1, 2, RECV, XFER, WATERMARK, 30, 0 },
		},
		.chaos = purges,
	}, {
		.name = "delete_and_create_anew",
		.queues = 2, .max_messages = 20, .max_bytes = 1 << 20,
		.max_len = 200, .may = MAY_DELETE | MAY_SEAL,
		.roles = {
			{ 2, 2, SEND, RECORDS, EPOLL, 10, 0 },
			{ 2, 2, SEND, XFER, DEADLINE, 4, 0 },
			{ 2, 2, RECV, XFER, DEADLINE, 10, 0 },
			{ 1, 2, RECV, RECORDS, BLOCK, 10, 0 },
		},
		.chaos = deletes,
		.needs = 1u << E_IDRM,
	}, {
		.name = "everything_at_once",
		.queues = 3, .max_messages = 60, .max_bytes = 64 << 10,
		.levels = 2, .max_len = 500,
		.may = MAY_SEAL | MAY_DELETE | MAY_ALTER | MAY_REPEAT,
		.roles = {
			{ 2, 3, SEND, RECORDS, BLOCK, 10, KILLED },
			{ 1, 3, SEND, XFER, DEADLINE, 4, BY_STORM },
			{ 1, 3, SEND, PLAIN, BLOCK, 1, SHUT | KILLED },
			{ 2, 3, RECV, XFER, DEADLINE, 10, KILLED | BY_STORM },
			{ 1, 3, RECV, RECORDS, BLOCK, 10, SHUT },
			{ 1, 3, RECV, PLAIN, EPOLL_ALONE, 1, KILLED },
		},
		.chaos = everything,
		.needs = 1u << E_KILL | 1u << E_IDRM,
	},
};

int main(int argc, char **argv)
{
	begin("manage", argc, argv, 14);
	run_scenarios(scenarios, ARRAY_SIZE(scenarios));
	check_nothing_left();
	return end();
}
