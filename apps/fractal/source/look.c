/* Counts the steps that points of a grid over the picture take, on the mean: {"steps": n}. */

#include "fractal.h"

#define COLUMNS 48
#define ROWS 27

int main(void) {
    read_params();
    struct view view = read_view();
    uint64_t taken = 0;
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++)
            steps_of(&view, view.width * (column + 0.5) / COLUMNS, view.height * (row + 0.5) / ROWS, &taken);
    printf("{\"steps\": %llu}", (unsigned long long)(taken / (ROWS * COLUMNS) + 1));
}
