/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef EDGE_H
#define EDGE_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <time.h>

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../shim/shim.h"

/*
 * What kmod/wait.c needs of the kernel beyond the core's: tasks that sleep and
 * are woken, signals, timers, wait queues. A task is a thread. All headers of
 * the kernel that the shim does not have lead here; see the Makefile.
 *
 * The task state is an atomic with the barriers it has in the kernel, and is
 * looked at by the waker under the lock of the task, as under pi_lock. A sleep
 * without a timer that lasts EDGE_HANG seconds is a lost wake-up, and ends the
 * program.
 */
#define EDGE_HANG		20

#define TASK_RUNNING		0
#define TASK_INTERRUPTIBLE	1
#define TASK_UNINTERRUPTIBLE	2
#define TASK_NORMAL		3
#define TASK_COMM_LEN		16
#define ERESTARTSYS		512
#define KTIME_MAX		((s64)~((u64)1 << 63))
#define HRTIMER_MODE_ABS	0
#define __kmq_uninit

typedef s64 ktime_t;
typedef unsigned int __poll_t;
typedef unsigned short umode_t;
typedef struct { u32 val; } kuid_t;
typedef struct { u32 val; } kgid_t;
struct rcu_head { void *unused; };
struct rhash_head { void *unused; };
struct file;
struct kiocb;
struct iov_iter;
struct pid;

/**
 * struct task_struct - a thread
 * @usage: references; the thread has one until edge_task_end()
 * @pi_lock: see above
 * @woken: signalled by the waker
 * @state: TASK_*
 * @signals: of these, 1 is pending, 2 kills
 */
struct task_struct {
	int usage;
	pthread_mutex_t pi_lock;
	pthread_cond_t woken;
	int state;
	int signals;
	u64 timer_slack_ns;
};

extern __thread struct task_struct *current;

void set_current_state(int state);

#define __set_current_state(s) \
	__atomic_store_n(&current->state, (s), __ATOMIC_RELAXED)

struct task_struct *edge_task_start(void);
void edge_task_end(void);
void edge_signal(struct task_struct *task, int signals);
void get_task_struct(struct task_struct *task);
void put_task_struct(struct task_struct *task);
int wake_up_process(struct task_struct *task);
void schedule(void);
int schedule_hrtimeout_range_clock(ktime_t *until, u64 slack, int mode,
				   int clock);
u64 ktime_get_ns(void);

static inline int signal_pending(struct task_struct *task)
{
	return __atomic_load_n(&task->signals, __ATOMIC_RELAXED);
}

static inline int fatal_signal_pending(struct task_struct *task)
{
	return signal_pending(task) & 2;
}

static inline u64 get_jiffies_64(void)
{
	return ktime_get_ns() / 4000000 + 1;
}

/*
 * TSan knows no fences. On x86, where it runs, the locked instruction of the
 * mutex taken before is one.
 */
#ifdef __SANITIZE_THREAD__
#define edge_mb()		((void)0)
#else
#define edge_mb()		smp_mb()
#endif

#define cond_resched()		((void)0)
/* whoever uses it says why */
#define data_race(x)		(x)

/* Wait queues; an entry wakes its task. */
typedef struct {
	pthread_mutex_t lock;
	struct list_head head;
	int sleepers;
} wait_queue_head_t;

struct edge_poller {
	struct list_head link;
	struct task_struct *task;
};

void edge_wait_queue_init(wait_queue_head_t *wq);
void edge_poll_add(wait_queue_head_t *wq, struct edge_poller *poller);
void edge_poll_remove(wait_queue_head_t *wq, struct edge_poller *poller);
void __wake_up(wait_queue_head_t *wq, unsigned int mode, int nr, void *key);

#define poll_to_key(m)		((void *)(uintptr_t)(m))

static inline bool wq_has_sleeper(wait_queue_head_t *wq)
{
	edge_mb();
	return __atomic_load_n(&wq->sleepers, __ATOMIC_RELAXED);
}

/* For inline functions of handle.h, which nobody calls here. */
#define task_tgid(task)		((struct pid *)(task))
#define current_euid()		((kuid_t) { 0 })
#define current_egid()		((kgid_t) { 0 })
#define __kuid_val(uid)		((uid).val)
#define __kgid_val(gid)		((gid).val)

/* Trace events are never on. */
#define TP_PROTO(args...)	args
#define TP_ARGS(args...)	args
#define DECLARE_EVENT_CLASS(name, args...)
#define DEFINE_EVENT(class, name, proto, args)				\
	static inline void trace_##name(proto) { }			\
	static inline bool trace_##name##_enabled(void) { return false; }
#define TRACE_EVENT(name, proto, args, rest...)				\
	DEFINE_EVENT(, name, PASS(proto), PASS(args))
#define PASS(args...)		args

#endif
