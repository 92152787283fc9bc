/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <linux/types.h>

#include "../shim.h"

#define GFP_KERNEL_ACCOUNT	GFP_KERNEL
#define SLAB_ACCOUNT		0x04000000u

struct kmem_cache;

struct kmem_cache *kmem_cache_create_usercopy(const char *name,
		unsigned int size, unsigned int align, unsigned int flags,
		unsigned int useroffset, unsigned int usersize,
		void (*ctor)(void *object));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags);
void kmem_cache_free(struct kmem_cache *cache, void *object);
void *kmalloc(size_t size, gfp_t flags);
void *kzalloc(size_t size, gfp_t flags);
void kfree(const void *object);

#endif
