/* Renders some rows of the picture to rows.bin: of each the steps that it took, and three bytes a pixel. */

#include "fractal.h"

int main(void) {
    read_params();
    struct view view = read_view();
    int first = (int)number("first"), rows = (int)number("rows");
    uint8_t *made = malloc(row_bytes(&view));
    FILE *file = opened("/out/rows.bin", "wb");
    for (int row = first; row < first + rows; row++) {
        render_row(&view, row, made);
        fwrite(made, 1, row_bytes(&view), file);
        if ((row - first) % 16 == 0)
            fprintf(stderr, "progress %d%%\n", 100 * (row - first) / rows);
    }
    if (fclose(file))
        fail("rows.bin can't be written");
}
