/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What tests may ask of the kernel stand-in, and what it asks of itself.
 *
 * Memory: every allocation and free counts per cache; what is freed is poisoned
 * first; both are refused under a spinlock, as the core promises to do neither.
 */

/* Spinlocks this thread holds. */
extern __thread unsigned int shim_spinning;

void __attribute__((noreturn, format(printf, 1, 2)))
shim_die(const char *format, ...);
void shim_warn(const char *file, int line, const char *condition);

/* Warnings since the last call. */
unsigned int shim_warnings(void);

/* Let the nth allocation from now on fail, once; 0: none. */
void shim_fail_nth(unsigned long n);

/* Has it come to that? */
bool shim_failed(void);

/* Objects not freed, of all caches and of kmalloc(). */
long shim_live(void);

/* Bytes these take. */
long shim_live_bytes(void);

#endif
