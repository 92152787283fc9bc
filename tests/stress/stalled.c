// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receives that are never completed, because the buffer's pages do not come or
 * the process is killed: nobody else waits for them, and nothing is lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

#define NAME	"stress.stalled"
#define COUNT	8u
#define LEN	100u
#define ROOM	4096u

static bool good;

static void expect(bool ok, const char *what)
{
	if (!ok)
		note("failed: %s", what);
	good &= ok;
}

static int create(void)
{
	good = true;
	return kmq_open_name(NAME, KMQ_OPEN_CREATE | KMQ_OPEN_EXCL | SEND |
			     RECV | KMQ_OPEN_RECORDS);
}

static uint64_t counted(int fd, size_t field)
{
	struct kmq_stat_args st;
	uint64_t n;

	if (kmq_stat_fd(fd, &st))
		bail("STAT: %s", strerror(errno));
	memcpy(&n, (char *)&st + field, sizeof(n));
	return n;
}

#define COUNTED(fd, field) \
	counted(fd, offsetof(struct kmq_stat_args, field))

static bool becomes(int fd, size_t field, uint64_t want)
{
	unsigned int i;

	for (i = 0; i < patience(2000); i++) {
		if (counted(fd, field) == want)
			return true;
		nap_us(5000);
	}
	note("is %" PRIu64 " and not %" PRIu64, counted(fd, field), want);
	return false;
}

#define BECOMES(fd, field, want) \
	becomes(fd, offsetof(struct kmq_stat_args, field), want)

static void send_some(int fd, unsigned int first, unsigned int n)
{
	char buf[COUNT * (sizeof(struct kmq_record) + LEN + 8)];
	size_t bytes = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		bytes += put_record(buf + bytes, 0, 0, first + i, LEN, 0);
	expect(write(fd, buf, bytes) == (ssize_t)bytes, "all are sent");
}

/* The next message has this number. */
static bool next_is(int fd, unsigned int number)
{
	struct seen seen;
	char buf[ROOM];
	struct kmq_record rec;
	struct kmq_xfer_args args = {
		.send_fd = -1,
		.recv = (uintptr_t)buf,
		.recv_len = sizeof(buf),
		.max_records = 1,
	};
	int err = kmq_xfer(fd, &args);

	if (err) {
		note("receive: %s", strerror(-err));
		return false;
	}
	memcpy(&rec, buf, sizeof(rec));
	see_body(buf + sizeof(rec), rec.body_len, 0, &seen);
	if (seen.intact && seen.number == number)
		return true;
	note("got %" PRIu64 " and not %u", seen.number, number);
	return false;
}

struct job {
	enum how how;
	bool sends;
};

/* Hangs in a page fault in the middle of its call. */
static void hang(void *arg)
{
	struct job *job = arg;
	struct kmq_xfer_args args = { .send_fd = -1, .deadline = KMQ_FOREVER };
	unsigned int flags = job->how == PLAIN ? 0 : KMQ_OPEN_RECORDS;
	int fd = kmq_open_name(NAME, flags | (job->sends ? SEND : RECV));
	void *shadow, *buf;

	buf = stalling_buffer(ROOM, &shadow, NULL);
	if (fd < 0 || !buf)
		bail("hang: %s", strerror(errno));
	stall_for_ever();
	if (job->sends) {
		args.send = (uintptr_t)buf;
		args.send_len = 512;
	} else {
		args.recv = (uintptr_t)buf;
		args.recv_len = ROOM;
	}
	if (job->how == XFER)
		kmq_xfer(fd, &args);
	else if (job->sends)
		write(fd, buf, 512);
	else
		read(fd, buf, ROOM);
	bail("was not killed");
}

static void kill_and_wait(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	       "it hung until it was killed");
}

static bool somebody_waits(int fd)
{
	struct kmq_stat_args st;
	unsigned int i;

	for (i = 0; i < patience(2000); i++) {
		if (!kmq_stat_fd(fd, &st) && st.waiting_receivers)
			return true;
		nap_us(5000);
	}
	return false;
}

/* Killed while the kernel copies to it: it goes back to where it was. */
static void test_killed_receiver(enum how how, bool waits, const char *name)
{
	unsigned int taken = how == PLAIN ? 1 : COUNT, i;
	struct job job = { .how = how };
	int fd = create();
	pid_t pid = -1;

	if (waits) {
		pid = child(hang, &job);
		expect(somebody_waits(fd), "it waits");
	}
	send_some(fd, 0, COUNT);
	if (!waits)
		pid = child(hang, &job);
	expect(BECOMES(fd, received, taken), "it was handed over");
	expect(COUNTED(fd, ready) == COUNT - taken, "it is not ready");

	/* nobody else waits for it */
	send_some(fd, COUNT, 2);
	for (i = taken; i < COUNT + 2; i++)
		expect(next_is(fd, i), "the others go on");
	send_some(fd, COUNT + 2, 1);

	kill_and_wait(pid);
	expect(BECOMES(fd, received, COUNT + 2 - taken), "it is not received");
	for (i = 0; i < taken; i++)
		expect(next_is(fd, i), "it is back, in its place");
	expect(next_is(fd, COUNT + 2), "what came later comes later");
	expect(COUNTED(fd, ready) == 0, "that was all");
	close(fd);
	expect(!kmq_delete(NAME, 0), "delete");
	result(good, name);
}

static void test_killed_sender(enum how how, const char *name)
{
	struct job job = { .how = how, .sends = true };
	int fd = create();
	pid_t pid = child(hang, &job);
	struct kmq_stat_args st;
	unsigned int i;

	for (i = 0; i < patience(2000) && !kmq_stat_fd(fd, &st) && st.senders < 2; i++)
		nap_us(2000);
	nap_us(20000);
	send_some(fd, 0, COUNT);
	for (i = 0; i < COUNT; i++)
		expect(next_is(fd, i), "the others go on");
	kill_and_wait(pid);
	expect(COUNTED(fd, sent) == COUNT, "nothing was accepted");
	close(fd);
	expect(!kmq_delete(NAME, 0), "delete");
	result(good, name);
}

/* Waits for one message. */
static void wait_for_one(void *arg)
{
	struct job *job = arg;
	unsigned int flags = job->how == PLAIN ? 0 : KMQ_OPEN_RECORDS;
	int fd = kmq_open_name(NAME, RECV | flags);
	char buf[ROOM];
	struct kmq_xfer_args args = {
		.send_fd = -1,
		.recv = (uintptr_t)buf,
		.recv_len = sizeof(buf),
		.deadline = KMQ_FOREVER,
	};

	if (job->how == XFER)
		kmq_xfer(fd, &args);
	else
		read(fd, buf, sizeof(buf));
}

/*
 * Dead already when a message is handed to it, though it has not noticed yet:
 * the message is not lost.
 */
static void test_killed_first(double seconds)
{
	uint64_t until = now_ns() + seconds * 1e9;
	struct job job = { .how = PLAIN };
	unsigned int rounds = 0, n = 0;
	struct kmq_stat_args st;
	int fd = create(), status;
	pid_t pid;

	while (good && (rounds < 3 || now_ns() < until)) {
		job.how = rounds++ % 3;
		pid = child(wait_for_one, &job);
		expect(somebody_waits(fd), "it waits");
		kill(pid, SIGKILL);
		send_some(fd, n, 2);
		waitpid(pid, &status, 0);
		expect(!kmq_stat_fd(fd, &st) && st.ready == 2 &&
		       st.received == n, "nothing is gone");
		expect(next_is(fd, n) && next_is(fd, n + 1), "both are there");
		n += 2;
	}
	note("killed_before_hand_over: %u rounds", rounds);
	close(fd);
	expect(!kmq_delete(NAME, 0), "delete");
	result(good, "killed_before_hand_over");
}

/* The queue goes while a receiver hangs with a message of it. */
static void test_deleted(void)
{
	struct job job = { .how = RECORDS };
	int fd = create();
	pid_t pid;

	send_some(fd, 0, COUNT);
	pid = child(hang, &job);
	expect(BECOMES(fd, received, COUNT), "it was handed over");
	send_some(fd, COUNT, 1);
	expect(!kmq_delete(NAME, 0), "delete");
	expect(kmq_open_name(NAME, RECV) == -ENOENT, "it has no name");
	kill_and_wait(pid);
	expect(BECOMES(fd, received, 0), "it is not received");
	expect(COUNTED(fd, dropped_purged) == COUNT + 1,
	       "all of it counts as dropped");
	close(fd);
	expect(nothing_left(), "nothing is left");
	result(good, "deleted_in_mid_receive");
}

static unsigned int kills(struct crew *crew)
{
	kill_somebody(crew);
	nap_us(3000);
	replace_dead(crew);
	return 10000 + random_below(30000);
}

static const struct scenario scenarios[] = {
	{
		.name = "slow_pages",
		.queues = 1, .max_messages = 40, .max_bytes = 1 << 20,
		.max_len = 3000,
		.roles = {
			{ 2, 1, SEND, RECORDS, BLOCK, 6, STALLS },
			{ 1, 1, SEND, PLAIN, BLOCK, 1, STALLS },
			{ 2, 1, RECV, RECORDS, BLOCK, 6, STALLS },
			{ 1, 1, RECV, PLAIN, BLOCK, 1, STALLS },
			{ 1, 1, RECV, XFER, WATERMARK, 6, 0 },
		},
		.needs = 1u << E_STALL,
	}, {
		.name = "slow_pages_and_death",
		.queues = 1, .max_messages = 40, .max_bytes = 1 << 20,
		.levels = 2, .max_len = 3000, .may = MAY_REPEAT,
		.roles = {
			{ 2, 2, SEND, RECORDS, BLOCK, 6, STALLS | KILLED },
			{ 1, 2, SEND, XFER, DEADLINE, 6, STALLS | KILLED },
			{ 2, 2, RECV, RECORDS, BLOCK, 6, STALLS | KILLED },
			{ 1, 2, RECV, XFER, WATERMARK, 6, STALLS | KILLED },
			{ 1, 1, RECV, PLAIN, BLOCK, 1, 0 },
		},
		.chaos = kills,
		.needs = 1u << E_STALL | 1u << E_KILL,
	},
};

int main(int argc, char **argv)
{
	begin("stalled", argc, argv, 5);
	if (!can_stall()) {
		skipped("all", "no userfaultfd");
		return end();
	}
	if (selected("killed")) {
		test_killed_receiver(PLAIN, false, "killed_in_mid_read");
		test_killed_receiver(RECORDS, false, "killed_in_mid_batch");
		test_killed_receiver(XFER, false, "killed_in_mid_xfer");
		test_killed_receiver(XFER, true, "killed_after_hand_over");
		test_killed_sender(PLAIN, "killed_in_mid_write");
		test_killed_sender(XFER, "killed_in_mid_send");
		test_deleted();
		test_killed_first(opt_seconds / 4);
	}
	run_scenarios(scenarios, ARRAY_SIZE(scenarios));
	check_nothing_left();
	return end();
}
