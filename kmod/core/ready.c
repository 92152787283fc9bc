// SPDX-License-Identifier: GPL-2.0-only
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "ready.h"

/* The FIFOs of KMQ_LEVELS_PER_GROUP neighbouring priorities. */
struct kmq_level_group {
	DECLARE_BITMAP(used, KMQ_LEVELS_PER_GROUP);
	struct list_head level[KMQ_LEVELS_PER_GROUP];
};

/*
 * What kmalloc() takes for them, which is what is charged. With its bitmap a
 * group just misses half of that; few queues use many priorities.
 */
#define KMQ_TABLE_BYTES 4096
#define KMQ_GROUP_BYTES 4096
static_assert(sizeof(struct kmq_level_table) <= KMQ_TABLE_BYTES);
static_assert(sizeof(struct kmq_level_group) <= KMQ_GROUP_BYTES);

/**
 * kmq_ready_init() - an empty set
 * @ready: the set
 */
void kmq_ready_init(struct kmq_ready *ready)
{
	INIT_LIST_HEAD(&ready->level0);
	ready->table = NULL;
	ready->above = 0;
	ready->returned = RB_ROOT_CACHED;
}

/**
 * kmq_ready_destroy() - free the groups of a set
 * @ready: an empty set that nobody uses any more
 */
void kmq_ready_destroy(struct kmq_ready *ready)
{
	int i;

	if (!ready->table)
		return;
	for (i = 0; i < KMQ_LEVEL_GROUPS; i++)
		kfree(ready->table->group[i]);
	kfree(ready->table);
	ready->table = NULL;
}

/**
 * kmq_ready_missing() - must memory be installed before this priority is used?
 * @ready: the set; its lock need not be held
 * @priority: the priority
 *
 * Return: bytes to allocate (table, group or both), 0 if there is nothing to do.
 */
long kmq_ready_missing(const struct kmq_ready *ready, u16 priority)
{
	struct kmq_level_group **slot;
	struct kmq_level_table *table;

	if (!priority)
		return 0;
	/* pairs with the first release in kmq_ready_install() */
	table = smp_load_acquire(&ready->table);
	if (!table)
		return KMQ_TABLE_BYTES + KMQ_GROUP_BYTES;
	slot = &table->group[priority / KMQ_LEVELS_PER_GROUP];
	/* pairs with the second release in kmq_ready_install() */
	if (!smp_load_acquire(slot))
		return KMQ_GROUP_BYTES;
	return 0;
}

/**
 * kmq_level_table_alloc() - memory for kmq_ready_install()
 *
 * Context: process context, may sleep.
 * Return: an empty table, or NULL.
 */
struct kmq_level_table *kmq_level_table_alloc(void)
{
	return kzalloc(KMQ_TABLE_BYTES, GFP_KERNEL_ACCOUNT);
}

/**
 * kmq_level_group_alloc() - memory for kmq_ready_install()
 *
 * Context: process context, may sleep.
 * Return: a group of empty levels, or NULL.
 */
struct kmq_level_group *kmq_level_group_alloc(void)
{
	struct kmq_level_group *group;
	int i;

	group = kzalloc(KMQ_GROUP_BYTES, GFP_KERNEL_ACCOUNT);
	if (group)
		for (i = 0; i < KMQ_LEVELS_PER_GROUP; i++)
			INIT_LIST_HEAD(&group->level[i]);
	return group;
}

/**
 * kmq_ready_install() - put allocated levels in place
 * @ready: the set, its lock held
 * @priority: the priority they are for
 * @table: a table or NULL; set to NULL if it was used
 * @group: a group; set to NULL if it was used
 *
 * What another task has installed meanwhile is kept; the caller frees what is
 * left over.
 *
 * Return: bytes that went into the set.
 */
long kmq_ready_install(struct kmq_ready *ready, u16 priority,
		       struct kmq_level_table **table,
		       struct kmq_level_group **group)
{
	struct kmq_level_group **slot;
	long used = 0;

	if (!ready->table && *table) {
		/* pairs with the acquire in kmq_ready_missing() */
		smp_store_release(&ready->table, *table);
		*table = NULL;
		used += KMQ_TABLE_BYTES;
	}
	if (!ready->table)
		return used;

	slot = &ready->table->group[priority / KMQ_LEVELS_PER_GROUP];
	if (!*slot) {
		/* pairs with the acquire in kmq_ready_missing() */
		smp_store_release(slot, *group);
		*group = NULL;
		used += KMQ_GROUP_BYTES;
	}
	return used;
}

static struct list_head *level_of(struct kmq_ready *ready, u16 priority)
{
	struct kmq_level_group *group;

	if (likely(!priority))
		return &ready->level0;
	group = ready->table->group[priority / KMQ_LEVELS_PER_GROUP];
	return &group->level[priority % KMQ_LEVELS_PER_GROUP];
}

static void level_filled(struct kmq_ready *ready, u16 priority)
{
	u32 g = priority / KMQ_LEVELS_PER_GROUP;

	ready->above++;
	__set_bit(g, ready->table->used);
	__set_bit(priority % KMQ_LEVELS_PER_GROUP,
		  ready->table->group[g]->used);
}

static void level_emptied(struct kmq_ready *ready, u16 priority)
{
	u32 g = priority / KMQ_LEVELS_PER_GROUP;
	struct kmq_level_group *group = ready->table->group[g];

	ready->above--;
	__clear_bit(priority % KMQ_LEVELS_PER_GROUP, group->used);
	if (bitmap_empty(group->used, KMQ_LEVELS_PER_GROUP))
		__clear_bit(g, ready->table->used);
}

/**
 * kmq_ready_append_chain() - new messages of one priority, already chained
 * @ready: the set, its lock held; the level must exist
 * @first: the first one
 * @last: the last one
 *
 * One splice, whatever the length. The open ends of the chain are set here.
 */
void kmq_ready_append_chain(struct kmq_ready *ready, struct kmq_node *first,
			    struct kmq_node *last)
{
	struct list_head *head = level_of(ready, first->priority);
	struct list_head *tail = head->prev;

	if (unlikely(first->priority) && tail == head)
		level_filled(ready, first->priority);
	first->link.prev = tail;
	tail->next = &first->link;
	last->link.next = head;
	head->prev = &last->link;
}

static bool before(const struct kmq_node *a, const struct kmq_node *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->seq < b->seq;
}

/**
 * kmq_ready_return() - a message taken before goes back to its place
 * @ready: the set, its lock held
 * @node: the message, with the seq it had
 */
void kmq_ready_return(struct kmq_ready *ready, struct kmq_node *node)
{
	struct rb_node **pos = &ready->returned.rb_root.rb_node;
	struct rb_node *parent = NULL;
	bool leftmost = true;

	while (*pos) {
		parent = *pos;
		if (before(node, rb_entry(parent, struct kmq_node, rb))) {
			pos = &parent->rb_left;
		} else {
			pos = &parent->rb_right;
			leftmost = false;
		}
	}
	node->returned = true;
	rb_link_node(&node->rb, parent, pos);
	rb_insert_color_cached(&node->rb, &ready->returned, leftmost);
}

static struct kmq_node *first_of_levels(struct kmq_ready *ready)
{
	struct list_head *level = &ready->level0;

	if (unlikely(ready->above)) {
		u32 g = find_last_bit(ready->table->used, KMQ_LEVEL_GROUPS);
		struct kmq_level_group *group = ready->table->group[g];

		level = &group->level[find_last_bit(group->used,
						    KMQ_LEVELS_PER_GROUP)];
	}
	return list_first_entry_or_null(level, struct kmq_node, link);
}

/**
 * kmq_ready_first() - the message that is next to leave
 * @ready: the set, its lock held
 *
 * Return: the message, still in the set, or NULL.
 */
struct kmq_node *kmq_ready_first(struct kmq_ready *ready)
{
	struct kmq_node *node = first_of_levels(ready);
	struct rb_node *rb = rb_first_cached(&ready->returned);
	struct kmq_node *returned;

	if (likely(!rb))
		return node;
	returned = rb_entry(rb, struct kmq_node, rb);
	return !node || before(returned, node) ? returned : node;
}

static struct kmq_node *least_of_levels(struct kmq_ready *ready)
{
	struct list_head *level = &ready->level0;

	if (list_empty(level) && ready->above) {
		u32 g = find_first_bit(ready->table->used, KMQ_LEVEL_GROUPS);
		struct kmq_level_group *group = ready->table->group[g];

		level = &group->level[find_first_bit(group->used,
						     KMQ_LEVELS_PER_GROUP)];
	}
	return list_first_entry_or_null(level, struct kmq_node, link);
}

/* The oldest of the lowest priority among those put back. */
static struct kmq_node *least_returned(struct kmq_ready *ready)
{
	struct rb_node *pos = ready->returned.rb_root.rb_node;
	struct rb_node *last = rb_last(&ready->returned.rb_root);
	struct kmq_node *found = NULL;
	u16 priority;

	if (!last)
		return NULL;
	priority = rb_entry(last, struct kmq_node, rb)->priority;
	while (pos) {
		struct kmq_node *node = rb_entry(pos, struct kmq_node, rb);

		if (node->priority == priority) {
			found = node;
			pos = pos->rb_left;
		} else {
			pos = pos->rb_right;
		}
	}
	return found;
}

/**
 * kmq_ready_least() - the oldest message of the lowest priority
 * @ready: the set, its lock held
 *
 * Return: the message, still in the set, or NULL.
 */
struct kmq_node *kmq_ready_least(struct kmq_ready *ready)
{
	struct kmq_node *node = least_of_levels(ready);
	struct kmq_node *returned = least_returned(ready);

	if (!node || !returned)
		return node ? node : returned;
	if (node->priority != returned->priority)
		return node->priority < returned->priority ? node : returned;
	return node->seq < returned->seq ? node : returned;
}

/* The highest level with a message, at most @level; negative: none. */
static int level_at_most(struct kmq_ready *ready, u32 level)
{
	u32 g = level / KMQ_LEVELS_PER_GROUP;
	u32 in = level % KMQ_LEVELS_PER_GROUP;
	struct kmq_level_group *group;

	if (ready->above && level) {
		group = ready->table->group[g];
		if (test_bit(g, ready->table->used)) {
			u32 bit = find_last_bit(group->used, in + 1);

			if (bit <= in)
				return g * KMQ_LEVELS_PER_GROUP + bit;
		}
		if (g) {
			u32 below = find_last_bit(ready->table->used, g);

			if (below < g) {
				group = ready->table->group[below];
				return below * KMQ_LEVELS_PER_GROUP +
					find_last_bit(group->used,
						      KMQ_LEVELS_PER_GROUP);
			}
		}
	}
	return list_empty(&ready->level0) ? -1 : 0;
}

/* The first of those put back with a priority below this. */
static struct rb_node *first_below(struct kmq_ready *ready, u16 priority)
{
	struct rb_node *pos = ready->returned.rb_root.rb_node, *found = NULL;

	while (pos) {
		if (rb_entry(pos, struct kmq_node, rb)->priority < priority) {
			found = pos;
			pos = pos->rb_left;
		} else {
			pos = pos->rb_right;
		}
	}
	return found;
}

/**
 * kmq_ready_older() - some message that is not newer than a given one
 * @ready: the set, its lock held
 * @level: where the search stands; starts at KMQ_PRIORITY_MAX
 * @upto: the highest seq that counts
 *
 * Each level is in order of seq, so it is done with at the first newer one; so
 * is each priority among those put back.
 *
 * Return: the message, still in the set, or NULL when there is none left.
 */
struct kmq_node *kmq_ready_older(struct kmq_ready *ready, u32 *level, u64 upto)
{
	struct rb_node *rb = rb_first_cached(&ready->returned);
	int l;

	while (rb) {
		struct kmq_node *node = rb_entry(rb, struct kmq_node, rb);

		if (node->seq <= upto)
			return node;
		rb = first_below(ready, node->priority);
	}

	while ((l = level_at_most(ready, *level)) >= 0) {
		struct list_head *fifo = level_of(ready, l);
		struct kmq_node *node = list_first_entry(fifo, struct kmq_node,
							 link);

		*level = l;
		if (node->seq <= upto)
			return node;
		if (!l)
			break;
		*level = l - 1;
	}
	return NULL;
}

/**
 * kmq_ready_remove() - take a message out of the set
 * @ready: the set, its lock held
 * @node: a message in it
 */
void kmq_ready_remove(struct kmq_ready *ready, struct kmq_node *node)
{
	struct list_head *next = node->link.next, *prev = node->link.prev;

	if (node->returned) {
		rb_erase_cached(&node->rb, &ready->returned);
		node->returned = false;
		return;
	}
	prev->next = next;
	next->prev = prev;
	/* the last one of a level: both neighbours are its head */
	if (unlikely(node->priority) && next == prev)
		level_emptied(ready, node->priority);
}
