/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_LOCKDEP_H
#define SHIM_LINUX_LOCKDEP_H

#include <linux/spinlock.h>

#define lockdep_assert_held(lock) do {					\
	if (__atomic_load_n(&(lock)->holder, __ATOMIC_RELAXED) !=	\
	    &shim_spinning)						\
		shim_die("%s: %s is not held by this thread",		\
			 __func__, #lock);				\
} while (0)

#endif
