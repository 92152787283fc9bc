/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_DOMAIN_H
#define KMQ_DOMAIN_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "core/account.h"

struct kmq_object;
struct net;
struct user_namespace;

/**
 * DOC: domains
 *
 * A domain is the name space of one network namespace, made when the first
 * control fd is opened there. All look-ups of names go through this file, so
 * that another kind of name space could take its place.
 *
 * Lifetime
 *   Control fds, objects, and the credits of handles hold references; the net
 *   namespace holds one until it ends. Its end marks the domain dead and queues
 *   the teardown, which deletes every object in a workqueue of kmq: the end of
 *   a namespace must not wait for a million messages to be freed. A domain
 *   never holds its network namespace, so handles passed elsewhere do not keep
 *   a namespace alive.
 *
 * Locks
 *   domain->lock (mutex) makes finding and creating one step and guards the
 *   names against change, dead, and the attributes of all objects. Look-ups
 *   need only RCU. It is the outermost lock; below it come domains_lock, the
 *   lock of one queue, or the locks of rhashtable and xarray.
 */

/**
 * struct kmq_domain - a name space of objects
 * @refs: see above
 * @lock: see above
 * @dead: the network namespace ended; written under @lock
 * @names: objects by name
 * @objects: all objects by id, those without a name too; entries hold no
 *	reference: take one with refcount_inc_not_zero() under RCU
 * @handles: open handles by id, likewise under RCU
 * @account: what the domain uses
 * @user_ns: owner of the network namespace
 * @netns: inode number of the network namespace
 * @link: in the list of all domains
 * @teardown: deletes all objects
 */
struct kmq_domain {
	refcount_t refs;
	struct mutex lock; /* see above */
	bool dead;
	struct rhashtable names;
	struct xarray objects;
	struct xarray handles;
	struct kmq_account account;
	struct user_namespace *user_ns;
	unsigned int netns;
	struct list_head link;
	struct work_struct teardown;
};

int kmq_domains_init(void);
void kmq_domains_exit(void);

struct kmq_domain *kmq_domain_of_current(void);
struct kmq_domain *kmq_domain_of_fd(int fd);
void kmq_domain_get(struct kmq_domain *domain);
void kmq_domain_put(struct kmq_domain *domain);
struct kmq_object *kmq_domain_find(struct kmq_domain *domain,
				   const char *name, unsigned int len);
int kmq_domain_insert(struct kmq_domain *domain, struct kmq_object *obj);
void kmq_domain_unlink(struct kmq_domain *domain, struct kmq_object *obj);
struct kmq_object *kmq_domain_next_object(struct kmq_domain *domain, u64 *id);
u64 kmq_domain_reset(struct kmq_domain *domain);
u64 kmq_domains_reset_all(void);
u64 kmq_new_id(void);

#endif
