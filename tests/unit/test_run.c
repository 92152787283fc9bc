// SPDX-License-Identifier: GPL-2.0-only
/* The memory of messages. */
#include <errno.h>

#include "fixture.h"

static struct client *client;

static int set_up(void **state)
{
	(void)state;
	world_open(&world, 1000, 1ull << 32, KMQ_OVERFLOW_BLOCK);
	client = client_open(&world);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

/* Charged is what is allocated, to the byte. */
static void expect_charge_is_true(struct kmq_run *run, long before)
{
	assert_int_equal(shim_live_bytes() - before, run->memory);
}

static void test_every_size(void **state)
{
	static const u32 around[] = {
		0, 1, 8, 63, 64, 65, 128, 192, 448, 512, 960, 1024, 1088, 2048,
		2112, 4096, 4160, 8192, 8256, KMQ_CHUNK_BYTES - 72,
		KMQ_CHUNK_BYTES - 65, KMQ_CHUNK_BYTES - 64, KMQ_CHUNK_BYTES - 63,
		KMQ_CHUNK_BYTES, 2 * KMQ_CHUNK_BYTES - 64,
		2 * KMQ_CHUNK_BYTES - 63, 100000, KMQ_MESSAGE_MAX / 2,
		KMQ_MESSAGE_MAX - 64, KMQ_MESSAGE_MAX - 1, KMQ_MESSAGE_MAX,
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(around); i++) {
		struct spec spec = { .body = around[i] };
		long before = shim_live_bytes();
		struct kmq_run *run;
		u32 size = record_bytes(spec.body);

		run = run_make(client, &spec, 1);
		assert_non_null(run);
		expect_charge_is_true(run, before);
		assert_int_equal(run->count, 1);
		assert_int_equal(run->bytes, size);
		assert_int_equal(run->nodes[0].size, size);
		assert_int_equal(run->npieces, size > KMQ_CHUNK_BYTES ?
				 DIV_ROUND_UP(size, KMQ_CHUNK_BYTES) : 0);
		assert_true(body_intact(&run->nodes[0]));
		assert_ptr_equal(kmq_node_run(&run->nodes[0]), run);
		kmq_run_free(run);
		assert_int_equal(shim_live_bytes(), before);
	}
}

/* Each multiple of 8 up to a chunk finds a class; no byte is out of bounds. */
static void test_single_classes(void **state)
{
	u32 size;

	(void)state;
	for (size = 64; size <= KMQ_CHUNK_BYTES; size += 8) {
		long before = shim_live_bytes();
		struct kmq_run *run = kmq_run_single(size);
		struct kmq_data data;

		assert_non_null(run);
		expect_charge_is_true(run, before);
		memset(run->data, 0xff, size);
		record_put(run->data, 1, 9, size - 64);
		kmq_run_single_ready(run, 77);
		assert_int_equal(run->nodes[0].priority, 9);
		assert_true(body_intact(&run->nodes[0]));
		/* at most 15/16 of what a power of two wastes, plus the head */
		assert_true(run->memory <= 2 * size + 256);
		kmq_run_free(run);

		assert_int_equal(kmq_data_alloc(&data, size), 0);
		memset(data.ptr, 0xff, size);
		kmq_data_free(&data);
		kmq_data_free(&data);
	}
}

/* The kernel's words are set, whatever the sender wrote there. */
static void test_kernel_fields(void **state)
{
	struct kmq_scan scan;
	struct kmq_record *rec;
	struct kmq_data data;
	struct kmq_run *run;
	u32 i, len = 0;

	(void)state;
	assert_int_equal(kmq_data_alloc(&data, 1024), 0);
	for (i = 0; i < 3; i++) {
		rec = data.ptr + len;
		memset(rec, 0xff, sizeof(*rec));
		rec->size = 64;
		rec->body_len = 0;
		rec->attr_len = 0;
		rec->priority = 4;
		rec->flags = KMQ_REC_OPENER;
		len += 64;
	}
	assert_int_equal(kmq_records_scan(data.ptr, len, 0, &scan), 0);
	run = kmq_run_batch(&data, &scan, 4711);
	assert_non_null(run);
	assert_null(data.ptr);
	for (i = 0; i < 3; i++) {
		rec = kmq_run_record(run, &run->nodes[i]);
		assert_int_equal(rec->partition, 0);
		assert_int_equal(rec->deliveries, 1);
		assert_int_equal(rec->time, 4711);
		assert_int_equal(rec->tag, 0);
		assert_int_equal(rec->cookie, ~0ull);
		assert_int_equal(rec->priority, 4);
	}
	kmq_run_free(run);
}

static void test_batches(void **state)
{
	struct spec spec[KMQ_CHUNK_RECORDS] = { { 0 } };
	u32 n, i;

	(void)state;
	for (n = 2; n <= KMQ_CHUNK_RECORDS; n++) {
		long before = shim_live_bytes();
		struct kmq_run *run = run_make(client, spec, n);
		u64 first = world.last_id - n + 1;

		assert_non_null(run);
		expect_charge_is_true(run, before);
		assert_int_equal(run->count, n);
		assert_int_equal(run->bytes, 64 * n);
		assert_int_equal(refcount_read(&run->refs), n);
		for (i = 0; i < n; i++) {
			struct kmq_node *node = &run->nodes[i];

			assert_int_equal(node_id(node), first + i);
			assert_ptr_equal(kmq_node_run(node), run);
			assert_int_equal(node->off, 64 * i);
			if (i) {
				assert_ptr_equal(node->link.prev,
						 &node[-1].link);
				assert_ptr_equal(node[-1].link.next,
						 &node->link);
			}
		}
		kmq_run_free(run);
	}
}

/* Nodes go in any order and grouping; the run goes with the last one. */
static void test_nodes_free(void **state)
{
	u64 seed = seed_from_environment();
	int round;

	(void)state;
	for (round = 0; round < 300; round++) {
		struct kmq_node *nodes[24];
		struct spec spec[8] = { { 0 } };
		long before = shim_live();
		u32 i, n = 0;

		for (i = 0; i < 3; i++) {
			u32 k, count = 1 + random_below(&seed, 8);
			struct kmq_run *run = run_make(client, spec, count);

			assert_non_null(run);
			for (k = 0; k < count; k++)
				nodes[n++] = &run->nodes[k];
		}
		while (n) {
			u32 some = 1 + random_below(&seed, n);
			LIST_HEAD(list);

			for (i = 0; i < some; i++) {
				u32 at = random_below(&seed, 3) ? 0 :
					random_below(&seed, n);

				list_add_tail(&nodes[at]->link, &list);
				memmove(&nodes[at], &nodes[at + 1],
					(n - at - 1) * sizeof(nodes[0]));
				n--;
			}
			kmq_nodes_free(&list);
			assert_true(list_empty(&list));
		}
		assert_int_equal(shim_live(), before);
	}
}

static void test_segments(void **state)
{
	const struct spec spec = { .body = 3 * KMQ_CHUNK_BYTES };
	struct kmq_run *run = run_make(client, &spec, 1);
	u32 len, at;

	(void)state;
	assert_non_null(run);
	assert_int_equal(run->npieces, 4);
	for (at = 0; at < run->bytes; at += 1000) {
		len = 5000;
		assert_ptr_equal(kmq_run_segment(run, at, &len),
				 (u8 *)run->pieces[at / KMQ_CHUNK_BYTES] +
				 at % KMQ_CHUNK_BYTES);
		assert_int_equal(len, min(5000u, KMQ_CHUNK_BYTES -
					  at % KMQ_CHUNK_BYTES));
	}
	kmq_run_free(run);
}

/* A run pays with its sender's credit and gives back when it is freed. */
static void test_charge_and_refund(void **state)
{
	const struct spec spec = { .body = 1000 };
	struct kmq_run *run, *other;
	long used;

	(void)state;
	run = run_make(client, &spec, 1);
	assert_non_null(run);
	used = atomic_long_read(&world.user.used[KMQ_R_BYTES]);
	assert_true(used >= run->memory);
	assert_int_equal(refcount_read(&client->sender->refs), 2);
	assert_ptr_equal(run->sender, client->sender);

	/* the handle goes first: the message alone stays paid for */
	world.limits[KMQ_R_BYTES] = 0;
	client_close(client);
	assert_int_equal(atomic_long_read(&world.user.used[KMQ_R_BYTES]),
			 run->memory);
	client = client_open(&world);
	other = run_make(client, &spec, 1);
	assert_null(other);
	assert_int_equal(errno, ENOBUFS);
	kmq_run_free(run);
	assert_int_equal(atomic_long_read(&world.user.used[KMQ_R_BYTES]), 0);
}

#define RUN(function, text)						\
	{ .name = "run: " text, .test_func = function,			\
	  .setup_func = set_up, .teardown_func = tear_down }

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(test_every_size, "every size up to 1 MiB, charged as allocated"),
		RUN(test_single_classes, "singles and data of every class"),
		RUN(test_kernel_fields, "the kernel's words are the kernel's"),
		RUN(test_batches, "batches of 2 to 256 neighbours"),
		RUN(test_nodes_free, "nodes freed in any order and grouping"),
		RUN(test_segments, "pieces of a large record"),
		RUN(test_charge_and_refund, "paid while it lives, no longer"),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
