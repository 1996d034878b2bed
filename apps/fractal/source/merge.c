/* Joins strips to picture.png, or those that are there to a small preview.png. Not compressed: https://www.w3.org/TR/png-3/ */

#include "fractal.h"

#define BLOCK 65535 /* bytes in one block of deflate */
#define MAX_PREVIEW_SIDE 960

static FILE *file;
static uint32_t table[256], sum_a = 1, sum_b = 0;

static void make_table(void) {
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? 0xEDB88320u ^ c >> 1 : c >> 1;
        table[n] = c;
    }
}

static void big(uint8_t *at, uint32_t value) {
    for (int byte = 0; byte < 4; byte++)
        at[byte] = (uint8_t)(value >> (24 - 8 * byte));
}

static void chunk(const char *kind, const uint8_t *data, uint32_t size) {
    uint8_t head[8], tail[4];
    uint32_t crc = ~0u;
    big(head, size);
    memcpy(head + 4, kind, 4);
    for (int n = 4; n < 8; n++)
        crc = table[(crc ^ head[n]) & 255] ^ crc >> 8;
    for (uint32_t n = 0; n < size; n++)
        crc = table[(crc ^ data[n]) & 255] ^ crc >> 8;
    big(tail, ~crc);
    fwrite(head, 1, 8, file);
    fwrite(data, 1, size, file);
    fwrite(tail, 1, 4, file);
}

static uint8_t block[BLOCK + 11];
static uint32_t used = 0, is_begun = 0;

static void flush(int is_last) {
    uint8_t *at = block + (is_begun ? 2 : 0);
    uint32_t size = used + (is_begun ? 5 : 7);
    block[0] = 0x78, block[1] = 0x01;
    block[2] = (uint8_t)is_last;
    block[3] = (uint8_t)used, block[4] = (uint8_t)(used >> 8);
    block[5] = (uint8_t)~used, block[6] = (uint8_t)(~used >> 8);
    if (is_last)
        big(block + 7 + used, sum_b << 16 | sum_a), size += 4;
    chunk("IDAT", at, size);
    is_begun = 1, used = 0;
}

static void put(const uint8_t *data, size_t size) {
    for (size_t n = 0; n < size; n++) {
        if (used == BLOCK)
            flush(0);
        block[7 + used++] = data[n];
        sum_a = (sum_a + data[n]) % 65521, sum_b = (sum_b + sum_a) % 65521;
    }
}

/* The strip that a row lies in, with the row next to be read; or nothing, where that is not there yet. */
static FILE *strip_at(int row, int rows, size_t bytes) {
    static FILE *strip;
    static int open = -1;
    if (row / rows != open) {
        char path[64];
        if (strip)
            fclose(strip);
        open = row / rows;
        snprintf(path, sizeof path, "/in/t%d/rows.bin", open);
        strip = fopen(path, "rb");
    }
    if (strip)
        fseek(strip, (long)(bytes * (row % rows)), SEEK_SET);
    return strip;
}

int main(void) {
    read_params();
    struct view view = read_view();
    int rows = (int)number("rows"), longer = view.width > view.height ? view.width : view.height;
    int is_preview = (int)number("preview"), step = is_preview ? (longer + MAX_PREVIEW_SIDE - 1) / MAX_PREVIEW_SIDE : 1;
    int width = (view.width + step - 1) / step, height = (view.height + step - 1) / step;
    size_t bytes = row_bytes(&view);
    uint8_t *made = malloc(bytes), *shown = calloc(3, (size_t)width + 1), head[13] = {0};
    make_table();
    file = opened(is_preview ? "/out/preview.png" : "/out/picture.png", "wb");
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);
    big(head, (uint32_t)width), big(head + 4, (uint32_t)height), head[8] = 8, head[9] = 2;
    chunk("IHDR", head, 13);
    for (int row = 0; row < view.height; row += step) {
        FILE *strip = strip_at(row, rows, bytes);
        if (!strip && !is_preview)
            fail("a strip is missing");
        if (!strip || fread(made, 1, bytes, strip) != bytes)
            memset(made, 0, bytes);
        for (int column = 0; column < width; column++)
            memcpy(shown + 1 + 3 * column, made + COUNT + 3 * column * step, 3);
        put(shown, 1 + 3 * (size_t)width);
    }
    flush(1);
    chunk("IEND", head, 0);
    if (fclose(file))
        fail("the picture can't be written");
}
