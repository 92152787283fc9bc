// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>

#include "domain.h"
#include "object.h"
#include "perm.h"
#include "user.h"
#include "wait.h"

static struct kmq_object *object_create(struct kmq_domain *domain,
					const struct kmq_name *name,
					const struct kmq_settings *set)
{
	struct kmq_object *obj;
	int err;

	obj = kzalloc(struct_size(obj, name, name->len + 1),
		      GFP_KERNEL_ACCOUNT);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->user = kmq_user_get(kmq_paying_uid());
	if (!obj->user) {
		err = -ENOMEM;
		goto err_free;
	}
	kmq_payer_set(&obj->payer, obj->user, domain);
	err = kmq_charge(&obj->payer, KMQ_R_OBJECTS, 1);
	if (err)
		goto err_user;
	if (!try_module_get(THIS_MODULE)) {
		err = -ENODEV;
		goto err_charge;
	}

	kmq_domain_get(domain);
	obj->domain = domain;
	refcount_set(&obj->refs, 1);
	/* the handle that is about to be opened */
	atomic_set(&obj->handles, 1);
	obj->kind = set->kind;
	obj->id = kmq_new_id();
	obj->created = ktime_get_real_ns();
	obj->uid = set->uid;
	obj->gid = set->gid;
	obj->mode = set->mode;
	init_waitqueue_head(&obj->readers);
	init_waitqueue_head(&obj->writers);
	memcpy(obj->name, name->text, name->len);
	obj->name_len = name->len;
	kmq_queue_init(&obj->queue, &set->cfg, &obj->payer);
	return obj;

err_charge:
	kmq_uncharge(&obj->payer, KMQ_R_OBJECTS, 1);
err_user:
	kmq_user_put(obj->user);
err_free:
	kfree(obj);
	return ERR_PTR(err);
}

/* Drop messages up to a seq; a budget at a time, freeing in between. */
static u64 object_purge(struct kmq_object *obj, u64 upto, bool killable)
{
	u32 level = KMQ_PRIORITY_MAX;
	u64 purged = 0;
	bool more;

	do {
		struct kmq_effects fx __kmq_uninit;

		kmq_effects_init(&fx);
		more = kmq_queue_purge(&obj->queue, upto, &level, &purged,
				       &fx);
		kmq_finish(obj, &fx);
		cond_resched();
	} while (more && !(killable && fatal_signal_pending(current)));
	return purged;
}

/* End the queue: waiters leave with EIDRM. */
static int object_kill(struct kmq_object *obj, bool if_empty)
{
	struct kmq_effects fx __kmq_uninit;
	int err;

	kmq_effects_init(&fx);
	err = kmq_queue_kill(&obj->queue, if_empty, &fx);
	kmq_finish(obj, &fx);
	if (!err)
		xa_erase(&obj->domain->objects, obj->id);
	return err;
}

/**
 * kmq_object_put() - drop a reference; the last one ends the object
 * @obj: the object
 *
 * Context: process context, may sleep.
 */
void kmq_object_put(struct kmq_object *obj)
{
	if (!refcount_dec_and_test(&obj->refs))
		return;

	object_kill(obj, false);
	object_purge(obj, U64_MAX, false);
	kmq_queue_destroy(&obj->queue);
	kmq_uncharge(&obj->payer, KMQ_R_OBJECTS, 1);
	kmq_user_put(obj->user);
	kmq_domain_put(obj->domain);
	kfree_rcu(obj, rcu);
	module_put(THIS_MODULE);
}

/* Take the name away, if it is still there. */
static void object_unname(struct kmq_object *obj)
{
	struct kmq_domain *domain = obj->domain;
	bool had;

	mutex_lock(&domain->lock);
	had = obj->linked;
	if (had)
		kmq_domain_unlink(domain, obj);
	mutex_unlock(&domain->lock);
	if (had)
		kmq_object_put(obj);
}

/**
 * kmq_object_delete() - end an object, whoever uses it
 * @obj: the object; the caller holds a reference
 *
 * Context: process context, may sleep.
 * Return: whether it was alive.
 */
bool kmq_object_delete(struct kmq_object *obj)
{
	bool alive = !READ_ONCE(obj->queue.dead);

	object_kill(obj, false);
	object_unname(obj);
	object_purge(obj, U64_MAX, false);
	return alive;
}

/**
 * kmq_object_undo() - an object could be created, but not opened
 * @obj: the object; the caller holds a reference
 * @handles: how many of its handles are the caller's own
 *
 * It is not left behind, unless somebody else has opened it meanwhile.
 *
 * Context: process context, may sleep.
 */
void kmq_object_undo(struct kmq_object *obj, int handles)
{
	struct kmq_domain *domain = obj->domain;
	bool alone;

	mutex_lock(&domain->lock);
	/* so far below zero that the caller's own cannot bring it back */
	alone = obj->linked &&
		atomic_cmpxchg(&obj->handles, handles, INT_MIN + handles) ==
			handles;
	if (alone)
		kmq_domain_unlink(domain, obj);
	mutex_unlock(&domain->lock);
	if (!alone)
		return;
	object_kill(obj, false);
	object_purge(obj, U64_MAX, false);
	kmq_object_put(obj);
}

/**
 * kmq_object_use() - one more handle
 * @obj: the object; the caller holds a reference
 *
 * Return: false when it may not be opened any more.
 */
bool kmq_object_use(struct kmq_object *obj)
{
	return atomic_inc_unless_negative(&obj->handles);
}

/**
 * kmq_object_unuse() - one handle less
 * @obj: the object; kmq_object_use() was called
 */
void kmq_object_unuse(struct kmq_object *obj)
{
	atomic_dec(&obj->handles);
}

/* May the caller have this object, which exists? */
static int check_existing(struct kmq_object *obj,
			  const struct kmq_settings *want,
			  struct kmq_open_args *args)
{
	unsigned int need = 0;
	u32 flags = args->flags;

	if (args->id && args->id != obj->id)
		return -ESTALE;
	args->id = obj->id;
	if (flags & KMQ_OPEN_EXCL)
		return -EEXIST;
	if (want->mask & KMQ_A_KIND && want->kind != obj->kind)
		return -EPROTOTYPE;
	if (flags & KMQ_OPEN_OWNER &&
	    !uid_eq(make_kuid(current_user_ns(), args->owner), obj->uid))
		return -EPERM;
	if (flags & KMQ_OPEN_CREATE && !(flags & KMQ_OPEN_FOREIGN_OK) &&
	    !kmq_trusted_owner(obj))
		return -EACCES;

	if (flags & KMQ_OPEN_SEND)
		need |= KMQ_MAY_SEND;
	if (flags & KMQ_OPEN_RECV)
		need |= KMQ_MAY_RECV;
	if (need && !kmq_may(obj, need))
		return -EACCES;
	/* a handle that does neither still keeps the object */
	if (!need && !kmq_may_see(obj))
		return -EACCES;

	args->differs = kmq_settings_differ(obj, want);
	return args->differs && flags & KMQ_OPEN_MATCH ? -EEXIST : 0;
}

static struct kmq_object *find_usable(struct kmq_domain *domain,
				      const struct kmq_name *name)
{
	struct kmq_object *obj;

	obj = kmq_domain_find(domain, name->text, name->len);
	if (obj && !kmq_object_use(obj)) {
		kmq_object_put(obj);
		obj = NULL;
	}
	return obj;
}

/* Create the object unless somebody else is faster: then *found is theirs. */
static int create_or_find(struct kmq_domain *domain,
			  const struct kmq_name *name,
			  const struct kmq_settings *want,
			  struct kmq_object **found, u32 *created)
{
	struct kmq_object *obj, *other;
	int err = 0;

	obj = object_create(domain, name, want);
	if (IS_ERR(obj))
		return PTR_ERR(obj);

	mutex_lock(&domain->lock);
	other = find_usable(domain, name);
	if (!other)
		err = domain->dead ? -ENXIO : kmq_domain_insert(domain, obj);
	mutex_unlock(&domain->lock);

	if (other || err) {
		kmq_object_put(obj);
		*found = other;
		return err;
	}
	*created = 1;
	*found = obj;
	return 0;
}

/**
 * kmq_object_open() - find an object by name, or create it
 * @domain: where
 * @name: the name
 * @want: the attributes asked for; on creation completed by defaults
 * @args: flags, owner and id wanted; created, differs, bad and id are set
 * @found: set to the object, with a reference and one more handle counted
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno as <linux/kmq.h> says for OPEN.
 */
int kmq_object_open(struct kmq_domain *domain, const struct kmq_name *name,
		    struct kmq_settings *want, struct kmq_open_args *args,
		    struct kmq_object **found)
{
	struct kmq_object *obj;
	int err;

	if (READ_ONCE(domain->dead))
		return -ENXIO;

	obj = find_usable(domain, name);
	if (!obj) {
		/* it may have been closed off by a delete that then failed */
		mutex_lock(&domain->lock);
		obj = find_usable(domain, name);
		mutex_unlock(&domain->lock);
	}
	if (!obj) {
		struct kmq_settings set = *want;

		if (!(args->flags & KMQ_OPEN_CREATE) || args->id)
			return -ENOENT;
		err = kmq_settings_default(&set, &args->bad);
		if (err)
			return err;
		if (args->flags & KMQ_OPEN_OWNER &&
		    !uid_eq(make_kuid(current_user_ns(), args->owner),
			    set.uid))
			return -EPERM;
		if (!kmq_may_give(domain, current_fsuid(), set.uid)) {
			args->bad = KMQ_A_UID;
			return -EPERM;
		}
		if (!kmq_may_regroup(domain, current_fsgid(), set.gid)) {
			args->bad = KMQ_A_GID;
			return -EPERM;
		}
		err = create_or_find(domain, name, &set, &obj, &args->created);
		if (err)
			return err;
		if (args->created) {
			args->id = obj->id;
			*found = obj;
			return 0;
		}
	}

	err = check_existing(obj, want, args);
	if (err) {
		kmq_object_unuse(obj);
		kmq_object_put(obj);
		return err;
	}
	*found = obj;
	return 0;
}

/**
 * kmq_object_alter() - change attributes, all or none
 * @obj: the object
 * @want: what to change
 * @bad: set to the attribute at fault
 *
 * Context: process context, may sleep.
 * Return: 0, -EPERM, or -EINVAL.
 */
int kmq_object_alter(struct kmq_object *obj, const struct kmq_settings *want,
		     u64 *bad)
{
	struct kmq_domain *domain = obj->domain;
	struct kmq_queue_config cfg;
	struct kmq_effects fx __kmq_uninit;
	u64 mask = want->mask;
	int err = -EPERM;

	kmq_effects_init(&fx);
	mutex_lock(&domain->lock);
	if (!kmq_is_owner(obj))
		goto out;
	if (mask & KMQ_A_KIND && want->kind != obj->kind) {
		*bad = KMQ_A_KIND;
		err = -EINVAL;
		goto out;
	}
	if (mask & KMQ_A_UID && !kmq_may_give(domain, obj->uid, want->uid)) {
		*bad = KMQ_A_UID;
		goto out;
	}
	if (mask & KMQ_A_GID &&
	    !kmq_may_regroup(domain, obj->gid, want->gid)) {
		*bad = KMQ_A_GID;
		goto out;
	}

	kmq_queue_get_config(&obj->queue, &cfg);
	if (mask & KMQ_A_OVERFLOW)
		cfg.overflow = want->cfg.overflow;
	if (mask & KMQ_A_MAX_MESSAGE_SIZE)
		cfg.max_message_size = want->cfg.max_message_size;
	if (mask & KMQ_A_MAX_MESSAGES)
		cfg.max_messages = want->cfg.max_messages;
	if (mask & KMQ_A_MAX_BYTES)
		cfg.max_bytes = want->cfg.max_bytes;
	err = kmq_config_check(&cfg, mask, bad);
	if (err)
		goto out;

	if (mask & KMQ_A_UID)
		WRITE_ONCE(obj->uid, want->uid);
	if (mask & KMQ_A_GID)
		WRITE_ONCE(obj->gid, want->gid);
	if (mask & KMQ_A_MODE)
		WRITE_ONCE(obj->mode, want->mode);
	kmq_queue_alter(&obj->queue, &cfg, &fx);
out:
	mutex_unlock(&domain->lock);
	kmq_finish(obj, &fx);
	return err;
}

/**
 * kmq_object_remove() - DELETE
 * @obj: the object
 * @flags: KMQ_DELETE_*
 *
 * Context: process context, may sleep.
 * Return: 0, -EPERM, -EBUSY, -ENOTEMPTY, or -ENOENT when another was faster.
 */
int kmq_object_remove(struct kmq_object *obj, u32 flags)
{
	struct kmq_domain *domain = obj->domain;
	bool closed_off = false;
	int err = -EPERM;

	mutex_lock(&domain->lock);
	if (!kmq_is_owner(obj))
		goto out;
	err = 0;
	if (!obj->linked) {
		err = -ENOENT;
		goto out;
	}
	if (flags & KMQ_DELETE_IF_UNUSED) {
		closed_off = !atomic_cmpxchg(&obj->handles, 0, INT_MIN);
		if (!closed_off) {
			err = -EBUSY;
			goto out;
		}
	}
	if (!(flags & KMQ_DELETE_UNLINK)) {
		err = object_kill(obj, flags & KMQ_DELETE_IF_EMPTY);
	} else if (flags & KMQ_DELETE_IF_EMPTY) {
		struct kmq_stat_args st = {};

		kmq_queue_stat(&obj->queue, &st);
		if (st.ready || st.waiting_senders)
			err = -ENOTEMPTY;
	}
	if (!err)
		kmq_domain_unlink(domain, obj);
	else if (closed_off)
		atomic_set(&obj->handles, 0);
out:
	mutex_unlock(&domain->lock);
	if (err)
		return err;

	if (!(flags & KMQ_DELETE_UNLINK))
		object_purge(obj, U64_MAX, false);
	kmq_object_put(obj);
	return 0;
}

/**
 * kmq_object_purge() - drop what is ready now
 * @obj: the object
 * @purged: how many messages went
 *
 * Context: process context, may sleep.
 * Return: 0 or -EPERM.
 */
int kmq_object_purge(struct kmq_object *obj, u64 *purged)
{
	if (!kmq_is_owner(obj))
		return -EPERM;
	*purged = object_purge(obj, kmq_queue_last_seq(&obj->queue), true);
	return 0;
}

/**
 * kmq_object_seal() - end the stream, or open it again
 * @obj: the object
 * @sealed: which
 *
 * Context: process context, may sleep.
 */
void kmq_object_seal(struct kmq_object *obj, bool sealed)
{
	struct kmq_effects fx __kmq_uninit;

	kmq_effects_init(&fx);
	kmq_queue_seal(&obj->queue, sealed, &fx);
	kmq_finish(obj, &fx);
}

/**
 * kmq_object_attrs() - an object's attributes as the reader sees them
 * @obj: the object
 * @attrs: filled in, but for size
 */
void kmq_object_attrs(struct kmq_object *obj, struct kmq_attrs *attrs)
{
	struct user_namespace *ns = current_user_ns();
	struct kmq_queue_config cfg;

	kmq_queue_get_config(&obj->queue, &cfg);
	attrs->mask = KMQ_A_ALL;
	attrs->kind = obj->kind;
	attrs->mode = READ_ONCE(obj->mode);
	attrs->uid = from_kuid_munged(ns, READ_ONCE(obj->uid));
	attrs->gid = from_kgid_munged(ns, READ_ONCE(obj->gid));
	attrs->overflow = cfg.overflow;
	attrs->max_message_size = cfg.max_message_size;
	attrs->max_messages = cfg.max_messages;
	attrs->max_bytes = cfg.max_bytes;
}

/**
 * kmq_object_stat() - an object's counters
 * @obj: the object
 * @st: filled in, but for size and what the caller asked by
 */
void kmq_object_stat(struct kmq_object *obj, struct kmq_stat_args *st)
{
	st->state = READ_ONCE(obj->linked) ? 0 : KMQ_STATE_UNLINKED;
	st->id = obj->id;
	st->created = obj->created;
	st->handles = max(atomic_read(&obj->handles), 0);
	st->senders = atomic_read(&obj->senders);
	st->receivers = atomic_read(&obj->receivers);
	kmq_queue_stat(&obj->queue, st);
}
