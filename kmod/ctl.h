/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_CTL_H
#define KMQ_CTL_H

#include <linux/types.h>
#include <linux/kmq.h>

struct kmq_domain;
struct kmq_object;

/**
 * DOC: /dev/kmq
 *
 * A control fd belongs to the domain of the network namespace it was opened
 * in, until ADMIN(JOIN) moves it to another. ctl->lock (spinlock, innermost)
 * guards that pointer; a request takes a reference on the domain for its time.
 *
 * Every request copies its structure in once, through kmq_args_read(), checks
 * all of it, then acts; results go out through kmq_args_write().
 */

int kmq_ctl_init(void);
void kmq_ctl_exit(void);

unsigned int kmq_request(unsigned int cmd);
int kmq_args_read(void __user *from, void *args, size_t size, size_t least);
int kmq_args_write(void __user *to, const void *args, size_t size, size_t at);

/* stat.c: what can be asked about objects, handles and limits */
long kmq_stat_named(struct kmq_domain *domain, void __user *arg);
long kmq_stat_object(struct kmq_object *obj, void __user *arg);
long kmq_list(struct kmq_domain *domain, void __user *arg);
long kmq_limits(struct kmq_domain *domain, void __user *arg);
long kmq_info(struct kmq_domain *domain, void __user *arg);
int kmq_find(struct kmq_domain *domain, u64 name, u32 len, u64 id,
	     struct kmq_object **found);

extern u64 kmq_instance;

#endif
