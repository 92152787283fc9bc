// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: System V message queues */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "bench.h"

#define HEAD	8	/* mtype in front of the body */

static int sysv_open(struct channel *c)
{
	struct msqid_ds ds;
	unsigned long system_bytes;
	long *type;

	c->tx = msgget(IPC_PRIVATE, 0600);
	if (c->tx < 0)
		return run_failed("msgget: %s", strerror(errno));
	if (msgctl(c->tx, IPC_STAT, &ds) < 0)
		return run_failed("IPC_STAT: %s", strerror(errno));
	/* Above kernel.msgmnb only with CAP_SYS_RESOURCE */
	system_bytes = ds.msg_qbytes;
	ds.msg_qbytes = c->room * c->size;
	if (msgctl(c->tx, IPC_SET, &ds) < 0)
		c->room = system_bytes / c->size;

	if (lane_alloc(&c->out, 1, HEAD, c->size, 0) < 0 ||
	    lane_alloc(&c->in, 1, HEAD, c->size, 0) < 0)
		return -1;
	type = c->out.memory;
	*type = 1;
	return 0;
}

static void sysv_close(struct channel *c)
{
	if (c->tx >= 0)
		msgctl(c->tx, IPC_RMID, NULL);
}

static int sysv_send(struct channel *c, unsigned int n)
{
	(void)n;
	if (msgsnd(c->tx, c->out.memory, c->size, 0) < 0)
		return run_failed("msgsnd of %u bytes: %s (see kernel.msgmax)",
				  c->size, strerror(errno));
	return 0;
}

static int sysv_recv(struct channel *c, unsigned int max)
{
	ssize_t n = msgrcv(c->tx, c->in.memory, c->size, 0, 0);

	(void)max;
	if (n < 0)
		return run_failed("msgrcv: %s", strerror(errno));
	if (n != (ssize_t)c->size)
		return run_failed("msgrcv: %zd bytes, not %u", n, c->size);
	return 1;
}

static int64_t sysv_left(struct channel *c)
{
	struct msqid_ds ds;

	if (msgctl(c->tx, IPC_STAT, &ds) < 0)
		return run_failed("IPC_STAT: %s", strerror(errno));
	return ds.msg_qnum;
}

static int sysv_name_create(const struct bench_name *n)
{
	if (msgget(n->key, 0600 | IPC_CREAT | IPC_EXCL) < 0)
		return run_failed("msgget: %s (see kernel.msgmni)",
				  strerror(errno));
	return 0;
}

static int sysv_name_visit(const struct bench_name *n)
{
	if (msgget(n->key, 0600) < 0)
		return run_failed("msgget: %s", strerror(errno));
	return 0;
}

static int sysv_name_remove(const struct bench_name *n)
{
	int id = msgget(n->key, 0600);

	if (id < 0 || msgctl(id, IPC_RMID, NULL) < 0)
		return run_failed("IPC_RMID: %s", strerror(errno));
	return 0;
}

static const struct name_ops sysv_names = {
	.most = 30000,		/* below the usual kernel.msgmni of 32000 */
	.create = sysv_name_create,
	.visit = sysv_name_visit,
	.remove = sysv_name_remove,
};

const struct transport transport_sysv = {
	.name = "sysv",
	.about = "System V message queue; names: msgget, nothing to close",
	.single = true,
	.keeps_depth = true,
	.open = sysv_open,
	.close = sysv_close,
	.send = sysv_send,
	.recv = sysv_recv,
	.left = sysv_left,
	.names = &sysv_names,
};
