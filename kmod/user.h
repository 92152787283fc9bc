/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_USER_H
#define KMQ_USER_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>

#include "core/account.h"

struct kmq_domain;

/**
 * DOC: users and who pays
 *
 * One struct kmq_user per kuid that holds anything of kmq, found through a
 * table that a spinlock guards. It lives as long as somebody holds a reference:
 * each object (its owner), each handle and each credit (its opener), and the
 * table itself for users with limits of their own.
 *
 * The payer of a task is its own user, or, in a user namespace other than the
 * initial one, whoever created the outermost such namespace: uids made up in
 * there cost nothing and bring no quota of their own. Only CAP_SYS_RESOURCE in
 * the initial user namespace exempts from the limits of user and domain.
 */

/**
 * struct kmq_user - what one user uses
 * @node: in the table; guarded by the table's lock
 * @refs: see above
 * @uid: who
 * @kept: has limits of its own, and so a reference of the table's
 * @account: the charges
 */
struct kmq_user {
	struct hlist_node node;
	refcount_t refs;
	kuid_t uid;
	bool kept;
	struct kmq_account account;
};

struct kmq_user *kmq_user_get(kuid_t uid);
struct kmq_user *kmq_user_find(kuid_t uid);
void kmq_user_put(struct kmq_user *user);
void kmq_user_keep(struct kmq_user *user);
void kmq_users_exit(void);
kuid_t kmq_paying_uid(void);
void kmq_payer_set(struct kmq_payer *payer, struct kmq_user *user,
		   struct kmq_domain *domain);

extern struct kmq_account kmq_module_account;

#endif
