// SPDX-License-Identifier: GPL-2.0-only
/* Network namespaces, their domains, and what outlives them */
#include <sys/socket.h>

#include "kmq-test.h"

/* A network namespace without processes: lives as long as its fd. */
static int new_netns(void)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	if (own < 0 || unshare(CLONE_NEWNET))
		return -1;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(own, CLONE_NEWNET))
		abort();
	close(own);
	return fd;
}

static int enter(int netns)
{
	return setns(netns, CLONE_NEWNET);
}

static int open_ctl(void)
{
	return open(KMQ_DEVICE, O_RDWR | O_CLOEXEC);
}

static int join(int fd, __u64 netns)
{
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_JOIN, .arg = netns,
	};

	return request(fd, KMQ_IOC_ADMIN, &a);
}

static __u64 netns_of(int fd)
{
	struct kmq_info_args a = { .size = sizeof(a) };

	request(fd, KMQ_IOC_INFO, &a);
	return a.netns;
}

static __u64 inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static __u64 module_used(int res)
{
	return get_limits(KMQ_SCOPE_MODULE, 0).r[res].used;
}

/* A control fd of another, new domain; its namespace is left in *netns. */
static int other_domain(int *netns)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	*netns = new_netns();
	if (*netns < 0 || enter(*netns))
		return -1;
	fd = open_ctl();
	if (enter(own))
		abort();
	close(own);
	return fd;
}

TEST_F(abi, names_are_separate)
{
	int netns, other = other_domain(&netns), mine = ctl, a, b;

	ASSERT_LE(0, other);
	a = create("q", BOTH, NULL);
	ctl = other;
	EXPECT_FALSE(exists("q"));
	b = create("q", BOTH | NONBLOCK, NULL);
	ASSERT_LE(0, b);
	EXPECT_NE(stat_fd(a).id, stat_fd(b).id);
	ASSERT_EQ(0, put(a, "a"));
	EXPECT_EQ(0, stat_fd(b).ready);
	EXPECT_EQ(0, admin(NULL, KMQ_ADMIN_RESET, NULL));
	ctl = mine;
	EXPECT_TRUE(exists("q"));
}

TEST_F(abi, a_control_fd_stays_in_the_domain_of_its_opener)
{
	int netns = new_netns(), other;

	ASSERT_LE(0, netns);
	ASSERT_LE(0, create("q", BOTH, NULL));
	ASSERT_EQ(0, enter(netns));
	EXPECT_TRUE(exists("q"));
	other = open_ctl();
	EXPECT_EQ(inode(netns), netns_of(other));
	EXPECT_NE(inode(netns), netns_of(ctl));
}

TEST_F(abi, join_leads_into_another_domain)
{
	int netns, other = other_domain(&netns), joined = open_ctl();
	int mine = ctl;

	ASSERT_LE(0, other);
	ctl = other;
	ASSERT_LE(0, create("there", BOTH, NULL));
	ctl = joined;
	EXPECT_FALSE(exists("there"));
	ASSERT_EQ(0, join(joined, netns));
	EXPECT_TRUE(exists("there"));
	EXPECT_EQ(inode(netns), netns_of(joined));
	/* of that control fd only */
	ctl = mine;
	EXPECT_FALSE(exists("there"));
}

TEST_F(abi, join_refuses_what_is_no_network_namespace)
{
	int uts = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	struct kmq_admin_args a = {
		.size = sizeof(a), .op = KMQ_ADMIN_JOIN, .arg = uts,
	};
	__u64 before = netns_of(ctl);

	EXPECT_EQ(-EINVAL, join(ctl, uts));
	EXPECT_EQ(-EINVAL, join(ctl, ctl));
	EXPECT_EQ(-EBADF, join(ctl, 987));
	a.arg = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	a.flags = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	a.flags = 0;
	a.name = ptr("q");
	a.name_len = 1;
	EXPECT_EQ(-EINVAL, request(ctl, KMQ_IOC_ADMIN, &a));
	EXPECT_EQ(before, netns_of(ctl));
}

TEST_F(abi, join_needs_rights)
{
	int netns = new_netns(), fd = open_ctl(), ret;
	__u64 before = netns_of(fd);

	ASSERT_TRUE(become(USER, USER));
	ret = join(fd, netns);
	become_root();
	EXPECT_EQ(-EPERM, ret);
	EXPECT_EQ(before, netns_of(fd));
}

TEST_F(abi, join_of_a_namespace_of_ones_own_user_namespace)
{
	int *result = shared(sizeof(int) * 2), fd = open_ctl();
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	pid_t pid = fork_child();

	if (!pid) {
		int mine;

		if (setresuid(USER, USER, USER) || unshare(CLONE_NEWUSER) ||
		    unshare(CLONE_NEWNET))
			_exit(77);
		mine = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		result[0] = join(fd, mine);
		/* capable here, but not over the first one */
		result[1] = join(fd, own);
		_exit(0);
	}
	if (child_status(pid) == 77)
		SKIP(return, "no user namespaces here");
	EXPECT_EQ(0, result[0]);
	EXPECT_EQ(-EPERM, result[1]);
}

/* ---- the end of a domain ------------------------------------------------ */

TEST_F(abi, the_end_frees_the_messages)
{
	int netns, other = other_domain(&netns), mine = ctl, q, i;
	__u64 bytes = module_used(KMQ_R_BYTES);
	__u64 objects = module_used(KMQ_R_OBJECTS);
	char big[4096] = "";

	ASSERT_LE(0, other);
	ctl = other;
	q = create("q", BOTH, NULL);
	for (i = 0; i < 300; i++)
		ASSERT_EQ(sizeof(big), wr(q, big, sizeof(big)));
	close(q);
	ctl = mine;
	EXPECT_LE(bytes + 300 * sizeof(big), module_used(KMQ_R_BYTES));
	close(other);
	close(netns);
	/* domains of earlier tests may be ending too */
	EXPECT_TRUE(WAIT_FOR(module_used(KMQ_R_OBJECTS) <= objects));
	EXPECT_TRUE(WAIT_FOR(module_used(KMQ_R_BYTES) <= bytes));
}

TEST_F(abi, a_kept_handle_gets_eidrm)
{
	int netns, other = other_domain(&netns), mine = ctl, q;
	__u64 objects = module_used(KMQ_R_OBJECTS);
	struct pollfd p;
	char buf[16];

	ASSERT_LE(0, other);
	ctl = other;
	q = create("q", BOTH | NONBLOCK, NULL);
	ASSERT_EQ(0, put(q, "a"));
	ctl = mine;
	close(other);
	close(netns);
	EXPECT_TRUE(WAIT_FOR(put(q, "b") == -EIDRM));
	EXPECT_EQ(-EIDRM, rd(q, buf, sizeof(buf)));
	p = (struct pollfd){ .fd = q, .events = POLLIN };
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, p.revents & (POLLERR | POLLHUP));
	close(q);
	EXPECT_TRUE(WAIT_FOR(module_used(KMQ_R_OBJECTS) <= objects));
}

TEST_F(abi, who_waits_gets_eidrm)
{
	int netns, other = other_domain(&netns), mine = ctl, q;
	struct bg bg;
	char c;

	ASSERT_LE(0, other);
	ctl = other;
	q = create("q", BOTH, NULL);
	bg_start(&bg, BG_READ, q, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	ctl = mine;
	close(other);
	close(netns);
	EXPECT_EQ(-EIDRM, bg_end(&bg));
}

static int send_fd(int sock, int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int recv_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

TEST_F(abi, a_handle_passed_over_a_socket_works_until_its_domain_ends)
{
	int sock[2], q, go[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	ASSERT_EQ(0, pipe(go));
	pid = fork_child();
	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(1);
		ctl = open_ctl();
		q = create("q", BOTH, NULL);
		if (put(q, "hello") || send_fd(sock[1], q))
			_exit(2);
		read(go[0], &c, 1);
		_exit(0);
	}
	q = recv_fd(sock[0]);
	ASSERT_LE(0, q);
	EXPECT_TRUE(get(q, "hello"));
	EXPECT_EQ(0, put(q, "a"));
	ASSERT_EQ(1, write(go[1], "g", 1));
	ASSERT_EQ(0, child_status(pid));
	EXPECT_TRUE(WAIT_FOR(put(q, "b") == -EIDRM));
}

TEST_F(abi, a_handle_in_flight_does_not_keep_its_domain)
{
	int sock[2], q;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	pid = fork_child();
	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(1);
		ctl = open_ctl();
		q = create("q", BOTH, NULL);
		_exit(put(q, "hello") || send_fd(sock[1], q));
	}
	ASSERT_EQ(0, child_status(pid));
	q = recv_fd(sock[0]);
	ASSERT_LE(0, q);
	EXPECT_TRUE(WAIT_FOR(put(q, "b") == -EIDRM));
}

/* A control fd whose domain has ended. */
static int dead_ctl(void)
{
	int netns, fd = other_domain(&netns), mine = ctl, q, ended;

	ctl = fd;
	q = create("q", BOTH, NULL);
	ctl = mine;
	close(netns);
	ended = WAIT_FOR(put(q, "x") == -EIDRM);
	close(q);
	return ended ? fd : -1;
}

TEST_F(abi, a_control_fd_gets_enxio)
{
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MODE, .mode = 0600);
	int fd = dead_ctl(), mine = ctl;
	struct kmq_stat_args st;

	ASSERT_LE(0, fd);
	ctl = fd;
	EXPECT_EQ(-ENXIO, create("r", BOTH, NULL));
	EXPECT_EQ(-ENXIO, open_queue("q", BOTH));
	EXPECT_EQ(-ENXIO, stat_name("q", &st));
	EXPECT_EQ(-ENXIO, alter("q", &at, NULL));
	EXPECT_EQ(-ENXIO, delete("q", 0));
	EXPECT_EQ(-ENXIO, admin("q", KMQ_ADMIN_PURGE, NULL));
	EXPECT_EQ(-ENXIO, admin("q", KMQ_ADMIN_SEAL, NULL));
	ctl = mine;
}

TEST_F(abi, a_control_fd_lists_no_dead_domain)
{
	struct kmq_object_row row;
	struct kmq_list_args a = {
		.size = sizeof(a), .what = KMQ_LIST_OBJECTS,
		.row_size = sizeof(row), .rows = ptr(&row), .count = 1,
	};
	int fd = dead_ctl(), mine = ctl;

	ASSERT_LE(0, fd);
	ctl = fd;
	EXPECT_EQ(-ENXIO, request(fd, KMQ_IOC_LIST, &a));
	EXPECT_EQ(-ENXIO, admin(NULL, KMQ_ADMIN_RESET, NULL));
	ctl = mine;
}

TEST_F(abi, join_leads_out_of_a_dead_domain)
{
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd = dead_ctl();

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, join(fd, own));
	ASSERT_LE(0, create("q", BOTH, NULL));
	ctl = fd;
	EXPECT_TRUE(exists("q"));
}

TEST_F(abi, reset_of_all_domains)
{
	int netns, other = other_domain(&netns), mine = ctl, a, b, ret;
	struct kmq_admin_args r = {
		.size = sizeof(r), .op = KMQ_ADMIN_RESET,
		.flags = KMQ_RESET_ALL_DOMAINS,
	};

	ASSERT_LE(0, other);
	a = create("a", BOTH, NULL);
	ctl = other;
	b = create("b", BOTH, NULL);
	ctl = mine;
	ASSERT_TRUE(become(USER, USER));
	ret = request(ctl, KMQ_IOC_ADMIN, &r);
	become_root();
	EXPECT_EQ(-EPERM, ret);
	ASSERT_EQ(0, put(a, "x"));
	ASSERT_EQ(0, request(ctl, KMQ_IOC_ADMIN, &r));
	EXPECT_LE(2, r.result);
	EXPECT_EQ(-EIDRM, put(a, "x"));
	EXPECT_EQ(-EIDRM, put(b, "x"));
}

TEST_F(abi, many_domains_come_and_go)
{
	__u64 objects = module_used(KMQ_R_OBJECTS);
	int i, netns, fd, mine = ctl, q;

	for (i = 0; i < 10; i++) {
		fd = other_domain(&netns);
		ASSERT_LE(0, fd);
		ctl = fd;
		q = create("q", BOTH, NULL);
		EXPECT_EQ(0, put(q, "a"));
		close(q);
		ctl = mine;
		close(fd);
		close(netns);
	}
	EXPECT_TRUE(WAIT_FOR(module_used(KMQ_R_OBJECTS) <= objects));
}

TEST_HARNESS_MAIN
