// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/user_namespace.h>

#include "domain.h"
#include "params.h"
#include "user.h"

/* What the module as a whole uses. */
struct kmq_account kmq_module_account;

/* Guards the table and the step from the last reference to being gone. */
static DEFINE_SPINLOCK(users_lock);
static DEFINE_HASHTABLE(users, 7);

static struct kmq_user *find_locked(kuid_t uid)
{
	struct kmq_user *user;

	hash_for_each_possible(users, user, node, __kuid_val(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/**
 * kmq_user_find() - the user, if it is known
 * @uid: who
 *
 * Return: the user with a reference, or NULL.
 */
struct kmq_user *kmq_user_find(kuid_t uid)
{
	struct kmq_user *user;

	spin_lock(&users_lock);
	user = find_locked(uid);
	if (user)
		refcount_inc(&user->refs);
	spin_unlock(&users_lock);
	return user;
}

/**
 * kmq_user_get() - the user, made known if need be
 * @uid: who
 *
 * Context: process context, may sleep.
 * Return: the user with a reference, or NULL when there is no memory.
 */
struct kmq_user *kmq_user_get(kuid_t uid)
{
	struct kmq_user *user, *fresh;

	user = kmq_user_find(uid);
	if (user)
		return user;

	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return NULL;
	refcount_set(&fresh->refs, 1);
	fresh->uid = uid;
	kmq_account_init(&fresh->account, kmq_user_limits);

	spin_lock(&users_lock);
	user = find_locked(uid);
	if (user) {
		refcount_inc(&user->refs);
	} else {
		hash_add(users, &fresh->node, __kuid_val(uid));
		user = fresh;
		fresh = NULL;
	}
	spin_unlock(&users_lock);
	kfree(fresh);
	return user;
}

/**
 * kmq_user_put() - drop a reference
 * @user: the user, or NULL
 */
void kmq_user_put(struct kmq_user *user)
{
	bool last;

	if (!user)
		return;
	spin_lock(&users_lock);
	last = refcount_dec_and_test(&user->refs);
	if (last)
		hash_del(&user->node);
	spin_unlock(&users_lock);
	if (last)
		kfree(user);
}

/**
 * kmq_user_keep() - a user has limits of its own: remember it
 * @user: the user
 */
void kmq_user_keep(struct kmq_user *user)
{
	spin_lock(&users_lock);
	if (!user->kept) {
		user->kept = true;
		refcount_inc(&user->refs);
	}
	spin_unlock(&users_lock);
}

/**
 * kmq_users_exit() - forget everybody
 *
 * Context: module exit; only the table holds users any more.
 */
void kmq_users_exit(void)
{
	struct kmq_user *user;
	struct hlist_node *tmp;
	unsigned int i;

	hash_for_each_safe(users, i, tmp, user, node) {
		WARN_ON_ONCE(!user->kept || refcount_read(&user->refs) != 1);
		hash_del(&user->node);
		kfree(user);
	}
}

/**
 * kmq_paying_uid() - whose quota the current task uses
 *
 * Return: its effective uid, or the creator of the outermost user namespace
 * below the initial one that it lives in.
 */
kuid_t kmq_paying_uid(void)
{
	struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_euid();

	for (; ns->parent; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

/**
 * kmq_payer_set() - the accounts that the current task's charges go to
 * @payer: filled in
 * @user: from kmq_user_get(kmq_paying_uid())
 * @domain: where the object is
 */
void kmq_payer_set(struct kmq_payer *payer, struct kmq_user *user,
		   struct kmq_domain *domain)
{
	payer->user = &user->account;
	payer->domain = &domain->account;
	payer->module = &kmq_module_account;
	/* asked at every open, needed near a limit: not for the audit log */
	payer->exempt = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
}
