/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "../shim.h"

/*
 * As in the kernel, what returns a value is fully ordered and what does not is
 * relaxed. A counter that overflows ends the program.
 */
static inline long atomic_long_read(const atomic_long_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

static inline void atomic_long_set(atomic_long_t *v, long i)
{
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

static inline long atomic_long_add_order(long i, atomic_long_t *v, int order)
{
	long old = __atomic_fetch_add(&v->counter, i, order), sum;

	if (__builtin_add_overflow(old, i, &sum))
		shim_die("atomic_long_t overflows: %ld + %ld", old, i);
	return sum;
}

static inline long atomic_long_add_return(long i, atomic_long_t *v)
{
	return atomic_long_add_order(i, v, __ATOMIC_SEQ_CST);
}

static inline long atomic_long_sub_return(long i, atomic_long_t *v)
{
	return atomic_long_add_order(-i, v, __ATOMIC_SEQ_CST);
}

static inline void atomic_long_add(long i, atomic_long_t *v)
{
	atomic_long_add_order(i, v, __ATOMIC_RELAXED);
}

static inline void atomic_long_sub(long i, atomic_long_t *v)
{
	atomic_long_add_order(-i, v, __ATOMIC_RELAXED);
}

static inline void atomic_long_inc(atomic_long_t *v)
{
	atomic_long_add_order(1, v, __ATOMIC_RELAXED);
}

static inline bool atomic_long_try_cmpxchg(atomic_long_t *v, long *old,
					   long new)
{
	return __atomic_compare_exchange_n(&v->counter, old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

#endif
