/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_REFCOUNT_H
#define SHIM_LINUX_REFCOUNT_H

#include <limits.h>
#include <linux/types.h>

#include "../shim.h"

typedef struct {
	int refs;
} refcount_t;

/* What the kernel would saturate and warn about ends the program. */
static inline void refcount_set(refcount_t *r, int n)
{
	__atomic_store_n(&r->refs, n, __ATOMIC_RELAXED);
}

static inline int refcount_read(const refcount_t *r)
{
	return __atomic_load_n(&r->refs, __ATOMIC_RELAXED);
}

static inline void refcount_inc(refcount_t *r)
{
	int old = __atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);

	if (old <= 0 || old == INT_MAX)
		shim_die("reference taken on a count of %d", old);
}

static inline bool refcount_sub_and_test(int i, refcount_t *r)
{
	int old = __atomic_fetch_sub(&r->refs, i, __ATOMIC_ACQ_REL);

	if (i < 0 || old < i || (!old && i))
		shim_die("%d references dropped of %d", i, old);
	return old == i && i;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	return refcount_sub_and_test(1, r);
}

#endif
