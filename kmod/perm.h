/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_PERM_H
#define KMQ_PERM_H

#include <linux/types.h>
#include <linux/uidgid.h>

struct kmq_domain;
struct kmq_object;

/**
 * DOC: who may do what
 *
 * The only place that asks about credentials. Rights on an object are decided
 * when a handle is opened and kept in it; read, write and XFER ask nothing.
 */

#define KMQ_MAY_RECV	4
#define KMQ_MAY_SEND	2

bool kmq_may(const struct kmq_object *obj, unsigned int want);
bool kmq_may_see(const struct kmq_object *obj);
bool kmq_may_see_users(const struct kmq_object *obj);
bool kmq_is_owner(const struct kmq_object *obj);
bool kmq_rules_domain(const struct kmq_domain *domain);
bool kmq_trusted_owner(const struct kmq_object *obj);
bool kmq_may_give(const struct kmq_domain *domain, kuid_t from, kuid_t to);
bool kmq_may_regroup(const struct kmq_domain *domain, kgid_t from, kgid_t to);

#endif
