/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_CORE_RUN_H
#define KMQ_CORE_RUN_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/kmq.h>

#include "account.h"
#include "record.h"

/**
 * DOC: the memory of messages
 *
 * sender   who sent: refcounted, shared by all messages one task sent through
 *          one handle
 * run      the messages that came in together: reference count, sender, and
 *          where their records lie. At most KMQ_CHUNK_BYTES of records, or one
 *          larger record in pieces of that size.
 * node     one message: its place in a queue. Lies inside its run.
 *
 *   run ──holds a reference──> sender ──holds a reference──> credit
 *   node ──is part of──> run
 *
 * A run is born private to its sender and counts one reference per node. A
 * node belongs to exactly one list at a time: the run's chain (not sent yet),
 * a queue (guarded by that queue's lock), or the private list of the task that
 * took it. Whoever unlinks a node owns its reference and gives it back with
 * kmq_nodes_free(). The run goes with its last node.
 *
 * The bytes of a record are written by the sending task before the node is
 * queued and never again, but for the header words {seq, flags, pid, uid, gid}:
 * those belong to the task that took the node, until it frees it or puts it
 * back. Bodies are therefore read without any lock.
 */

#define KMQ_CHUNK_BYTES	16384u
#define KMQ_CHUNK_RECORDS (KMQ_CHUNK_BYTES / sizeof(struct kmq_record))

/**
 * struct kmq_sender - who sent a message
 * @refs: the handle that caches it, and each run
 * @uid: raw value of the kernel's kuid_t
 * @gid: raw value of the kernel's kgid_t
 * @flags: KMQ_REC_* kernel bits of its records
 * @pid: the edge's reference on the sending process; the core only carries it
 * @credit: what its messages are charged to
 * @release: drops @pid and frees the sender; process context
 */
struct kmq_sender {
	refcount_t refs;
	u32 uid;
	u32 gid;
	u32 flags;
	void *pid;
	struct kmq_credit *credit;
	void (*release)(struct kmq_sender *sender);
};

/**
 * struct kmq_node - one message
 * @link: in a FIFO: the run's chain, one priority of a queue, or the list of
 *	the task that took it
 * @rb: in a queue's tree of returned messages instead
 * @seq: the queue's sequence number, set when queued
 * @off: where the record starts in the run's data
 * @size: bytes of the record
 * @priority: 0..KMQ_PRIORITY_MAX
 * @index: which node of its run this is
 * @returned: stands in the tree, not in a FIFO
 */
struct kmq_node {
	union {
		struct list_head link;
		struct rb_node rb;
	};
	u64 seq;
	u32 off;
	u32 size;
	u16 priority;
	u16 index;
	bool returned;
};

/**
 * struct kmq_run - messages that came in together
 * @next: the run behind it in the batch being sent
 * @refs: nodes not yet freed
 * @count: nodes
 * @queued: nodes now in the queue; guarded by the queue's lock
 * @memory: bytes of kernel memory, as charged
 * @bytes: bytes of all records
 * @npieces: 0: records lie at @data; else one record lies in @pieces
 * @run_class: cache the run came from
 * @data_class: cache the data came from, -1: part of the run
 * @mixed: nodes differ in priority
 * @sender: who sent them; holds a reference
 * @data: the records
 * @pieces: the pieces of one large record, KMQ_CHUNK_BYTES each but the last
 * @nodes: one per record, in order
 */
struct kmq_run {
	struct kmq_run *next;
	refcount_t refs;
	u32 count;
	u32 queued;
	u32 memory;
	u32 bytes;
	u16 npieces;
	s8 run_class;
	s8 data_class;
	bool mixed;
	struct kmq_sender *sender;
	union {
		void *data;
		void **pieces;
	};
	struct kmq_node nodes[];
};

/**
 * struct kmq_data - memory for records, before its run exists
 * @ptr: where the records go
 * @class: cache it came from
 */
struct kmq_data {
	void *ptr;
	int class;
};

int kmq_run_caches_create(void);
void kmq_run_caches_destroy(void);

int kmq_data_alloc(struct kmq_data *data, u32 bytes);
void kmq_data_free(struct kmq_data *data);

struct kmq_run *kmq_run_single(u32 size);
struct kmq_run *kmq_run_batch(struct kmq_data *data,
			      const struct kmq_scan *scan, u64 time);
struct kmq_run *kmq_run_large(struct kmq_data *first, u32 size);
void kmq_run_free(struct kmq_run *run);
void kmq_nodes_free(struct list_head *nodes);

/**
 * kmq_sender_put() - drop a reference on a sender
 * @sender: the sender
 *
 * Context: process context; no lock of the core held.
 */
static inline void kmq_sender_put(struct kmq_sender *sender)
{
	if (refcount_dec_and_test(&sender->refs))
		sender->release(sender);
}

/**
 * kmq_run_charge() - pay for a run's memory and name its sender
 * @run: the run
 * @sender: who sends it; on success the run takes over the caller's reference
 *
 * Return: 0, or -EDQUOT or -ENOBUFS; the run then still has no sender.
 */
static inline int kmq_run_charge(struct kmq_run *run,
				 struct kmq_sender *sender)
{
	int err = kmq_credit_spend(sender->credit, run->memory);

	if (likely(!err))
		run->sender = sender;
	return err;
}

/**
 * kmq_run_put() - give back references of nodes
 * @run: the run
 * @n: how many of its nodes are done with
 *
 * Context: process context; no lock of the core held.
 */
static inline void kmq_run_put(struct kmq_run *run, u32 n)
{
	/* who holds the only node there is shares it with nobody */
	if (run->count == n || refcount_sub_and_test(n, &run->refs))
		kmq_run_free(run);
}

/**
 * kmq_node_run() - the run a node is part of
 * @node: the node
 */
static inline struct kmq_run *kmq_node_run(struct kmq_node *node)
{
	return container_of(node - node->index, struct kmq_run, nodes[0]);
}

/**
 * kmq_run_record() - header of a record; attributes follow it in memory
 * @run: its run
 * @node: its node
 */
static inline struct kmq_record *kmq_run_record(struct kmq_run *run,
						const struct kmq_node *node)
{
	if (unlikely(run->npieces))
		return run->pieces[0];
	return run->data + node->off;
}

/**
 * kmq_node_room() - bytes a message takes in a reader's buffer
 * @node: its node
 * @plain: the body alone, else the record
 */
static inline u32 kmq_node_room(struct kmq_node *node, bool plain)
{
	if (plain)
		return kmq_run_record(kmq_node_run(node), node)->body_len;
	return node->size;
}

/**
 * kmq_record_sent() - the words of a header that the kernel sets on send
 * @rec: the record
 * @time: ns of CLOCK_REALTIME
 */
static inline void kmq_record_sent(struct kmq_record *rec, u64 time)
{
	rec->partition = 0;
	rec->deliveries = 1;
	rec->time = time;
	rec->tag = 0;
}

/**
 * kmq_node_init() - a node that is in no list
 * @node: the node
 * @index: which of its run
 * @off: where the record starts in the run's data
 * @rec: the record's header
 */
static inline void kmq_node_init(struct kmq_node *node, u32 index, u32 off,
				 const struct kmq_record *rec)
{
	node->off = off;
	node->size = rec->size;
	node->priority = rec->priority;
	node->index = index;
	node->returned = false;
}

/**
 * kmq_run_single_ready() - the record of a single or large run is in place
 * @run: from kmq_run_single() or kmq_run_large()
 * @time: when it was sent, ns of CLOCK_REALTIME
 */
static inline void kmq_run_single_ready(struct kmq_run *run, u64 time)
{
	struct kmq_record *rec = run->npieces ? run->pieces[0] : run->data;

	kmq_record_sent(rec, time);
	kmq_node_init(&run->nodes[0], 0, 0, rec);
}

/**
 * kmq_run_segment() - the next stretch of memory of a run's data
 * @run: the run
 * @off: offset in the data
 * @len: bytes wanted; cut down to what is contiguous
 *
 * Return: where the bytes lie.
 */
static inline void *kmq_run_segment(struct kmq_run *run, u32 off, u32 *len)
{
	u32 in = off % KMQ_CHUNK_BYTES;

	if (likely(!run->npieces))
		return run->data + off;
	*len = min(*len, KMQ_CHUNK_BYTES - in);
	return run->pieces[off / KMQ_CHUNK_BYTES] + in;
}

#endif
