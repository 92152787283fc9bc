/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_OBJECT_H
#define KMQ_OBJECT_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/kmq.h>

#include "core/queue.h"

struct kmq_domain;
struct kmq_user;

/**
 * DOC: objects
 *
 * The edge's frame around a queue of the core: name, owner, rights, pollers.
 *
 *   name ──holds──> object ──holds──> domain, owner's user, module
 *   handle ──holds──> object
 *
 * An object lives until its name and its last handle are gone. Deleting kills
 * the queue first (waiters and later calls get EIDRM) and frees its messages,
 * then takes the name. The memory goes after a grace period, as look-ups by
 * name and by id need only RCU. Every object pins the module.
 *
 * uid, gid and mode are written under domain->lock and read with READ_ONCE().
 * @handles is below zero once IF_UNUSED has decided that nobody may open the
 * object any more.
 */

/**
 * struct kmq_object - a named object
 * @refs: see above
 * @handles: open handles
 * @senders: of these, opened to send
 * @receivers: of these, opened to receive
 * @kind: KMQ_KIND_*
 * @id: never reused
 * @created: ns of CLOCK_REALTIME
 * @node: in domain->names
 * @rcu: for the grace period
 * @domain: where it is
 * @user: who created it, and is charged
 * @payer: the accounts charged for it
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 * @linked: has a name
 * @queue: the queue itself
 * @readers: pollers that wait for messages
 * @writers: pollers that wait for room
 * @name_len: bytes of the name
 * @name: NUL-terminated
 */
struct kmq_object {
	refcount_t refs;
	atomic_t handles;
	atomic_t senders;
	atomic_t receivers;
	u32 kind;
	u64 id;
	u64 created;
	struct rhash_head node;
	struct rcu_head rcu;
	struct kmq_domain *domain;
	struct kmq_user *user;
	struct kmq_payer payer;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	bool linked;
	struct kmq_queue queue;
	wait_queue_head_t readers;
	wait_queue_head_t writers;
	u16 name_len;
	char name[];
};

/**
 * struct kmq_name - a name copied from a caller
 * @len: bytes
 * @text: NUL-terminated
 */
struct kmq_name {
	unsigned int len;
	char text[KMQ_NAME_MAX + 1];
};

/**
 * struct kmq_settings - attributes as the module uses them
 * @mask: KMQ_A_* that were given
 * @kind: KMQ_KIND_*
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 * @cfg: the bounds
 */
struct kmq_settings {
	u64 mask;
	u32 kind;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	struct kmq_queue_config cfg;
};

void kmq_object_put(struct kmq_object *obj);
bool kmq_object_delete(struct kmq_object *obj);
int kmq_object_open(struct kmq_domain *domain, const struct kmq_name *name,
		    struct kmq_settings *want, struct kmq_open_args *args,
		    struct kmq_object **found);
int kmq_object_alter(struct kmq_object *obj, const struct kmq_settings *want,
		     u64 *bad);
int kmq_object_remove(struct kmq_object *obj, u32 flags);
int kmq_object_purge(struct kmq_object *obj, u64 *purged);
void kmq_object_seal(struct kmq_object *obj, bool sealed);
void kmq_object_undo(struct kmq_object *obj, int handles);
bool kmq_object_use(struct kmq_object *obj);
void kmq_object_unuse(struct kmq_object *obj);
void kmq_object_stat(struct kmq_object *obj, struct kmq_stat_args *st);
void kmq_object_attrs(struct kmq_object *obj, struct kmq_attrs *attrs);

/* attrs.c */
int kmq_name_read(u64 addr, u32 len, bool create, struct kmq_name *name);
int kmq_settings_read(u64 addr, struct kmq_settings *set, u64 *bad);
int kmq_settings_default(struct kmq_settings *set, u64 *bad);
int kmq_config_check(const struct kmq_queue_config *cfg, u64 mask, u64 *bad);
u64 kmq_settings_differ(struct kmq_object *obj,
			const struct kmq_settings *want);

#endif
