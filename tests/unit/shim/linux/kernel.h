/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_KERNEL_H
#define SHIM_LINUX_KERNEL_H

#include_next <linux/kernel.h>
#include <limits.h>
#include <linux/align.h>
#include <linux/bug.h>

#define U32_MAX			((u32)~0U)
#define U64_MAX			((u64)~0ULL)
#define min3(x, y, z)		min((typeof(x))min(x, y), z)
#ifndef DIV_ROUND_UP_ULL
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), (d))
#endif

#endif
