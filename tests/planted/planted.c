// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module of bugs, one for each checker of the debug kernels: loading it with
 * bug=NAME commits that bug. If a checker says nothing here, its silence about
 * kmq means nothing. Never load it outside the test guest.
 */
#include <linux/cache.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "which bug to commit");

/* Never known to the compiler. */
static unsigned int nine = 9;
module_param(nine, uint, 0444);
MODULE_PARM_DESC(nine, "leave it alone");

static void *volatile sink;

static void use_after_free(void)
{
	char *volatile p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	if (p)
		p[nine] = 1;
}

static void out_of_bounds(void)
{
	char *volatile p = kmalloc(32, GFP_KERNEL);

	if (p)
		p[nine + 24] = 1;
	kfree(p);
}

static void leak(void)
{
	int i;

	for (i = 0; i < 4; i++)
		sink = kmalloc(80, GFP_KERNEL);
	sink = NULL;
}

static void abba(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);
	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
}

static void no_rcu_lock(void)
{
	static void __rcu *p;

	sink = rcu_dereference(p);
}

static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void preemptible_cpu(void)
{
	sink = (void *)(unsigned long)smp_processor_id();
}

static void shift(void)
{
	sink = (void *)(unsigned long)(1 << (nine + 30));
}

static void array_index(void)
{
	static int array[4];
	unsigned int i = nine;

	/* the redzone behind it may be anybody's: read only */
	sink = (void *)(unsigned long)array[i];
}

static void nothing(struct timer_list *t)
{
}

static void free_active_timer(void)
{
	struct timer_list *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return;
	timer_setup(t, nothing, 0);
	mod_timer(t, jiffies + 1000 * HZ);
	kfree(t);
}

static void object_remains(void)
{
	struct kmem_cache *cache = kmem_cache_create("planted", 96, 0, 0, NULL);

	if (!cache)
		return;
	sink = kmem_cache_alloc(cache, GFP_KERNEL);
	kmem_cache_destroy(cache);
	sink = NULL;
}

/* In threads of their own, as they end whoever commits them. */
static int copy_too_much(void *unused)
{
	char *volatile p = kmalloc(32, GFP_KERNEL);

	/* the address is never reached: the object's size is looked at first */
	if (p && copy_to_user((void __user *)0x10000, p, nine * 8))
		kfree(p);
	return 0;
}

static int corrupt_list(void *unused)
{
	static LIST_HEAD(head);
	static struct list_head node;

	list_add(&node, &head);
	head.next = &head;
	list_del(&node);
	return 0;
}

static void user_copy(void)
{
	kthread_run(copy_too_much, NULL, "planted/copy");
	msleep(1000);
}

static void list_corruption(void)
{
	kthread_run(corrupt_list, NULL, "planted/list");
	msleep(1000);
}

/* For KCSAN: what two processors do without telling each other. */
static unsigned long counter;
static unsigned long payload;
static int flag;

static int increment(void *unused)
{
	while (!kthread_should_stop()) {
		int i;

		for (i = 0; i < 1000; i++)
			counter++;
		cond_resched();
	}
	return 0;
}

static int produce(void *unused)
{
	unsigned long n = 0;

	while (!kthread_should_stop()) {
		if (!READ_ONCE(flag)) {
			payload = ++n;
			/* a store with release is what is missing */
			WRITE_ONCE(flag, 1);
		}
		cond_resched();
	}
	return 0;
}

static int consume(void *unused)
{
	unsigned long sum = 0;

	while (!kthread_should_stop()) {
		if (smp_load_acquire(&flag)) {
			sum += payload;
			smp_store_release(&flag, 0);
		}
		cond_resched();
	}
	sink = (void *)sum;
	return 0;
}

static void race(int (*a)(void *), int (*b)(void *))
{
	struct task_struct *one = kthread_run(a, NULL, "planted/a");
	struct task_struct *two = kthread_run(b, NULL, "planted/b");

	msleep(4000);
	if (!IS_ERR(one))
		kthread_stop(one);
	if (!IS_ERR(two))
		kthread_stop(two);
}

static void plain_race(void)
{
	race(increment, increment);
}

static void missing_barrier(void)
{
	race(produce, consume);
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = {
	{ "use_after_free", use_after_free },
	{ "out_of_bounds", out_of_bounds },
	{ "leak", leak },
	{ "abba", abba },
	{ "no_rcu_lock", no_rcu_lock },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "preemptible_cpu", preemptible_cpu },
	{ "shift", shift },
	{ "array_index", array_index },
	{ "free_active_timer", free_active_timer },
	{ "object_remains", object_remains },
	{ "user_copy", user_copy },
	{ "list_corruption", list_corruption },
	{ "plain_race", plain_race },
	{ "missing_barrier", missing_barrier },
};

static int __init planted_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (!strcmp(bugs[i].name, bug)) {
			bugs[i].commit();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("bugs for the checkers of the test guest");
