/* Renders some rows of a result again: {"ok": true, "wrong": how many are not the same, byte by byte}. */

#include "fractal.h"

int main(void) {
    read_params();
    struct view view = read_view();
    int first = (int)number("first"), rows = (int)number("rows"), wrong = 0;
    size_t bytes = row_bytes(&view);
    FILE *file = fopen("/in/result/rows.bin", "rb");
    if (!file || fseek(file, 0, SEEK_END) || ftell(file) != (long)(bytes * rows)) {
        printf("{\"ok\": false, \"why\": \"there is no rows.bin of %ld bytes\"}", (long)(bytes * rows));
        return 0;
    }
    uint8_t *theirs = malloc(bytes), *ours = malloc(bytes);
    char *next = (char *)value_of("again");
    while (*next && *next != ']') {
        int row = (int)strtol(next, &next, 10);
        next += *next == ',';
        if (fseek(file, (long)(bytes * row), SEEK_SET) || fread(theirs, 1, bytes, file) != bytes)
            fail("the result can't be read");
        render_row(&view, first + row, ours);
        wrong += memcmp(theirs, ours, bytes) != 0;
    }
    printf("{\"ok\": true, \"wrong\": %d}", wrong);
}
