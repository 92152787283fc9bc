// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/nsproxy.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "domain.h"
#include "object.h"
#include "params.h"

static unsigned int domain_net_id;
static struct workqueue_struct *teardown_wq;

/*
 * Guards the list of domains and the pointer each network namespace has to its
 * own. Below domain->lock.
 */
static DEFINE_MUTEX(domains_lock);
static LIST_HEAD(domains);

/* What a network namespace knows of kmq. */
struct kmq_net {
	struct kmq_domain *domain;
};

struct name_key {
	const char *name;
	unsigned int len;
};

static u32 name_hash(const void *data, u32 len, u32 seed)
{
	const struct name_key *key = data;

	return jhash(key->name, key->len, seed);
}

static u32 object_hash(const void *data, u32 len, u32 seed)
{
	const struct kmq_object *obj = data;

	return jhash(obj->name, obj->name_len, seed);
}

static int object_cmp(struct rhashtable_compare_arg *arg, const void *ptr)
{
	const struct name_key *key = arg->key;
	const struct kmq_object *obj = ptr;

	return key->len != obj->name_len ||
		memcmp(key->name, obj->name, key->len);
}

static const struct rhashtable_params name_params = {
	.head_offset = offsetof(struct kmq_object, node),
	.hashfn = name_hash,
	.obj_hashfn = object_hash,
	.obj_cmpfn = object_cmp,
	.automatic_shrinking = true,
};

/**
 * kmq_new_id() - an id for an object or a handle, never used before
 */
u64 kmq_new_id(void)
{
	static atomic64_t last = ATOMIC64_INIT(0);

	return atomic64_inc_return(&last);
}

static void teardown_work(struct work_struct *work)
{
	struct kmq_domain *domain = container_of(work, struct kmq_domain,
						 teardown);

	kmq_domain_reset(domain);
	/* the reference the network namespace had */
	kmq_domain_put(domain);
}

static struct kmq_domain *domain_create(struct net *net)
{
	struct kmq_domain *domain;
	int err;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return ERR_PTR(-ENOMEM);
	err = rhashtable_init(&domain->names, &name_params);
	if (err) {
		kfree(domain);
		return ERR_PTR(err);
	}
	refcount_set(&domain->refs, 1);
	mutex_init(&domain->lock);
	xa_init_flags(&domain->objects, 0);
	xa_init_flags(&domain->handles, 0);
	kmq_account_init(&domain->account, kmq_domain_limits);
	domain->user_ns = get_user_ns(net->user_ns);
	domain->netns = net->ns.inum;
	INIT_LIST_HEAD(&domain->link);
	INIT_WORK(&domain->teardown, teardown_work);
	return domain;
}

/**
 * kmq_domain_get() - take another reference
 * @domain: a domain the caller already holds
 */
void kmq_domain_get(struct kmq_domain *domain)
{
	refcount_inc(&domain->refs);
}

/**
 * kmq_domain_put() - drop a reference
 * @domain: the domain, or NULL
 *
 * Context: process context, may sleep.
 */
void kmq_domain_put(struct kmq_domain *domain)
{
	if (!domain || !refcount_dec_and_test(&domain->refs))
		return;
	WARN_ON_ONCE(!xa_empty(&domain->objects));
	WARN_ON_ONCE(!xa_empty(&domain->handles));
	rhashtable_destroy(&domain->names);
	xa_destroy(&domain->objects);
	xa_destroy(&domain->handles);
	put_user_ns(domain->user_ns);
	mutex_destroy(&domain->lock);
	kfree(domain);
}

/* The caller holds the network namespace, so it cannot end meanwhile. */
static struct kmq_domain *domain_of(struct net *net)
{
	struct kmq_net *kn = net_generic(net, domain_net_id);
	struct kmq_domain *domain;

	mutex_lock(&domains_lock);
	domain = kn->domain;
	if (!domain) {
		domain = domain_create(net);
		if (IS_ERR(domain))
			goto out;
		kn->domain = domain;
		list_add_tail(&domain->link, &domains);
	}
	kmq_domain_get(domain);
out:
	mutex_unlock(&domains_lock);
	return domain;
}

/**
 * kmq_domain_of_current() - the domain of the current network namespace
 *
 * Context: process context, may sleep.
 * Return: the domain with a reference, or an ERR_PTR.
 */
struct kmq_domain *kmq_domain_of_current(void)
{
	return domain_of(current->nsproxy->net_ns);
}

/**
 * kmq_domain_of_fd() - the domain of another network namespace
 * @fd: names the namespace, as for setns(2)
 *
 * Context: process context, may sleep.
 * Return: the domain with a reference, or an ERR_PTR: -EPERM by setns' rule.
 */
struct kmq_domain *kmq_domain_of_fd(int fd)
{
	struct kmq_domain *domain;
	struct net *net;

	net = get_net_ns_by_fd(fd);
	if (IS_ERR(net))
		return ERR_CAST(net);

	if (ns_capable(net->user_ns, CAP_SYS_ADMIN) &&
	    ns_capable(current_user_ns(), CAP_SYS_ADMIN))
		domain = domain_of(net);
	else
		domain = ERR_PTR(-EPERM);
	put_net(net);
	return domain;
}

/**
 * kmq_domain_find() - the object of a name
 * @domain: where to look
 * @name: the name
 * @len: its bytes
 *
 * Return: the object with a reference, or NULL.
 */
struct kmq_object *kmq_domain_find(struct kmq_domain *domain,
				   const char *name, unsigned int len)
{
	const struct name_key key = { .name = name, .len = len };
	struct kmq_object *obj;

	rcu_read_lock();
	obj = rhashtable_lookup(&domain->names, &key, name_params);
	if (obj && !refcount_inc_not_zero(&obj->refs))
		obj = NULL;
	rcu_read_unlock();
	return obj;
}

/**
 * kmq_domain_insert() - give a new object its name
 * @domain: where; its lock is held, it is not dead
 * @obj: the object; the name takes a reference
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int kmq_domain_insert(struct kmq_domain *domain, struct kmq_object *obj)
{
	const struct name_key key = {
		.name = obj->name, .len = obj->name_len,
	};
	int err;

	lockdep_assert_held(&domain->lock);
	err = xa_err(xa_store(&domain->objects, obj->id, obj,
			      GFP_KERNEL_ACCOUNT));
	if (err)
		return err;
	refcount_inc(&obj->refs);
	err = rhashtable_lookup_insert_key(&domain->names, &key, &obj->node,
					   name_params);
	if (err) {
		xa_erase(&domain->objects, obj->id);
		refcount_dec(&obj->refs);
		return err;
	}
	WRITE_ONCE(obj->linked, true);
	return 0;
}

/**
 * kmq_domain_unlink() - take the name from an object
 * @domain: where; its lock is held
 * @obj: the object, which has a name; the caller drops the name's reference
 */
void kmq_domain_unlink(struct kmq_domain *domain, struct kmq_object *obj)
{
	lockdep_assert_held(&domain->lock);
	WRITE_ONCE(obj->linked, false);
	rhashtable_remove_fast(&domain->names, &obj->node, name_params);
}

/**
 * kmq_domain_next_object() - walk all objects by rising id
 * @domain: where
 * @id: in: the smallest id wanted; out: the one found
 *
 * Return: the object with a reference, or NULL at the end.
 */
struct kmq_object *kmq_domain_next_object(struct kmq_domain *domain, u64 *id)
{
	struct kmq_object *obj;
	unsigned long index = *id;

	rcu_read_lock();
	obj = xa_find(&domain->objects, &index, ULONG_MAX, XA_PRESENT);
	while (obj && !refcount_inc_not_zero(&obj->refs))
		obj = xa_find_after(&domain->objects, &index, ULONG_MAX,
				    XA_PRESENT);
	rcu_read_unlock();
	*id = index;
	return obj;
}

/**
 * kmq_domain_reset() - delete every object of a domain
 * @domain: the domain
 *
 * Stops early when the caller is being killed, unless the domain is dead.
 *
 * Context: process context, may sleep.
 * Return: how many were deleted.
 */
u64 kmq_domain_reset(struct kmq_domain *domain)
{
	struct kmq_object *obj;
	u64 id = 0, n = 0, newest = kmq_new_id();

	while ((obj = kmq_domain_next_object(domain, &id)) != NULL) {
		/* others may create without end; not in a dead domain */
		if (id > newest && !READ_ONCE(domain->dead)) {
			kmq_object_put(obj);
			break;
		}
		n += kmq_object_delete(obj);
		kmq_object_put(obj);
		id++;
		cond_resched();
		if (fatal_signal_pending(current) && !READ_ONCE(domain->dead))
			break;
	}
	return n;
}

/**
 * kmq_domains_reset_all() - delete every object of every domain
 *
 * Context: process context, may sleep.
 * Return: how many were deleted.
 */
u64 kmq_domains_reset_all(void)
{
	struct kmq_domain *domain, *next;
	u64 n = 0;

	mutex_lock(&domains_lock);
	domain = list_first_entry_or_null(&domains, struct kmq_domain, link);
	if (domain)
		kmq_domain_get(domain);
	mutex_unlock(&domains_lock);

	while (domain) {
		n += kmq_domain_reset(domain);

		mutex_lock(&domains_lock);
		next = NULL;
		if (list_empty(&domain->link))
			/* it ended meanwhile: start over, the rest is quick */
			next = list_first_entry_or_null(&domains,
							struct kmq_domain,
							link);
		else if (!list_is_last(&domain->link, &domains))
			next = list_next_entry(domain, link);
		if (next)
			kmq_domain_get(next);
		mutex_unlock(&domains_lock);
		kmq_domain_put(domain);
		domain = fatal_signal_pending(current) ? NULL : next;
		if (!domain)
			kmq_domain_put(next);
	}
	return n;
}

/* The network namespace ends: nobody can open its domain any more. */
static void __net_exit kmq_net_exit(struct net *net)
{
	struct kmq_net *kn = net_generic(net, domain_net_id);
	struct kmq_domain *domain;

	mutex_lock(&domains_lock);
	domain = kn->domain;
	kn->domain = NULL;
	if (domain)
		list_del_init(&domain->link);
	mutex_unlock(&domains_lock);
	if (!domain)
		return;

	mutex_lock(&domain->lock);
	WRITE_ONCE(domain->dead, true);
	mutex_unlock(&domain->lock);
	queue_work(teardown_wq, &domain->teardown);
}

static struct pernet_operations kmq_net_ops = {
	.exit = kmq_net_exit,
	.id = &domain_net_id,
	.size = sizeof(struct kmq_net),
};

/**
 * kmq_domains_init() - follow the network namespaces
 *
 * Context: module init.
 * Return: 0 or a negative errno.
 */
int kmq_domains_init(void)
{
	int err;

	teardown_wq = alloc_workqueue("kmq", WQ_UNBOUND, 0);
	if (!teardown_wq)
		return -ENOMEM;
	err = register_pernet_subsys(&kmq_net_ops);
	if (err)
		destroy_workqueue(teardown_wq);
	return err;
}

/**
 * kmq_domains_exit() - undo kmq_domains_init(); ends all domains
 *
 * Context: module exit; no object or handle exists.
 */
void kmq_domains_exit(void)
{
	unregister_pernet_subsys(&kmq_net_ops);
	destroy_workqueue(teardown_wq);
}
