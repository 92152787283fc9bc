// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/slab.h>

#define POISON_FRESH	0x5a
#define POISON_FREE	0x6b

struct kmem_cache {
	const char *name;
	unsigned int size;
	long live;
	void (*ctor)(void *object);
};

/* In front of what kmalloc() returns. */
struct header {
	size_t size;
	size_t magic;
};

#define HEADER_MAGIC	((size_t)0x6b6d616c6c6f6321ull)

__thread unsigned int shim_spinning;

static unsigned int warnings;
static unsigned long fail_in;
static bool failed;
static long live;
static long live_bytes;

void shim_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("# shim: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

void shim_warn(const char *file, int line, const char *condition)
{
	fprintf(stderr, "# WARNING: %s:%d: %s\n", file, line, condition);
	__atomic_fetch_add(&warnings, 1, __ATOMIC_RELAXED);
}

unsigned int shim_warnings(void)
{
	return __atomic_exchange_n(&warnings, 0, __ATOMIC_RELAXED);
}

void shim_fail_nth(unsigned long n)
{
	failed = false;
	__atomic_store_n(&fail_in, n, __ATOMIC_RELAXED);
}

bool shim_failed(void)
{
	return failed;
}

long shim_live(void)
{
	return __atomic_load_n(&live, __ATOMIC_RELAXED);
}

long shim_live_bytes(void)
{
	return __atomic_load_n(&live_bytes, __ATOMIC_RELAXED);
}

static void *take_memory(size_t size, size_t counted)
{
	unsigned long n = __atomic_load_n(&fail_in, __ATOMIC_RELAXED);
	void *object;

	if (shim_spinning)
		shim_die("allocation under a spinlock");
	if (n) {
		__atomic_store_n(&fail_in, n - 1, __ATOMIC_RELAXED);
		if (n == 1) {
			failed = true;
			return NULL;
		}
	}
	object = malloc(size);
	if (!object)
		shim_die("out of memory");
	memset(object, POISON_FRESH, size);
	__atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&live_bytes, counted, __ATOMIC_RELAXED);
	return object;
}

static void give_memory(void *object, size_t size, size_t counted)
{
	if (shim_spinning)
		shim_die("free under a spinlock");
	memset(object, POISON_FREE, size);
	/* or the compiler drops the stores as dead */
	__asm__ volatile("" : : "r" (object) : "memory");
	__atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&live_bytes, counted, __ATOMIC_RELAXED);
	free(object);
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name,
		unsigned int size, unsigned int align, unsigned int flags,
		unsigned int useroffset, unsigned int usersize,
		void (*ctor)(void *object))
{
	struct kmem_cache *cache;

	if (align > _Alignof(max_align_t) || !(flags & SLAB_ACCOUNT) ||
	    useroffset + usersize > size)
		shim_die("%s: bad parameters", name);
	cache = take_memory(sizeof(*cache), 0);
	if (!cache)
		return NULL;
	cache->name = name;
	cache->size = size;
	cache->live = 0;
	cache->ctor = ctor;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (!cache)
		return;
	if (cache->live)
		shim_die("%s: destroyed with %ld objects", cache->name,
			 cache->live);
	give_memory(cache, sizeof(*cache), 0);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags)
{
	void *object = take_memory(cache->size, cache->size);

	(void)flags;
	if (object) {
		__atomic_fetch_add(&cache->live, 1, __ATOMIC_RELAXED);
		if (cache->ctor)
			cache->ctor(object);
	}
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	if (__atomic_fetch_sub(&cache->live, 1, __ATOMIC_RELAXED) <= 0)
		shim_die("%s: more freed than allocated", cache->name);
	give_memory(object, cache->size, cache->size);
}

void *kmalloc(size_t size, gfp_t flags)
{
	struct header *header = take_memory(sizeof(*header) + size, size);

	(void)flags;
	if (!header)
		return NULL;
	header->size = size;
	header->magic = HEADER_MAGIC;
	return header + 1;
}

void *kzalloc(size_t size, gfp_t flags)
{
	void *object = kmalloc(size, flags);

	return object ? memset(object, 0, size) : NULL;
}

void kfree(const void *object)
{
	struct header *header = (struct header *)(uintptr_t)object;

	if (!header)
		return;
	header--;
	if (header->magic != HEADER_MAGIC)
		shim_die("kfree() of what kmalloc() did not return");
	give_memory(header, sizeof(*header) + header->size, header->size);
}
