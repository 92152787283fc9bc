// SPDX-License-Identifier: GPL-2.0-only
/* One message a call: send, recv, sizes, waiting. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "common.h"

static unsigned char *pattern(size_t len, unsigned int seed)
{
	unsigned char *p = malloc(len + 1);
	size_t i;

	assert_non_null(p);
	for (i = 0; i < len; i++)
		p[i] = (unsigned char)((i * 2654435761u + seed) >> 11);
	return p;
}

static void round_trip(int fd)
{
	struct kmq_msg msg;
	char body[64];

	memset(&msg, 0xa5, sizeof(msg));
	assert_ret(kmq_send(fd, "hello", 5, 0), 0);
	assert_ret(kmq_recv(fd, body, sizeof(body), &msg, 0), 5);
	assert_memory_equal(body, "hello", 5);
	assert_ptr_equal(msg.body, body);
	assert_int_equal(msg.len, 5);
	assert_null(msg.key);
	assert_null(msg.headers);
	assert_int_equal(msg.seq, 1);
	assert_int_equal(msg.pid, getpid());
	assert_int_equal(msg.uid, getuid());
	assert_int_equal(msg.gid, getgid());
	assert_int_equal(msg.deliveries, 1);
	assert_int_equal(msg.priority, 0);
	assert_true(msg.time > 1000000000);
	/* XFER stamps whoever calls, not whoever opened. */
	assert_int_equal(msg.flags & KMQ_REC_OPENER, 0);
	assert_ret(kmq_recv(fd, body, sizeof(body), NULL, 0), -EAGAIN);
}

static void plain_handle(void **state)
{
	(void)state;
	round_trip(handle(BOTH));
}

static void record_handle(void **state)
{
	(void)state;
	round_trip(handle(BOTH | KMQ_OPEN_RECORDS));
}

static void nonblocking_handle(void **state)
{
	(void)state;
	round_trip(handle(BOTH | KMQ_OPEN_NONBLOCK));
}

static void empty_body_is_no_end(void **state)
{
	int fd = handle(BOTH);
	struct kmq_msg msg;
	char body[4];

	(void)state;
	assert_ret(kmq_send(fd, NULL, 0, 0), 0);
	assert_ret(kmq_send(fd, "", 0, 0), 0);
	assert_ret(kmq_seal(-1, queue), 0);
	assert_ret(kmq_recv(fd, NULL, 0, &msg, 0), 0);
	assert_int_equal(msg.len, 0);
	assert_int_equal(msg.seq, 1);
	assert_ret(kmq_recv(fd, body, sizeof(body), NULL, 0), 0);
	assert_ret(kmq_recv(fd, body, sizeof(body), NULL, 0), -ENODATA);
}

/* What is told about sizes is the same for both kinds of handle. */
static const unsigned int kinds[] = { BOTH, BOTH | KMQ_OPEN_RECORDS };

/* Every small size into a buffer of just that size, and one too small. */
static void small_sizes_exactly(void **state)
{
	unsigned char *sent = pattern(200, 1), got[201];
	struct kmq_msg msg;
	size_t i, len;
	int fd;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd = handle(kinds[i]);
		for (len = 1; len <= 200; len++) {
			assert_ret(kmq_send(fd, sent, len, 0), 0);
			assert_ret(kmq_recv(fd, got, len - 1, &msg, 0),
				   -EMSGSIZE);
			assert_int_equal(msg.len, len);
			assert_int_equal(depth(), 1);
			got[len] = 0xee;
			assert_ret(kmq_recv(fd, got, len, &msg, 0), len);
			assert_int_equal(msg.len, len);
			assert_memory_equal(got, sent, len);
			assert_int_equal(got[len], 0xee);
		}
	}
	free(sent);
}

/* Around every change of method, with buffers of the size and larger. */
static void large_sizes(void **state)
{
	static const size_t sizes[] = { 4031, 4032, 4033, 4039, 4040, 4095,
					4096, 4097, 65535, 65536, 262144,
					1000003, KMQ_MESSAGE_MAX };
	static const size_t more[] = { 0, 1, 63, 64, 65, 72, 5000 };
	unsigned char *sent, *got = malloc(KMQ_MESSAGE_MAX + 5000 + 1);
	struct kmq_msg msg;
	size_t i, j, cap;
	int fd;

	(void)state;
	assert_non_null(got);
	make_queue(0, 64 << 20, KMQ_MESSAGE_MAX);
	fd = handle(BOTH);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		sent = pattern(sizes[i], (unsigned int)i);
		for (j = 0; j < ARRAY_SIZE(more); j++) {
			cap = sizes[i] + more[j];
			got[cap] = 0xee;
			assert_ret(kmq_send(fd, sent, sizes[i], 0), 0);
			assert_ret(kmq_recv(fd, got, cap, &msg, 0), sizes[i]);
			assert_memory_equal(got, sent, sizes[i]);
			assert_int_equal(got[cap], 0xee);
			assert_int_equal(msg.len, sizes[i]);
		}
		assert_ret(kmq_send(fd, sent, sizes[i], 0), 0);
		assert_ret(kmq_recv(fd, got, sizes[i] - 1, &msg, 0), -EMSGSIZE);
		assert_int_equal(msg.len, sizes[i]);
		assert_ret(kmq_recv(fd, got, sizes[i], &msg, 0), sizes[i]);
		assert_memory_equal(got, sent, sizes[i]);
		free(sent);
	}
	free(got);
}

static void attributes_do_not_need_room(void **state)
{
	static const size_t sizes[] = { 4, 4032, 4033, 100001 };
	struct kmq_msg msg = { .key = "key", .key_len = 3, .cookie = 42,
			       .priority = 5 }, got;
	unsigned char headers[4096], *body, *to = malloc(100001);
	char value[3000];
	size_t i, j, len = 0, cap;
	int fd;

	(void)state;
	assert_non_null(to);
	memset(value, 'v', sizeof(value));
	assert_ret(kmq_header_add(headers, &len, sizeof(headers), "h", value,
				  sizeof(value)), 0);
	msg.headers = headers;
	msg.headers_len = len;
	for (i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(sizes); i++) {
		fd = handle(kinds[i % ARRAY_SIZE(kinds)]);
		cap = sizes[i / ARRAY_SIZE(kinds)];
		body = pattern(cap, (unsigned int)i);
		msg.body = body;
		msg.len = cap;
		for (j = 1; j <= 2; j++) {
			assert_ret(kmq_send_msg(fd, &msg, 0), 0);
			assert_int_equal(msg.seq, 2 * i + j);
		}
		for (j = 1; j <= 2; j++) {
			assert_ret(kmq_recv(fd, to, cap - 1, &got, 0),
				   -EMSGSIZE);
			assert_int_equal(got.len, cap);
			assert_ret(kmq_recv(fd, to, cap, &got, 0), cap);
			assert_memory_equal(to, body, cap);
			assert_int_equal(got.seq, 2 * i + j);
			assert_int_equal(got.cookie, 42);
			assert_int_equal(got.priority, 5);
			assert_null(got.key);
			assert_null(got.headers);
		}
		free(body);
	}
	/* No body at all. */
	msg.body = NULL;
	msg.len = 0;
	assert_ret(kmq_send_msg(fd, &msg, 0), 0);
	assert_ret(kmq_recv(fd, NULL, 0, &got, 0), 0);
	assert_int_equal(got.cookie, 42);
	free(to);
}

#define RIVALS	3
#define ROUNDS	600

/* Lengths around what a receiver with room for 5000 bytes has to tell apart. */
static const size_t rival_sizes[] = { 4936, 4937, 5000, 5001, 9000 };

struct rival {
	pthread_t thread;
	int fd;
	unsigned int received, refused, wrong;
};

static int rival_message_ok(const struct kmq_msg *msg, const char *body,
			    ssize_t ret)
{
	size_t want = rival_sizes[msg->cookie % ARRAY_SIZE(rival_sizes)];
	size_t i;

	for (i = 0; i < want; i++)
		if (body[i] != (char)msg->cookie)
			return 0;
	return ret == (ssize_t)want && msg->len == want;
}

static void *rival_main(void *arg)
{
	struct rival *r = arg;
	char body[9000];
	struct kmq_msg msg;
	ssize_t ret;

	for (;;) {
		ret = kmq_recv(r->fd, body, 5000, &msg, -1);
		if (ret == -EMSGSIZE) {
			r->refused++;
			r->wrong += msg.len != 5001 && msg.len != 9000;
			ret = kmq_recv(r->fd, body, msg.len, &msg, 0);
			/* Gone, or a larger one by now. */
			if (ret == -EAGAIN || ret == -EMSGSIZE)
				continue;
		}
		if (ret == -ENODATA)
			return NULL;
		if (ret < 0) {
			r->wrong++;
			return NULL;
		}
		r->received++;
		r->wrong += !rival_message_ok(&msg, body, ret);
	}
}

/* Whoever comes in between: nothing is cut, lost or refused without reason. */
static void rivals_get_whole_messages(void **state)
{
	struct rival rivals[RIVALS] = { 0 };
	unsigned int i, received = 0, refused = 0;
	char body[9000];
	int fd = handle(BOTH);

	(void)state;
	for (i = 0; i < RIVALS; i++) {
		rivals[i].fd = handle(kinds[i % ARRAY_SIZE(kinds)]);
		assert_int_equal(pthread_create(&rivals[i].thread, NULL,
						rival_main, &rivals[i]), 0);
	}
	for (i = 0; i < ROUNDS; i++) {
		struct kmq_msg msg = {
			.body = body,
			.len = rival_sizes[i % ARRAY_SIZE(rival_sizes)],
			.cookie = i,
			/* What comes later may overtake what was looked at. */
			.priority = (uint16_t)(i % 3),
		};

		memset(body, (int)i, sizeof(body));
		assert_ret(kmq_send_msg(fd, &msg, -1), 0);
	}
	assert_ret(kmq_seal(-1, queue), 0);
	for (i = 0; i < RIVALS; i++) {
		assert_int_equal(pthread_join(rivals[i].thread, NULL), 0);
		assert_int_equal(rivals[i].wrong, 0);
		received += rivals[i].received;
		refused += rivals[i].refused;
	}
	assert_int_equal(received, ROUNDS);
	assert_true(refused > 0);
}

static void too_large_to_send(void **state)
{
	unsigned char *big = pattern(KMQ_MESSAGE_MAX + 1, 1);
	struct kmq_msg bad = { .priority = KMQ_PRIORITY_MAX + 1 };
	int fd;

	(void)state;
	make_queue(0, 0, 100);
	fd = handle(BOTH);
	assert_ret(kmq_send(fd, big, 100, 0), 0);
	assert_ret(kmq_send(fd, big, 101, 0), -EMSGSIZE);
	assert_ret(kmq_send(fd, big, KMQ_MESSAGE_MAX + 1, 0), -EMSGSIZE);
	assert_ret(kmq_send(fd, big, SIZE_MAX, 0), -EMSGSIZE);
	assert_ret(kmq_send(fd, NULL, 1, 0), -EINVAL);
	assert_ret(kmq_send_msg(fd, &bad, 0), -EINVAL);
	assert_int_equal(depth(), 1);
	free(big);
}

static void next_size_is_the_body(void **state)
{
	int fd = handle(BOTH);
	struct kmq_msg msg = text_msg("12345");

	(void)state;
	assert_ret(kmq_next_size(fd), 0);
	msg.key = "key";
	msg.key_len = 3;
	assert_ret(kmq_send_msg(fd, &msg, 0), 0);
	assert_ret(kmq_next_size(fd), 5);
	assert_int_equal(depth(), 1);
}

static void wrong_direction(void **state)
{
	int out = handle(KMQ_OPEN_SEND), in = handle(KMQ_OPEN_RECV);

	(void)state;
	assert_ret(kmq_send(in, "x", 1, 0), -EBADF);
	assert_ret(kmq_recv(out, NULL, 0, NULL, 0), -EBADF);
	assert_ret(kmq_send(out, "x", 1, 0), 0);
	assert_int_equal(depth(), 1);
}

static void priority_order(void **state)
{
	static const uint16_t priorities[] = { 0, 5, KMQ_PRIORITY_MAX, 5, 0 };
	static const char want[] = "cbdae";
	int fd = handle(BOTH);
	char body[2];
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		char name = (char)('a' + i);
		struct kmq_msg msg = { .body = &name, .len = 1,
				       .priority = priorities[i] };

		assert_ret(kmq_send_msg(fd, &msg, 0), 0);
	}
	for (i = 0; i < 5; i++) {
		assert_ret(kmq_recv(fd, body, 2, NULL, 0), 1);
		assert_int_equal(body[0], want[i]);
	}
}

static void timed_out(int ret, uint64_t start)
{
	uint64_t took = now_ms() - start;

	assert_ret(ret, -ETIMEDOUT);
	assert_in_range(took, 99, 5000);
}

static void timeouts(void **state)
{
	char body[8];
	uint64_t start;
	int fd;

	(void)state;
	make_queue(1, 0, 0);
	fd = handle(BOTH);
	start = now_ms();
	timed_out((int)kmq_recv(fd, body, 8, NULL, 100), start);
	assert_ret(kmq_recv(fd, body, 8, NULL, 0), -EAGAIN);
	assert_ret(kmq_recv(fd, body, 8, NULL, -2), -EINVAL);
	assert_ret(kmq_send(fd, "x", 1, 100), 0);
	start = now_ms();
	timed_out(kmq_send(fd, "y", 1, 100), start);
	assert_ret(kmq_send(fd, "y", 1, 0), -EAGAIN);
	assert_ret(kmq_send(fd, "y", 1, -2), -EINVAL);
	/* Nothing to wait for: the deadline does not matter. */
	assert_ret(kmq_recv(fd, body, 8, NULL, 1), 1);
}

static void send_y(void *arg)
{
	kmq_send(*(int *)arg, "y", 1, -1);
}

static void recv_one(void *arg)
{
	char body[8];

	kmq_recv(*(int *)arg, body, 8, NULL, -1);
}

/* -1 waits even on a handle that does not block. */
static void waiting_is_by_the_call(void **state)
{
	uint64_t start = now_ms();
	char body[8];
	int fd;

	(void)state;
	make_queue(1, 0, 0);
	fd = handle(BOTH | KMQ_OPEN_NONBLOCK);
	later(100, send_y, &fd);
	assert_ret(kmq_recv(fd, body, 8, NULL, -1), 1);
	assert_int_equal(body[0], 'y');
	assert_in_range(now_ms() - start, 99, 5000);
	later_done();

	assert_ret(kmq_send(fd, "a", 1, -1), 0);
	later(100, recv_one, &fd);
	start = now_ms();
	assert_ret(kmq_send(fd, "b", 1, -1), 0);
	assert_in_range(now_ms() - start, 50, 5000);
	later_done();
	assert_int_equal(depth(), 1);
}

static int signal_fd;
static volatile sig_atomic_t signal_result;

static void on_signal(int signo)
{
	(void)signo;
	signal_result = kmq_send(signal_fd, "from a handler", 14, 0);
}

static void nothing(int signo)
{
	(void)signo;
}

static void kill_self(void *arg)
{
	(void)arg;
	kill(getpid(), SIGUSR1);
}

/* SIGUSR1 in 100 ms, to this thread and not to the one that sends it. */
static void signal_later(void (*fn)(int))
{
	struct sigaction action = { .sa_handler = fn };
	sigset_t usr1, old;

	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, &old);
	later(100, kill_self, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void signals_interrupt(void **state)
{
	char body[8];
	int fd;

	(void)state;
	make_queue(1, 0, 0);
	fd = handle(BOTH);
	signal_later(nothing);
	assert_ret(kmq_recv(fd, body, 8, NULL, -1), -EINTR);
	later_done();

	assert_ret(kmq_send(fd, "a", 1, 0), 0);
	signal_later(nothing);
	assert_ret(kmq_send(fd, "b", 1, -1), -EINTR);
	later_done();
	assert_int_equal(depth(), 1);
}

static void send_from_a_handler(void **state)
{
	char body[32];
	ssize_t ret;
	int fd = handle(BOTH);

	(void)state;
	signal_fd = fd;
	signal_result = 1;
	signal_later(on_signal);
	ret = kmq_recv(fd, body, sizeof(body), NULL, -1);
	/* Either the signal or the message it sent came first. */
	if (ret == -EINTR)
		ret = kmq_recv(fd, body, sizeof(body), NULL, -1);
	assert_ret(ret, 14);
	assert_memory_equal(body, "from a handler", 14);
	assert_int_equal(signal_result, 0);
	later_done();
}

static void handles_are_inherited(void **state)
{
	int fd = handle(BOTH), status;
	struct kmq_msg msg;
	char body[8];
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(kmq_send(fd, "child", 5, -1) ? 1 : 0);
	assert_ret(kmq_recv(fd, body, 8, &msg, 10000), 5);
	assert_int_equal(msg.pid, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void errno_is_left_alone(void **state)
{
	int fd = handle(BOTH);
	char body[8];

	(void)state;
	errno = 1234;
	assert_ret(kmq_recv(fd, body, 8, NULL, 0), -EAGAIN);
	assert_ret(kmq_send(fd, body, 8, 0), 0);
	assert_ret(kmq_recv(fd, body, 7, NULL, 0), -EMSGSIZE);
	assert_ret(kmq_stat(-1, "no.such", NULL, NULL), -ENOENT);
	assert_int_equal(errno, 1234);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(plain_handle),
		guest_test(record_handle),
		guest_test(nonblocking_handle),
		guest_test(empty_body_is_no_end),
		guest_test(small_sizes_exactly),
		guest_test(large_sizes),
		guest_test(attributes_do_not_need_room),
		guest_test(rivals_get_whole_messages),
		guest_test(too_large_to_send),
		guest_test(next_size_is_the_body),
		guest_test(wrong_direction),
		guest_test(priority_order),
		guest_test(timeouts),
		guest_test(waiting_is_by_the_call),
		guest_test(signals_interrupt),
		guest_test(send_from_a_handler),
		guest_test(handles_are_inherited),
		guest_test(errno_is_left_alone),
	};

	enter_domain();
	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
