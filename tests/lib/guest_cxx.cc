// SPDX-License-Identifier: GPL-2.0-only
// The library from C++: the header as it is, linked as it is.
#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>

#include <sched.h>
#include <unistd.h>

#include <kmq.h>

static int nr, failed;

static void check(bool good, const char *what)
{
	std::printf("%sok %d - %s\n", good ? "" : "not ", ++nr, what);
	failed += !good;
}

static_assert(std::is_standard_layout<struct kmq_msg>::value,
	      "shared with C");

int main()
{
	const char *name = "cxx";

	std::printf("1..7\n");
	if (unshare(CLONE_NEWNET) < 0) {
		std::printf("Bail out! cannot leave the network namespace\n");
		return 1;
	}
	alarm(60);

	struct kmq_attrs attrs = {};
	attrs.mask = KMQ_A_KIND | KMQ_A_MAX_MESSAGES;
	attrs.kind = KMQ_KIND_QUEUE;
	attrs.max_messages = 2;
	int fd = kmq_open(-1, name, KMQ_OPEN_SEND | KMQ_OPEN_RECV |
			  KMQ_OPEN_CREATE, &attrs);
	check(fd >= 0, "open");

	std::string body("from C++");
	check(kmq_send(fd, body.data(), body.size(), -1) == 0, "send");

	char got[32];
	struct kmq_msg msg;
	ssize_t len = kmq_recv(fd, got, sizeof(got), &msg, -1);
	check(len == ssize_t(body.size()) && body.compare(0, body.size(), got,
							  size_t(len)) == 0,
	      "recv");

	struct kmq_buf *buf = kmq_buf_new(0);
	struct kmq_msg out = kmq_msg();
	out.body = "batch";
	out.len = 5;
	check(kmq_put(fd, buf, &out, -1) == 0 && kmq_flush(fd, buf, -1) == 0,
	      "put and flush");
	check(kmq_next(fd, buf, &msg, -1) == 1 && msg.len == 5 &&
	      !std::memcmp(msg.body, "batch", 5), "next");
	kmq_buf_free(buf);

	char text[256];
	kmq_explain(-1, "none", -2, 0, text, sizeof(text));
	check(std::strstr(text, "kmqctl queue create none") != nullptr,
	      "explain");
	check(kmq_delete(-1, name, 0) == 0, "delete");
	close(fd);
	return failed ? 1 : 0;
}
