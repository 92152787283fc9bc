// SPDX-License-Identifier: GPL-2.0-only
/* Memory that another thread changes, takes away and moves during the calls */
#include <sys/time.h>

#include "kmq-test.h"

#define PAGE	4096ul
#define SPAN	(4ul << 20)	/* most that is put into a buffer */
#define EACH	(NSEC / 4)	/* how long each kind of call is tried */

/* Good addresses and bad ones; the good have SPAN bytes behind them. */
static char *area;
static char *hole;

static uint64_t seed;

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Values that lie at the edges of something. */
static __u64 edge(uint64_t *state)
{
	static const __u64 values[] = {
		0, 1, 2, 3, 7, 8, 16, 48, 56, 63, 64, 65, 72, 112, 120, 184,
		255, 256, 1024, 4096, 4097, 16384, 65535, 1 << 20, 4 << 20,
		0x7fffffff, 0x80000000, 0xffffffc0, 0xffffffff, 1ull << 32,
		1ull << 47, 1ull << 61, 1ull << 63, ~0ull - 63, ~0ull,
		0xffff888000000000ull,
	};
	unsigned int i = draw(state) % (ARRAY_SIZE(values) + 4);

	switch (i) {
	case 0:
	case 1:
		return ptr(area);
	case 2:
		return ptr(hole - 8);
	case 3:
		return ptr(hole);
	}
	return values[i - 4];
}

struct changer {
	pthread_t thread;
	char *at;		/* what it changes, and how much */
	size_t len;
	const void *good;	/* what should stand there */
	int stop;
};

/* Puts edges here and there, and now and then all right again. */
static void *change(void *arg)
{
	struct changer *c = arg;
	uint64_t state = seed | 1;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		size_t off = draw(&state) % c->len & ~3ul;
		__u64 value = edge(&state);

		if (draw(&state) % 4 == 0)
			memcpy(c->at, c->good, c->len);
		else if (off % 8 || off + 8 > c->len || draw(&state) % 2)
			memcpy(c->at + off, &value, 4);
		else
			memcpy(c->at + off, &value, 8);
	}
	return NULL;
}

static void change_start(struct changer *c, void *at, const void *good,
			 size_t len)
{
	*c = (struct changer){ .at = at, .good = good, .len = len };
	memcpy(at, good, len);
	if (pthread_create(&c->thread, NULL, change, c))
		abort();
}

static void change_stop(struct changer *c)
{
	__atomic_store_n(&c->stop, 1, __ATOMIC_RELAXED);
	pthread_join(c->thread, NULL);
}

/* Ends what a changed deadline makes wait for ever. */
static void tick(bool on)
{
	struct itimerval every = {
		.it_interval.tv_usec = on ? 5000 : 0,
		.it_value.tv_usec = on ? 5000 : 0,
	};

	catch_signal(SIGALRM, 0);
	setitimer(ITIMER_REAL, &every, NULL);
}

/* Is it one of these? They end with 0. */
static bool one_of(int err, const int *allowed)
{
	for (; *allowed; allowed++)
		if (err == -*allowed)
			return true;
	return err >= 0;
}

/* Whatever was received is what the interface says of a record. */
static const char *wrong(const char *buf, size_t len, unsigned int n)
{
	static const char zeros[8];
	size_t at = 0, end;

	for (; n; n--) {
		const struct kmq_record *r = (const void *)(buf + at);

		if (len - at < sizeof(*r))
			return "cut off";
		if (r->size != record_size(r->attr_len, r->body_len) ||
		    r->size > len - at)
			return "size";
		if (r->attr_len % 8 || r->attr_len > KMQ_ATTR_MAX ||
		    r->body_len > KMQ_MESSAGE_MAX)
			return "lengths";
		if (r->priority > KMQ_PRIORITY_MAX || r->partition ||
		    r->deliveries != 1 || r->tag || !r->seq || !r->time)
			return "what the kernel sets";
		if (r->flags & ~KMQ_REC_OPENER || r->uid || r->gid ||
		    r->pid != (__u32)getpid())
			return "sender";
		end = sizeof(*r) + r->attr_len + r->body_len;
		if (memcmp(buf + at + end, zeros, r->size - end))
			return "padding";
		at += r->size;
	}
	return at == len ? NULL : "bytes";
}

/* All that is queued is well formed, and as much as was counted. */
static void drain(struct __test_metadata *_metadata, int q)
{
	static char *buf;
	struct kmq_stat_args st = stat_fd(q);
	struct kmq_xfer_args x;
	__u64 n = 0;

	if (!buf)
		buf = malloc(SPAN);
	EXPECT_EQ(st.sent, st.received + st.ready + st.dropped_purged +
		  st.dropped_full);
	do {
		const char *what;

		x = xfer_args();
		x.recv = ptr(buf);
		x.recv_len = SPAN;
		if (xfer(q, &x))
			break;
		what = wrong(buf, x.received_bytes, x.received);
		EXPECT_EQ(NULL, what)
			TH_LOG("%s", what);
		n += x.received;
	} while (x.received);
	EXPECT_EQ(st.ready, n);
	EXPECT_EQ(0, stat_fd(q).memory);
}

FIXTURE(mutate)
{
	struct _test_data_abi abi;
	int q;
};

FIXTURE_SETUP(mutate)
{
	char *p;

	abi_setup(_metadata, &self->abi, NULL);
	seed = now();
	p = mmap(NULL, SPAN + 2 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	area = p;
	hole = p + SPAN + PAGE;
	ASSERT_EQ(0, mprotect(hole, PAGE, PROT_NONE));
	self->q = create("q", BOTH, NULL);
	ASSERT_LE(0, self->q);
	tick(true);
}

FIXTURE_TEARDOWN(mutate)
{
	tick(false);
	abi_teardown(_metadata, &self->abi, NULL);
}

/* ---- structures --------------------------------------------------------- */

static const int common[] = { EINVAL, EFAULT, E2BIG, 0 };
static const int of_open[] = {
	EINVAL, EFAULT, E2BIG, ENOENT, EEXIST, ESTALE, EPERM, 0
};
static const int of_named[] = { EINVAL, EFAULT, E2BIG, ENOENT, ESTALE, 0 };
static const int of_limits[] = { EINVAL, EFAULT, E2BIG, EPERM, 0 };
static const int of_admin[] = {
	EINVAL, EFAULT, E2BIG, ENOENT, ESTALE, EBADF, ENOTTY, 0
};
static const int of_xfer[] = {
	EINVAL, EFAULT, E2BIG, EAGAIN, EINTR, ETIMEDOUT, EMSGSIZE, EBADF,
	ENOTTY, 0
};

/* Issue a request for a while, changing its structure. */
static void try_request(struct __test_metadata *_metadata, int fd,
			unsigned long nr, const void *good, size_t size,
			const int *allowed, bool opens)
{
	char *args = aligned_alloc(64, 256);
	uint64_t end = now() + EACH;
	unsigned int tries = 0, fine = 0;
	struct changer c;
	int ret;

	change_start(&c, args, good, size);
	while (now() < end || tries < 20) {
		ret = request(fd, nr, args);
		EXPECT_TRUE(one_of(ret, allowed))
			TH_LOG("request %#lx: %s, seed %llu", nr,
			       strerror(-ret), (unsigned long long)seed);
		if (opens && ret >= 0)
			close(ret);
		fine += ret >= 0;
		tries++;
	}
	change_stop(&c);
	/* it was not all in vain */
	EXPECT_LT(0, fine)
		TH_LOG("request %#lx: %u tries", nr, tries);
	free(args);
}

TEST_F(mutate, structures_of_requests_that_ask)
{
	struct kmq_info_args info = { .size = sizeof(info) };
	struct kmq_stat_args st = stat_args("q");
	struct kmq_limits_args limits = { .size = sizeof(limits) };
	struct kmq_list_args list = {
		.size = sizeof(list), .what = KMQ_LIST_OBJECTS,
		.row_size = sizeof(struct kmq_object_row), .rows = ptr(area),
		.count = 2,
	};

	try_request(_metadata, ctl, KMQ_IOC_INFO, &info, sizeof(info), common,
		    false);
	try_request(_metadata, ctl, KMQ_IOC_STAT, &st, sizeof(st), of_named,
		    false);
	try_request(_metadata, ctl, KMQ_IOC_LIST, &list, sizeof(list),
		    of_named, false);
	list.what = KMQ_LIST_HANDLES;
	list.name = ptr("q");
	list.name_len = 1;
	try_request(_metadata, ctl, KMQ_IOC_LIST, &list, sizeof(list),
		    of_named, false);
	/* as root it would set them */
	ASSERT_TRUE(become(USER, USER));
	try_request(_metadata, ctl, KMQ_IOC_LIMITS, &limits, sizeof(limits),
		    of_limits, false);
	become_root();
}

TEST_F(mutate, structures_of_requests_that_change)
{
	struct kmq_open_args open = open_args("r", BOTH | CREATE, NULL);
	struct kmq_attrs at = ATTRS(.mask = KMQ_A_MAX_MESSAGES,
				    .max_messages = 100);
	struct kmq_alter_args alter = {
		.size = sizeof(alter), .name = ptr("q"), .name_len = 1,
		.attrs = ptr(&at),
	};
	struct kmq_admin_args admin_args = {
		.size = sizeof(admin_args), .op = KMQ_ADMIN_UNSEAL,
		.name = ptr("q"), .name_len = 1,
	};
	char *attrs = aligned_alloc(64, 64);
	struct changer c;

	try_request(_metadata, ctl, KMQ_IOC_OPEN, &open, sizeof(open), of_open,
		    true);
	try_request(_metadata, ctl, KMQ_IOC_ALTER, &alter, sizeof(alter),
		    of_named, false);
	/* and what it points to */
	alter.attrs = ptr(attrs);
	change_start(&c, attrs, &at, sizeof(at));
	try_request(_metadata, ctl, KMQ_IOC_ALTER, &alter, sizeof(alter),
		    of_named, false);
	open.attrs = ptr(attrs);
	try_request(_metadata, ctl, KMQ_IOC_OPEN, &open, sizeof(open), of_open,
		    true);
	change_stop(&c);
	/* sometimes a RESET: the queue may be gone afterwards */
	try_request(_metadata, ctl, KMQ_IOC_ADMIN, &admin_args,
		    sizeof(admin_args), of_admin, false);
}

TEST_F(mutate, structure_of_a_delete)
{
	struct kmq_delete_args good = {
		.size = sizeof(good), .name = ptr("r"), .name_len = 1,
	};
	struct kmq_delete_args *d = aligned_alloc(64, 64);
	uint64_t end = now() + EACH;
	unsigned int gone = 0;
	struct changer c;
	int ret;

	change_start(&c, d, &good, sizeof(good));
	while (now() < end || !gone) {
		close(open_queue("r", BOTH | CREATE));
		ret = request(ctl, KMQ_IOC_DELETE, d);
		EXPECT_TRUE(one_of(ret, of_named))
			TH_LOG("%s, seed %llu", strerror(-ret),
			       (unsigned long long)seed);
		gone += !ret;
	}
	change_stop(&c);
	EXPECT_TRUE(exists("q"));
}

TEST_F(mutate, structure_of_an_xfer)
{
	struct kmq_xfer_args good = xfer_args();
	struct batch b = { .max = SPAN, .buf = area };
	int i;

	/* what is received is sent again */
	for (i = 0; i < 20; i++)
		add(&b, "a message");
	good.send = ptr(area);
	good.send_len = b.len;
	good.recv = ptr(area);
	good.recv_len = SPAN;
	try_request(_metadata, self->q, KMQ_IOC_XFER, &good, sizeof(good),
		    of_xfer, false);
	drain(_metadata, self->q);
}

/* ---- records ------------------------------------------------------------ */

/* Everything in a record: header, attributes and padding. */
static void change_records(struct __test_metadata *_metadata, int q, bool vector)
{
	static const int allowed[] = { EINVAL, EMSGSIZE, EAGAIN, EINTR, 0 };
	struct {
		struct kmq_record_attr key;
		char value[8];
		struct kmq_record_attr header;
		char name[16];
	} attrs = {
		{ .type = KMQ_ATTR_KEY, .len = 5 }, "key",
		{ .type = KMQ_ATTR_HEADER, .len = 10 }, "name\0value",
	};
	struct batch b = BATCH(4096), good;
	uint64_t end = now() + 2 * EACH;
	struct kmq_xfer_args x;
	struct iovec iov[3];
	struct changer c;
	int i, ret, fine = 0;

	for (i = 0; i < 8; i++)
		add_full(&b, &attrs, sizeof(attrs), "a body", 3 + i)
			->priority = i % 3;
	good = (struct batch){ .len = b.len, .buf = malloc(b.len) };
	memcpy(good.buf, b.buf, b.len);
	iov[0] = (struct iovec){ b.buf, 100 };
	iov[1] = (struct iovec){ b.buf + 100, 401 };
	iov[2] = (struct iovec){ b.buf + 501, b.len - 501 };
	change_start(&c, b.buf, good.buf, b.len);
	while (now() < end || fine < 5) {
		x = xfer_send(&b);
		ret = vector ? result(writev(q, iov, 3)) : xfer(q, &x);
		EXPECT_TRUE(one_of(ret, allowed))
			TH_LOG("%s, seed %llu", strerror(-ret),
			       (unsigned long long)seed);
		fine += ret >= 0;
		if (stat_fd(q).ready > 1000)
			drain(_metadata, q);
	}
	change_stop(&c);
	drain(_metadata, q);
}

TEST_F(mutate, records_of_an_xfer)
{
	change_records(_metadata, self->q, false);
}

TEST_F(mutate, records_of_a_vector)
{
	change_records(_metadata, create("r", BOTH | RECORDS, NULL), true);
}

TEST_F(mutate, a_vector_of_buffers)
{
	static const int allowed[] = {
		EINVAL, EFAULT, EMSGSIZE, EAGAIN, EINTR, ENODATA, 0
	};
	struct iovec good[4] = {
		{ area, 100 }, { area + 100, 50 }, { NULL, 0 }, { area, 20 },
	};
	struct iovec *iov = aligned_alloc(64, 64);
	uint64_t end = now() + 2 * EACH;
	struct changer c;
	int ret;

	change_start(&c, iov, good, sizeof(good));
	while (now() < end) {
		ret = result(writev(self->q, iov, 4));
		EXPECT_TRUE(one_of(ret, allowed))
			TH_LOG("writev: %s", strerror(-ret));
		ret = result(readv(self->q, iov, 4));
		EXPECT_TRUE(one_of(ret, allowed))
			TH_LOG("readv: %s", strerror(-ret));
	}
	change_stop(&c);
	drain(_metadata, self->q);
}

/* ---- memory that goes away and comes back ------------------------------- */

struct mover {
	pthread_t thread;
	char *at;
	size_t len;
	int stop;
};

/* Takes pages of a buffer away in every way there is. */
static void *move(void *arg)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	struct mover *m = arg;
	uint64_t state = seed | 1;

	while (!__atomic_load_n(&m->stop, __ATOMIC_RELAXED)) {
		char *page = m->at + draw(&state) % (m->len / PAGE) * PAGE;
		char *to;

		switch (draw(&state) % 5) {
		case 0:
			mprotect(page, PAGE, PROT_NONE);
			break;
		case 1:
			mprotect(page, PAGE, PROT_READ);
			break;
		case 2:
			munmap(page, PAGE);
			break;
		case 3:
			madvise(page, PAGE, MADV_DONTNEED);
			break;
		case 4:
			to = mremap(page, PAGE, PAGE, MREMAP_MAYMOVE |
				    MREMAP_FIXED, m->at + m->len);
			if (to == MAP_FAILED)
				break;
			mremap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			       page);
			break;
		}
		sched_yield();
		/* and back, where it is not there any more */
		if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) &&
		    mmap(page, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) ==
		    MAP_FAILED)
			abort();
	}
	return NULL;
}

static void move_start(struct mover *m, void *at, size_t len)
{
	*m = (struct mover){ .at = at, .len = len };
	if (pthread_create(&m->thread, NULL, move, m))
		abort();
}

static void move_stop(struct mover *m)
{
	__atomic_store_n(&m->stop, 1, __ATOMIC_RELAXED);
	pthread_join(m->thread, NULL);
}

#define MOVING	(16 * PAGE)

/* A file with these bytes: to be read to where memory may not be there. */
static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("data", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	return fd;
}

TEST_F(mutate, memory_that_goes_away_under_a_send)
{
	static const int allowed[] = {
		EINVAL, EFAULT, EMSGSIZE, EAGAIN, EINTR, 0
	};
	struct batch b = { .max = MOVING, .buf = malloc(MOVING) };
	int r = create("r", BOTH | RECORDS | NONBLOCK, NULL), ret, file;
	uint64_t end = now() + 2 * EACH;
	__u64 accepted = 0;
	struct mover m;

	while (b.len + 72 <= MOVING)
		add(&b, "a body");
	file = file_of(b.buf, b.len);
	move_start(&m, area, MOVING);
	while (now() < end || accepted < 5) {
		if (pread(file, area, b.len, 0) != (ssize_t)b.len)
			continue;
		ret = wr(r, area, b.len);
		EXPECT_TRUE(one_of(ret, allowed))
			TH_LOG("%s", strerror(-ret));
		accepted += ret > 0;
		drain(_metadata, r);
	}
	move_stop(&m);
	EXPECT_EQ(0, stat_fd(r).ready);
}

TEST_F(mutate, memory_that_goes_away_under_a_receive)
{
	static const int allowed[] = { EFAULT, EAGAIN, EINTR, 0 };
	uint64_t end = now() + 3 * EACH;
	__u64 sent = 0, received = 0;
	struct kmq_xfer_args x;
	struct batch b = BATCH(72 * 64);
	struct mover m;
	int i, ret;

	for (i = 0; i < 64; i++)
		add(&b, "a body");
	move_start(&m, area, MOVING);
	while (now() < end || received < 5) {
		for (i = 0; i < 4; i++) {
			x = xfer_send(&b);
			if (!xfer(self->q, &x))
				sent += x.sent;
		}
		x = xfer_args();
		x.recv = ptr(area);
		x.recv_len = MOVING;
		ret = xfer(self->q, &x);
		EXPECT_TRUE(one_of(ret, allowed))
			TH_LOG("%s", strerror(-ret));
		/* the results are where nothing moves: they are exact */
		received += x.received;
		EXPECT_EQ(x.received * 72, x.received_bytes);
		ASSERT_EQ(received, stat_fd(self->q).received);
		ASSERT_EQ(sent - received, stat_fd(self->q).ready);
		if (sent - received > 2000)
			drain(_metadata, self->q);
		received = stat_fd(self->q).received;
	}
	move_stop(&m);
	drain(_metadata, self->q);
}

TEST_F(mutate, memory_that_goes_away_under_the_arguments)
{
	static const int allowed[] = { EINVAL, EFAULT, EAGAIN, EINTR, 0 };
	struct kmq_xfer_args good = xfer_args();
	char *args = area + PAGE - 72;
	uint64_t end = now() + 2 * EACH;
	struct batch b = BATCH(128);
	char buf[256];
	struct mover m;
	int ret, file;

	add(&b, "a body");
	good.send = ptr(b.buf);
	good.send_len = b.len;
	good.recv = ptr(buf);
	good.recv_len = sizeof(buf);
	file = file_of(&good, sizeof(good));
	/* the results stand on a page of their own */
	move_start(&m, area, 2 * PAGE);
	while (now() < end) {
		if (pread(file, args, sizeof(good), 0) != sizeof(good))
			continue;
		ret = request(self->q, KMQ_IOC_XFER, args);
		EXPECT_TRUE(one_of(ret, allowed))
			TH_LOG("%s", strerror(-ret));
	}
	move_stop(&m);
	drain(_metadata, self->q);
}

TEST_HARNESS_MAIN
