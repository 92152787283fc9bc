// SPDX-License-Identifier: GPL-2.0-only
/*
 * registration [N]: N users sign up (default 8), in three ways, one after the
 * other. A service writes a record, sends a mail and a text message. The three
 * services are simulated: each sleeps 50 ms. Queues, processes and times are
 * real.
 *
 *   serial    record, then mail, then text message
 *   parallel  record, then mail and text message in two threads
 *   queued    record, then a job into each of two queues; two worker processes
 *             send mail and text messages
 *
 * Prints how long a user waited for the answer, on average.
 */
#include <errno.h>
#include <kmq.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVICE_MS	50
#define USERS_MAX	1000

static const char * const queues[] = { "demo.mail", "demo.sms" };

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("registration: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(EXIT_FAILURE);
}

static void __attribute__((noreturn)) die_of(const char *queue, int err)
{
	char text[512];

	kmq_explain(-1, queue, err, 0, text, sizeof(text));
	die("%s", text);
}

static void simulated_service(void)
{
	const struct timespec ts = { .tv_nsec = SERVICE_MS * 1000000L };

	nanosleep(&ts, NULL);
}

static void *service_thread(void *unused)
{
	simulated_service();
	return unused;
}

static void serial(void)
{
	simulated_service();
	simulated_service();
	simulated_service();
}

static void parallel(void)
{
	pthread_t mail, sms;

	simulated_service();
	if (pthread_create(&mail, NULL, service_thread, NULL) ||
	    pthread_create(&sms, NULL, service_thread, NULL))
		die("cannot start a thread");
	pthread_join(mail, NULL);
	pthread_join(sms, NULL);
}

/* Handles on the two queues; a handle is a file descriptor. */
static int jobs[2];

static void queued(void)
{
	static const char job[] = "user 4711";
	int i, err;

	simulated_service();
	for (i = 0; i < 2; i++) {
		err = kmq_send(jobs[i], job, sizeof(job) - 1, -1);
		if (err)
			die_of(queues[i], err);
	}
}

/* Takes jobs until its queue is sealed and drained; ends with their number. */
static int worker(const char *queue)
{
	char job[64];
	ssize_t len;
	int fd, done = 0;

	fd = kmq_open(-1, queue, KMQ_OPEN_RECV, NULL);
	if (fd < 0)
		die_of(queue, fd);
	while ((len = kmq_recv(fd, job, sizeof(job), NULL, -1)) >= 0) {
		simulated_service();
		done++;
	}
	if (len != -ENODATA)
		die_of(queue, (int)len);
	return done;
}

/* The worker's count comes back through a pipe. */
static pid_t start_worker(const char *queue, int report)
{
	pid_t pid = fork();
	int done;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	done = worker(queue);
	_exit(write(report, &done, sizeof(done)) != sizeof(done));
}

static double measure(int users, void (*sign_up)(void))
{
	double start = now_ms();
	int i;

	for (i = 0; i < users; i++)
		sign_up();
	return (now_ms() - start) / users;
}

static void print(const char *way, double ms)
{
	printf("  %-9s %6.1f ms\n", way, ms);
	fflush(stdout);
}

static void run_queued(int users)
{
	int report[2], i, err, done, total = 0;
	double answered, drained;
	pid_t pid[2];

	if (pipe(report))
		die("pipe: %s", strerror(errno));
	for (i = 0; i < 2; i++) {
		jobs[i] = kmq_open(-1, queues[i], KMQ_OPEN_SEND |
				   KMQ_OPEN_CREATE | KMQ_OPEN_EXCL, NULL);
		if (jobs[i] < 0)
			die_of(queues[i], jobs[i]);
		pid[i] = start_worker(queues[i], report[1]);
	}

	print("queued", measure(users, queued));
	answered = now_ms();
	for (i = 0; i < 2; i++) {
		err = kmq_seal(-1, queues[i]);
		if (err)
			die_of(queues[i], err);
	}
	for (i = 0; i < 2; i++) {
		int status;

		if (waitpid(pid[i], &status, 0) < 0 || status)
			die("the worker of %s failed", queues[i]);
		if (read(report[0], &done, sizeof(done)) != sizeof(done))
			die("no report of a worker");
		total += done;
	}
	drained = now_ms() - answered;
	for (i = 0; i < 2; i++) {
		close(jobs[i]);
		kmq_delete(-1, queues[i], 0);
	}
	if (total != 2 * users)
		die("%d of %d jobs were done", total, 2 * users);
	printf("  All %d mails and text messages were sent, the last one %.0f ms after the last answer.\n",
	       total, drained);
}

int main(int argc, char **argv)
{
	char *end = "";
	long users = 8;

	if (argc > 1)
		users = strtol(argv[1], &end, 10);
	if (argc > 2 || *end || users < 1 || users > USERS_MAX) {
		fprintf(stderr, "Usage: registration [USERS]  (1 to %d)\n",
			USERS_MAX);
		return 2;
	}
	print("serial", measure((int)users, serial));
	print("parallel", measure((int)users, parallel));
	run_queued((int)users);
	return EXIT_SUCCESS;
}
