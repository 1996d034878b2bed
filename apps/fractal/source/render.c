/* Renders some rows of the picture to rows.bin, three bytes a pixel. */

#include "fractal.h"

int main(void) {
    read_params();
    struct view view = read_view();
    int first = (int)number("first"), rows = (int)number("rows");
    uint8_t *pixels = malloc(3 * (size_t)view.width);
    FILE *file = opened("/out/rows.bin", "wb");
    for (int row = first; row < first + rows; row++) {
        render_row(&view, row, pixels);
        fwrite(pixels, 3, view.width, file);
        if ((row - first) % 16 == 0)
            fprintf(stderr, "progress %d%%\n", 100 * (row - first) / rows);
    }
    if (fclose(file))
        fail("rows.bin can't be written");
}
