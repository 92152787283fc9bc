// SPDX-License-Identifier: GPL-2.0-only
/* Structures that are shorter or longer, wrong numbers, wrong fds */
#include "kmq-test.h"

union args {
	__u32 size;
	struct kmq_info_args info;
	struct kmq_open_args open;
	struct kmq_alter_args alter;
	struct kmq_delete_args del;
	struct kmq_stat_args stat;
	struct kmq_list_args list;
	struct kmq_limits_args limits;
	struct kmq_admin_args admin;
	struct kmq_xfer_args xfer;
	char bytes[8192];
};

static struct kmq_attrs some_attrs;
static struct kmq_object_row row;
static struct batch packed;

static const struct request {
	const char *name;
	unsigned long nr;
	size_t size;
	size_t ver0;
} requests[] = {
	{ "INFO", KMQ_IOC_INFO, sizeof(struct kmq_info_args),
	  KMQ_INFO_ARGS_SIZE_VER0 },
	{ "OPEN", KMQ_IOC_OPEN, sizeof(struct kmq_open_args),
	  KMQ_OPEN_ARGS_SIZE_VER0 },
	{ "ALTER", KMQ_IOC_ALTER, sizeof(struct kmq_alter_args),
	  KMQ_ALTER_ARGS_SIZE_VER0 },
	{ "STAT", KMQ_IOC_STAT, sizeof(struct kmq_stat_args),
	  KMQ_STAT_ARGS_SIZE_VER0 },
	{ "LIST", KMQ_IOC_LIST, sizeof(struct kmq_list_args),
	  KMQ_LIST_ARGS_SIZE_VER0 },
	{ "LIMITS", KMQ_IOC_LIMITS, sizeof(struct kmq_limits_args),
	  KMQ_LIMITS_ARGS_SIZE_VER0 },
	{ "ADMIN", KMQ_IOC_ADMIN, sizeof(struct kmq_admin_args),
	  KMQ_ADMIN_ARGS_SIZE_VER0 },
	{ "XFER", KMQ_IOC_XFER, sizeof(struct kmq_xfer_args),
	  KMQ_XFER_ARGS_SIZE_VER0 },
	/* last, because it works only once */
	{ "DELETE", KMQ_IOC_DELETE, sizeof(struct kmq_delete_args),
	  KMQ_DELETE_ARGS_SIZE_VER0 },
};

/* A request that does something; all behind it is zero. */
static void valid(const struct request *r, union args *a)
{
	memset(a, 0, sizeof(*a));
	a->size = r->size;
	switch (r->nr) {
	case KMQ_IOC_OPEN:
		a->open.flags = BOTH;
		a->open.name = ptr("q");
		a->open.name_len = 1;
		break;
	case KMQ_IOC_ALTER:
		some_attrs = ATTRS(.mask = KMQ_A_MODE, .mode = 0600);
		a->alter.attrs = ptr(&some_attrs);
		a->alter.name = ptr("q");
		a->alter.name_len = 1;
		break;
	case KMQ_IOC_DELETE:
		a->del.name = ptr("q");
		a->del.name_len = 1;
		break;
	case KMQ_IOC_STAT:
		a->stat.name = ptr("q");
		a->stat.name_len = 1;
		break;
	case KMQ_IOC_LIST:
		a->list.what = KMQ_LIST_OBJECTS;
		a->list.row_size = sizeof(row);
		a->list.rows = ptr(&row);
		a->list.count = 1;
		break;
	case KMQ_IOC_ADMIN:
		a->admin.name = ptr("q");
		a->admin.name_len = 1;
		a->admin.op = KMQ_ADMIN_PURGE;
		break;
	case KMQ_IOC_XFER:
		a->xfer.send_fd = -1;
		a->xfer.send = ptr(packed.buf);
		a->xfer.send_len = packed.len;
		break;
	}
}

FIXTURE(growth)
{
	struct _test_data_abi abi;
	int q;
};

FIXTURE_SETUP(growth)
{
	abi_setup(_metadata, &self->abi, NULL);
	self->q = create("q", BOTH, NULL);
	ASSERT_LE(0, self->q);
	packed.max = 256;
	packed.buf = calloc(1, 256);
	add(&packed, "hello");
}

FIXTURE_TEARDOWN(growth)
{
	abi_teardown(_metadata, &self->abi, NULL);
}

static int issue(int q, const struct request *r, union args *a)
{
	return request(r->nr == KMQ_IOC_XFER ? q : ctl, r->nr, a);
}

TEST_F(growth, sizes_are_those_first_published)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_LE(requests[i].ver0, requests[i].size)
			TH_LOG("%s", requests[i].name);
		EXPECT_EQ(requests[i].size, _IOC_SIZE(requests[i].nr));
	}
	EXPECT_EQ(64, sizeof(struct kmq_record));
	EXPECT_EQ(8, sizeof(struct kmq_record_attr));
	EXPECT_EQ(KMQ_ATTRS_SIZE_VER0, sizeof(struct kmq_attrs));
	/* the same for 32-bit and 64-bit callers */
	EXPECT_EQ(400, sizeof(struct kmq_object_row));
	EXPECT_EQ(368, sizeof(struct kmq_handle_row));
	EXPECT_EQ(0xc070bc10, KMQ_IOC_XFER);
}

TEST_F(growth, the_first_published_size_works)
{
	union args a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		valid(&requests[i], &a);
		a.size = requests[i].ver0;
		EXPECT_LE(0, issue(self->q, &requests[i], &a))
			TH_LOG("%s", requests[i].name);
	}
}

TEST_F(growth, shorter_than_first_published_is_einval)
{
	struct kmq_stat_args before = stat_fd(self->q);
	union args a;
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		for (size = 0; size < requests[i].ver0; size += 4) {
			valid(&requests[i], &a);
			a.size = size;
			EXPECT_EQ(-EINVAL, issue(self->q, &requests[i], &a))
				TH_LOG("%s of %zu", requests[i].name, size);
		}
	}
	EXPECT_TRUE(same_stat(&before, self->q));
}

TEST_F(growth, longer_with_a_zero_tail_works)
{
	static const size_t more[] = { 1, 8, 64, 1000 };
	union args a;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		for (k = 0; k < ARRAY_SIZE(more); k++) {
			valid(&requests[i], &a);
			a.size += more[k];
			EXPECT_LE(0, issue(self->q, &requests[i], &a))
				TH_LOG("%s of %u", requests[i].name, a.size);
			EXPECT_EQ(requests[i].size + more[k], a.size);
			ASSERT_TRUE(requests[i].nr != KMQ_IOC_DELETE ||
				    create("q", BOTH, NULL) >= 0);
		}
	}
}

TEST_F(growth, longer_with_a_tail_that_means_something_is_e2big)
{
	struct kmq_stat_args before = stat_fd(self->q);
	static const size_t more[] = { 1, 8, 64, 1000 };
	union args a;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		for (k = 0; k < ARRAY_SIZE(more); k++) {
			valid(&requests[i], &a);
			a.size += more[k];
			a.bytes[a.size - 1] = 1;
			EXPECT_EQ(-E2BIG, issue(self->q, &requests[i], &a))
				TH_LOG("%s of %u", requests[i].name, a.size);
			valid(&requests[i], &a);
			a.size += more[k];
			a.bytes[requests[i].size] = 1;
			EXPECT_EQ(-E2BIG, issue(self->q, &requests[i], &a))
				TH_LOG("%s of %u", requests[i].name, a.size);
		}
	}
	EXPECT_TRUE(same_stat(&before, self->q));
}

TEST_F(growth, what_is_behind_the_structure_is_not_written)
{
	union args a;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		valid(&requests[i], &a);
		memset(a.bytes + requests[i].size, POISON, 256);
		EXPECT_LE(0, issue(self->q, &requests[i], &a))
			TH_LOG("%s", requests[i].name);
		for (k = 0; k < 256; k++)
			EXPECT_EQ((char)POISON,
				  a.bytes[requests[i].size + k]);
	}
}

TEST_F(growth, attributes_grow_too)
{
	struct {
		struct kmq_attrs at;
		char tail[64];
	} big = { .at.size = sizeof(big), .at.mask = KMQ_A_MODE,
		  .at.mode = 0604 };
	struct kmq_stat_args st;

	ASSERT_EQ(0, alter("q", &big.at, NULL));
	EXPECT_EQ(0604, attrs_of(self->q).mode);
	big.at.mode = 0600;
	big.tail[63] = 1;
	EXPECT_EQ(-E2BIG, alter("q", &big.at, NULL));
	EXPECT_EQ(0604, attrs_of(self->q).mode);
	big.at.size = KMQ_ATTRS_SIZE_VER0 - 4;
	EXPECT_EQ(-EINVAL, alter("q", &big.at, NULL));
	EXPECT_EQ(-EINVAL, create("r", BOTH, &big.at));
	big.at.size = 0;
	EXPECT_EQ(-EINVAL, create("r", BOTH, &big.at));
	EXPECT_FALSE(exists("r"));

	/* what is filled in is filled in whole */
	memset(&big, POISON, sizeof(big));
	big.at.size = sizeof(big);
	st = stat_args(NULL);
	st.attrs = ptr(&big);
	ASSERT_EQ(0, request(self->q, KMQ_IOC_STAT, &st));
	EXPECT_EQ(sizeof(big), big.at.size);
	EXPECT_EQ(0604, big.at.mode);
	EXPECT_EQ(0, big.tail[0]);
	EXPECT_EQ(0, big.tail[63]);
	big.at.size = KMQ_ATTRS_SIZE_VER0 - 4;
	EXPECT_EQ(-EINVAL, request(self->q, KMQ_IOC_STAT, &st));
}

TEST_F(growth, the_size_in_the_number_does_not_matter)
{
	union args a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		struct request r = requests[i];

		valid(&r, &a);
		r.nr &= ~((unsigned long)_IOC_SIZEMASK << _IOC_SIZESHIFT);
		r.nr |= (r.size + 8) << _IOC_SIZESHIFT;
		EXPECT_LE(0, request(requests[i].nr == KMQ_IOC_XFER ?
				     self->q : ctl, r.nr, &a))
			TH_LOG("%s", r.name);
	}
}

TEST_F(growth, other_numbers_are_enotty)
{
	struct kmq_stat_args before = stat_fd(self->q);
	unsigned int nr;
	union args a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		unsigned int n = _IOC_NR(requests[i].nr);
		size_t size = requests[i].size;
		int fd = requests[i].nr == KMQ_IOC_XFER ? self->q : ctl;

		valid(&requests[i], &a);
		EXPECT_EQ(-ENOTTY, request(fd, _IOC(_IOC_READ, KMQ_IOC_MAGIC,
						    n, size), &a));
		EXPECT_EQ(-ENOTTY, request(fd, _IOC(_IOC_WRITE, KMQ_IOC_MAGIC,
						    n, size), &a));
		EXPECT_EQ(-ENOTTY, request(fd, _IOC(_IOC_NONE, KMQ_IOC_MAGIC,
						    n, size), &a));
		EXPECT_EQ(-ENOTTY, request(fd, _IOWR(0xBD, n,
						     union args), &a));
	}
	for (nr = 0; nr < 256; nr++) {
		if (nr <= 0x07 || nr == 0x10)
			continue;
		EXPECT_EQ(-ENOTTY, request(ctl, _IOWR(KMQ_IOC_MAGIC, nr,
						      __u64), &a));
		EXPECT_EQ(-ENOTTY, request(self->q, _IOWR(KMQ_IOC_MAGIC, nr,
							  __u64), &a));
	}
	EXPECT_TRUE(same_stat(&before, self->q));
}

TEST_F(growth, requests_of_the_other_kind_of_fd_are_enotty)
{
	struct kmq_stat_args before = stat_fd(self->q);
	union args a;
	int fd, n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		valid(&requests[i], &a);
		/* STAT is for both, ADMIN has operations for both */
		if (requests[i].nr == KMQ_IOC_STAT)
			continue;
		fd = requests[i].nr == KMQ_IOC_XFER ? ctl : self->q;
		EXPECT_EQ(-ENOTTY, request(fd, requests[i].nr, &a))
			TH_LOG("%s", requests[i].name);
	}
	EXPECT_EQ(-ENOTTY, request(ctl, FIONREAD, &n));
	EXPECT_TRUE(same_stat(&before, self->q));
}

TEST_F(growth, a_control_fd_is_no_stream)
{
	char c = 0;

	EXPECT_EQ(-EINVAL, rd(ctl, &c, 1));
	EXPECT_EQ(-EINVAL, wr(ctl, &c, 1));
}

TEST_HARNESS_MAIN
