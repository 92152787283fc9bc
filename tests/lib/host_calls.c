// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the library asks the kernel for, and what it makes of the answers: the
 * module is played by a queue of scripted answers behind ioctl(). For answers
 * a real kernel gives only in a race, and for what must not be asked at all.
 */
#include <sys/ioctl.h>

#include "common.h"
#include "internal.h"

#define FD	1000

struct step {
	unsigned long request;
	int err;			/* returned as -1 and errno */
	/* of an XFER */
	unsigned int take;		/* records to take from the send */
	int send_err, recv_err;
	const struct kmq_msg *give;	/* record to hand over */
	unsigned int lie;		/* bytes it says it received */
	unsigned int needed;
};

static const struct step *script;
static size_t script_len, script_at;
static struct kmq_xfer_args seen[16];
static int seen_fd[16];
static unsigned char sent[1 << 12];
static size_t sent_len;

#define play(steps) do { \
	script = (steps); \
	script_len = ARRAY_SIZE(steps); \
	script_at = 0; \
	sent_len = 0; \
	memset(seen, 0, sizeof(seen)); \
} while (0)
#define play_nothing() do { \
	script_len = 0; \
	script_at = 0; \
} while (0)
#define played() assert_int_equal(script_at, script_len)

static void play_send(const struct step *s, struct kmq_xfer_args *x)
{
	const unsigned char *at = (const void *)(uintptr_t)x->send;
	uint32_t size;

	if (!s->take)
		return;
	for (; x->sent < s->take; x->sent++) {
		memcpy(&size, at + x->sent_bytes, sizeof(size));
		x->sent_bytes += size;
		x->last_seq = x->sent + 1;
	}
	assert_true(x->sent_bytes <= x->send_len);
	assert_true(sent_len + x->sent_bytes <= sizeof(sent));
	memcpy(sent + sent_len, at, x->sent_bytes);
	sent_len += x->sent_bytes;
}

static void play_recv(const struct step *s, struct kmq_xfer_args *x)
{
	unsigned char *at = (void *)(uintptr_t)x->recv;
	struct kmq_record head;

	assert_ret(kmq__record_head(s->give, &head), 0);
	head.seq = 77;
	head.pid = 42;
	x->received = 1;
	if (x->flags & KMQ_XFER_BODY) {
		x->received_bytes = sizeof(head) + head.body_len;
		assert_true(x->received_bytes <= x->recv_len);
		head.size -= head.attr_len;
		head.attr_len = 0;
		memcpy(at, &head, sizeof(head));
		memcpy(at + sizeof(head), s->give->body, head.body_len);
	} else {
		x->received_bytes = head.size;
		assert_true(x->received_bytes <= x->recv_len);
		kmq__record_write(at, &head, s->give);
	}
}

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	const struct step *s = &script[script_at];
	struct kmq_xfer_args *x = arg;

	assert_true(script_at < script_len);
	assert_int_equal(request, s->request);
	seen_fd[script_at] = fd;
	if (request == KMQ_IOC_XFER) {
		assert_int_equal(x->size, sizeof(*x));
		seen[script_at] = *x;
		play_send(s, x);
		if (s->give)
			play_recv(s, x);
		if (s->lie) {
			x->received = 1;
			x->received_bytes = s->lie;
		}
		x->send_err = s->send_err;
		x->recv_err = s->recv_err;
		x->needed = s->needed;
	}
	script_at++;
	if (s->err) {
		errno = s->err;
		return -1;
	}
	return 0;
}

static void send_is_one_record(void **state)
{
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .take = 1 },
		{ .request = KMQ_IOC_XFER, .take = 1 },
		{ .request = KMQ_IOC_XFER, .take = 1 },
	};
	uint64_t before = kmq__now();
	struct kmq_msg got;

	(void)state;
	play(steps);
	assert_ret(kmq_send(FD, "hi", 2, -1), 0);
	assert_ret(kmq_send(FD, "hi", 2, 0), 0);
	assert_ret(kmq_send(FD, "hi", 2, 5000), 0);
	played();
	assert_int_equal(seen_fd[0], FD);
	assert_int_equal(seen[0].send_len, 72);
	assert_int_equal(seen[0].send_fd, -1);
	assert_int_equal(seen[0].recv_len, 0);
	assert_true(seen[0].deadline == KMQ_FOREVER);
	assert_true(seen[1].deadline == 0);
	assert_true(seen[2].deadline >= before + 5000000000ull);
	assert_true(seen[2].deadline <= kmq__now() + 5000000000ull);
	assert_ret(kmq__record_read(sent, 72, &got), 72);
	assert_body(&got, "hi");
}

static void bad_timeouts_ask_nothing(void **state)
{
	struct kmq_buf *buf = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("x");
	char body[8];

	(void)state;
	play_nothing();
	assert_ret(kmq_send(FD, "hi", 2, -2), -EINVAL);
	assert_ret(kmq_send_msg(FD, &msg, -2), -EINVAL);
	assert_ret(kmq_recv(FD, body, sizeof(body), NULL, -2), -EINVAL);
	assert_ret(kmq_recv(FD, NULL, 1, NULL, -1), -EINVAL);
	assert_ret(kmq_put(FD, buf, &msg, -2), -EINVAL);
	assert_ret(kmq_flush(FD, buf, INT32_MIN), -EINVAL);
	assert_ret(kmq_send_buf(FD, buf, 0, -2), -EINVAL);
	assert_ret(kmq_recv_buf(FD, buf, 0, -2), -EINVAL);
	assert_ret(kmq_xfer(FD, buf, -1, NULL, NULL, -2, NULL), -EINVAL);
	assert_int_equal(kmq_buf_count(buf), 0);
	kmq_buf_free(buf);
}

static void errno_is_left_alone(void **state)
{
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .err = EAGAIN },
		{ .request = FIONREAD, .err = ENOTTY },
		{ .request = KMQ_IOC_ADMIN, .err = ENOTTY },
	};

	(void)state;
	play(steps);
	errno = 1234;
	assert_ret(kmq_send(FD, "hi", 2, 0), -EAGAIN);
	assert_ret(kmq_next_size(FD), -ENOTTY);
	assert_ret(kmq_shutdown(FD, KMQ_OPEN_RECV), -ENOTTY);
	assert_ret(kmq_open(-1, NULL, 0, NULL), -EINVAL);
	assert_int_equal(errno, 1234);
	played();
}

static void recv_small(void **state)
{
	static const struct kmq_msg hello = { .body = "hello", .len = 5,
					      .key = "key", .key_len = 3 };
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .give = &hello },
		{ .request = KMQ_IOC_XFER },
	};
	struct kmq_msg got;
	char body[5];

	(void)state;
	play(steps);
	assert_ret(kmq_recv(FD, body, 5, &got, -1), 5);
	assert_int_equal(seen_fd[0], FD);
	assert_int_equal(seen[0].flags, KMQ_XFER_BODY);
	assert_int_equal(seen[0].recv_len, 69);
	assert_int_equal(seen[0].send_len, 0);
	assert_true(seen[0].deadline == KMQ_FOREVER);
	assert_memory_equal(body, "hello", 5);
	assert_ptr_equal(got.body, body);
	assert_int_equal(got.len, 5);
	assert_null(got.key);
	assert_int_equal(got.seq, 77);
	assert_int_equal(got.pid, 42);
	/* Nothing received and no error: the end. */
	assert_ret(kmq_recv(FD, NULL, 0, NULL, -1), -ENODATA);
	assert_int_equal(seen[1].recv_len, 64);
	played();
}

static void recv_too_large(void **state)
{
	static const struct step small[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 69 },
	};
	static const struct step large[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 5065 },
	};
	struct kmq_msg got;
	char body[5000] = "untouched";

	(void)state;
	play(small);
	memset(&got, 0xa5, sizeof(got));
	assert_ret(kmq_recv(FD, body, 4, &got, -1), -EMSGSIZE);
	played();
	assert_int_equal(got.len, 5);
	assert_null(got.body);
	assert_string_equal(body, "untouched");
	play(small);
	assert_ret(kmq_recv(FD, body, 4, NULL, -1), -EMSGSIZE);
	played();
	/* One call tells that a second one would not help. */
	play(large);
	assert_ret(kmq_recv(FD, body, 5000, &got, -1), -EMSGSIZE);
	played();
	assert_int_equal(got.len, 5001);
}

static void recv_into_own_memory(void **state)
{
	static const struct kmq_msg hello = { .body = "hello", .len = 5 };
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .give = &hello },
		{ .request = KMQ_IOC_XFER, .give = &hello },
	};
	struct kmq_msg got;
	char body[5001];

	(void)state;
	play(steps);
	assert_ret(kmq_recv(FD, body + 1, 5000, &got, 0), 5);
	assert_int_equal(seen[0].recv_len, 5000);
	assert_true(seen[0].recv == (uintptr_t)body + 1);
	assert_true(seen[0].deadline == 0);
	assert_memory_equal(body + 1, "hello", 5);
	assert_ptr_equal(got.body, body + 1);
	assert_int_equal(got.seq, 77);
	/* What no call can carry is not offered. */
	assert_ret(kmq_recv(FD, body, SIZE_MAX, NULL, 0), 5);
	assert_in_range(seen[1].recv_len, 64 + KMQ_MESSAGE_MAX, KMQ_XFER_MAX);
	played();
}

/* The body fits into the caller's memory, but not with the header in front. */
static void recv_by_a_mapping(void **state)
{
	static char sent_body[5000];
	static const struct kmq_msg exact = { .body = sent_body, .len = 5000 };
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 5064 },
		{ .request = KMQ_IOC_XFER, .give = &exact },
	};
	char body[5000];

	(void)state;
	memset(sent_body, 's', sizeof(sent_body));
	play(steps);
	assert_ret(kmq_recv(FD, body, 5000, NULL, 60000), 5000);
	played();
	assert_memory_equal(body, sent_body, sizeof(body));
	assert_int_equal(seen[0].recv_len, 5000);
	assert_int_equal(seen[1].recv_len, 5064);
	assert_int_equal(seen[1].flags, KMQ_XFER_BODY);
	/* One deadline for the whole call. */
	assert_true(seen[0].deadline != 0);
	assert_true(seen[0].deadline == seen[1].deadline);
}

/* Between the two calls another receiver took the message. */
static void recv_overtaken(void **state)
{
	static const struct kmq_msg four = { .body = "four", .len = 4 };
	static const struct step shorter[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 5064 },
		{ .request = KMQ_IOC_XFER, .give = &four },
	};
	static const struct step longer[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 5064 },
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 9064 },
	};
	static const struct step none[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 5064 },
		{ .request = KMQ_IOC_XFER, .err = EAGAIN },
	};
	struct kmq_msg got;
	char body[5000];

	(void)state;
	play(shorter);
	assert_ret(kmq_recv(FD, body, 5000, &got, -1), 4);
	played();
	assert_memory_equal(body, "four", 4);
	assert_int_equal(got.len, 4);
	play(longer);
	assert_ret(kmq_recv(FD, body, 5000, &got, -1), -EMSGSIZE);
	played();
	assert_int_equal(got.len, 9000);
	play(none);
	assert_ret(kmq_recv(FD, body, 5000, &got, 0), -EAGAIN);
	played();
}

/* A kernel that breaks its word must make the library neither spin nor read
 * what is not there.
 */
static void nonsense_is_refused(void **state)
{
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 0 },
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 72 },
		{ .request = KMQ_IOC_XFER, .lie = 63 },
		{ .request = KMQ_IOC_XFER, .lie = 73 },
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 5064 },
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE, .needed = 5064 },
	};
	static const struct step nothing_sent[] = {
		{ .request = KMQ_IOC_XFER },
	};
	struct kmq_buf *buf = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("x");
	char body[5000];
	int i;

	(void)state;
	play(steps);
	for (i = 0; i < 4; i++)
		assert_ret(kmq_recv(FD, body, 8, NULL, -1), -EPROTO);
	assert_ret(kmq_recv(FD, body, 5000, NULL, -1), -EPROTO);
	played();
	assert_ret(kmq_buf_add(buf, &msg), 0);
	play(nothing_sent);
	assert_ret(kmq_send_buf(FD, buf, 0, -1), -EPROTO);
	played();
	kmq_buf_free(buf);
}

static void partial_send_keeps_the_rest(void **state)
{
	static const struct step some[] = {
		{ .request = KMQ_IOC_XFER, .take = 2, .send_err = -ETIMEDOUT },
	};
	static const struct step none[] = {
		{ .request = KMQ_IOC_XFER, .err = EAGAIN, .send_err = -EAGAIN },
	};
	static const struct step rest[] = {
		{ .request = KMQ_IOC_XFER, .take = 2 },
		{ .request = KMQ_IOC_XFER, .take = 1 },
	};
	struct kmq_buf *buf = kmq_buf_new(0);
	struct kmq_msg msg = text_msg("12345678");
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_ret(kmq_buf_add(buf, &msg), 0);
	play(some);
	assert_ret(kmq_send_buf(FD, buf, 0, 100), 2);
	assert_int_equal(kmq_buf_count(buf), 3);
	assert_int_equal(kmq_buf_bytes(buf), 3 * 72);
	play(none);
	assert_ret(kmq_send_buf(FD, buf, 0, 0), -EAGAIN);
	assert_int_equal(kmq_buf_count(buf), 3);
	/* Ending short without an error is no reason to stop. */
	play(rest);
	assert_ret(kmq_flush(FD, buf, -1), 0);
	played();
	assert_int_equal(seen[1].send_len, 72);
	assert_int_equal(kmq_buf_count(buf), 0);
	assert_ret(kmq_send_buf(FD, buf, 0, -1), 0);
	assert_ret(kmq_flush(FD, buf, -1), 0);
	kmq_buf_free(buf);
}

/* -errno of kmq_put() means: not this message, whatever went before. */
static void failed_put_takes_nothing(void **state)
{
	static const struct step full[] = {
		{ .request = KMQ_IOC_XFER, .err = EAGAIN, .send_err = -EAGAIN },
	};
	static const struct step sealed[] = {
		{ .request = KMQ_IOC_XFER, .take = 1, .send_err = -EPIPE },
	};
	struct kmq_buf *buf = kmq_buf_new(2 * 72);
	struct kmq_msg msg = text_msg("12345678");

	(void)state;
	play_nothing();
	assert_ret(kmq_put(FD, buf, &msg, 0), 0);
	assert_ret(kmq_put(FD, buf, &msg, 0), 0);
	play(full);
	assert_ret(kmq_put(FD, buf, &msg, 0), -EAGAIN);
	played();
	assert_int_equal(kmq_buf_count(buf), 2);

	kmq_buf_reset(buf);
	assert_ret(kmq_put(FD, buf, &msg, 0), 0);
	kmq_buf_set_linger(buf, 0);
	play(sealed);
	assert_ret(kmq_put(FD, buf, &msg, 0), -EPIPE);
	played();
	assert_int_equal(kmq_buf_count(buf), 0);
	assert_int_equal(kmq_buf_bytes(buf), 0);
	kmq_buf_free(buf);
}

static void recv_buf_grows(void **state)
{
	static char big[20000];
	static const struct kmq_msg large = { .body = big, .len = sizeof(big) };
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .err = EMSGSIZE,
		  .recv_err = -EMSGSIZE, .needed = 20064 },
		{ .request = KMQ_IOC_XFER, .give = &large },
	};
	struct kmq_buf *buf = kmq_buf_new(64);
	struct kmq_msg got;

	(void)state;
	play(steps);
	assert_ret(kmq_recv_buf(FD, buf, 3, 1000), 1);
	played();
	assert_int_equal(seen[0].recv_len, 64);
	assert_int_equal(seen[0].max_records, 3);
	assert_true(seen[1].recv_len >= 20064);
	/* One deadline for the whole call. */
	assert_true(seen[0].deadline == seen[1].deadline);
	assert_ret(kmq_buf_get(buf, &got), 1);
	assert_int_equal(got.len, sizeof(big));
	kmq_buf_free(buf);
}

/* The send half stands; only the receive half may be done again. */
static void xfer_never_sends_twice(void **state)
{
	static const struct kmq_msg reply = { .body = "a reply of some length",
					      .len = 22 };
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER, .take = 1, .recv_err = -EMSGSIZE,
		  .needed = 88 },
		{ .request = KMQ_IOC_XFER, .give = &reply },
	};
	static const struct step interrupted[] = {
		{ .request = KMQ_IOC_XFER, .take = 1, .recv_err = -EINTR },
	};
	struct kmq_buf *out = kmq_buf_new(0), *in = kmq_buf_new(64);
	struct kmq_msg msg = text_msg("request"), got;
	struct kmq_xfer_opts opts = { .flags = KMQ_XFER_ATOMIC };
	struct kmq_xfer_result res;

	(void)state;
	assert_ret(kmq_buf_add(out, &msg), 0);
	play(steps);
	assert_ret(kmq_xfer(FD, out, FD + 1, in, &opts, 1000, &res), 0);
	played();
	assert_int_equal(seen_fd[0], FD + 1);
	assert_int_equal(seen[0].send_fd, FD);
	assert_int_equal(seen[0].flags, KMQ_XFER_ATOMIC);
	assert_int_equal(seen[1].send_len, 0);
	assert_true(seen[0].deadline == seen[1].deadline);
	assert_int_equal(res.sent, 1);
	assert_int_equal(res.send_err, 0);
	assert_int_equal(res.last_seq, 1);
	assert_int_equal(res.received, 1);
	assert_int_equal(res.recv_err, 0);
	assert_int_equal(kmq_buf_count(out), 0);
	assert_ret(kmq_buf_get(in, &got), 1);
	assert_body(&got, "a reply of some length");

	assert_ret(kmq_buf_add(out, &msg), 0);
	play(interrupted);
	assert_ret(kmq_xfer(FD, out, -1, in, NULL, 1000, &res), 0);
	played();
	assert_int_equal(seen_fd[0], FD);
	assert_int_equal(seen[0].send_fd, -1);
	assert_int_equal(res.sent, 1);
	assert_int_equal(res.recv_err, -EINTR);
	assert_int_equal(kmq_buf_count(out), 0);
	assert_int_equal(kmq_buf_count(in), 0);
	kmq_buf_free(out);
	kmq_buf_free(in);
}

static void xfer_failures(void **state)
{
	static const struct step refused[] = {
		{ .request = KMQ_IOC_XFER, .err = EBADF },
		{ .request = KMQ_IOC_XFER, .err = EBADF },
		{ .request = KMQ_IOC_XFER, .err = EAGAIN, .send_err = -EAGAIN },
	};
	struct kmq_buf *out = kmq_buf_new(0), *in = kmq_buf_new(0);
	struct kmq_xfer_opts bad = { .linger_ms = -2 };
	struct kmq_xfer_opts bare = { .flags = KMQ_XFER_BODY };
	struct kmq_msg msg = text_msg("request");
	struct kmq_xfer_result res;

	(void)state;
	assert_ret(kmq_buf_add(out, &msg), 0);
	play(refused);
	assert_ret(kmq_xfer(FD, out, -1, in, NULL, 0, &res), -EBADF);
	assert_int_equal(res.send_err, -EBADF);
	assert_ret(kmq_xfer(FD, NULL, -1, in, NULL, 0, &res), -EBADF);
	assert_int_equal(res.send_err, 0);
	assert_int_equal(res.recv_err, -EBADF);
	assert_ret(kmq_xfer(FD, out, -1, in, NULL, 0, NULL), -EAGAIN);
	played();
	assert_int_equal(kmq_buf_count(out), 1);
	assert_ret(kmq_xfer(FD, out, -1, out, NULL, 0, &res), -EINVAL);
	assert_ret(kmq_xfer(FD, out, -2, in, NULL, 0, &res), -EINVAL);
	assert_ret(kmq_xfer(FD, out, -1, in, &bad, 0, &res), -EINVAL);
	assert_ret(kmq_xfer(FD, out, -1, in, &bare, 0, &res), -EINVAL);
	kmq_buf_free(out);
	kmq_buf_free(in);
}

static void watermark_is_passed_on(void **state)
{
	static const struct step steps[] = {
		{ .request = KMQ_IOC_XFER }, { .request = KMQ_IOC_XFER },
		{ .request = KMQ_IOC_XFER },
	};
	struct kmq_buf *in = kmq_buf_new(0);
	struct kmq_xfer_opts opts = { .max_records = 8, .min_records = 4 };

	(void)state;
	play(steps);
	opts.linger_ms = -1;
	assert_ret(kmq_xfer(FD, NULL, -1, in, &opts, 1000, NULL), 0);
	opts.linger_ms = 10;
	assert_ret(kmq_xfer(FD, NULL, -1, in, &opts, 1000, NULL), 0);
	opts.linger_ms = 0;
	assert_ret(kmq_xfer(FD, NULL, -1, in, &opts, 1000, NULL), 0);
	played();
	assert_int_equal(seen[0].max_records, 8);
	assert_int_equal(seen[0].min_records, 4);
	assert_true(seen[0].linger_until == 0);
	assert_int_equal(seen[1].min_records, 4);
	assert_true(seen[1].linger_until && seen[1].linger_until <
		    seen[1].deadline);
	assert_int_equal(seen[2].min_records, 0);
	kmq_buf_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send_is_one_record),
		cmocka_unit_test(bad_timeouts_ask_nothing),
		cmocka_unit_test(errno_is_left_alone),
		cmocka_unit_test(recv_small),
		cmocka_unit_test(recv_too_large),
		cmocka_unit_test(recv_into_own_memory),
		cmocka_unit_test(recv_by_a_mapping),
		cmocka_unit_test(recv_overtaken),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(partial_send_keeps_the_rest),
		cmocka_unit_test(failed_put_takes_nothing),
		cmocka_unit_test(recv_buf_grows),
		cmocka_unit_test(xfer_never_sends_twice),
		cmocka_unit_test(xfer_failures),
		cmocka_unit_test(watermark_is_passed_on),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
