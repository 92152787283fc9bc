// SPDX-License-Identifier: GPL-2.0-only
/* Ending a direction of a handle from elsewhere. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "common.h"

static int fd;

static void shut_recv(void *arg)
{
	(void)arg;
	kmq_shutdown(fd, KMQ_OPEN_RECV);
}

static void shut_send(void *arg)
{
	(void)arg;
	kmq_shutdown(fd, KMQ_OPEN_SEND);
}

static void receiver_is_woken(void **state)
{
	struct kmq_buf *in = kmq_buf_new(0);
	struct pollfd pfd;
	struct kmq_msg msg;
	char body[8];

	(void)state;
	fd = handle(BOTH);
	later(100, shut_recv, NULL);
	assert_ret(kmq_recv(fd, body, 8, NULL, -1), -ECANCELED);
	later_done();
	/* Sticky, and for this direction alone. */
	assert_ret(kmq_recv(fd, body, 8, NULL, -1), -ECANCELED);
	assert_ret(kmq_next(fd, in, &msg, -1), -ECANCELED);
	assert_ret(kmq_recv_buf(fd, in, 0, -1), -ECANCELED);
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	pfd = (struct pollfd){ .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&pfd, 1, 0), 1);
	assert_true(pfd.revents & POLLHUP);
	/* Another handle to the same queue goes on. */
	assert_ret(kmq_recv(handle(KMQ_OPEN_RECV), body, 8, NULL, 0), 1);
	kmq_buf_free(in);
}

static void sender_is_woken(void **state)
{
	struct kmq_buf *out = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("x");
	char body[8];

	(void)state;
	make_queue(1, 0, 0);
	fd = handle(BOTH);
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	later(100, shut_send, NULL);
	assert_ret(kmq_send(fd, "y", 1, -1), -ECANCELED);
	later_done();
	assert_ret(kmq_recv(fd, body, 8, NULL, 0), 1);
	assert_ret(kmq_send(fd, "y", 1, -1), -ECANCELED);
	assert_ret(kmq_put(fd, out, &msg, -1), 0);
	assert_ret(kmq_flush(fd, out, -1), -ECANCELED);
	assert_int_equal(kmq_buf_count(out), 1);
	kmq_buf_free(out);
}

static void on_signal(int signo)
{
	(void)signo;
	kmq_shutdown(fd, BOTH);
}

static void from_a_signal_handler(void **state)
{
	struct sigaction action = { .sa_handler = on_signal };
	char body[8];
	ssize_t ret;
	int status;
	pid_t pid;

	(void)state;
	fd = handle(BOTH);
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		usleep(100000);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	ret = kmq_recv(fd, body, 8, NULL, -1);
	/* The handler ran inside the call. */
	if (ret == -EINTR)
		ret = kmq_recv(fd, body, 8, NULL, -1);
	assert_ret(ret, -ECANCELED);
	assert_ret(kmq_send(fd, "x", 1, -1), -ECANCELED);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void *wait_for_ever(void *arg)
{
	char body[8];

	(void)arg;
	return (void *)(intptr_t)kmq_recv(fd, body, 8, NULL, -1);
}

static void all_waiters_at_once(void **state)
{
	struct kmq_stat_args st;
	pthread_t threads[8];
	void *result;
	size_t i;

	(void)state;
	fd = handle(BOTH);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						wait_for_ever, NULL), 0);
	do {
		usleep(10000);
		assert_ret(kmq_fstat(fd, &st, NULL), 0);
	} while (st.waiting_receivers < ARRAY_SIZE(threads));
	assert_ret(kmq_shutdown(fd, KMQ_OPEN_RECV), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ret((intptr_t)result, -ECANCELED);
	}
}

static void refusals(void **state)
{
	int ctl = kmq_ctl_open(-1);

	(void)state;
	fd = handle(BOTH);
	assert_ret(kmq_shutdown(fd, 0), -EINVAL);
	assert_ret(kmq_shutdown(fd, KMQ_OPEN_RECORDS), -EINVAL);
	assert_true(kmq_shutdown(ctl, KMQ_OPEN_RECV) < 0);
	assert_ret(kmq_shutdown(-1, KMQ_OPEN_RECV), -EBADF);
	assert_ret(kmq_send(fd, "x", 1, 0), 0);
	close(ctl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(receiver_is_woken),
		guest_test(sender_is_woken),
		guest_test(from_a_signal_handler),
		guest_test(all_waiters_at_once),
		guest_test(refusals),
	};

	enter_domain();
	return cmocka_run_group_tests_name("shutdown", tests, NULL, NULL);
}
