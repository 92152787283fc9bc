// SPDX-License-Identifier: GPL-2.0-only
/* File descriptors that are not what they should be, and none at all */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "kmq-test.h"

enum {
	CLOSED, MINUS_TWO, LOWEST, HIGHEST, PIPE, SOCKET, DIRECTORY, O_PATH_FD,
	OWN_CTL, EPOLL, MEMFD, EVENT, NETNS, UTSNS, O_PATH_NETNS, PIDFD, DEV_NULL,
	DEV_KMQ_PATH, KINDS
};

static const char *const names[KINDS] = {
	"closed", "-2", "INT_MIN", "INT_MAX", "pipe", "socket", "directory",
	"O_PATH", "control fd", "epoll", "memfd", "eventfd", "network namespace",
	"UTS namespace", "O_PATH of a network namespace", "pidfd", "/dev/null",
	"O_PATH of the device",
};

static int wrong_fd(int kind)
{
	int pair[2];

	switch (kind) {
	case CLOSED:
		return 987;
	case MINUS_TWO:
		return -2;
	case LOWEST:
		return INT32_MIN;
	case HIGHEST:
		return INT32_MAX;
	case PIPE:
		return pipe(pair) ? -1 : pair[1];
	case SOCKET:
		return socket(AF_UNIX, SOCK_STREAM, 0);
	case DIRECTORY:
		return open("/", O_RDONLY | O_DIRECTORY);
	case O_PATH_FD:
		return open("/proc/self/exe", O_PATH);
	case OWN_CTL:
		return ctl;
	case EPOLL:
		return epoll_create1(0);
	case MEMFD:
		return memfd_create("m", 0);
	case EVENT:
		return eventfd(0, 0);
	case NETNS:
		return open("/proc/self/ns/net", O_RDONLY);
	case UTSNS:
		return open("/proc/self/ns/uts", O_RDONLY);
	case O_PATH_NETNS:
		return open("/proc/self/ns/net", O_PATH);
	case PIDFD:
		return syscall(SYS_pidfd_open, getpid(), 0);
	case DEV_NULL:
		return open("/dev/null", O_RDWR);
	case DEV_KMQ_PATH:
		return open(KMQ_DEVICE, O_PATH);
	}
	return -1;
}

static int join(int fd, __u64 netns)
{
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_JOIN, .arg = netns,
	};

	return request(fd, KMQ_IOC_ADMIN, &a);
}

TEST_F(abi, a_send_fd_that_is_no_handle)
{
	int q = create("q", BOTH, NULL), kind, want;
	struct batch b = BATCH(128);
	struct kmq_stat_args before;
	struct kmq_xfer_args x;
	char buf[128];

	ASSERT_EQ(0, put(q, "a"));
	before = stat_fd(q);
	add(&b, "b");
	for (kind = 0; kind < KINDS; kind++) {
		x = xfer_recv(buf, sizeof(buf));
		x.send = ptr(b.buf);
		x.send_len = b.len;
		x.send_fd = wrong_fd(kind);
		switch (kind) {
		case MINUS_TWO:
		case LOWEST:
			want = -EINVAL;
			break;
		case CLOSED:
		case HIGHEST:
		case O_PATH_FD:
		case O_PATH_NETNS:
		case DEV_KMQ_PATH:
			want = -EBADF;
			break;
		default:
			want = -ENOTTY;
		}
		EXPECT_EQ(want, xfer(q, &x))
			TH_LOG("%s", names[kind]);
		EXPECT_TRUE(same_stat(&before, q))
			TH_LOG("%s", names[kind]);
	}
	EXPECT_EQ((char)POISON, buf[0]);
}

TEST_F(abi, a_send_fd_that_cannot_send)
{
	int q = create("q", BOTH, NULL), r = open_queue("q", RECV);
	int neither = open_queue("q", 0), gone = create("gone", BOTH, NULL);
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	add(&b, "b");
	x = xfer_send(&b);
	x.send_fd = r;
	EXPECT_EQ(-EBADF, xfer(q, &x));
	x.send_fd = neither;
	EXPECT_EQ(-EBADF, xfer(q, &x));
	ASSERT_EQ(0, delete("gone", 0));
	x.send_fd = gone;
	EXPECT_EQ(-EIDRM, xfer(q, &x));
	EXPECT_EQ(0, stat_fd(q).sent);
	/* its owner shut it down */
	ASSERT_EQ(0, shut(q, SEND));
	x.send_fd = q;
	EXPECT_EQ(-ECANCELED, xfer(r, &x));
}

TEST_F(abi, a_wrong_send_fd_without_a_send_is_refused_too)
{
	int q = create("q", BOTH, NULL);
	struct kmq_xfer_args x;
	char buf[128];

	ASSERT_EQ(0, put(q, "a"));
	x = xfer_recv(buf, sizeof(buf));
	x.send_fd = 987;
	EXPECT_EQ(-EBADF, xfer(q, &x));
	x = xfer_recv(buf, sizeof(buf));
	x.send_fd = ctl;
	EXPECT_EQ(-ENOTTY, xfer(q, &x));
	EXPECT_EQ(1, stat_fd(q).ready);
}

TEST_F(abi, a_handle_of_another_domain_sends_there)
{
	int q = create("q", BOTH, NULL), mine = ctl, other;
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ctl = open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
	other = create("q", BOTH, NULL);
	ASSERT_LE(0, other);
	add(&b, "b");
	x = xfer_send(&b);
	x.send_fd = other;
	EXPECT_EQ(0, xfer(q, &x));
	EXPECT_EQ(0, stat_fd(q).sent);
	EXPECT_TRUE(get(other, "b"));
	ctl = mine;
}

TEST_F(abi, join_takes_nothing_but_a_network_namespace)
{
	struct kmq_info_args info = { .size = sizeof(info) };
	int q = create("q", BOTH, NULL), kind, want;
	__u64 before;

	ASSERT_EQ(0, request(ctl, KMQ_IOC_INFO, &info));
	before = info.netns;
	for (kind = 0; kind < KINDS; kind++) {
		int fd = wrong_fd(kind);

		switch (kind) {
		case NETNS:
			want = 0;
			break;
		case CLOSED:
		case HIGHEST:
		case O_PATH_FD:
		case O_PATH_NETNS:
		case DEV_KMQ_PATH:
			want = -EBADF;
			break;
		default:
			want = -EINVAL;
		}
		EXPECT_EQ(want, join(ctl, (__s64)fd))
			TH_LOG("%s", names[kind]);
	}
	EXPECT_EQ(-EINVAL, join(ctl, q));
	EXPECT_EQ(-EINVAL, join(ctl, 1ull << 32));
	EXPECT_EQ(-EINVAL, join(ctl, ~0ull));
	ASSERT_EQ(0, request(ctl, KMQ_IOC_INFO, &info));
	EXPECT_EQ(before, info.netns);
}

TEST_F(abi, requests_to_an_o_path_fd_are_ebadf)
{
	int fd = open(KMQ_DEVICE, O_PATH | O_CLOEXEC);
	struct kmq_info_args info = { .size = sizeof(info) };
	char path[64];
	int q = create("q", BOTH, NULL), copy;

	EXPECT_EQ(-EBADF, request(fd, KMQ_IOC_INFO, &info));
	/* a handle cannot be opened again past its rights */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", q);
	EXPECT_EQ(-ENXIO, result(open(path, O_RDWR | O_CLOEXEC)));
	copy = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, copy);
	EXPECT_EQ(-EBADF, put(copy, "a"));
	EXPECT_EQ(-EBADF, request(copy, KMQ_IOC_STAT, &info));
}

/* ---- none left ---------------------------------------------------------- */

static bool exhaust(struct rlimit *old)
{
	struct rlimit none = { .rlim_cur = 0 };
	int fd = dup(ctl);

	if (fd < 0 || getrlimit(RLIMIT_NOFILE, old))
		return false;
	close(fd);
	none.rlim_cur = fd;
	none.rlim_max = old->rlim_max;
	return !setrlimit(RLIMIT_NOFILE, &none);
}

TEST_F(abi, without_a_descriptor_open_changes_nothing)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0600);
	int q = create("q", BOTH, NULL), i;
	struct kmq_stat_args before = stat_fd(q);
	struct kmq_limits_args was, is;
	struct kmq_open_args a;
	struct rlimit old;

	was = get_limits(KMQ_SCOPE_DOMAIN, 0);
	ASSERT_TRUE(exhaust(&old));
	for (i = 0; i < 100; i++) {
		a = open_args("q", BOTH, NULL);
		ASSERT_EQ(-EMFILE, request(ctl, KMQ_IOC_OPEN, &a));
		a = open_args("new", BOTH | CREATE, &at);
		ASSERT_EQ(-EMFILE, request(ctl, KMQ_IOC_OPEN, &a));
		EXPECT_EQ(0, a.id);
		EXPECT_EQ(0, a.created);
	}
	EXPECT_EQ(-EMFILE, result(open(KMQ_DEVICE, O_RDWR)));
	/* what needs none works on */
	EXPECT_EQ(0, put(q, "a"));
	EXPECT_TRUE(get(q, "a"));
	EXPECT_FALSE(exists("new"));
	is = get_limits(KMQ_SCOPE_DOMAIN, 0);
	for (i = 0; i < KMQ_R_BYTES; i++) {
		EXPECT_EQ(was.r[i].used, is.r[i].used);
		EXPECT_EQ(was.r[i].refused, is.r[i].refused);
	}
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(before.handles, stat_fd(q).handles);
	i = open_queue("new", BOTH | CREATE);
	EXPECT_LE(0, i);
}

TEST_F(abi, refused_and_malformed_opens_use_no_descriptor)
{
	int q = create("q", BOTH, NULL), next = dup(q), i;
	struct kmq_attrs bad = ATTRS(.mask = KMQ_A_MODE, .mode = 01000);
	struct kmq_open_args a;

	close(next);
	for (i = 0; i < 50; i++) {
		EXPECT_EQ(-ENOENT, open_queue("none", BOTH));
		EXPECT_EQ(-EEXIST, create("q", BOTH, NULL));
		EXPECT_EQ(-EINVAL, create("r", BOTH, &bad));
		a = open_args("q", 1u << 31, NULL);
		EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_OPEN, &a));
		a = open_args("q", BOTH, NULL);
		a.id = 12345;
		EXPECT_EQ(-ESTALE, request(ctl, KMQ_IOC_OPEN, &a));
	}
	EXPECT_EQ(next, dup(q));
}

/* As many files as the machine may have, by somebody whom that stops. */
TEST_F(abi, without_a_file_open_changes_nothing)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0666);
	int q = create("q", BOTH, &at), ret[3], n;
	unsigned long used, max, limit;
	struct kmq_stat_args before;
	struct rlimit lim = { 1 << 16, 1 << 16 };
	char text[64], was[64];
	int fds[4096];
	FILE *f;

	before = stat_fd(q);
	f = fopen("/proc/sys/fs/file-nr", "re");
	if (!f || fscanf(f, "%lu %lu %63s", &used, &max, was) != 3)
		SKIP(return, "no file-nr");
	fclose(f);
	limit = used + 200;
	snprintf(text, sizeof(text), "%lu", limit);
	if (!write_file("/proc/sys/fs/file-max", text))
		SKIP(return, "file-max cannot be set");
	setrlimit(RLIMIT_NOFILE, &lim);
	ASSERT_TRUE(become(USER, USER));
	for (n = 0; n < 4096; n++) {
		fds[n] = eventfd(0, EFD_CLOEXEC);
		if (fds[n] < 0)
			break;
	}
	ret[0] = n < 4096 ? -errno : 0;
	ret[1] = open_queue("q", BOTH);
	ret[2] = open_queue("new", BOTH | CREATE);
	while (n)
		close(fds[--n]);
	become_root();
	ASSERT_TRUE(write_file("/proc/sys/fs/file-max", was));
	EXPECT_EQ(-ENFILE, ret[0]);
	EXPECT_EQ(-ENFILE, ret[1]);
	EXPECT_EQ(-ENFILE, ret[2]);
	EXPECT_FALSE(exists("new"));
	EXPECT_TRUE(WAIT_FOR(same_stat(&before, q)));
	EXPECT_EQ(1, get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_HANDLES].used);
	EXPECT_EQ(1, get_limits(KMQ_SCOPE_DOMAIN, 0).r[KMQ_R_OBJECTS].used);
}

TEST_HARNESS_MAIN
