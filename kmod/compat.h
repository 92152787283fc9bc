/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The code of kmq is written against the newest kernel. What an older one
 * lacks is supplied here, and nowhere else is LINUX_VERSION_CODE looked at.
 */
#ifndef KMQ_COMPAT_H
#define KMQ_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "kmq needs Linux 5.10 or later"
#endif

#ifndef CONFIG_64BIT
#error "kmq needs a 64-bit kernel"
#endif

/*
 * For large structures on the stack that an init function fills in whole:
 * kernels with INIT_STACK_ALL_ZERO would clear them first.
 */
#if __has_attribute(__uninitialized__)
#define __kmq_uninit __attribute__((__uninitialized__))
#else
#define __kmq_uninit
#endif

#endif
