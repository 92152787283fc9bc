/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmqbench: the control side of /dev/kmq by the bare ABI, so that no library
 * stands between the figures and the kernel.
 *
 * Functions return -1 after run_failed() unless they say otherwise.
 */
#ifndef KMQBENCH_KMQDEV_H
#define KMQBENCH_KMQDEV_H

#include <stdint.h>

#include <linux/kmq.h>

struct kmqdev_queue {
	const char *name;
	uint32_t max_message_size;
	uint64_t max_messages;
	uint64_t max_bytes;
};

int kmqdev_control(void);
/* @flags: KMQ_OPEN_*; @q: what to create, its name what to open */
int kmqdev_open(int ctl, const struct kmqdev_queue *q, uint32_t flags);
int kmqdev_delete(int ctl, const char *name, uint32_t flags);
int kmqdev_stat(int handle, struct kmq_stat_args *st);

/*
 * Room for @more of resource @r (KMQ_R_*) in the module, the domain and the
 * user. What the limits were is kept and put back by kmqdev_limits_restore().
 */
int kmqdev_limits_raise(int ctl, unsigned int r, uint64_t more);
void kmqdev_limits_restore(int ctl);

#endif /* KMQBENCH_KMQDEV_H */
