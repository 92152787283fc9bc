// SPDX-License-Identifier: GPL-2.0-only
/* Set-up and helpers of the tests that talk to the module. */
#define _GNU_SOURCE
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include "common.h"

char queue[64];

static int handles[64];
static unsigned int nhandles;

void enter_domain(void)
{
	if (access(KMQ_DEVICE, F_OK) < 0) {
		printf("Bail out! no " KMQ_DEVICE "; run this in a guest, see tests/vm/run\n");
		exit(1);
	}
	if (unshare(CLONE_NEWNET) < 0) {
		printf("Bail out! cannot leave the network namespace: %m\n");
		exit(1);
	}
	/* A call that waits for ever must not outlive its test program. */
	alarm(100);
}

int guest_setup(void **state)
{
	static unsigned int nr;

	(void)state;
	snprintf(queue, sizeof(queue), "test.%u", nr++);
	return 0;
}

int guest_teardown(void **state)
{
	(void)state;
	while (nhandles)
		close(handles[--nhandles]);
	return kmq_reset(-1, 0, NULL);
}

int handle(unsigned int flags)
{
	int fd = kmq_open(-1, queue, flags | KMQ_OPEN_CREATE, NULL);

	assert_true(fd >= 0);
	assert_true(nhandles < ARRAY_SIZE(handles));
	handles[nhandles++] = fd;
	return fd;
}

void make_queue(uint64_t max_messages, uint64_t max_bytes,
		uint32_t max_message_size)
{
	struct kmq_attrs attrs = KMQ_ATTRS_INIT;
	int fd;

	if (max_messages) {
		attrs.mask |= KMQ_A_MAX_MESSAGES;
		attrs.max_messages = max_messages;
	}
	if (max_bytes) {
		attrs.mask |= KMQ_A_MAX_BYTES;
		attrs.max_bytes = max_bytes;
	}
	if (max_message_size) {
		attrs.mask |= KMQ_A_MAX_MESSAGE_SIZE;
		attrs.max_message_size = max_message_size;
	}
	fd = kmq_open(-1, queue, KMQ_OPEN_SEND | KMQ_OPEN_CREATE |
		      KMQ_OPEN_EXCL, &attrs);
	assert_true(fd >= 0);
	close(fd);
}

uint64_t depth(void)
{
	struct kmq_stat_args st;

	assert_ret(kmq_stat(-1, queue, &st, NULL), 0);
	return st.ready;
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int as_user(unsigned int uid, int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			_exit(99);
		status = fn(arg);
		fflush(stdout);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static pthread_t later_thread;
static struct {
	int ms;
	void (*fn)(void *arg);
	void *arg;
} later_job;

static void *later_main(void *unused)
{
	(void)unused;
	usleep((useconds_t)later_job.ms * 1000);
	later_job.fn(later_job.arg);
	return NULL;
}

void later(int ms, void (*fn)(void *arg), void *arg)
{
	later_job.ms = ms;
	later_job.fn = fn;
	later_job.arg = arg;
	assert_int_equal(pthread_create(&later_thread, NULL, later_main, NULL),
			 0);
}

void later_done(void)
{
	assert_int_equal(pthread_join(later_thread, NULL), 0);
}
