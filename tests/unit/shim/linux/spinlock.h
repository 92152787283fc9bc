/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <pthread.h>

#include "../shim.h"

/* @holder: address of the holder's shim_spinning, NULL when free */
typedef struct {
	pthread_mutex_t mutex;
	const void *holder;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
	lock->holder = NULL;
}

static inline void spin_lock(spinlock_t *lock)
{
	if (shim_spinning)
		shim_die("a second lock is taken under the queue's lock");
	pthread_mutex_lock(&lock->mutex);
	__atomic_store_n(&lock->holder, &shim_spinning, __ATOMIC_RELAXED);
	shim_spinning++;
}

static inline void spin_unlock(spinlock_t *lock)
{
	if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != &shim_spinning)
		shim_die("unlock of a lock that is not held");
	shim_spinning--;
	__atomic_store_n(&lock->holder, NULL, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock->mutex);
}

#endif
