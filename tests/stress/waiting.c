// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that wait, and what happens to their process or handle meanwhile: each
 * case by itself, seen in the counters before it goes on.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define NAME "stress.waiting"

static bool good;

static void expect(bool ok, const char *what)
{
	if (!ok)
		note("failed: %s", what);
	good &= ok;
}

/* A queue of one message. */
static int create(void)
{
	struct kmq_attrs attrs = {
		.size = sizeof(attrs),
		.mask = KMQ_A_MAX_MESSAGES,
		.max_messages = 1,
	};

	good = true;
	return kmq_open_at(ctl(), NAME, KMQ_OPEN_CREATE | KMQ_OPEN_EXCL |
			   KMQ_OPEN_NONBLOCK | SEND | RECV, &attrs, NULL);
}

static void done(int fd, const char *name)
{
	close(fd);
	expect(!kmq_delete(NAME, 0), "delete");
	result(good, name);
}

/* So many calls wait to send, to receive, and so many messages are there. */
static bool becomes(int fd, unsigned int senders, unsigned int receivers,
		    unsigned int ready)
{
	struct kmq_stat_args st;
	unsigned int i;

	for (i = 0; i < patience(2000); i++) {
		if (kmq_stat_fd(fd, &st))
			bail("STAT: %s", strerror(errno));
		if (st.waiting_senders == senders &&
		    st.waiting_receivers == receivers && st.ready == ready)
			return true;
		nap_us(5000);
	}
	note("%u wait to send, %u to receive, %" PRIu64 " ready",
	     st.waiting_senders, st.waiting_receivers, (uint64_t)st.ready);
	return false;
}

static bool sends(int fd, char what)
{
	return write(fd, &what, 1) == 1;
}

static bool receives(int fd, char what)
{
	char got = 0;

	return read(fd, &got, 1) == 1 && got == what;
}

/* ---- stopped --------------------------------------------------------------- */

static void receive_one(void *arg)
{
	int fd = kmq_open_name(NAME, RECV);

	(void)arg;
	if (!receives(fd, 'b'))
		bail("did not get the second one: %s", strerror(errno));
}

static void send_one(void *arg)
{
	int fd = kmq_open_name(NAME, SEND);

	(void)arg;
	if (!sends(fd, 'c'))
		bail("write: %s", strerror(errno));
}

/* It leaves the line, so what comes is for others; then it goes on. */
static void test_stopped_receiver(void)
{
	int fd = create();
	pid_t pid = child(receive_one, NULL);

	expect(becomes(fd, 0, 1, 0), "it waits");
	kill(pid, SIGSTOP);
	expect(becomes(fd, 0, 0, 0), "stopped, it stands in nobody's way");
	expect(sends(fd, 'a'), "send");
	expect(becomes(fd, 0, 0, 1), "the message is for anybody");
	expect(receives(fd, 'a'), "somebody else has it");
	kill(pid, SIGCONT);
	expect(becomes(fd, 0, 1, 0), "it waits again");
	expect(sends(fd, 'b'), "send");
	expect(child_done(pid, "receiver"), "it has the next one");
	done(fd, "stopped_receiver");
}

static void test_stopped_sender(void)
{
	int fd = create();
	pid_t pid;

	expect(sends(fd, 'a'), "fill");
	pid = child(send_one, NULL);
	expect(becomes(fd, 1, 0, 1), "it waits");
	kill(pid, SIGSTOP);
	expect(becomes(fd, 0, 0, 1), "stopped, it stands in nobody's way");
	expect(receives(fd, 'a') && sends(fd, 'b'), "others go on");
	kill(pid, SIGCONT);
	expect(becomes(fd, 1, 0, 1), "it waits again");
	expect(receives(fd, 'b'), "receive");
	expect(child_done(pid, "sender"), "it got through");
	expect(receives(fd, 'c'), "what it sent is there, once");
	done(fd, "stopped_sender");
}

/* ---- closed by another thread ------------------------------------------------ */

struct call {
	int fd;
	bool sends;
	bool ok;
};

static void *call_main(void *arg)
{
	struct call *call = arg;

	call->ok = call->sends ? sends(call->fd, 'x') :
		receives(call->fd, 'x');
	return NULL;
}

static unsigned int handles_of(int fd)
{
	struct kmq_stat_args st;

	return kmq_stat_fd(fd, &st) ? 0 : st.handles;
}

/* The call goes on as if nothing had happened; the handle goes with it. */
static void test_closed(bool sending, const char *name)
{
	int fd = create();
	struct call call = { .sends = sending };
	pthread_t thread;

	if (sending)
		expect(sends(fd, 'a'), "fill");
	call.fd = kmq_open_name(NAME, sending ? SEND : RECV);
	if (call.fd < 0 || pthread_create(&thread, NULL, call_main, &call))
		bail("cannot start");
	expect(becomes(fd, sending, !sending, sending), "it waits");
	close(call.fd);
	expect(write(call.fd, "y", 1) < 0 && errno == EBADF, "it is closed");
	expect(becomes(fd, sending, !sending, sending) && handles_of(fd) == 2,
	       "it waits on");
	expect(sending ? receives(fd, 'a') : sends(fd, 'x'), "let it go on");
	pthread_join(thread, NULL);
	expect(call.ok, "it did what it was called for");
	expect(handles_of(fd) == 1, "its handle is gone");
	if (sending)
		expect(receives(fd, 'x'), "nothing is lost");
	expect(becomes(fd, 0, 0, 0), "nothing is left");
	done(fd, name);
}

/* ---- killed and forked --------------------------------------------------------- */

/* Parent and child wait through one handle; one of them is killed. */
static int inherited;

static void receive_through_it(void *arg)
{
	(void)arg;
	if (!receives(inherited, 'b'))
		bail("read: %s", strerror(errno));
}

static void test_forked(void)
{
	int fd = create();
	pid_t first, second;

	inherited = kmq_open_name(NAME, RECV);
	first = child(receive_through_it, NULL);
	expect(becomes(fd, 0, 1, 0), "one waits");
	second = child(receive_through_it, NULL);
	expect(becomes(fd, 0, 2, 0), "two wait");
	close(inherited);
	expect(handles_of(fd) == 2, "through one handle");
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	expect(becomes(fd, 0, 1, 0), "the other waits on");
	expect(handles_of(fd) == 2, "it keeps the handle");
	expect(sends(fd, 'b'), "send");
	expect(child_done(second, "the other"), "it has the message");
	expect(handles_of(fd) == 1, "the handle goes with the last");
	done(fd, "one_handle_in_two_processes");
}

int main(int argc, char **argv)
{
	begin("waiting", argc, argv, 1);
	test_stopped_receiver();
	test_stopped_sender();
	test_closed(false, "closed_under_a_receiver");
	test_closed(true, "closed_under_a_sender");
	test_forked();
	check_nothing_left();
	return end();
}
