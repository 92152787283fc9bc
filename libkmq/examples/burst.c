// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * burst QUEUE COUNT: send COUNT numbered jobs, many a system call.
 *
 * kmq_put() collects records in a buffer and sends it when it is full. On a
 * full queue it waits until the workers have made room: nothing is lost, the
 * producer just gets as slow as they are.
 */
#include <kmq.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *queue, int err)
{
	char text[512];

	kmq_explain(-1, queue, err, 0, text, sizeof(text));
	fprintf(stderr, "burst: %s\n", text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct kmq_buf *buf;
	char job[64];
	long i, count;
	char *end;
	int jobs, ret = 0;

	count = argc == 3 ? strtol(argv[2], &end, 10) : -1;
	if (count < 0 || *end) {
		fprintf(stderr, "Usage: burst QUEUE COUNT\n");
		return 2;
	}
	jobs = kmq_open(-1, argv[1], KMQ_OPEN_SEND | KMQ_OPEN_CREATE, NULL);
	if (jobs < 0)
		return fail(argv[1], jobs);
	buf = kmq_buf_new(0);
	if (!buf) {
		fprintf(stderr, "burst: out of memory\n");
		return EXIT_FAILURE;
	}

	for (i = 0; i < count && !ret; i++) {
		struct kmq_msg msg = {
			.body = job,
			.len = (size_t)snprintf(job, sizeof(job), "job %ld of %ld",
						i + 1, count),
			.cookie = (uint64_t)i,
		};

		ret = kmq_put(jobs, buf, &msg, -1);
	}
	/* What was not flushed would be lost with the process. */
	if (!ret)
		ret = kmq_flush(jobs, buf, -1);
	kmq_buf_free(buf);
	if (ret < 0)
		return fail(argv[1], ret);
	printf("%ld jobs sent\n", count);
	return EXIT_SUCCESS;
}
