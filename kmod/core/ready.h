/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KMQ_CORE_READY_H
#define KMQ_CORE_READY_H

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "run.h"

/**
 * DOC: messages that can be received, in order
 *
 * One FIFO per priority, plus one tree for what was put back: a returned
 * message has its old place by {priority, seq}, which may lie anywhere, and a
 * walk along a FIFO to find it would cost time with depth. The head of the set
 * is the better of the two heads. Every step costs the same whatever the
 * depth, but for the tree (logarithm of what was put back and not taken yet).
 *
 * Priority 0 has its FIFO in place. The others come in groups of 128, which
 * are allocated before the lock is taken (kmq_ready_reserve()) and stay until
 * the set is destroyed.
 *
 * The lock of the queue that holds the set guards all of it. Only
 * kmq_ready_reserve() may be called without it.
 */

#define KMQ_LEVELS_PER_GROUP	128
#define KMQ_LEVEL_GROUPS	((KMQ_PRIORITY_MAX + 1) / KMQ_LEVELS_PER_GROUP)

struct kmq_level_group;

/**
 * struct kmq_level_table - the groups of priorities above 0
 * @used: groups with a message
 * @group: the groups; NULL until a message of such a priority came
 */
struct kmq_level_table {
	DECLARE_BITMAP(used, KMQ_LEVEL_GROUPS);
	struct kmq_level_group *group[KMQ_LEVEL_GROUPS];
};

/**
 * struct kmq_ready - messages in the order they leave
 * @level0: those of priority 0
 * @table: those of other priorities; NULL until one came
 * @above: levels above 0 with a message
 * @returned: those put back, by priority (falling), then seq (rising)
 */
struct kmq_ready {
	struct list_head level0;
	struct kmq_level_table *table;
	u32 above;
	struct rb_root_cached returned;
};

void kmq_ready_init(struct kmq_ready *ready);
void kmq_ready_destroy(struct kmq_ready *ready);
long kmq_ready_missing(const struct kmq_ready *ready, u16 priority);
struct kmq_level_table *kmq_level_table_alloc(void);
struct kmq_level_group *kmq_level_group_alloc(void);
long kmq_ready_install(struct kmq_ready *ready, u16 priority,
		       struct kmq_level_table **table,
		       struct kmq_level_group **group);

void kmq_ready_append_chain(struct kmq_ready *ready, struct kmq_node *first,
			    struct kmq_node *last);
void kmq_ready_return(struct kmq_ready *ready, struct kmq_node *node);
struct kmq_node *kmq_ready_first(struct kmq_ready *ready);
struct kmq_node *kmq_ready_least(struct kmq_ready *ready);
struct kmq_node *kmq_ready_older(struct kmq_ready *ready, u32 *level, u64 upto);
void kmq_ready_remove(struct kmq_ready *ready, struct kmq_node *node);

/**
 * kmq_ready_plain() - is everything in the FIFO of priority 0?
 * @ready: the set
 *
 * Then a taker may cut a stretch off the front of @level0 by itself.
 */
static inline bool kmq_ready_plain(const struct kmq_ready *ready)
{
	return !ready->above && !ready->returned.rb_root.rb_node;
}

#endif
