// SPDX-License-Identifier: GPL-2.0-only
/* A queue of the core, in user space, against its model. */
#include "inputs.h"
#include "libfuzzer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input_queue(data, size);
	return 0;
}
