// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "domain.h"
#include "object.h"
#include "perm.h"

/* The bits that apply, as for a file: the owner's, the group's, the others'. */
static unsigned int mode_for_current(const struct kmq_object *obj)
{
	unsigned int mode = READ_ONCE(obj->mode);

	if (uid_eq(current_fsuid(), READ_ONCE(obj->uid)))
		return mode >> 6;
	if (in_group_p(READ_ONCE(obj->gid)))
		return mode >> 3;
	return mode;
}

/**
 * kmq_may() - may the current task open the object for this?
 * @obj: the object
 * @want: KMQ_MAY_RECV, KMQ_MAY_SEND, or both
 *
 * CAP_DAC_OVERRIDE over the domain's user namespace goes past the bits.
 */
bool kmq_may(const struct kmq_object *obj, unsigned int want)
{
	return (mode_for_current(obj) & want) == want ||
		ns_capable(obj->domain->user_ns, CAP_DAC_OVERRIDE);
}

/**
 * kmq_may_see() - may the current task hold the object, or see who uses it?
 * @obj: the object
 *
 * Its owner, whoever may send or receive, and administrators. Leaves no trace
 * in an audit log.
 */
bool kmq_may_see(const struct kmq_object *obj)
{
	struct user_namespace *ns = obj->domain->user_ns;

	return uid_eq(current_fsuid(), READ_ONCE(obj->uid)) ||
		mode_for_current(obj) & (KMQ_MAY_RECV | KMQ_MAY_SEND) ||
		ns_capable_noaudit(ns, CAP_DAC_OVERRIDE) ||
		ns_capable_noaudit(ns, CAP_SYS_ADMIN);
}

/**
 * kmq_may_see_users() - may the current task see which processes use it?
 * @obj: the object
 *
 * Its owner, whoever may receive, and administrators; as kmq_may_see().
 */
bool kmq_may_see_users(const struct kmq_object *obj)
{
	struct user_namespace *ns = obj->domain->user_ns;

	return uid_eq(current_fsuid(), READ_ONCE(obj->uid)) ||
		mode_for_current(obj) & KMQ_MAY_RECV ||
		ns_capable_noaudit(ns, CAP_DAC_OVERRIDE) ||
		ns_capable_noaudit(ns, CAP_SYS_ADMIN);
}

/**
 * kmq_rules_domain() - may the current task administer the domain?
 * @domain: the domain
 */
bool kmq_rules_domain(const struct kmq_domain *domain)
{
	return ns_capable(domain->user_ns, CAP_SYS_ADMIN);
}

/**
 * kmq_is_owner() - may the current task alter and delete the object?
 * @obj: the object
 */
bool kmq_is_owner(const struct kmq_object *obj)
{
	return uid_eq(current_fsuid(), READ_ONCE(obj->uid)) ||
		kmq_rules_domain(obj->domain);
}

/**
 * kmq_trusted_owner() - may open-or-create adopt this object?
 * @obj: an object found under the name
 *
 * Otherwise whoever is first could plant a queue under a service's name.
 */
bool kmq_trusted_owner(const struct kmq_object *obj)
{
	kuid_t owner = READ_ONCE(obj->uid);

	return uid_eq(owner, current_fsuid()) ||
		uid_eq(owner, make_kuid(obj->domain->user_ns, 0));
}

/**
 * kmq_may_give() - may the current task make @to the owner?
 * @domain: the object's domain
 * @from: the owner now
 * @to: the owner to be
 */
bool kmq_may_give(const struct kmq_domain *domain, kuid_t from, kuid_t to)
{
	return uid_eq(from, to) || ns_capable(domain->user_ns, CAP_CHOWN);
}

/**
 * kmq_may_regroup() - may the current task make @to the group?
 * @domain: the object's domain
 * @from: the group now
 * @to: the group to be
 */
bool kmq_may_regroup(const struct kmq_domain *domain, kgid_t from, kgid_t to)
{
	return gid_eq(from, to) || in_group_p(to) ||
		ns_capable(domain->user_ns, CAP_CHOWN);
}
