// SPDX-License-Identifier: GPL-2.0-only
/* What system calls that know nothing of kmq do to a handle or control fd */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <termios.h>

#include "kmq-test.h"

/* ---- calls for other kinds of file -------------------------------------- */

static long on_read_at(int fd)
{
	char c;

	return result(pread(fd, &c, 1, 0));
}

static long on_write_at(int fd)
{
	return result(pwrite(fd, "x", 1, 0));
}

static long on_seek(int fd)
{
	return result(lseek(fd, 0, SEEK_SET));
}

static long on_truncate(int fd)
{
	return result(ftruncate(fd, 0));
}

static long on_allocate(int fd)
{
	return result(fallocate(fd, 0, 0, 4096));
}

static long on_sync(int fd)
{
	return result(fsync(fd));
}

static long on_map(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? -errno : 0;
}

static long on_map_private(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	return p == MAP_FAILED ? -errno : 0;
}

static long on_splice_out(int fd)
{
	int p[2];

	if (pipe(p))
		return 1;
	return result(splice(fd, NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
}

static long on_splice_in(int fd)
{
	int p[2];

	if (pipe(p) || write(p[1], "x", 1) != 1)
		return 1;
	return result(splice(p[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK));
}

static long on_vmsplice(int fd)
{
	struct iovec iov = { "x", 1 };

	return result(vmsplice(fd, &iov, 1, 0));
}

static long on_tee(int fd)
{
	int p[2];

	return pipe(p) ? 1 : result(tee(fd, p[1], 1, SPLICE_F_NONBLOCK));
}

static long on_sendfile_out(int fd)
{
	int p[2];

	return pipe(p) ? 1 : result(sendfile(p[1], fd, NULL, 10));
}

static long on_copy_range(int fd)
{
	int file = memfd_create("m", 0);

	return result(copy_file_range(fd, NULL, file, NULL, 1, 0));
}

static long on_directory(int fd)
{
	char buf[512];

	return result(syscall(SYS_getdents64, fd, buf, sizeof(buf)));
}

static long on_terminal(int fd)
{
	struct termios t;

	return result(tcgetattr(fd, &t));
}

static long on_clone(int fd)
{
	int file = memfd_create("m", 0);

	return result(ioctl(file, FICLONE, fd)) ? -EINVAL : 0;
}

static long on_async(int fd)
{
	int on = 1;

	return result(ioctl(fd, FIOASYNC, &on));
}

static long on_socket(int fd)
{
	int size = 1;

	return result(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size,
				 sizeof(size)));
}

static long on_exec(int fd)
{
	char *const argv[] = { "x", NULL };

	return result(syscall(SYS_execveat, fd, "", argv, argv,
			      AT_EMPTY_PATH));
}

static const struct {
	const char *name;
	long (*fn)(int fd);
	int want;
} foreign[] = {
	{ "pread", on_read_at, -ESPIPE },
	{ "pwrite", on_write_at, -ESPIPE },
	{ "lseek", on_seek, -ESPIPE },
	{ "ftruncate", on_truncate, -EINVAL },
	{ "fallocate", on_allocate, -ENODEV },
	{ "fsync", on_sync, -EINVAL },
	{ "mmap shared", on_map, -ENODEV },
	{ "mmap private", on_map_private, -ENODEV },
	{ "splice from it", on_splice_out, -EINVAL },
	{ "splice to it", on_splice_in, -EINVAL },
	{ "vmsplice", on_vmsplice, -EBADF },
	{ "tee", on_tee, -EINVAL },
	{ "sendfile from it", on_sendfile_out, -EINVAL },
	{ "copy_file_range", on_copy_range, -EINVAL },
	{ "getdents", on_directory, -ENOTDIR },
	{ "TCGETS", on_terminal, -ENOTTY },
	{ "FICLONE", on_clone, -EINVAL },
	{ "FIOASYNC", on_async, -ENOTTY },
	{ "setsockopt", on_socket, -ENOTSOCK },
	{ "execveat", on_exec, -EACCES },
};

TEST_F(abi, calls_for_other_files_fail_and_do_nothing)
{
	int q = create("q", BOTH, NULL);
	struct kmq_stat_args before;
	size_t i;

	ASSERT_EQ(0, put(q, "a"));
	before = stat_fd(q);
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		EXPECT_EQ(foreign[i].want, foreign[i].fn(q))
			TH_LOG("%s", foreign[i].name);
		EXPECT_TRUE(same_stat(&before, q))
			TH_LOG("%s", foreign[i].name);
		EXPECT_GT(0, foreign[i].fn(ctl))
			TH_LOG("%s of a control fd", foreign[i].name);
	}
	EXPECT_TRUE(get(q, "a"));
}

TEST_F(abi, sendfile_to_a_handle_sends_whole_messages_or_nothing)
{
	int q = create("q", BOTH | NONBLOCK, NULL), file;
	ssize_t n;

	file = memfd_create("m", MFD_CLOEXEC);
	ASSERT_EQ(5, write(file, "hello", 5));
	ASSERT_EQ(0, lseek(file, 0, SEEK_SET));
	n = result(sendfile(q, file, NULL, 5));
	EXPECT_TRUE(n == -EINVAL || n == 5);
	EXPECT_EQ(n == 5, stat_fd(q).ready);
}

TEST_F(abi, unknown_ioctls_are_enotty)
{
	static const unsigned long generic[] = {
		FIOQSIZE, FIBMAP, FIGETBSZ, FIFREEZE, FS_IOC_GETFLAGS,
		FS_IOC_FIEMAP, BLKGETSIZE, TIOCSTI, TIOCOUTQ,
	};
	int q = create("q", BOTH, NULL), ret, on = 1, fds[2], n;
	struct kmq_stat_args before = stat_fd(q);
	char buf[4096] = "";
	size_t i;

	fds[0] = q;
	fds[1] = ctl;
	for (n = 0; n < 2; n++) {
		for (i = 0; i < ARRAY_SIZE(generic); i++) {
			/* some the kernel answers itself, for any file */
			ret = request(fds[n], generic[i], buf);
			EXPECT_TRUE(ret == -ENOTTY || ret == -EBADF ||
				    ret == -EOPNOTSUPP || ret == -EINVAL ||
				    generic[i] == FIGETBSZ)
				TH_LOG("%#lx: %d", generic[i], ret);
		}
		EXPECT_EQ(0, request(fds[n], FIONBIO, &on));
		EXPECT_EQ(0, request(fds[n], FIONCLEX, NULL));
		EXPECT_EQ(0, fcntl(fds[n], F_GETFD));
		EXPECT_EQ(0, request(fds[n], FIOCLEX, NULL));
		EXPECT_EQ(FD_CLOEXEC, fcntl(fds[n], F_GETFD));
	}
	EXPECT_TRUE(same_stat(&before, q));
	EXPECT_EQ(-EAGAIN, rd(q, buf, 1));
}

TEST_F(abi, file_flags_do_no_harm)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	char c;

	/* no signal comes: nothing asks for it */
	catch_signal(SIGIO, 0);
	EXPECT_EQ(0, fcntl(q, F_SETOWN, getpid()));
	EXPECT_EQ(0, fcntl(q, F_SETFL, O_NONBLOCK | O_ASYNC | O_APPEND));
	EXPECT_EQ(0, put(q, "a"));
	EXPECT_EQ(1, rd(q, &c, 1));
	EXPECT_EQ(-EAGAIN, rd(q, &c, 1));
	EXPECT_EQ(0, signals);
	EXPECT_EQ(-EINVAL, result(fcntl(q, F_SETFL, O_DIRECT)));
	EXPECT_EQ(-EINVAL, result(fcntl(q, F_SETLEASE, F_RDLCK)));
	/* the direction cannot be had by it */
	close(q);
	q = open_queue("q", SEND);
	EXPECT_EQ(0, fcntl(q, F_SETFL, O_RDWR));
	EXPECT_EQ(-EBADF, rd(q, &c, 1));
}

TEST_F(abi, locks_of_files_work_and_go_with_the_handle)
{
	int q = create("q", BOTH, NULL), other = open_queue("q", BOTH);

	EXPECT_EQ(0, flock(q, LOCK_EX | LOCK_NB));
	EXPECT_EQ(0, put(other, "a"));
	EXPECT_TRUE(get(q, "a"));
	close(q);
	EXPECT_EQ(0, flock(other, LOCK_EX | LOCK_NB));
}

TEST_F(abi, write_flags_of_other_files)
{
	int q = create("q", BOTH | NONBLOCK, NULL);
	struct iovec iov = { "x", 1 };
	ssize_t ret;
	int flag;

	for (flag = 1; flag <= 1 << 10; flag <<= 1) {
		ret = result(pwritev2(q, &iov, 1, -1, flag));
		EXPECT_TRUE(ret == 1 || ret == -EOPNOTSUPP || ret == -EINVAL)
			TH_LOG("flag %#x: %zd", flag, ret);
		if (ret == 1)
			EXPECT_TRUE(get(q, "x"));
		EXPECT_EQ(0, stat_fd(q).ready);
	}
	EXPECT_EQ(-ESPIPE, result(pwritev2(q, &iov, 1, 0, 0)));
}

/* ---- the descriptor goes during a call ---------------------------------- */

static bool handles(int q, __u32 n)
{
	return WAIT_FOR(stat_fd(q).handles == n);
}

TEST_F(abi, a_handle_replaced_during_a_call_lives_until_it_returns)
{
	int q = create("q", BOTH, NULL), r = open_queue("q", RECV), null;
	struct bg bg;
	char c;

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bg_start(&bg, BG_READ, r, &c, 1);
	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(r, dup2(null, r));
	EXPECT_EQ(2, stat_fd(q).handles);
	EXPECT_FALSE(bg_done(&bg));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_EQ(1, bg_end(&bg));
	EXPECT_TRUE(handles(q, 1));
	EXPECT_EQ(0, rd(r, &c, 1));
}

TEST_F(abi, closing_all_at_once_leaves_nothing)
{
	struct batch b = BATCH(128);
	struct kmq_xfer_args x;
	int q, i, first = -1, last = -1;
	struct bg bg;
	char c;

	q = create_bounded("q", BOTH, 1);
	q = fcntl(q, F_DUPFD_CLOEXEC, 600);
	ASSERT_EQ(600, q);
	for (i = 0; i < 100; i++) {
		last = open_queue("q", BOTH);
		if (!i)
			first = last;
	}
	ASSERT_EQ(first + 99, last);
	ASSERT_EQ(0, put(q, "a"));
	add(&b, "b");
	x = xfer_send(&b);
	x.deadline = KMQ_FOREVER;
	/* one waits in the middle of them */
	bg_start(&bg, BG_XFER, first + 50, &x, 0);
	ASSERT_TRUE(waiting(q, 1, 0));
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, last, 0))
		SKIP(return, "no close_range");
#else
	for (i = first; i <= last; i++)
		close(i);
#endif
	EXPECT_TRUE(handles(q, 2));
	ASSERT_EQ(1, rd(q, &c, 1));
	EXPECT_EQ(0, bg_end(&bg));
	EXPECT_TRUE(handles(q, 1));
	EXPECT_TRUE(get(q, "b"));
}

TEST_F(abi, exec_closes_handles_and_what_is_kept_works)
{
	int q = create("q", BOTH, NULL), kept = open_queue("q", SEND);
	pid_t pid;

	pid = fork_child();
	if (!pid) {
		dup2(kept, STDOUT_FILENO);
		execlp("echo", "echo", "-n", "hello", NULL);
		_exit(127);
	}
	EXPECT_EQ(0, child_status(pid));
	EXPECT_TRUE(get(q, "hello"));
	EXPECT_TRUE(handles(q, 2));
}

TEST_F(abi, a_handle_taken_from_another_process_is_the_same_one)
{
	int q = create("q", BOTH, NULL), r = open_queue("q", RECV), taken, p;
	struct kmq_stat_args st;
	char c;
	pid_t pid = fork_child();

	if (!pid) {
		rd(r, &c, 1);
		_exit(0);
	}
	close(r);
	ASSERT_TRUE(waiting(q, 0, 1));
	p = syscall(SYS_pidfd_open, pid, 0);
	taken = result(syscall(SYS_pidfd_getfd, p, r, 0));
	ASSERT_LE(0, taken);
	st = stat_fd(taken);
	EXPECT_EQ(2, st.handles);
	/* it is shut for both */
	ASSERT_EQ(0, shut(taken, RECV));
	EXPECT_EQ(0, child_status(pid));
	EXPECT_EQ(-ECANCELED, rd(taken, &c, 1));
}

/* ---- a process that is stopped ------------------------------------------ */

static bool stopped(pid_t pid)
{
	int status;

	return waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
}

static pid_t reader(int q)
{
	char c;
	pid_t pid = fork_child();

	if (!pid)
		_exit(rd(q, &c, 1) == 1 ? c : 1);
	return pid;
}

static pid_t writer(int q, const char *text)
{
	pid_t pid = fork_child();

	if (!pid)
		_exit(put(q, text) ? 1 : 0);
	return pid;
}

TEST_F(abi, a_stopped_receiver_keeps_nothing_from_others)
{
	int q = create("q", BOTH, NULL);
	pid_t pid = reader(q);

	ASSERT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_TRUE(stopped(pid));
	EXPECT_TRUE(waiting(q, 0, 0));
	ASSERT_EQ(0, put(q, "a"));
	EXPECT_TRUE(get(q, "a"));
	/* and waits again afterwards */
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_TRUE(waiting(q, 0, 1));
	ASSERT_EQ(0, put(q, "b"));
	EXPECT_EQ('b', child_status(pid));
}

TEST_F(abi, a_stopped_sender_keeps_no_place)
{
	int q = create_bounded("q", BOTH, 1);
	pid_t first, second;

	ASSERT_EQ(0, put(q, "0"));
	first = writer(q, "1");
	ASSERT_TRUE(waiting(q, 1, 0));
	second = writer(q, "2");
	ASSERT_TRUE(waiting(q, 2, 0));
	ASSERT_EQ(0, kill(first, SIGSTOP));
	ASSERT_TRUE(stopped(first));
	EXPECT_TRUE(waiting(q, 1, 0));
	EXPECT_TRUE(get(q, "0"));
	EXPECT_EQ(0, child_status(second));
	EXPECT_TRUE(get(q, "2"));
	ASSERT_EQ(0, kill(first, SIGCONT));
	EXPECT_EQ(0, child_status(first));
	EXPECT_TRUE(get(q, "1"));
}

TEST_F(abi, a_traced_receiver_loses_nothing)
{
	int q = create("q", BOTH, NULL), status, i;
	pid_t pid = reader(q);

	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(waiting(q, 0, 1));
		ASSERT_EQ(0, ptrace(PTRACE_ATTACH, pid, NULL, NULL));
		ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
		EXPECT_EQ(0, stat_fd(q).waiting_receivers);
		if (i == 4)
			ASSERT_EQ(0, put(q, "a"));
		EXPECT_EQ(i == 4, stat_fd(q).ready);
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
	}
	EXPECT_EQ('a', child_status(pid));
}

TEST_F(abi, fdinfo_is_read_while_everything_changes)
{
	int q = create("q", BOTH, NULL), fd, n = 0;
	uint64_t end = now() + NSEC / 4;
	char path[64], buf[2048];
	pid_t pid = fork_child();

	if (!pid) {
		close(q);
		for (;;) {
			fd = open_queue("r", BOTH | CREATE);
			put(fd, "a");
			delete("r", fd % 2 ? KMQ_DELETE_UNLINK : 0);
			close(fd);
		}
	}
	/* the number a handle has there */
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, q);
	while (now() < end || !n) {
		ssize_t len;

		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		len = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (len <= 0)
			continue;
		buf[len] = 0;
		n++;
		EXPECT_TRUE(strstr(buf, "kmq-name:\tr\n") ||
			    strstr(buf, "kmq-name:\tq\n"))
			TH_LOG("%s", buf);
		EXPECT_NE(NULL, strstr(buf, "\nkmq-max-message-size:"));
	}
	kill(pid, SIGKILL);
	EXPECT_EQ(-1, child_status(pid));
}

TEST_HARNESS_MAIN
