// SPDX-License-Identifier: GPL-2.0-only
#include "inputs.h"
#include "record_model.h"
#include "walk.h"

static const uint8_t *dice_at, *dice_end;

/* The first byte chooses the longest body allowed, the rest is the buffer. */
void input_record(const uint8_t *data, size_t len)
{
	static const u32 limits[] = {
		0, 1, 8, 100, 4096, 16384, KMQ_MESSAGE_MAX - 1, KMQ_MESSAGE_MAX,
	};
	u32 limit;

	if (!len || len > INPUT_MAX)
		return;
	limit = limits[data[0] % ARRAY_SIZE(limits)];
	compare_with_model(data + 1, len - 1, limit);
	compare_check_with_model(data + 1, len - 1, limit);
}

static u32 next_byte(void)
{
	return dice_at < dice_end ? *dice_at++ : 0;
}

static u32 dice(u32 limit)
{
	u32 value = next_byte();

	if (limit > 256)
		value |= next_byte() << 8;
	return value % limit;
}

/* Each byte is a throw of the dice; the walk ends with them. */
void input_queue(const uint8_t *data, size_t len)
{
	u32 steps;

	dice_at = data;
	dice_end = data + len;
	walk_dice = dice;
	walk_start();
	for (steps = 0; steps < WALK_STEPS && dice_at < dice_end; steps++)
		walk_step();
	walk_end();
}
