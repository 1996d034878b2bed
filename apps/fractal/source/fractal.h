/* What the programs share: their parameters, the colour of a pixel, and files. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS_BYTES (16 << 10)
#define MAX_SIDE 16384
#define TAU 6.283185307179586
#define COUNT 8 /* bytes before a row's pixels: the steps that they took, which fewer iterations would change */

struct view {
    int width, height, iterations;
    double re, im, span; /* the middle, and how wide the picture is in the plane */
};

static char params[PARAMS_BYTES + 1];

static inline void fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static inline void read_params(void) {
    params[fread(params, 1, PARAMS_BYTES, stdin)] = 0;
}

/* The start of a parameter's value, past its bracket if it is a list. */
static inline const char *value_of(const char *name) {
    char key[32];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(params, key);
    if (!at)
        fail(key);
    at += strlen(key);
    while (*at == ' ')
        at++;
    return *at == '[' ? at + 1 : at;
}

static inline double number(const char *name) { return strtod(value_of(name), NULL); }

static inline struct view read_view(void) {
    char *next;
    struct view view;
    view.width = (int)strtol(value_of("size"), &next, 10);
    view.height = (int)strtol(next + 1, NULL, 10);
    view.re = strtod(value_of("center"), &next);
    view.im = strtod(next + 1, NULL);
    view.span = number("span");
    view.iterations = (int)number("iterations");
    if (view.width < 1 || view.width > MAX_SIDE || view.height < 1 || view.height > MAX_SIDE)
        fail("that is no size of a picture");
    return view;
}

/* How often a point is squared and moved before it is far away, in fractions; 0 where it never is. */
static inline double steps_of(const struct view *view, double column, double row, uint64_t *taken) {
    double step = view->span / view->width;
    double re = view->re + (column - view->width * 0.5) * step, im = view->im - (row - view->height * 0.5) * step;
    double x = 0, y = 0;
    for (int n = 1; n <= view->iterations; n++) {
        double wide = x * x - y * y + re;
        y = 2 * x * y + im;
        x = wide;
        double far = x * x + y * y;
        if (far > 65536) {
            *taken += (uint64_t)n;
            return n + 1 - log2(log2(far) * 0.5);
        }
    }
    *taken += (uint64_t)view->iterations;
    return 0;
}

static inline void colour(double steps, uint8_t *pixel) {
    static const double phase[3] = {0.55, 0.62, 0.75};
    for (int channel = 0; channel < 3; channel++)
        pixel[channel] = steps ? (uint8_t)(127.5 - 127.5 * cos(TAU * (sqrt(steps) * 0.15 + phase[channel]))) : 0;
}

static inline size_t row_bytes(const struct view *view) { return COUNT + 3 * (size_t)view->width; }

static inline void render_row(const struct view *view, int row, uint8_t *made) {
    uint64_t taken = 0;
    for (int column = 0; column < view->width; column++)
        colour(steps_of(view, column + 0.5, row + 0.5, &taken), made + COUNT + 3 * column);
    memcpy(made, &taken, COUNT);
}

static inline FILE *opened(const char *path, const char *how) {
    FILE *file = fopen(path, how);
    if (!file)
        fail(path);
    return file;
}
