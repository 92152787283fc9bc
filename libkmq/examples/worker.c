// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * worker QUEUE: take one job after the other and print it.
 *
 * Start as many as you like: each job goes to one of them. A worker ends when
 * the queue is sealed and drained, or on SIGINT or SIGTERM, and then says how
 * many jobs it did. The signal handler shuts the handle down, so that no
 * signal can fall between a check of a flag and the wait for a job.
 */
#include <errno.h>
#include <kmq.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static int jobs = -1;

static void stop(int signo)
{
	(void)signo;
	kmq_shutdown(jobs, KMQ_OPEN_RECV);
}

static int fail(const char *queue, int err)
{
	char text[512];

	kmq_explain(-1, queue, err, 0, text, sizeof(text));
	fprintf(stderr, "worker: %s\n", text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	struct kmq_attrs attrs;
	unsigned long done = 0;
	struct kmq_msg msg;
	ssize_t len;
	char *job;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "Usage: worker QUEUE\n");
		return 2;
	}
	jobs = kmq_open(-1, argv[1], KMQ_OPEN_RECV | KMQ_OPEN_CREATE, NULL);
	if (jobs < 0)
		return fail(argv[1], jobs);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);

	ret = kmq_fstat(jobs, NULL, &attrs);
	if (ret < 0)
		return fail(argv[1], ret);
	job = malloc(attrs.max_message_size);
	if (!job)
		return fail(argv[1], -ENOMEM);

	for (;;) {
		len = kmq_recv(jobs, job, attrs.max_message_size, &msg, -1);
		if (len == -EINTR)
			continue;
		if (len < 0)
			break;
		printf("job %llu from pid %u: %.*s\n",
		       (unsigned long long)msg.seq, (unsigned int)msg.pid,
		       (int)len, job);
		fflush(stdout);
		done++;
	}
	free(job);
	fprintf(stderr, "worker: %lu jobs done\n", done);
	if (len != -ENODATA && len != -ECANCELED)
		return fail(argv[1], (int)len);
	return EXIT_SUCCESS;
}
