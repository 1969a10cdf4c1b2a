/* The work on rows, once for each path. Before it is included the path has defined
 *
 *   PATH(name)                          the name with the path's mark
 *   LANES                               rows that are given keys of their own at once
 *   ECB_STEP                            ecb functions work on multiples of so many blocks; buffers have the room
 *   sm4_schedule, sm4_lanes, aes_schedule, aes_lanes
 *   sm4_expand(schedule *, key), sm4_ecb(schedule *, blocks, count), and likewise for aes
 *   sm4_lanes_expand(lanes *, keys), sm4_lanes_ecb(lanes *, blocks, steps): keys[LANES], blocks[steps][LANES]
 *   gh_key, gh_state, gh_zero(), gh_init(key *, h, powers), gh_blocks(key *, powers, state, bytes, blocks),
 *   gh_last(key *, powers, state, bytes, blocks, tail or NULL, length block): whole blocks, the tail, the lengths
 *   gh_out(state): the 16 bytes
 */

#define POWERS 8

typedef union {
    sm4_schedule sm4;
    aes_schedule aes;
} PATH(schedule);

typedef union {
    sm4_lanes sm4;
    aes_lanes aes;
} PATH(lanes);

typedef struct {
    int64_t row;
    const uint8_t *in; /* plaintext, or the sealed value */
    uint8_t *out;
    size_t size; /* of the plaintext */
    size_t first; /* its first block in the tile */
} PATH(item);

/* Everything secret of one call; wiped at its end. */
typedef struct {
    uint8_t blocks[(TILE_BLOCKS > (LANE_BLOCKS + 2) * LANES ? TILE_BLOCKS : (LANE_BLOCKS + 2) * LANES) * 16 + 4096];
    PATH(schedule) schedule;
    PATH(lanes) lanes;
    gh_key hash;
    gh_state head_state;
    int head_known;
    uint8_t keys[LANES][32];
    uint8_t nonces[TILE_BLOCKS * NONCE]; /* drawn ahead, used once each */
    size_t nonces_used, nonces_drawn;
    uint8_t prefix[PREFIX];
    PATH(item) items[TILE_BLOCKS > LANES ? TILE_BLOCKS : LANES];
} PATH(room);

INLINE block length_block(uint64_t associated, uint64_t text)
{
    return (block){__builtin_bswap64(associated * 8), __builtin_bswap64(text * 8)};
}

INLINE void ecb(int suite, const PATH(schedule) *schedule, uint8_t *blocks, size_t count)
{
    if (suite == SM4_GCM)
        sm4_ecb(&schedule->sm4, blocks, count);
    else
        aes_ecb(&schedule->aes, blocks, count);
}

INLINE void expand(int suite, PATH(schedule) *schedule, const uint8_t *key)
{
    if (suite == SM4_GCM)
        sm4_expand(&schedule->sm4, key);
    else
        aes_expand(&schedule->aes, key);
}

INLINE void counter_block(uint8_t *to, const uint8_t *nonce, uint32_t counter)
{
    store_8(to, load_8(nonce));
    store_4(to + 8, load_4(nonce + 8));
    store_4(to + 12, __builtin_bswap32(counter));
}

/* Writes the six bytes in front of the associated data of a row. */
INLINE void prefix_of(const job *work, int64_t row, const uint8_t *sealed, uint8_t *prefix)
{
    memcpy(prefix, work->opening ? sealed : work->head, PREFIX);
    if (!work->opening && work->key_ids)
        store_4(prefix + 2, __builtin_bswap32(work->key_ids[row]));
}

/* Hashes prefix, length, aad; the last blocks may be filled up by the context of the row. */
INLINE gh_state hash_head(const job *work, const gh_key *hash, int powers, const uint8_t *prefix, size_t whole)
{
    gh_state state = gh_zero();
    if (whole == 0)
        return state;
    uint8_t first[16];
    memcpy(first, work->head, 16);
    memcpy(first, prefix, PREFIX);
    state = gh_blocks(hash, powers, state, first, 1);
    return gh_blocks(hash, powers, state, work->head + 16, whole - 1);
}

/* Hashes the associated data of a row; its size goes to `size`. */
INLINE gh_state hash_associated(const job *work, PATH(room) *room, const gh_key *hash, int powers, int64_t row,
                                const uint8_t *prefix, uint64_t *size)
{
    const size_t whole = work->head_size / 16;
    gh_state state;
    uint8_t carry[16];
    const uint8_t *context = NULL;
    size_t context_size = 0, held = work->head_size % 16;

    if (powers == 1) {
        state = hash_head(work, hash, powers, prefix, whole);
    } else {
        if (!room->head_known || memcmp(room->prefix, prefix, PREFIX) != 0) {
            memcpy(room->prefix, prefix, PREFIX);
            room->head_state = hash_head(work, hash, powers, prefix, whole);
            room->head_known = 1;
        }
        state = room->head_state;
    }
    if (work->row_aad) {
        context = column_bytes(work->row_aad, row);
        context_size = column_size(work->row_aad, row);
    }
    *size = work->head_size + context_size;
    memset(carry, 0, 16);
    memcpy(carry, work->head + whole * 16, held);
    if (whole == 0)
        memcpy(carry, prefix, PREFIX);
    if (held) {
        size_t take = context_size < 16 - held ? context_size : 16 - held;
        if (take)
            memcpy(carry + held, context, take);
        state = gh_blocks(hash, powers, state, carry, 1);
        context_size -= take;
        if (context_size)
            context += take;
    }
    if (context_size) {
        state = gh_blocks(hash, powers, state, context, context_size / 16);
        if (context_size % 16) {
            store_block(carry, load_part(context + context_size / 16 * 16, context_size % 16));
            state = gh_blocks(hash, powers, state, carry, 1);
        }
    }
    return state;
}

/* Adds the key stream to `size` bytes; block k of it stands `stride` bytes behind block k - 1. Returns the last,
 * incomplete block as it was written, zeros behind it. */
INLINE block add_stream(uint8_t *to, const uint8_t *from, size_t size, const uint8_t *stream, size_t stride)
{
    size_t whole = size / 16, part = size % 16;
    for (size_t at = 0; at < whole; at++, stream += stride)
        store_block(to + 16 * at, load_block(from + 16 * at) ^ load_block(stream));
    block last = {0, 0};
    if (part) {
        last = (load_part(from + 16 * whole, part) ^ load_block(stream)) & part_mask(part);
        store_part(to + 16 * whole, last, part);
    }
    return last;
}

INLINE gh_state hash_last(const gh_key *hash, int powers, gh_state state, const uint8_t *text, size_t size, block tail,
                          uint64_t associated, size_t whole_size)
{
    return gh_last(hash, powers, state, text, size / 16, size % 16 ? &tail : NULL, length_block(associated, whole_size));
}

/* 0 where both are equal, in a time that does not depend on where they differ. */
INLINE uint64_t differ(block one, block other)
{
    block both = one ^ other;
    return both[0] | both[1];
}

/* Finishes a row whose key stream is at hand: `stream` holds the tag's block, then those of the text. */
INLINE void finish_row(const job *work, PATH(room) *room, const gh_key *hash, int powers, const PATH(item) *item,
                       const uint8_t *nonce, const uint8_t *stream, size_t stride)
{
    uint8_t prefix[PREFIX];
    uint64_t associated;
    prefix_of(work, item->row, item->in, prefix);
    gh_state state = hash_associated(work, room, hash, powers, item->row, prefix, &associated);
    if (!work->opening) {
        uint8_t *text = item->out + HEADER;
        memcpy(item->out, prefix, PREFIX);
        memcpy(item->out + PREFIX, nonce, NONCE);
        block tail = add_stream(text, item->in, item->size, stream + stride, stride);
        state = hash_last(hash, powers, state, text, item->size, tail, associated, item->size);
        store_block(text + item->size, gh_out(state) ^ load_block(stream));
        work->verdicts[item->row] = ROW_BYTES;
        return;
    }
    const uint8_t *text = item->in + HEADER;
    block tail = load_part(text + item->size / 16 * 16, item->size % 16);
    state = hash_last(hash, powers, state, text, item->size, tail, associated, item->size);
    if (differ(gh_out(state) ^ load_block(stream), load_block(text + item->size))) {
        memset(item->out, 0, item->size);
        work->verdicts[item->row] = ROW_BROKEN;
        return;
    }
    add_stream(item->out, text, item->size, stream + stride, stride);
    work->verdicts[item->row] = prefix[1] & TEXT_FLAG ? ROW_TEXT : ROW_BYTES;
}

/* Seals or opens one row of any length with the schedule in the room. */
static void PATH(long_row)(const job *work, int suite, PATH(room) *room, const PATH(item) *item, const uint8_t *nonce)
{
    uint8_t prefix[PREFIX];
    uint64_t associated;
    block mask, tail = {0, 0};
    const size_t step = (TILE_BLOCKS - 1) * 16;
    prefix_of(work, item->row, item->in, prefix);
    gh_state state = hash_associated(work, room, &room->hash, POWERS, item->row, prefix, &associated);
    counter_block(room->blocks, nonce, 1);
    ecb(suite, &room->schedule, room->blocks, 1);
    mask = load_block(room->blocks);

    const uint8_t *from = work->opening ? item->in + HEADER : item->in;
    uint8_t *to = work->opening ? item->out : item->out + HEADER;
    if (work->opening) {
        tail = load_part(from + item->size / 16 * 16, item->size % 16);
        state = hash_last(&room->hash, POWERS, state, from, item->size, tail, associated, item->size);
        if (differ(gh_out(state) ^ mask, load_block(from + item->size))) {
            memset(item->out, 0, item->size);
            work->verdicts[item->row] = ROW_BROKEN;
            return;
        }
    }
    uint32_t counter = 2;
    for (size_t done = 0; done < item->size; done += step) {
        size_t size = item->size - done < step ? item->size - done : step;
        size_t count = (size + 15) / 16;
        for (size_t at = 0; at < count; at++)
            counter_block(room->blocks + 16 * at, nonce, counter++);
        ecb(suite, &room->schedule, room->blocks, count);
        tail = add_stream(to + done, from + done, size, room->blocks, 16);
        if (!work->opening && done + size < item->size)
            state = gh_blocks(&room->hash, POWERS, state, to + done, count);
    }
    if (work->opening) {
        work->verdicts[item->row] = prefix[1] & TEXT_FLAG ? ROW_TEXT : ROW_BYTES;
        return;
    }
    size_t before = item->size ? (item->size - 1) / step * step : 0;
    state = hash_last(&room->hash, POWERS, state, to + before, item->size - before, tail, associated, item->size);
    memcpy(item->out, prefix, PREFIX);
    memcpy(item->out + PREFIX, nonce, NONCE);
    store_block(to + item->size, gh_out(state) ^ mask);
    work->verdicts[item->row] = ROW_BYTES;
}

/* Reads a row into an item; 0 where there is nothing to do on it. */
INLINE int take_row(const job *work, int64_t row, PATH(item) *item)
{
    if (work->verdicts[row] != ROW_SKIPPED || !column_valid(work->values, row))
        return 0;
    item->row = row;
    item->in = column_bytes(work->values, row);
    item->out = work->out + out_begin(work, row);
    item->size = column_size(work->values, row) - (work->opening ? OVERHEAD : 0);
    return 1;
}

/* The nonce of an item: its own where it is opened, else one of those that next_nonces() gave. */
INLINE const uint8_t *nonce_of(const job *work, const uint8_t *fresh, const PATH(item) *item, size_t place)
{
    return work->opening ? item->in + PREFIX : fresh + NONCE * place;
}

/* `count` unused nonces, NULL where the system gives none. They are drawn for many rows ahead, at most `rows`, which is
 * how many rows are still to come. `nonces` of a job stands only in the known-answer tests. */
INLINE const uint8_t *next_nonces(const job *work, PATH(room) *room, size_t count, int64_t rows)
{
    if (work->opening)
        return room->nonces;
    if (work->nonces)
        return work->nonces;
    if (room->nonces_drawn - room->nonces_used < count) {
        size_t many = rows < TILE_BLOCKS ? (size_t)rows : TILE_BLOCKS;
        many = many < count ? count : many;
        room->nonces_used = room->nonces_drawn = 0;
        if (kuimen_random(room->nonces, many * NONCE) < 0)
            return NULL;
        room->nonces_drawn = many;
    }
    const uint8_t *fresh = room->nonces + NONCE * room->nonces_used;
    room->nonces_used += count;
    return fresh;
}

INLINE void use_key(int suite, PATH(room) *room, const uint8_t *key)
{
    uint8_t zero[16 * ECB_STEP] = {0};
    expand(suite, &room->schedule, key);
    ecb(suite, &room->schedule, zero, 1);
    gh_init(&room->hash, zero, POWERS);
    room->head_known = 0;
    kuimen_wipe(zero, sizeof zero);
}

/* Rows under one key: the blocks of many rows go through the cipher together. */
INLINE int column_rows(const job *work, int suite, PATH(room) *room, int64_t from, int64_t to)
{
    use_key(suite, room, work->key);
    while (from < to) {
        size_t count = 0, blocks = 0;
        for (; from < to && count < TILE_BLOCKS; from++) {
            PATH(item) *item = &room->items[count];
            if (!take_row(work, from, item))
                continue;
            size_t needed = 1 + (item->size + 15) / 16;
            if (blocks + needed > TILE_BLOCKS)
                break;
            item->first = blocks;
            blocks += needed;
            count++;
        }
        const int is_long = count == 0 && from < to;
        const uint8_t *fresh = next_nonces(work, room, is_long ? 1 : count, to - from + (int64_t)count);
        if (fresh == NULL)
            return -1;
        if (is_long) {
            PATH(long_row)(work, suite, room, &room->items[0], nonce_of(work, fresh, &room->items[0], 0));
            from++;
            continue;
        }
        for (size_t place = 0; place < count; place++) {
            const PATH(item) *item = &room->items[place];
            const uint8_t *nonce = nonce_of(work, fresh, item, place);
            size_t needed = 1 + (item->size + 15) / 16;
            for (size_t at = 0; at < needed; at++)
                counter_block(room->blocks + 16 * (item->first + at), nonce, (uint32_t)at + 1);
        }
        ecb(suite, &room->schedule, room->blocks, blocks);
        for (size_t place = 0; place < count; place++) {
            const PATH(item) *item = &room->items[place];
            finish_row(work, room, &room->hash, POWERS, item, nonce_of(work, fresh, item, place),
                       room->blocks + 16 * item->first, 16);
        }
    }
    return 0;
}

/* Rows under keys of their own: LANES keys are made ready and used together. */
INLINE int keyed_rows(const job *work, int suite, PATH(room) *room, int64_t from, int64_t to)
{
    const size_t size_of_key = key_size(suite);
    while (from < to) {
        size_t count = 0, steps = 0;
        PATH(item) long_item;
        int has_long = 0;
        for (; from < to && count < LANES && !has_long; from++) {
            PATH(item) *item = &room->items[count];
            if (!take_row(work, from, item))
                continue;
            size_t needed = 2 + (item->size + 15) / 16;
            if (needed > LANE_BLOCKS) {
                long_item = *item;
                has_long = 1;
                continue;
            }
            memcpy(room->keys[count], column_bytes(work->row_keys, from), size_of_key);
            steps = needed > steps ? needed : steps;
            count++;
        }
        if (has_long) {
            const uint8_t *one = next_nonces(work, room, 1, 1);
            if (one == NULL)
                return -1;
            use_key(suite, room, column_bytes(work->row_keys, long_item.row));
            PATH(long_row)(work, suite, room, &long_item, nonce_of(work, one, &long_item, 0));
        }
        if (count == 0)
            continue;
        const uint8_t *fresh = next_nonces(work, room, count, to - from + (int64_t)count);
        if (fresh == NULL)
            return -1;
        memset(room->blocks, 0, 16 * LANES);
        for (size_t place = 0; place < count; place++) {
            const uint8_t *nonce = nonce_of(work, fresh, &room->items[place], place);
            for (size_t at = 1; at < steps; at++)
                counter_block(room->blocks + 16 * (LANES * at + place), nonce, (uint32_t)at);
        }
        if (suite == SM4_GCM) {
            sm4_lanes_expand(&room->lanes.sm4, room->keys);
            sm4_lanes_ecb(&room->lanes.sm4, room->blocks, steps);
        } else {
            aes_lanes_expand(&room->lanes.aes, room->keys);
            aes_lanes_ecb(&room->lanes.aes, room->blocks, steps);
        }
        for (size_t place = 0; place < count; place++) {
            const PATH(item) *item = &room->items[place];
            gh_init(&room->hash, room->blocks + 16 * place, 1);
            finish_row(work, room, &room->hash, 1, item, nonce_of(work, fresh, item, place),
                       room->blocks + 16 * (LANES + place), 16 * LANES);
        }
    }
    return 0;
}

int PATH(kuimen_rows)(const job *work, int64_t from, int64_t to)
{
    PATH(room) *room;
    int result;
    if (posix_memalign((void **)&room, 64, sizeof *room) != 0)
        return -1;
    room->head_known = 0;
    room->nonces_used = room->nonces_drawn = 0;
    if (work->suite == SM4_GCM)
        result = work->row_keys ? keyed_rows(work, SM4_GCM, room, from, to) : column_rows(work, SM4_GCM, room, from, to);
    else
        result = work->row_keys ? keyed_rows(work, AES_256_GCM, room, from, to)
                                : column_rows(work, AES_256_GCM, room, from, to);
    kuimen_wipe(room, sizeof *room);
    free(room);
    return result;
}
