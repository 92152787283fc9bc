// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "run.h"

/*
 * Own caches, so that what users fill with their bytes shares no slab with
 * anything else in the kernel. Runs hold pointers: no part of them may be
 * copied to or from user space. A single is a run of one node with the record
 * behind it: only the record may be copied.
 *
 * Runs and singles have a constructor because a cache that has one is not
 * zeroed at every allocation; every field is set by run_init(), every byte of a
 * record by its sender. Data has none: the free pointer of such a cache stands
 * outside the object and would spoil the packing of powers of two.
 */
#define RUN_CLASSES 8
#define DATA_CLASSES 7
#define SINGLE_CLASSES 8

static const u16 run_nodes[RUN_CLASSES] = { 2, 4, 8, 16, 32, 64, 128, 256 };
static const u16 data_bytes[DATA_CLASSES] = {
	256, 512, 1024, 2048, 4096, 8192, KMQ_CHUNK_BYTES
};

static const u16 single_bytes[SINGLE_CLASSES] = {
	128, 256, 512, 1152, 2176, 4224, 8320, KMQ_CHUNK_BYTES
};

static struct kmem_cache *run_cache[RUN_CLASSES];
static struct kmem_cache *data_cache[DATA_CLASSES];
static struct kmem_cache *single_cache[SINGLE_CLASSES];

/* The class of a run that is kmalloc'ed with an array of pieces. */
#define RUN_LARGE (-1)

static const char * const run_names[RUN_CLASSES] = {
	"kmq_run_2", "kmq_run_4", "kmq_run_8", "kmq_run_16",
	"kmq_run_32", "kmq_run_64", "kmq_run_128", "kmq_run_256",
};

static const char * const data_names[DATA_CLASSES] = {
	"kmq_data_256", "kmq_data_512", "kmq_data_1k", "kmq_data_2k",
	"kmq_data_4k", "kmq_data_8k", "kmq_data_16k",
};

static const char * const single_names[SINGLE_CLASSES] = {
	"kmq_single_128", "kmq_single_256", "kmq_single_512",
	"kmq_single_1152", "kmq_single_2176", "kmq_single_4224",
	"kmq_single_8320", "kmq_single_16k",
};

static void no_zeroing(void *object)
{
}

static u32 run_size(u32 nodes)
{
	return sizeof(struct kmq_run) + nodes * sizeof(struct kmq_node);
}

/* A cache of @size bytes an object, of which users may see [@off, @off + @len) */
static struct kmem_cache *cache(const char *name, u32 size, u32 off, u32 len,
				void (*ctor)(void *object))
{
	return kmem_cache_create_usercopy(name, size, 8, SLAB_ACCOUNT, off, len,
					  ctor);
}

/**
 * kmq_run_caches_create() - make the slab caches of all message memory
 *
 * Context: process context, module init.
 * Return: 0 or -ENOMEM.
 */
int kmq_run_caches_create(void)
{
	int i;

	for (i = 0; i < RUN_CLASSES; i++) {
		run_cache[i] = cache(run_names[i], run_size(run_nodes[i]),
				     0, 0, no_zeroing);
		if (!run_cache[i])
			goto err;
	}
	for (i = 0; i < DATA_CLASSES; i++) {
		data_cache[i] = cache(data_names[i], data_bytes[i],
				      0, data_bytes[i], NULL);
		if (!data_cache[i])
			goto err;
	}
	for (i = 0; i < SINGLE_CLASSES; i++) {
		single_cache[i] = cache(single_names[i],
					run_size(1) + single_bytes[i],
					run_size(1), single_bytes[i],
					no_zeroing);
		if (!single_cache[i])
			goto err;
	}
	return 0;

err:
	kmq_run_caches_destroy();
	return -ENOMEM;
}

static void destroy_caches(struct kmem_cache **caches, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		kmem_cache_destroy(caches[i]);
		caches[i] = NULL;
	}
}

/**
 * kmq_run_caches_destroy() - undo kmq_run_caches_create()
 *
 * Context: process context; no message may be left.
 */
void kmq_run_caches_destroy(void)
{
	destroy_caches(run_cache, RUN_CLASSES);
	destroy_caches(data_cache, DATA_CLASSES);
	destroy_caches(single_cache, SINGLE_CLASSES);
}

/**
 * kmq_data_alloc() - memory for a chunk of records
 * @data: filled in
 * @bytes: at most KMQ_CHUNK_BYTES
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmq_data_alloc(struct kmq_data *data, u32 bytes)
{
	int class = 0;

	while (data_bytes[class] < bytes)
		class++;
	data->class = class;
	data->ptr = kmem_cache_alloc(data_cache[class], GFP_KERNEL);
	return data->ptr ? 0 : -ENOMEM;
}

/**
 * kmq_data_free() - free a chunk that no run has taken over
 * @data: from kmq_data_alloc(); nothing happens if it is empty
 */
void kmq_data_free(struct kmq_data *data)
{
	if (data->ptr)
		kmem_cache_free(data_cache[data->class], data->ptr);
	data->ptr = NULL;
}

static void run_init(struct kmq_run *run, u32 count)
{
	refcount_set(&run->refs, count);
	run->count = count;
	run->next = NULL;
	run->queued = 0;
	run->npieces = 0;
	run->mixed = false;
	run->sender = NULL;
}

/**
 * kmq_run_single() - a run for one record of up to KMQ_CHUNK_BYTES
 * @size: bytes of the record
 *
 * The caller fills in the record at run->data, all of it, then calls
 * kmq_run_single_ready().
 *
 * Context: process context, may sleep.
 * Return: the run, or NULL.
 */
struct kmq_run *kmq_run_single(u32 size)
{
	struct kmq_run *run;
	int class = 0;

	while (single_bytes[class] < size)
		class++;
	run = kmem_cache_alloc(single_cache[class], GFP_KERNEL);
	if (!run)
		return NULL;

	run_init(run, 1);
	run->run_class = class;
	run->data_class = -1;
	run->data = &run->nodes[1];
	run->bytes = size;
	run->memory = run_size(1) + single_bytes[class];
	return run;
}

/**
 * kmq_run_batch() - a run for the records found in a chunk
 * @data: the chunk; belongs to the run afterwards
 * @scan: what kmq_records_scan() found there, at least one record
 * @time: when they were sent, ns of CLOCK_REALTIME
 *
 * The nodes come chained in order from nodes[0] to the last; the two ends are
 * left open.
 *
 * Context: process context, may sleep.
 * Return: the run, or NULL (@data stays the caller's).
 */
struct kmq_run *kmq_run_batch(struct kmq_data *data,
			      const struct kmq_scan *scan, u64 time)
{
	struct kmq_run *run;
	u32 i, off = 0;
	int class = 0;

	while (run_nodes[class] < scan->count)
		class++;
	run = kmem_cache_alloc(run_cache[class], GFP_KERNEL);
	if (!run)
		return NULL;

	run_init(run, scan->count);
	run->run_class = class;
	run->data_class = data->class;
	run->data = data->ptr;
	run->bytes = scan->bytes;
	run->mixed = scan->mixed;
	run->memory = run_size(run_nodes[class]) + data_bytes[data->class];
	data->ptr = NULL;

	for (i = 0; i < scan->count; i++) {
		struct kmq_record *rec = run->data + off;
		struct kmq_node *node = &run->nodes[i];

		kmq_record_sent(rec, time);
		kmq_node_init(node, i, off, rec);
		node->link.next = &(node + 1)->link;
		node->link.prev = &(node - 1)->link;
		off += rec->size;
	}
	return run;
}

/**
 * kmq_run_large() - a run for one record larger than KMQ_CHUNK_BYTES
 * @first: its first KMQ_CHUNK_BYTES, which belong to the run afterwards
 * @size: bytes of the record
 *
 * The caller fills in the other pieces, then calls kmq_run_single_ready().
 *
 * Context: process context, may sleep.
 * Return: the run, or NULL (@first stays the caller's).
 */
struct kmq_run *kmq_run_large(struct kmq_data *first, u32 size)
{
	u32 n = DIV_ROUND_UP(size, KMQ_CHUNK_BYTES);
	struct kmq_run *run;
	u32 i;

	run = kmalloc(run_size(1) + n * sizeof(void *), GFP_KERNEL_ACCOUNT);
	if (!run)
		return NULL;

	run_init(run, 1);
	run->run_class = RUN_LARGE;
	run->data_class = -1;
	run->pieces = (void **)&run->nodes[1];
	run->bytes = size;
	run->memory = run_size(1) + n * sizeof(void *) + KMQ_CHUNK_BYTES;
	run->pieces[0] = first->ptr;
	run->npieces = 1;

	for (i = 1; i < n; i++) {
		struct kmq_data piece;

		if (kmq_data_alloc(&piece, KMQ_CHUNK_BYTES))
			goto err;
		run->pieces[i] = piece.ptr;
		run->memory += KMQ_CHUNK_BYTES;
		run->npieces++;
	}
	first->ptr = NULL;
	return run;

err:
	run->pieces[0] = NULL;
	kmq_run_free(run);
	return NULL;
}

/**
 * kmq_run_free() - free a run, whatever its references
 * @run: a run of which no node is queued
 *
 * Context: process context; no lock of the core held.
 */
void kmq_run_free(struct kmq_run *run)
{
	u32 i;

	if (likely(run->sender)) {
		kmq_credit_refund(run->sender->credit, run->memory);
		kmq_sender_put(run->sender);
	}
	if (likely(run->data_class < 0 && run->run_class != RUN_LARGE)) {
		kmem_cache_free(single_cache[run->run_class], run);
		return;
	}
	for (i = 0; i < run->npieces; i++)
		if (run->pieces[i])
			kmem_cache_free(data_cache[DATA_CLASSES - 1],
					run->pieces[i]);
	if (run->run_class == RUN_LARGE) {
		kfree(run);
	} else {
		kmem_cache_free(data_cache[run->data_class], run->data);
		kmem_cache_free(run_cache[run->run_class], run);
	}
}

/**
 * kmq_nodes_free() - give back the references of nodes that were unlinked
 * @nodes: their list, empty afterwards
 *
 * Context: process context; no lock of the core held.
 */
void kmq_nodes_free(struct list_head *nodes)
{
	struct list_head *pos = nodes->next;

	while (pos != nodes) {
		struct kmq_node *node = list_entry(pos, struct kmq_node, link);
		struct kmq_run *run = kmq_node_run(node);
		u32 n = 0;

		/* neighbours of one run give back their references at once */
		do {
			pos = pos->next;
			n++;
			if (pos == nodes)
				break;
			node = list_entry(pos, struct kmq_node, link);
		} while (kmq_node_run(node) == run);

		kmq_run_put(run, n);
	}
	INIT_LIST_HEAD(nodes);
}
